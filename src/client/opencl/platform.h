// The one platform: all devices of all nodes. OpenCL 3.0, section 4.1.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "client/opencl/info.h"
#include "client/opencl/object.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {

class Device;
class Node;
class Runtime;

class Platform final : public Object {
 public:
  static constexpr Kind kKind = Kind::kPlatform;
  explicit Platform(Runtime& runtime);
  ~Platform() override;

  Runtime& runtime() const noexcept { return runtime_; }
  // Root devices, in the order of the nodes; connects on first use.
  const std::vector<Device*>& devices() noexcept;
  static bool is_valid_type(cl_device_type type) noexcept;
  // Those that clGetDeviceIDs gives for a type. REQUIRES: a valid type.
  std::vector<Device*> devices_of(cl_device_type type) noexcept;
  cl_int get_info(cl_platform_info param, const InfoOut& out) noexcept;

 private:
  // What one node has. `devices` own one use each.
  struct Found {
    std::vector<Device*> devices;
    cl_ulong host_timer_resolution = ~cl_ulong{0};
  };
  void describe_all() noexcept;
  void describe(Node& node, Found& found) noexcept;
  void add(Node& node, const longwire::opencl::record::platform& native, Found& found);

  Runtime& runtime_;
  std::once_flag described_;
  std::vector<Device*> devices_;                   // each with one use, until the platform goes
  cl_ulong host_timer_resolution_ = ~cl_ulong{0};  // the smallest of the nodes'
};

}  // namespace longwire::client::opencl
