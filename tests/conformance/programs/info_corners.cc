// Every clGet*Info of every kind of object: values, and the rules about sizes and pointers.
#include <cstring>
#include <functional>

#include "transcript.h"

namespace {

using namespace conformance;

using Get = std::function<cl_int(cl_uint name, size_t size, void* value, size_t* size_ret)>;

// What of an answer can be compared between two platforms.
enum class Kind {
  kValue,     // everything
  kHandle,    // its size; the value is an address
  kMoving,    // its size; the value depends on the moment
  kPlatform,  // neither: it names the platform, or the wire says something else by design
};

struct Query {
  cl_uint name;
  const char* text;
  Kind kind = Kind::kValue;
};
#define QUERY(name) \
  Query { name, #name }
#define QUERY_AS(name, kind) \
  Query { name, #name, Kind::kind }

constexpr size_t kGuardBytes = 16;
constexpr unsigned char kGuard = 0xA5;
constexpr cl_uint kNoSuchName = 0x7ABC;

bool untouched(const std::vector<unsigned char>& bytes, size_t from) {
  for (size_t i = from; i < bytes.size(); ++i)
    if (bytes[i] != kGuard) return false;
  return true;
}

std::string spell(const unsigned char* value, size_t size) {
  bool text = size > 1 && value[size - 1] == 0;
  for (size_t i = 0; text && i + 1 < size; ++i)
    text = (value[i] >= 0x20 && value[i] < 0x7f) || value[i] == '\n';
  return text ? "\"" + std::string(reinterpret_cast<const char*>(value)) + "\"" : hex(value, size);
}

void corners(const char* object, const Get& get, const Query& query) {
  size_t size = 0;
  cl_int code = get(query.name, 0, nullptr, &size);
  const bool sizes_differ = query.kind == Kind::kPlatform;
  say("%s %s: %s, %zu bytes", object, query.text, error_name(code).c_str(),
      sizes_differ ? size_t{0} : size);
  if (code != CL_SUCCESS) return;

  std::vector<unsigned char> value(size + kGuardBytes, kGuard);
  size_t returned = 0;
  code = get(query.name, size, value.data(), &returned);
  expect(code == CL_SUCCESS && returned == size, "%s %s: exact size: %s, %zu", object, query.text,
         error_name(code).c_str(), returned);
  expect(untouched(value, size), "%s %s: wrote past the size it gave", object, query.text);
  if (query.kind == Kind::kValue && code == CL_SUCCESS)
    say("  %s", spell(value.data(), size).c_str());

  std::vector<unsigned char> wide(size + kGuardBytes, kGuard);
  returned = 0;
  code = get(query.name, wide.size(), wide.data(), &returned);
  expect(code == CL_SUCCESS && returned == size, "%s %s: larger size: %s, %zu", object, query.text,
         error_name(code).c_str(), returned);
  expect(untouched(wide, size), "%s %s: wrote past its own size", object, query.text);

  code = get(query.name, size, value.data(), nullptr);
  expect(code == CL_SUCCESS, "%s %s: no size_ret: %s", object, query.text,
         error_name(code).c_str());
  if (size > 0) {
    std::vector<unsigned char> small(size, kGuard);
    code = get(query.name, size - 1, small.data(), nullptr);
    say("  one byte less: %s", error_name(code).c_str());
    expect(code == CL_SUCCESS || untouched(small, 0), "%s %s: wrote although it refused", object,
           query.text);
    say("  no bytes: %s", error_name(get(query.name, 0, small.data(), nullptr)).c_str());
  }
  say("  neither: %s", error_name(get(query.name, 0, nullptr, nullptr)).c_str());
}

void all(const char* object, const Get& get, const std::vector<Query>& queries) {
  for (const Query& query : queries)
    corners(object, get, query);
  // With room for an answer: PoCL 3.1 tells a size for any profiling name.
  unsigned char room[64];
  for (cl_uint name : {cl_uint{0}, kNoSuchName})
    say("%s, name 0x%x: %s", object, name,
        error_name(get(name, sizeof room, room, nullptr)).c_str());
}

void platform(const Setup& setup) {
  all("platform",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetPlatformInfo(setup.platform, name, size, value, size_ret);
      },
      {QUERY(CL_PLATFORM_PROFILE), QUERY_AS(CL_PLATFORM_VERSION, kPlatform),
       QUERY_AS(CL_PLATFORM_NAME, kPlatform), QUERY_AS(CL_PLATFORM_VENDOR, kPlatform),
       QUERY_AS(CL_PLATFORM_EXTENSIONS, kPlatform), QUERY(CL_PLATFORM_NUMERIC_VERSION),
       QUERY_AS(CL_PLATFORM_EXTENSIONS_WITH_VERSION, kPlatform),
       QUERY(CL_PLATFORM_HOST_TIMER_RESOLUTION)});
}

const std::vector<Query>& device_queries() {
  static const std::vector<Query> queries = {
      QUERY(CL_DEVICE_TYPE),
      QUERY(CL_DEVICE_VENDOR_ID),
      QUERY(CL_DEVICE_MAX_COMPUTE_UNITS),
      QUERY(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS),
      QUERY(CL_DEVICE_MAX_WORK_ITEM_SIZES),
      QUERY(CL_DEVICE_MAX_WORK_GROUP_SIZE),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE),
      QUERY(CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_INT),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE),
      QUERY(CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF),
      QUERY(CL_DEVICE_MAX_CLOCK_FREQUENCY),
      QUERY(CL_DEVICE_ADDRESS_BITS),
      QUERY_AS(CL_DEVICE_MAX_MEM_ALLOC_SIZE, kMoving),
      QUERY(CL_DEVICE_IMAGE_SUPPORT),
      QUERY(CL_DEVICE_MAX_READ_IMAGE_ARGS),
      QUERY(CL_DEVICE_MAX_WRITE_IMAGE_ARGS),
      QUERY(CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS),
      QUERY_AS(CL_DEVICE_IL_VERSION, kPlatform),
      QUERY_AS(CL_DEVICE_IMAGE2D_MAX_WIDTH, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE2D_MAX_HEIGHT, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE3D_MAX_WIDTH, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE3D_MAX_HEIGHT, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE3D_MAX_DEPTH, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE_MAX_BUFFER_SIZE, kMoving),
      QUERY_AS(CL_DEVICE_IMAGE_MAX_ARRAY_SIZE, kMoving),
      QUERY(CL_DEVICE_MAX_SAMPLERS),
      QUERY(CL_DEVICE_IMAGE_PITCH_ALIGNMENT),
      QUERY(CL_DEVICE_IMAGE_BASE_ADDRESS_ALIGNMENT),
      QUERY(CL_DEVICE_MAX_PIPE_ARGS),
      QUERY(CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS),
      QUERY(CL_DEVICE_PIPE_MAX_PACKET_SIZE),
      QUERY(CL_DEVICE_MAX_PARAMETER_SIZE),
      QUERY(CL_DEVICE_MEM_BASE_ADDR_ALIGN),
      QUERY(CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE),
      QUERY(CL_DEVICE_SINGLE_FP_CONFIG),
      QUERY(CL_DEVICE_DOUBLE_FP_CONFIG),
      QUERY(CL_DEVICE_GLOBAL_MEM_CACHE_TYPE),
      QUERY(CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE),
      QUERY(CL_DEVICE_GLOBAL_MEM_CACHE_SIZE),
      QUERY_AS(CL_DEVICE_GLOBAL_MEM_SIZE, kMoving),
      QUERY_AS(CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, kMoving),
      QUERY(CL_DEVICE_MAX_CONSTANT_ARGS),
      QUERY_AS(CL_DEVICE_MAX_GLOBAL_VARIABLE_SIZE, kMoving),
      QUERY_AS(CL_DEVICE_GLOBAL_VARIABLE_PREFERRED_TOTAL_SIZE, kMoving),
      QUERY(CL_DEVICE_LOCAL_MEM_TYPE),
      QUERY(CL_DEVICE_LOCAL_MEM_SIZE),
      QUERY(CL_DEVICE_ERROR_CORRECTION_SUPPORT),
      QUERY(CL_DEVICE_HOST_UNIFIED_MEMORY),
      QUERY(CL_DEVICE_PROFILING_TIMER_RESOLUTION),
      QUERY(CL_DEVICE_ENDIAN_LITTLE),
      QUERY(CL_DEVICE_AVAILABLE),
      QUERY(CL_DEVICE_COMPILER_AVAILABLE),
      QUERY(CL_DEVICE_LINKER_AVAILABLE),
      QUERY_AS(CL_DEVICE_EXECUTION_CAPABILITIES, kMoving),  // native kernels stay at home
      QUERY(CL_DEVICE_QUEUE_PROPERTIES),
      QUERY(CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES),
      QUERY(CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE),
      QUERY(CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE),
      QUERY(CL_DEVICE_MAX_ON_DEVICE_QUEUES),
      QUERY(CL_DEVICE_MAX_ON_DEVICE_EVENTS),
      QUERY(CL_DEVICE_BUILT_IN_KERNELS),
      QUERY_AS(CL_DEVICE_PLATFORM, kHandle),
      QUERY(CL_DEVICE_NAME),
      QUERY(CL_DEVICE_VENDOR),
      QUERY(CL_DRIVER_VERSION),
      QUERY(CL_DEVICE_PROFILE),
      QUERY(CL_DEVICE_VERSION),
      QUERY(CL_DEVICE_OPENCL_C_VERSION),
      QUERY_AS(CL_DEVICE_EXTENSIONS, kPlatform),
      QUERY(CL_DEVICE_PRINTF_BUFFER_SIZE),
      QUERY(CL_DEVICE_PREFERRED_INTEROP_USER_SYNC),
      QUERY_AS(CL_DEVICE_PARENT_DEVICE, kValue),
      QUERY(CL_DEVICE_PARTITION_MAX_SUB_DEVICES),
      QUERY(CL_DEVICE_PARTITION_PROPERTIES),
      QUERY(CL_DEVICE_PARTITION_AFFINITY_DOMAIN),
      QUERY(CL_DEVICE_PARTITION_TYPE),
      QUERY(CL_DEVICE_REFERENCE_COUNT),
      QUERY_AS(CL_DEVICE_SVM_CAPABILITIES, kMoving),  // none through the wire
      QUERY(CL_DEVICE_PREFERRED_PLATFORM_ATOMIC_ALIGNMENT),
      QUERY(CL_DEVICE_PREFERRED_GLOBAL_ATOMIC_ALIGNMENT),
      QUERY(CL_DEVICE_PREFERRED_LOCAL_ATOMIC_ALIGNMENT),
      QUERY(CL_DEVICE_MAX_NUM_SUB_GROUPS),
      QUERY(CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS),
      QUERY(CL_DEVICE_NUMERIC_VERSION),
      QUERY_AS(CL_DEVICE_EXTENSIONS_WITH_VERSION, kPlatform),
      QUERY_AS(CL_DEVICE_ILS_WITH_VERSION, kPlatform),
      QUERY(CL_DEVICE_BUILT_IN_KERNELS_WITH_VERSION),
      QUERY(CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES),
      QUERY(CL_DEVICE_ATOMIC_FENCE_CAPABILITIES),
      QUERY(CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT),
      QUERY(CL_DEVICE_OPENCL_C_ALL_VERSIONS),
      QUERY(CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE),
      QUERY(CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT),
      QUERY(CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT),
      QUERY(CL_DEVICE_OPENCL_C_FEATURES),
      QUERY_AS(CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES, kPlatform) /* 4 bytes in PoCL 3.1 */,
      QUERY(CL_DEVICE_PIPE_SUPPORT),
      QUERY(CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED),
  };
  return queries;
}

void device(const Setup& setup) {
  all(
      "device",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetDeviceInfo(setup.device, name, size, value, size_ret);
      },
      device_queries());
}

void context_and_queue(const Setup& setup) {
  all("context",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetContextInfo(setup.context, name, size, value, size_ret);
      },
      {QUERY_AS(CL_CONTEXT_REFERENCE_COUNT, kMoving), QUERY(CL_CONTEXT_NUM_DEVICES),
       QUERY_AS(CL_CONTEXT_DEVICES, kHandle)});

  cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                        reinterpret_cast<cl_context_properties>(setup.platform), 0};
  cl_int code = CL_SUCCESS;
  cl_context other = clCreateContext(properties, 1, &setup.device, nullptr, nullptr, &code);
  require(code, "clCreateContext with a platform");
  cl_context_properties told[3] = {};
  size_t size = 0;
  say_code("context properties",
           clGetContextInfo(other, CL_CONTEXT_PROPERTIES, sizeof told, told, &size));
  expect(size == sizeof told && std::memcmp(told, properties, size) == 0, "context properties");
  // Not asked of a context without properties: PoCL 3.1 then writes through a null size_ret.
  corners(
      "context",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetContextInfo(other, name, size, value, size_ret);
      },
      QUERY_AS(CL_CONTEXT_PROPERTIES, kHandle));
  clReleaseContext(other);

  all("queue",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetCommandQueueInfo(setup.queue, name, size, value, size_ret);
      },
      {QUERY_AS(CL_QUEUE_CONTEXT, kHandle), QUERY_AS(CL_QUEUE_DEVICE, kHandle),
       QUERY(CL_QUEUE_REFERENCE_COUNT), QUERY(CL_QUEUE_PROPERTIES), QUERY(CL_QUEUE_SIZE),
       QUERY_AS(CL_QUEUE_DEVICE_DEFAULT, kMoving), QUERY(CL_QUEUE_PROPERTIES_ARRAY)});

  cl_queue_properties wanted[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  cl_command_queue made =
      clCreateCommandQueueWithProperties(setup.context, setup.device, wanted, &code);
  require(code, "clCreateCommandQueueWithProperties");
  all("queue with properties",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetCommandQueueInfo(made, name, size, value, size_ret);
      },
      {QUERY(CL_QUEUE_PROPERTIES), QUERY(CL_QUEUE_PROPERTIES_ARRAY)});
  clReleaseCommandQueue(made);
}

const std::vector<Query>& memory_queries() {
  static const std::vector<Query> queries = {QUERY(CL_MEM_TYPE),
                                             QUERY(CL_MEM_FLAGS),
                                             QUERY(CL_MEM_SIZE),
                                             QUERY_AS(CL_MEM_HOST_PTR, kMoving),
                                             QUERY(CL_MEM_MAP_COUNT),
                                             QUERY(CL_MEM_REFERENCE_COUNT),
                                             QUERY_AS(CL_MEM_CONTEXT, kHandle),
                                             QUERY_AS(CL_MEM_ASSOCIATED_MEMOBJECT, kMoving),
                                             QUERY(CL_MEM_OFFSET),
                                             QUERY_AS(CL_MEM_USES_SVM_POINTER, kMoving),
                                             QUERY(CL_MEM_PROPERTIES)};
  return queries;
}

void memory(const Setup& setup, const char* what, cl_mem object) {
  all(
      what,
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetMemObjectInfo(object, name, size, value, size_ret);
      },
      memory_queries());
  cl_context context = nullptr;
  say_code("its context",
           clGetMemObjectInfo(object, CL_MEM_CONTEXT, sizeof context, &context, nullptr));
  expect(context == setup.context, "%s belongs to another context", what);
}

void memory_objects(const Setup& setup) {
  std::vector<unsigned char> host(4096, 7);
  cl_mem buffer = setup.buffer(4096, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, host.data());
  memory(setup, "buffer", buffer);
  void* pointer = nullptr;
  clGetMemObjectInfo(buffer, CL_MEM_HOST_PTR, sizeof pointer, &pointer, nullptr);
  expect(pointer == host.data(), "CL_MEM_HOST_PTR is not the program's own");

  cl_buffer_region region = {1024, 512};
  cl_int code = CL_SUCCESS;
  cl_mem part = clCreateSubBuffer(buffer, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
  require(code, "clCreateSubBuffer");
  memory(setup, "sub-buffer", part);
  clGetMemObjectInfo(part, CL_MEM_HOST_PTR, sizeof pointer, &pointer, nullptr);
  expect(pointer == host.data() + 1024, "CL_MEM_HOST_PTR of a sub-buffer");
  cl_mem parent = nullptr;
  clGetMemObjectInfo(part, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof parent, &parent, nullptr);
  expect(parent == buffer, "CL_MEM_ASSOCIATED_MEMOBJECT of a sub-buffer");
  cl_uint count = 0;
  clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, nullptr);
  say("references of a buffer with one sub-buffer: at least one: %d", count >= 1);

  cl_image_format format = {CL_RGBA, CL_UNORM_INT8};
  cl_image_desc description = {};
  description.image_type = CL_MEM_OBJECT_IMAGE2D;
  description.image_width = 33;
  description.image_height = 17;
  cl_mem image =
      clCreateImage(setup.context, CL_MEM_READ_WRITE, &format, &description, nullptr, &code);
  require(code, "clCreateImage");
  all("image",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetImageInfo(image, name, size, value, size_ret);
      },
      {QUERY(CL_IMAGE_FORMAT), QUERY(CL_IMAGE_ELEMENT_SIZE), QUERY(CL_IMAGE_ROW_PITCH),
       QUERY(CL_IMAGE_SLICE_PITCH), QUERY(CL_IMAGE_WIDTH), QUERY(CL_IMAGE_HEIGHT),
       QUERY(CL_IMAGE_DEPTH), QUERY(CL_IMAGE_ARRAY_SIZE), QUERY_AS(CL_IMAGE_BUFFER, kMoving),
       QUERY(CL_IMAGE_NUM_MIP_LEVELS), QUERY(CL_IMAGE_NUM_SAMPLES)});
  for (cl_mem object : {image, part, buffer})
    clReleaseMemObject(object);
}

void sampler(const Setup& setup) {
  cl_int code = CL_SUCCESS;
  cl_sampler made =
      clCreateSampler(setup.context, CL_TRUE, CL_ADDRESS_REPEAT, CL_FILTER_LINEAR, &code);
  require(code, "clCreateSampler");
  all("sampler",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetSamplerInfo(made, name, size, value, size_ret);
      },
      {QUERY(CL_SAMPLER_REFERENCE_COUNT), QUERY_AS(CL_SAMPLER_CONTEXT, kHandle),
       QUERY(CL_SAMPLER_NORMALIZED_COORDS), QUERY(CL_SAMPLER_ADDRESSING_MODE),
       QUERY(CL_SAMPLER_FILTER_MODE), QUERY(CL_SAMPLER_PROPERTIES)});
  clReleaseSampler(made);
}

constexpr char kSource[] =
    "__kernel __attribute__((reqd_work_group_size(4, 2, 1)))\n"
    "void scale(__global float* data, const float factor, __local float* scratch,\n"
    "           __constant int* table, read_only image2d_t picture, sampler_t how) {\n"
    "  data[get_global_id(0)] *= factor;\n"
    "}\n"
    "__kernel void plain(__global const uchar4* restrict in, volatile __global uint* out) {\n"
    "  out[get_global_id(0)] = in[get_global_id(0)].x;\n"
    "}\n";

void program_and_kernels(const Setup& setup) {
  cl_program program = setup.build(kSource, "-cl-kernel-arg-info");
  all("program",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetProgramInfo(program, name, size, value, size_ret);
      },
      {QUERY(CL_PROGRAM_REFERENCE_COUNT), QUERY_AS(CL_PROGRAM_CONTEXT, kHandle),
       QUERY(CL_PROGRAM_NUM_DEVICES), QUERY_AS(CL_PROGRAM_DEVICES, kHandle),
       QUERY(CL_PROGRAM_SOURCE), QUERY(CL_PROGRAM_NUM_KERNELS), QUERY(CL_PROGRAM_KERNEL_NAMES),
       QUERY(CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT), QUERY(CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT)});
  all("build",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetProgramBuildInfo(program, setup.device, name, size, value, size_ret);
      },
      {QUERY(CL_PROGRAM_BUILD_STATUS), QUERY(CL_PROGRAM_BUILD_OPTIONS), QUERY(CL_PROGRAM_BUILD_LOG),
       QUERY(CL_PROGRAM_BINARY_TYPE), QUERY(CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE)});

  for (const char* kernel_name : {"scale", "plain"}) {
    cl_kernel kernel = setup.kernel(program, kernel_name);
    all(kernel_name,
        [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
          return clGetKernelInfo(kernel, name, size, value, size_ret);
        },
        {QUERY(CL_KERNEL_FUNCTION_NAME), QUERY(CL_KERNEL_NUM_ARGS),
         QUERY(CL_KERNEL_REFERENCE_COUNT), QUERY_AS(CL_KERNEL_CONTEXT, kHandle),
         QUERY_AS(CL_KERNEL_PROGRAM, kHandle), QUERY(CL_KERNEL_ATTRIBUTES)});
    all(kernel_name,
        [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
          return clGetKernelWorkGroupInfo(kernel, setup.device, name, size, value, size_ret);
        },
        {QUERY(CL_KERNEL_WORK_GROUP_SIZE), QUERY(CL_KERNEL_COMPILE_WORK_GROUP_SIZE),
         QUERY(CL_KERNEL_LOCAL_MEM_SIZE), QUERY(CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE),
         QUERY(CL_KERNEL_PRIVATE_MEM_SIZE), QUERY(CL_KERNEL_GLOBAL_WORK_SIZE)});
    cl_uint count = 0;
    clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr);
    for (cl_uint index = 0; index <= count; ++index) {
      say("argument %u of %s", index, kernel_name);
      all("argument",
          [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
            return clGetKernelArgInfo(kernel, index, name, size, value, size_ret);
          },
          {QUERY(CL_KERNEL_ARG_ADDRESS_QUALIFIER), QUERY(CL_KERNEL_ARG_ACCESS_QUALIFIER),
           QUERY(CL_KERNEL_ARG_TYPE_NAME), QUERY(CL_KERNEL_ARG_TYPE_QUALIFIER),
           QUERY(CL_KERNEL_ARG_NAME)});
    }
    clReleaseKernel(kernel);
  }
  clReleaseProgram(program);
}

void events(const Setup& setup) {
  cl_mem buffer = setup.buffer(64);
  cl_event event = nullptr;
  unsigned char bytes[64] = {};
  require(clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof bytes, bytes, 0, nullptr,
                               &event),
          "clEnqueueWriteBuffer");
  clFinish(setup.queue);
  all("event",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetEventInfo(event, name, size, value, size_ret);
      },
      {QUERY_AS(CL_EVENT_COMMAND_QUEUE, kHandle), QUERY_AS(CL_EVENT_CONTEXT, kHandle),
       QUERY(CL_EVENT_COMMAND_TYPE), QUERY(CL_EVENT_COMMAND_EXECUTION_STATUS),
       QUERY_AS(CL_EVENT_REFERENCE_COUNT, kMoving)});
  all("profiling",
      [&](cl_uint name, size_t size, void* value, size_t* size_ret) {
        return clGetEventProfilingInfo(event, name, size, value, size_ret);
      },
      {QUERY_AS(CL_PROFILING_COMMAND_QUEUED, kMoving),
       QUERY_AS(CL_PROFILING_COMMAND_SUBMIT, kMoving),
       QUERY_AS(CL_PROFILING_COMMAND_START, kMoving), QUERY_AS(CL_PROFILING_COMMAND_END, kMoving),
       QUERY_AS(CL_PROFILING_COMMAND_COMPLETE, kMoving)});
  clReleaseEvent(event);
  clReleaseMemObject(buffer);
}

}  // namespace

int main() {
  Setup setup;
  platform(setup);
  device(setup);
  context_and_queue(setup);
  memory_objects(setup);
  sampler(setup);
  program_and_kernels(setup);
  events(setup);
  return finish();
}
