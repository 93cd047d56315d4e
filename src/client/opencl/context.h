// Contexts. A context may have devices of several nodes; it is then made on each of them under the
// same handle. OpenCL 3.0, section 4.4.
#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "client/opencl/device.h"
#include "client/opencl/image_formats.h"
#include "client/opencl/info.h"
#include "client/opencl/node.h"
#include "client/opencl/object.h"
#include "client/opencl/platform.h"
#include "client/opencl/runtime.h"

namespace longwire::client::opencl {

class Context final : public Object {
 public:
  static constexpr Kind kKind = Kind::kContext;
  using Notify = void(CL_CALLBACK*)(const char*, const void*, size_t, void*);

  Context(Platform& platform, std::vector<Ref<Device>> devices,
          std::vector<cl_context_properties> properties, Notify notify, void* user_data);
  ~Context() override;
  cl_int create_on_nodes() noexcept;

  Platform& platform() const noexcept { return platform_; }
  Runtime& runtime() const noexcept { return platform_.runtime(); }
  std::span<const Ref<Device>> devices() const noexcept { return devices_; }
  bool has_device(const Device& device) const noexcept;

  // Every node that has a device of the context; never empty. node() is the first.
  std::span<Node* const> nodes() const noexcept { return nodes_; }
  Node& node() const noexcept { return *nodes_.front(); }
  bool spans_nodes() const noexcept { return nodes_.size() > 1; }
  bool lost() const noexcept;  // one of its nodes is

  wire::Handle new_handle(Kind kind) const noexcept { return runtime().new_handle(kind); }

  // Sends the same message to each node of the context. CL_SUCCESS or kLostCallStatus.
  template <class M>
  cl_int send_to_all(const M& message) noexcept {
    cl_int result = CL_SUCCESS;
    for (Node* node : nodes_) {
      if (const cl_int status = node->send(message); status != CL_SUCCESS) result = status;
    }
    return result;
  }
  // ReleaseObject on each node.
  void release_on_all(wire::Handle handle) noexcept;

  // Calls the program's notification function on the callback thread. Any thread.
  void notify(std::string_view message, std::span<const std::byte> private_info = {}) noexcept;

  cl_int get_info(cl_context_info param, const InfoOut& out) noexcept;
  void add_destructor_callback(std::function<void()> callback);

  // Asked of the nodes once (image_formats.cc).
  ImageFormats& image_formats() noexcept { return image_formats_; }

 private:
  Platform& platform_;
  const std::vector<Ref<Device>> devices_;
  const std::vector<cl_context_properties> properties_;
  std::vector<Node*> nodes_;
  const Notify notify_;
  void* const user_data_;
  std::mutex lock_;
  std::vector<std::function<void()>> destructor_callbacks_;  // called last to first
  ImageFormats image_formats_;
};

}  // namespace longwire::client::opencl
