// Creating and asking contexts. OpenCL 3.0, section 4.4.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "client/opencl/context.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::api {
namespace {

constexpr std::size_t kMaxContextProperties = 256;

using Notify = void(CL_CALLBACK*)(const char*, const void*, size_t, void*);

struct Request {
  Platform* platform = nullptr;
  std::vector<cl_context_properties> properties;  // as given, with the final 0; empty when NULL
};

Platform* the_platform() noexcept {
  Runtime* const runtime = process_runtime();
  return runtime == nullptr ? nullptr : &runtime->platform();
}

bool is_known_property(cl_context_properties name) noexcept {
  return name == CL_CONTEXT_PLATFORM || name == CL_CONTEXT_INTEROP_USER_SYNC ||
         name == CL_CONTEXT_MEMORY_INITIALIZE_KHR;
}

cl_int read_properties(const cl_context_properties* properties, Request& request) {
  request.platform = nullptr;
  for (std::size_t i = 0; properties != nullptr && properties[i] != 0; i += 2) {
    const cl_context_properties name = properties[i];
    if (i > kMaxContextProperties || !is_known_property(name)) return CL_INVALID_PROPERTY;
    for (std::size_t earlier = 0; earlier < i; earlier += 2) {
      if (properties[earlier] == name) return CL_INVALID_PROPERTY;
    }
    if (name == CL_CONTEXT_PLATFORM) {
      request.platform = from_cl<Platform>(reinterpret_cast<void*>(properties[i + 1]));
      if (request.platform == nullptr) return CL_INVALID_PLATFORM;
    }
    request.properties.insert(request.properties.end(), {name, properties[i + 1]});
  }
  if (properties != nullptr) request.properties.push_back(0);
  if (request.platform == nullptr) request.platform = the_platform();
  return request.platform == nullptr ? CL_INVALID_PLATFORM : CL_SUCCESS;
}

cl_int read_devices(cl_uint count, const cl_device_id* ids, std::vector<Ref<Device>>& devices) {
  for (cl_uint i = 0; i < count; ++i) {
    Device* const device = from_cl<Device>(ids[i]);
    if (device == nullptr) return CL_INVALID_DEVICE;
    if (!device->available()) return CL_DEVICE_NOT_AVAILABLE;
    const bool twice = std::any_of(devices.begin(), devices.end(),
                                   [&](const Ref<Device>& one) { return one.get() == device; });
    if (!twice) devices.emplace_back(device);
  }
  return CL_SUCCESS;
}

cl_context fail(cl_int* errcode_ret, cl_int status) noexcept {
  if (errcode_ret != nullptr) *errcode_ret = status;
  return nullptr;
}

cl_context create(Request request, std::vector<Ref<Device>> devices, Notify notify, void* user_data,
                  cl_int* errcode_ret) {
  auto context = Ref<Context>::adopt(new Context(*request.platform, std::move(devices),
                                                 std::move(request.properties), notify, user_data));
  if (const cl_int status = context->create_on_nodes(); status != CL_SUCCESS) {
    return fail(errcode_ret, status);
  }
  if (errcode_ret != nullptr) *errcode_ret = CL_SUCCESS;
  return to_cl<cl_context>(context.release());
}

}  // namespace

cl_context CreateContext(const cl_context_properties* properties, cl_uint num_devices,
                         const cl_device_id* devices, Notify pfn_notify, void* user_data,
                         cl_int* errcode_ret) noexcept {
  if (devices == nullptr || num_devices == 0 || (pfn_notify == nullptr && user_data != nullptr)) {
    return fail(errcode_ret, CL_INVALID_VALUE);
  }
  Request request;
  std::vector<Ref<Device>> wanted;
  cl_int status = read_properties(properties, request);
  if (status == CL_SUCCESS) status = read_devices(num_devices, devices, wanted);
  if (status != CL_SUCCESS) return fail(errcode_ret, status);
  return create(std::move(request), std::move(wanted), pfn_notify, user_data, errcode_ret);
}

cl_context CreateContextFromType(const cl_context_properties* properties,
                                 cl_device_type device_type, Notify pfn_notify, void* user_data,
                                 cl_int* errcode_ret) noexcept {
  if (pfn_notify == nullptr && user_data != nullptr) return fail(errcode_ret, CL_INVALID_VALUE);
  Request request;
  cl_int status = read_properties(properties, request);
  if (status != CL_SUCCESS) return fail(errcode_ret, status);
  if (!Platform::is_valid_type(device_type)) return fail(errcode_ret, CL_INVALID_DEVICE_TYPE);
  std::vector<cl_device_id> ids;
  for (Device* const device : request.platform->devices_of(device_type)) {
    ids.push_back(to_cl<cl_device_id>(device));
  }
  if (ids.empty()) return fail(errcode_ret, CL_DEVICE_NOT_FOUND);
  std::vector<Ref<Device>> wanted;
  status = read_devices(static_cast<cl_uint>(ids.size()), ids.data(), wanted);
  if (status != CL_SUCCESS) return fail(errcode_ret, status);
  return create(std::move(request), std::move(wanted), pfn_notify, user_data, errcode_ret);
}

cl_int RetainContext(cl_context context) noexcept {
  Context* const object = from_cl<Context>(context);
  if (object == nullptr) return CL_INVALID_CONTEXT;
  object->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseContext(cl_context context) noexcept {
  Context* const object = from_cl<Context>(context);
  if (object == nullptr) return CL_INVALID_CONTEXT;
  return object->release_api() ? CL_SUCCESS : CL_INVALID_CONTEXT;
}

cl_int GetContextInfo(cl_context context, cl_context_info param_name, size_t param_value_size,
                      void* param_value, size_t* param_value_size_ret) noexcept {
  Context* const object = from_cl<Context>(context);
  if (object == nullptr) return CL_INVALID_CONTEXT;
  return object->get_info(param_name, {param_value_size, param_value, param_value_size_ret});
}

cl_int SetContextDestructorCallback(cl_context context,
                                    void(CL_CALLBACK* pfn_notify)(cl_context, void*),
                                    void* user_data) noexcept {
  Context* const object = from_cl<Context>(context);
  if (object == nullptr) return CL_INVALID_CONTEXT;
  if (pfn_notify == nullptr) return CL_INVALID_VALUE;
  object->add_destructor_callback([=] { pfn_notify(context, user_data); });
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl::api
