// The one platform: all devices of all nodes. OpenCL 3.0, section 4.1.
#pragma once

#include <memory>
#include <vector>

#include "client/opencl/info.h"
#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Device;
class Runtime;

class Platform final : public Object {
 public:
  static constexpr Kind kKind = Kind::kPlatform;
  explicit Platform(Runtime& runtime);
  ~Platform() override;

  Runtime& runtime() const noexcept { return runtime_; }
  // Root devices, in the order of the nodes; connects on first use.
  const std::vector<Device*>& devices() noexcept;
  cl_int get_info(cl_platform_info param, const InfoOut& out) noexcept;

 private:
  Runtime& runtime_;
  std::once_flag described_;
  std::vector<Device*> devices_;  // live as long as the platform
};

}  // namespace longwire::client::opencl
