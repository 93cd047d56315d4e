// Platforms, devices, contexts.
#include <algorithm>
#include <string>

#include "worker/fake/fake_objects.h"

namespace longwire::worker::fake {
namespace {

using longwire::opencl::NativeApi;

int platform_tag = 0;
cl_platform_id platform() { return native<cl_platform_id>(&platform_tag); }
cl_device_id device(std::size_t i) { return native<cl_device_id>(&state().devices[i]); }
std::size_t index_of(cl_device_id id) {
  return static_cast<std::size_t>(fake<int>(id) - state().devices.data());
}

cl_int CL_API_CALL platform_ids(cl_uint room, cl_platform_id* ids, cl_uint* count) {
  if (ids != nullptr && room > 0) ids[0] = platform();
  if (count != nullptr) *count = 1;
  return CL_SUCCESS;
}

cl_int CL_API_CALL platform_info(cl_platform_id, cl_platform_info param, std::size_t room,
                                 void* value, std::size_t* size) {
  switch (param) {
    case CL_PLATFORM_PROFILE:
      return give_text("FULL_PROFILE", room, value, size);
    case CL_PLATFORM_VERSION:
      return give_text("OpenCL 3.0 Longwire fake", room, value, size);
    case CL_PLATFORM_NAME:
      return give_text("Longwire fake driver", room, value, size);
    case CL_PLATFORM_VENDOR:
      return give_text("Longwire", room, value, size);
    case CL_PLATFORM_EXTENSIONS:
      return give_text("cl_khr_icd", room, value, size);
    case CL_PLATFORM_NUMERIC_VERSION:
      return give_value<cl_uint>(CL_MAKE_VERSION(3, 0, 0), room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL device_ids(cl_platform_id, cl_device_type, cl_uint room, cl_device_id* ids,
                              cl_uint* count) {
  const unsigned devices = state().options.devices;
  for (cl_uint i = 0; ids != nullptr && i < std::min<cl_uint>(room, devices); ++i)
    ids[i] = device(i);
  if (count != nullptr) *count = devices;
  return CL_SUCCESS;
}

cl_int device_trait(cl_device_info param, std::size_t room, void* value, std::size_t* size);

cl_int device_image_limit(cl_device_info param, std::size_t room, void* value, std::size_t* size) {
  const auto uint = [&](cl_uint v) { return give_value(v, room, value, size); };
  const auto sizes = [&](std::size_t v) { return give_value(v, room, value, size); };
  switch (param) {
    case CL_DEVICE_IMAGE_SUPPORT:
      return uint(CL_TRUE);
    case CL_DEVICE_IMAGE2D_MAX_WIDTH:
    case CL_DEVICE_IMAGE2D_MAX_HEIGHT:
      return sizes(8192);
    case CL_DEVICE_IMAGE3D_MAX_WIDTH:
    case CL_DEVICE_IMAGE3D_MAX_HEIGHT:
    case CL_DEVICE_IMAGE3D_MAX_DEPTH:
      return sizes(2048);
    case CL_DEVICE_IMAGE_MAX_BUFFER_SIZE:
      return sizes(1 << 20);
    case CL_DEVICE_IMAGE_MAX_ARRAY_SIZE:
      return sizes(2048);
    case CL_DEVICE_MAX_READ_IMAGE_ARGS:
    case CL_DEVICE_MAX_WRITE_IMAGE_ARGS:
      return uint(64);
    case CL_DEVICE_MAX_SAMPLERS:
      return uint(16);
    default:
      return device_trait(param, room, value, size);
  }
}

cl_int device_number(cl_device_info param, std::size_t room, void* value, std::size_t* size) {
  const auto uint = [&](cl_uint v) { return give_value(v, room, value, size); };
  const auto ulong = [&](cl_ulong v) { return give_value(v, room, value, size); };
  const auto sizes = [&](std::size_t v) { return give_value(v, room, value, size); };
  const std::size_t memory = state().options.memory_bytes;
  switch (param) {
    case CL_DEVICE_TYPE:
      return ulong(state().options.type);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
      return uint(state().options.shares_memory ? CL_TRUE : CL_FALSE);
    case CL_DEVICE_SVM_CAPABILITIES:
      return ulong(state().options.shares_memory ? CL_DEVICE_SVM_FINE_GRAIN_BUFFER : 0);
    case CL_DEVICE_VENDOR_ID:
      return uint(0x4C57);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
      return uint(4);
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
      return uint(3);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      return sizes(256);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES: {
      const std::size_t each[3] = {256, 256, 256};
      return give(each, sizeof each, room, value, size);
    }
    case CL_DEVICE_ADDRESS_BITS:
      return uint(64);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      return ulong(memory / 2);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
      return ulong(memory);
    default:
      return device_image_limit(param, room, value, size);
  }
}

cl_int device_trait(cl_device_info param, std::size_t room, void* value, std::size_t* size) {
  const auto uint = [&](cl_uint v) { return give_value(v, room, value, size); };
  const auto ulong = [&](cl_ulong v) { return give_value(v, room, value, size); };
  const auto sizes = [&](std::size_t v) { return give_value(v, room, value, size); };
  switch (param) {
    case CL_DEVICE_MAX_PARAMETER_SIZE:
      return sizes(1024);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
      return uint(1024);
    case CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE:
      return uint(128);
    case CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE:
    case CL_DEVICE_LOCAL_MEM_SIZE:
      return ulong(65536);
    case CL_DEVICE_MAX_CONSTANT_ARGS:
      return uint(8);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      return uint(CL_LOCAL);
    case CL_DEVICE_PROFILING_TIMER_RESOLUTION:
      return sizes(1);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_LINKER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
      return uint(CL_TRUE);
    case CL_DEVICE_EXECUTION_CAPABILITIES:
      return ulong(CL_EXEC_KERNEL);
    case CL_DEVICE_QUEUE_PROPERTIES:
      return ulong(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE);
    case CL_DEVICE_PRINTF_BUFFER_SIZE:
      return sizes(1 << 16);
    case CL_DEVICE_NUMERIC_VERSION:
      return uint(CL_MAKE_VERSION(3, 0, 0));
    case CL_DEVICE_PARTITION_MAX_SUB_DEVICES:
      return uint(0);
    case CL_DEVICE_PARTITION_PROPERTIES:
      return give_value<cl_device_partition_property>(0, room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL device_info(cl_device_id id, cl_device_info param, std::size_t room, void* value,
                               std::size_t* size) {
  switch (param) {
    case CL_DEVICE_NAME:
      return give_text("Fake device " + std::to_string(index_of(id)), room, value, size);
    case CL_DEVICE_VENDOR:
      return give_text("Longwire", room, value, size);
    case CL_DEVICE_PROFILE:
      return give_text("FULL_PROFILE", room, value, size);
    case CL_DEVICE_VERSION:
      return give_text("OpenCL 3.0 Longwire fake", room, value, size);
    case CL_DRIVER_VERSION:
      return give_text("1.0", room, value, size);
    case CL_DEVICE_OPENCL_C_VERSION:
      return give_text("OpenCL C 1.2 ", room, value, size);
    case CL_DEVICE_EXTENSIONS:
      return give_text("cl_khr_byte_addressable_store cl_ext_image_requirements_info", room, value,
                       size);
    case CL_DEVICE_BUILT_IN_KERNELS:
      return give_text("", room, value, size);
    case CL_DEVICE_PLATFORM:
      return give_value(platform(), room, value, size);
    default:
      return device_number(param, room, value, size);
  }
}

cl_int CL_API_CALL no_sub_devices(cl_device_id, const cl_device_partition_property*, cl_uint,
                                  cl_device_id*, cl_uint*) {
  return CL_INVALID_VALUE;
}
cl_int CL_API_CALL keep_device(cl_device_id) { return CL_SUCCESS; }

cl_int CL_API_CALL timers(cl_device_id, cl_ulong* on_device, cl_ulong* on_host) {
  const Guard guard;
  *on_device = *on_host = ++state().time;
  return CL_SUCCESS;
}

cl_context CL_API_CALL create_context(
    const cl_context_properties*, cl_uint count, const cl_device_id* devices,
    void(CL_CALLBACK*)(const char*, const void*, std::size_t, void*), void*, cl_int* status) {
  const Guard guard;
  auto* context = new FakeContext;
  context->devices.assign(devices, devices + count);
  set(status, CL_SUCCESS);
  return native<cl_context>(context);
}

}  // namespace

void fill_device_functions(NativeApi& api) {
  api.clGetPlatformIDs = platform_ids;
  api.clGetPlatformInfo = platform_info;
  api.clGetDeviceIDs = device_ids;
  api.clGetDeviceInfo = device_info;
  api.clCreateSubDevices = no_sub_devices;
  api.clRetainDevice = keep_device;
  api.clReleaseDevice = keep_device;
  api.clGetDeviceAndHostTimer = timers;
  api.clCreateContext = create_context;
  api.clRetainContext = retain<FakeContext, cl_context>;
  api.clReleaseContext = release<FakeContext, cl_context>;
}

}  // namespace longwire::worker::fake
