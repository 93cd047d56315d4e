#include "client/opencl/context.h"

#include <algorithm>
#include <string>
#include <utility>

#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;

Context::Context(Platform& platform, std::vector<Ref<Device>> devices,
                 std::vector<cl_context_properties> properties, Notify notify, void* user_data)
    : Object(kKind, platform.runtime().new_handle(kKind)),
      platform_(platform),
      devices_(std::move(devices)),
      properties_(std::move(properties)),
      notify_(notify),
      user_data_(user_data) {
  for (const Ref<Device>& device : devices_) {
    Node* const node = &device->node();
    if (std::find(nodes_.begin(), nodes_.end(), node) == nodes_.end()) nodes_.push_back(node);
  }
  runtime().add_object(*this);
}

Context::~Context() {
  runtime().remove_object(*this);
  release_on_all(handle());
  // Last to first (section 4.4). The program's handle is only a name in there.
  for (auto at = destructor_callbacks_.rbegin(); at != destructor_callbacks_.rend(); ++at) {
    runtime().callbacks().post(std::move(*at));
  }
}

cl_int Context::create_on_nodes() noexcept {
  std::vector<std::uint64_t> for_nodes;
  for (std::size_t i = 0; i + 1 < properties_.size(); i += 2) {
    if (properties_[i] == CL_CONTEXT_PLATFORM) continue;
    for_nodes.push_back(static_cast<std::uint64_t>(properties_[i]));
    for_nodes.push_back(static_cast<std::uint64_t>(properties_[i + 1]));
  }
  if (!for_nodes.empty()) for_nodes.push_back(0);
  for (Node* const node : nodes_) {
    std::vector<wire::Handle> devices;
    for (const Ref<Device>& device : devices_) {
      if (&device->node() == node) devices.push_back(device->handle());
    }
    msg::CreateContext message;
    message.context = handle();
    message.devices = wire::U64View(std::as_bytes(std::span(devices)));
    message.properties = wire::U64View(std::as_bytes(std::span(for_nodes)));
    if (node->send(message) != CL_SUCCESS) return CL_DEVICE_NOT_AVAILABLE;
  }
  return CL_SUCCESS;
}

bool Context::has_device(const Device& device) const noexcept {
  return std::any_of(devices_.begin(), devices_.end(),
                     [&](const Ref<Device>& one) { return one.get() == &device; });
}

bool Context::lost() const noexcept {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node* node) { return node->lost(); });
}

void Context::release_on_all(wire::Handle handle) noexcept {
  for (Node* const node : nodes_)
    node->release(handle);
}

void Context::notify(std::string_view message, std::span<const std::byte> private_info) noexcept {
  if (notify_ == nullptr) return;
  runtime().callbacks().post(
      [self = Ref<Context>(this), text = std::string(message),
       data = std::vector<std::byte>(private_info.begin(), private_info.end())] {
        self->notify_(text.c_str(), data.empty() ? nullptr : data.data(), data.size(),
                      self->user_data_);
      });
}

void Context::add_destructor_callback(std::function<void()> callback) {
  const std::lock_guard lock(lock_);
  destructor_callbacks_.push_back(std::move(callback));
}

cl_int Context::get_info(cl_context_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_CONTEXT_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    case CL_CONTEXT_NUM_DEVICES:
      return out.value<cl_uint>(static_cast<cl_uint>(devices_.size()));
    case CL_CONTEXT_DEVICES: {
      std::vector<cl_device_id> ids;
      for (const Ref<Device>& device : devices_)
        ids.push_back(to_cl<cl_device_id>(device.get()));
      return out.array(std::span<const cl_device_id>(ids));
    }
    case CL_CONTEXT_PROPERTIES:
      return out.array(std::span<const cl_context_properties>(properties_));
    default:
      return CL_INVALID_VALUE;
  }
}

}  // namespace longwire::client::opencl
