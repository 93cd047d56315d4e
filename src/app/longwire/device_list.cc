#include "app/longwire/device_list.h"

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/longwire/driver_library.h"
#include "app/longwire/json_fields.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using Json = nlohmann::json;

inline constexpr cl_uint kMaxDevices = 256;

// --- in the child ---

template <class T>
T number_of(const cl_icd_dispatch& cl, cl_device_id device, cl_device_info what) {
  T value{};
  cl.clGetDeviceInfo(device, what, sizeof value, &value, nullptr);
  return value;
}

const char* type_of(cl_device_type type) {
  if ((type & CL_DEVICE_TYPE_GPU) != 0) return "GPU";
  if ((type & CL_DEVICE_TYPE_CPU) != 0) return "CPU";
  return (type & CL_DEVICE_TYPE_ACCELERATOR) != 0 ? "accelerator" : "custom";
}

Json facts_of(const cl_icd_dispatch& cl, cl_device_id device) {
  return {{"name", device_text(cl, device, CL_DEVICE_NAME)},
          {"type", type_of(number_of<cl_device_type>(cl, device, CL_DEVICE_TYPE))},
          {"vendor", device_text(cl, device, CL_DEVICE_VENDOR)},
          {"version", device_text(cl, device, CL_DEVICE_VERSION)},
          {"driver", device_text(cl, device, CL_DRIVER_VERSION)},
          {"memory_bytes", number_of<cl_ulong>(cl, device, CL_DEVICE_GLOBAL_MEM_SIZE)},
          {"units", number_of<cl_uint>(cl, device, CL_DEVICE_MAX_COMPUTE_UNITS)}};
}

// Null where the node does not answer: our platform then has no device, or is not there.
Json list_devices(const std::string& driver) {
  const auto loaded = load_driver(driver);
  if (!loaded) return nullptr;
  const cl_icd_dispatch& cl = *loaded->cl;
  std::array<cl_device_id, kMaxDevices> devices{};
  cl_uint count = 0;
  if (cl.clGetDeviceIDs(loaded->platform, CL_DEVICE_TYPE_ALL, kMaxDevices, devices.data(),
                        &count) != CL_SUCCESS) {
    return nullptr;
  }
  Json list = Json::array();
  for (cl_uint i = 0; i < std::min(count, kMaxDevices); ++i)
    list.push_back(facts_of(cl, devices[i]));
  return list;
}

std::string ask(const std::string& node, const std::string& driver) {
  ::setenv("LONGWIRE_NODES", node.c_str(), 1);
  return list_devices(driver).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// --- in the parent ---

DeviceFacts facts_from(const Json& json) {
  return {text_field(json, "name"),
          text_field(json, "type"),
          text_field(json, "vendor"),
          text_field(json, "version"),
          text_field(json, "driver"),
          count_field(json, "memory_bytes"),
          static_cast<std::uint32_t>(count_field(json, "units"))};
}

}  // namespace

base::Result<DeviceQuery> DeviceQuery::start(const std::string& node, const std::string& driver) {
  LW_ASSIGN(ChildAnswer answer, ChildAnswer::start([&] { return ask(node, driver); }));
  return DeviceQuery(std::move(answer));
}

base::Result<std::vector<DeviceFacts>> DeviceQuery::finish() {
  const auto text = answer_.finish();
  return parse_device_list(text ? *text : "");
}

base::Result<std::vector<DeviceFacts>> parse_device_list(const std::string& answer) {
  const Json list = Json::parse(answer, nullptr, false);
  if (!list.is_array()) return Error(ErrorCode::kUnavailable, "the node does not answer");
  std::vector<DeviceFacts> devices;
  for (const Json& item : list)
    devices.push_back(facts_from(item));
  return devices;
}

}  // namespace longwire::app
