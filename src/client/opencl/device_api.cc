// clGetDeviceInfo, sub-devices and timers. OpenCL 3.0, sections 4.2, 4.3 and 4.5.
#include <vector>

#include "client/opencl/device.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::api {
namespace msg = longwire::opencl::msg;
namespace {

constexpr std::size_t kMaxPartitionProperties = 4096;

// With the final 0; empty when there is none in sight.
std::vector<std::uint64_t> partition_properties(const cl_device_partition_property* properties) {
  std::vector<std::uint64_t> list;
  while (list.size() < kMaxPartitionProperties) {
    const cl_device_partition_property property = properties[list.size()];
    list.push_back(static_cast<std::uint64_t>(property));
    // A list by counts ends with two zeros: the counts' own and the last one.
    const bool counts = list.front() == CL_DEVICE_PARTITION_BY_COUNTS;
    const bool ends_counts = list.size() >= 2 && list[list.size() - 2] == 0;
    if (property == 0 && (!counts || ends_counts || list.size() == 1)) return list;
  }
  return {};
}

Ref<Device> make_part(Device& whole, const longwire::opencl::record::device& description) {
  return Ref<Device>::adopt(new Device(whole.platform(), whole.node(), &whole, description));
}

cl_int timers(cl_device_id device, cl_ulong* device_timestamp, cl_ulong* host_timestamp) noexcept {
  Device* const object = from_cl<Device>(device);
  if (object == nullptr) return CL_INVALID_DEVICE;
  msg::GetDeviceAndHostTimer message;
  message.device = object->handle();
  return object->node().call(message, [&](const msg::GetDeviceAndHostTimer::Reply& reply) {
    if (device_timestamp != nullptr) *device_timestamp = reply.device_timestamp;
    *host_timestamp = reply.host_timestamp;
  });
}

}  // namespace

cl_int GetDeviceInfo(cl_device_id device, cl_device_info param_name, size_t param_value_size,
                     void* param_value, size_t* param_value_size_ret) noexcept {
  Device* const object = from_cl<Device>(device);
  if (object == nullptr) return CL_INVALID_DEVICE;
  return object->get_info(param_name, {param_value_size, param_value, param_value_size_ret});
}

cl_int CreateSubDevices(cl_device_id in_device, const cl_device_partition_property* properties,
                        cl_uint num_devices, cl_device_id* out_devices,
                        cl_uint* num_devices_ret) noexcept {
  Device* const parent = from_cl<Device>(in_device);
  if (parent == nullptr) return CL_INVALID_DEVICE;
  if (properties == nullptr || (out_devices == nullptr && num_devices_ret == nullptr)) {
    return CL_INVALID_VALUE;
  }
  const std::vector<std::uint64_t> list = partition_properties(properties);
  if (list.size() < 2) return CL_INVALID_VALUE;
  msg::CreateSubDevices message;
  message.device = parent->handle();
  message.properties = wire::U64View(std::as_bytes(std::span(list)));
  std::vector<Ref<Device>> made;
  LW_CL_TRY(parent->node().call(message, [&](const msg::CreateSubDevices::Reply& reply) {
    for (const auto& one : reply.devices) {
      made.push_back(make_part(*parent, one));
    }
  }));
  if (out_devices != nullptr && num_devices < made.size()) return CL_INVALID_VALUE;
  if (num_devices_ret != nullptr) *num_devices_ret = static_cast<cl_uint>(made.size());
  if (out_devices == nullptr) return CL_SUCCESS;  // only the count was wanted
  for (std::size_t i = 0; i < made.size(); ++i) {
    out_devices[i] = to_cl<cl_device_id>(made[i].release());
  }
  return CL_SUCCESS;
}

// Root devices are not counted (section 4.3).
cl_int RetainDevice(cl_device_id device) noexcept {
  Device* const object = from_cl<Device>(device);
  if (object == nullptr) return CL_INVALID_DEVICE;
  if (!object->is_root()) object->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseDevice(cl_device_id device) noexcept {
  Device* const object = from_cl<Device>(device);
  if (object == nullptr) return CL_INVALID_DEVICE;
  return object->is_root() || object->release_api() ? CL_SUCCESS : CL_INVALID_DEVICE;
}

cl_int GetDeviceAndHostTimer(cl_device_id device, cl_ulong* device_timestamp,
                             cl_ulong* host_timestamp) noexcept {
  if (device_timestamp == nullptr || host_timestamp == nullptr) {
    return from_cl<Device>(device) == nullptr ? CL_INVALID_DEVICE : CL_INVALID_VALUE;
  }
  return timers(device, device_timestamp, host_timestamp);
}

cl_int GetHostTimer(cl_device_id device, cl_ulong* host_timestamp) noexcept {
  if (host_timestamp == nullptr) {
    return from_cl<Device>(device) == nullptr ? CL_INVALID_DEVICE : CL_INVALID_VALUE;
  }
  return timers(device, nullptr, host_timestamp);
}

}  // namespace longwire::client::opencl::api
