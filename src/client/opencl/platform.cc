#include "client/opencl/platform.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>

#include "base/thread.h"
#include "client/opencl/device.h"
#include "client/opencl/node.h"
#include "client/opencl/runtime.h"
#include "opencl/client_api.h"
#include "opencl/entry.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;
namespace {

constexpr std::string_view kName = "Longwire";
constexpr std::string_view kVersion = "OpenCL 3.0 Longwire " LONGWIRE_VERSION;
// What holds whatever the devices are: nothing is asked of a node for it, since the ICD loader
// wants it when any program starts, though it may never use us.
constexpr std::string_view kExtensions = "cl_khr_icd";
constexpr cl_version kIcdVersion = CL_MAKE_VERSION(1, 0, 0);
constexpr std::string_view kIcdSuffix = "LWR";

constexpr cl_device_type kKnownTypes = CL_DEVICE_TYPE_DEFAULT | CL_DEVICE_TYPE_CPU |
                                       CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR |
                                       CL_DEVICE_TYPE_CUSTOM;

// Some programs say -1, and vendors' drivers let them.
bool is_all(cl_device_type type) {
  return type == CL_DEVICE_TYPE_ALL || type == ~cl_device_type{0};
}

}  // namespace

Platform::Platform(Runtime& runtime) : Object(kKind, 0), runtime_(runtime) {}

bool Platform::is_valid_type(cl_device_type type) noexcept {
  return is_all(type) || (type != 0 && (type & ~kKnownTypes) == 0);
}

Platform::~Platform() {
  for (Device* const device : devices_)
    device->unuse();
}

const std::vector<Device*>& Platform::devices() noexcept {
  std::call_once(described_, [this] { describe_all(); });
  return devices_;
}

// All nodes at once: a vendor's driver may take its time when it is first asked.
void Platform::describe_all() noexcept {
  const auto& nodes = runtime_.nodes();
  std::vector<Found> found(nodes.size());
  base::run_at_once("lw-describe", nodes.size(),
                    [&](std::size_t i) { describe(*nodes[i], found[i]); });
  for (const Found& one : found) {
    devices_.insert(devices_.end(), one.devices.begin(), one.devices.end());
    host_timer_resolution_ = std::min(host_timer_resolution_, one.host_timer_resolution);
  }
}

void Platform::describe(Node& node, Found& found) noexcept {
  const auto deadline = base::Deadline::in(runtime_.clock(), kDescribeTimeout);
  const auto add_all = [&](const auto& described) {
    for (const auto& native : described.platforms)
      add(node, native, found);
  };
  const cl_int status = node.session().introduces_itself()
                            ? node.introduction(add_all, deadline)
                            : node.call(msg::DescribePlatforms{}, add_all, deadline);
  if (status != CL_SUCCESS) {
    Runtime::say("no devices from " + node.session().node_name() + ": it did not describe them");
  }
}

void Platform::add(Node& node, const longwire::opencl::record::platform& native, Found& found) {
  cl_ulong resolution = 0;  // also where the vendor's driver knows of none
  for (const auto& info : native.infos) {
    if (info.param == CL_PLATFORM_HOST_TIMER_RESOLUTION && info.status == CL_SUCCESS &&
        info.value.size() == sizeof resolution) {
      std::memcpy(&resolution, info.value.data(), sizeof resolution);
    }
  }
  found.host_timer_resolution = std::min(found.host_timer_resolution, resolution);
  for (const auto& device : native.devices) {
    found.devices.push_back(new Device(*this, node, nullptr, device));
  }
}

std::vector<Device*> Platform::devices_of(cl_device_type type) noexcept {
  std::vector<Device*> found;
  for (Device* const device : devices()) {
    const auto is = device->value<cl_device_type>(CL_DEVICE_TYPE);
    const bool is_default = device == devices_.front();
    const bool wanted = is_all(type) ? (is & CL_DEVICE_TYPE_CUSTOM) == 0
                                     : (is & type & ~cl_device_type{CL_DEVICE_TYPE_DEFAULT}) != 0 ||
                                           (is_default && (type & CL_DEVICE_TYPE_DEFAULT) != 0);
    if (wanted) found.push_back(device);
  }
  return found;
}

cl_int Platform::get_info(cl_platform_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_PLATFORM_PROFILE:
      return out.string("FULL_PROFILE");
    case CL_PLATFORM_VERSION:
      return out.string(kVersion);
    case CL_PLATFORM_NUMERIC_VERSION:
      return out.value<cl_version>(CL_MAKE_VERSION(3, 0, 0));
    case CL_PLATFORM_NAME:
    case CL_PLATFORM_VENDOR:
      return out.string(kName);
    case CL_PLATFORM_EXTENSIONS:
      return out.string(kExtensions);
    case CL_PLATFORM_EXTENSIONS_WITH_VERSION: {
      cl_name_version extension{};
      extension.version = kIcdVersion;
      kExtensions.copy(extension.name, sizeof extension.name - 1);
      return out.value<cl_name_version>(extension);
    }
    case CL_PLATFORM_HOST_TIMER_RESOLUTION:
      return out.value<cl_ulong>(devices().empty() ? 0 : host_timer_resolution_);
    case CL_PLATFORM_ICD_SUFFIX_KHR:
      return out.string(kIcdSuffix);
    default:
      return CL_INVALID_VALUE;
  }
}

// --- the API ---

namespace api {
namespace {

// Null means the only platform there is.
Platform* platform_of(cl_platform_id handle) noexcept {
  if (handle != nullptr) return from_cl<Platform>(handle);
  Runtime* const runtime = process_runtime();
  return runtime == nullptr ? nullptr : &runtime->platform();
}

}  // namespace

cl_int IcdGetPlatformIDsKHR(cl_uint num_entries, cl_platform_id* platforms,
                            cl_uint* num_platforms) noexcept {
  if ((num_entries == 0 && platforms != nullptr) ||
      (platforms == nullptr && num_platforms == nullptr)) {
    return CL_INVALID_VALUE;
  }
  Runtime* const runtime = process_runtime();
  if (num_platforms != nullptr) *num_platforms = runtime != nullptr ? 1 : 0;
  if (runtime == nullptr) return CL_PLATFORM_NOT_FOUND_KHR;
  if (platforms != nullptr) *platforms = to_cl<cl_platform_id>(&runtime->platform());
  return CL_SUCCESS;
}

cl_int GetPlatformIDs(cl_uint num_entries, cl_platform_id* platforms,
                      cl_uint* num_platforms) noexcept {
  return IcdGetPlatformIDsKHR(num_entries, platforms, num_platforms);
}

cl_int GetPlatformInfo(cl_platform_id platform, cl_platform_info param_name,
                       size_t param_value_size, void* param_value,
                       size_t* param_value_size_ret) noexcept {
  Platform* const object = platform_of(platform);
  if (object == nullptr) return CL_INVALID_PLATFORM;
  return object->get_info(param_name, {param_value_size, param_value, param_value_size_ret});
}

cl_int GetDeviceIDs(cl_platform_id platform, cl_device_type device_type, cl_uint num_entries,
                    cl_device_id* devices, cl_uint* num_devices) noexcept {
  Platform* const object = platform_of(platform);
  if (object == nullptr) return CL_INVALID_PLATFORM;
  if (!Platform::is_valid_type(device_type)) return CL_INVALID_DEVICE_TYPE;
  if ((num_entries == 0 && devices != nullptr) || (devices == nullptr && num_devices == nullptr)) {
    return CL_INVALID_VALUE;
  }
  const std::vector<Device*> found = object->devices_of(device_type);
  if (num_devices != nullptr) *num_devices = static_cast<cl_uint>(found.size());
  if (found.empty()) return CL_DEVICE_NOT_FOUND;
  if (devices == nullptr) return CL_SUCCESS;
  for (cl_uint i = 0; i < num_entries && i < found.size(); ++i) {
    devices[i] = to_cl<cl_device_id>(found[i]);
  }
  return CL_SUCCESS;
}

void* GetExtensionFunctionAddress(const char* func_name) noexcept {
  return func_name == nullptr ? nullptr : find_extension_function(func_name);
}

void* GetExtensionFunctionAddressForPlatform(cl_platform_id platform,
                                             const char* func_name) noexcept {
  if (platform_of(platform) == nullptr) return nullptr;
  return GetExtensionFunctionAddress(func_name);
}

}  // namespace api
}  // namespace longwire::client::opencl
