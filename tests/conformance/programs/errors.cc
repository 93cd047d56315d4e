// What every function says to null handles, wrong values and wrong sizes.
#include <functional>

#include "transcript.h"

namespace {

using namespace conformance;

constexpr size_t kSize = 1024;

void platforms_and_devices(const Setup& setup) {
  say("-- platforms and devices");
  cl_uint count = 0;
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  say_code("clGetPlatformIDs nothing", clGetPlatformIDs(0, nullptr, nullptr));
  say_code("clGetPlatformIDs 0 entries", clGetPlatformIDs(0, &platform, &count));
  say_code("clGetPlatformInfo null value",
           clGetPlatformInfo(setup.platform, CL_PLATFORM_NAME, 0, nullptr, nullptr));
  say_code("clGetDeviceIDs nothing",
           clGetDeviceIDs(setup.platform, CL_DEVICE_TYPE_ALL, 0, nullptr, nullptr));
  say_code("clGetDeviceIDs 0 entries",
           clGetDeviceIDs(setup.platform, CL_DEVICE_TYPE_ALL, 0, &device, &count));
  // PoCL 3.1 finds no device of an unknown type; the specification wants CL_INVALID_DEVICE_TYPE.
  for (cl_device_type type : {cl_device_type{0}, cl_device_type{1} << 20})
    say("clGetDeviceIDs of no type that exists: %s",
        clGetDeviceIDs(setup.platform, type, 1, &device, &count) == CL_SUCCESS ? "FOUND"
                                                                               : "refused");
  for (cl_device_type type :
       {cl_device_type{CL_DEVICE_TYPE_DEFAULT}, cl_device_type{CL_DEVICE_TYPE_CPU},
        cl_device_type{CL_DEVICE_TYPE_GPU}, cl_device_type{CL_DEVICE_TYPE_ACCELERATOR},
        cl_device_type{CL_DEVICE_TYPE_CUSTOM}}) {
    count = 99;
    cl_int code = clGetDeviceIDs(setup.platform, type, 0, nullptr, &count);
    say("clGetDeviceIDs type 0x%llx: %s", static_cast<unsigned long long>(type),
        error_name(code).c_str());
  }
  say_code("clGetDeviceInfo null", clGetDeviceInfo(nullptr, CL_DEVICE_NAME, 0, nullptr, nullptr));
  say_code("clRetainDevice null", clRetainDevice(nullptr));
  say_code("clReleaseDevice null", clReleaseDevice(nullptr));
  say_code("clRetainDevice root", clRetainDevice(setup.device));
  say_code("clReleaseDevice root", clReleaseDevice(setup.device));
  say_code("clReleaseDevice root again", clReleaseDevice(setup.device));
  cl_ulong one = 0, two = 0;
  say_code("clGetDeviceAndHostTimer null", clGetDeviceAndHostTimer(nullptr, &one, &two));
  say_code("clGetHostTimer null", clGetHostTimer(nullptr, &one));
}

void partitions(const Setup& setup) {
  say("-- partitions");
  cl_uint units = 0;
  clGetDeviceInfo(setup.device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, nullptr);
  auto attempt = [&](const char* what, std::vector<cl_device_partition_property> properties) {
    cl_uint count = 0;
    cl_int code = clCreateSubDevices(setup.device, properties.data(), 0, nullptr, &count);
    say("%s: %s, %u", what, error_name(code).c_str(), count);
    return code == CL_SUCCESS ? count : 0;
  };
  attempt("by nothing", {0});
  attempt("by an unknown property", {0x7777, 1, 0});
  attempt("equally by 0", {CL_DEVICE_PARTITION_EQUALLY, 0, 0});
  attempt("equally by too many", {CL_DEVICE_PARTITION_EQUALLY, 1 << 20, 0});
  attempt("by counts of too many",
          {CL_DEVICE_PARTITION_BY_COUNTS, 1 << 20, CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0});
  if (attempt("equally by 1", {CL_DEVICE_PARTITION_EQUALLY, 1, 0}) == 0) return;
  const cl_device_partition_property singles[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
  std::vector<cl_device_id> parts(units);
  say_code("room for all", clCreateSubDevices(setup.device, singles, units, parts.data(), nullptr));
  for (cl_device_id part : parts) {
    cl_uint own = 0, references = 0;
    cl_device_id parent = nullptr;
    clGetDeviceInfo(part, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof own, &own, nullptr);
    clGetDeviceInfo(part, CL_DEVICE_PARENT_DEVICE, sizeof parent, &parent, nullptr);
    clGetDeviceInfo(part, CL_DEVICE_REFERENCE_COUNT, sizeof references, &references, nullptr);
    say("part: %u units, parent %d, references %u", own, parent == setup.device, references);
  }
  cl_int code = CL_SUCCESS;
  cl_context context = clCreateContext(nullptr, 1, &parts[0], nullptr, nullptr, &code);
  say_code("a context on a part", code);
  if (context) {
    cl_command_queue queue = clCreateCommandQueue(context, parts[0], 0, &code);
    say_code("a queue on a part", code);
    if (queue) say_code("finish", clFinish(queue));
    if (queue) clReleaseCommandQueue(queue);
    clReleaseContext(context);
  }
  for (cl_device_id part : parts)
    say_code("release a part", clReleaseDevice(part));
}

void contexts_and_queues(const Setup& setup) {
  say("-- contexts and queues");
  cl_int code = 1;
  clCreateContext(nullptr, 0, &setup.device, nullptr, nullptr, &code);
  say_code("clCreateContext no devices", code);
  clCreateContext(nullptr, 1, nullptr, nullptr, nullptr, &code);
  say_code("clCreateContext null list", code);
  const cl_context_properties unknown[] = {0x7777, 1, 0};
  clCreateContext(unknown, 1, &setup.device, nullptr, nullptr, &code);
  say_code("clCreateContext unknown property", code);
  int user = 0;
  clCreateContext(nullptr, 1, &setup.device, nullptr, &user, &code);
  say_code("clCreateContext user data without a callback", code);
  const cl_context_properties named[] = {
      CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(setup.platform), 0};
  clCreateContextFromType(named, CL_DEVICE_TYPE_ACCELERATOR, nullptr, nullptr, &code);
  say_code("clCreateContextFromType no such device", code);
  cl_context made = clCreateContextFromType(named, CL_DEVICE_TYPE_ALL, nullptr, nullptr, &code);
  say_code("clCreateContextFromType all", code);
  if (made) clReleaseContext(made);
  say_code("clRetainContext null", clRetainContext(nullptr));
  say_code("clReleaseContext null", clReleaseContext(nullptr));
  say_code("clGetContextInfo null",
           clGetContextInfo(nullptr, CL_CONTEXT_DEVICES, 0, nullptr, nullptr));

  clCreateCommandQueue(nullptr, setup.device, 0, &code);
  say_code("clCreateCommandQueue null context", code);
  clCreateCommandQueue(setup.context, nullptr, 0, &code);
  say_code("clCreateCommandQueue null device", code);
  clCreateCommandQueue(setup.context, setup.device, cl_command_queue_properties{1} << 30, &code);
  say_code("clCreateCommandQueue unknown property", code);
  say_code("clRetainCommandQueue null", clRetainCommandQueue(nullptr));
  say_code("clReleaseCommandQueue null", clReleaseCommandQueue(nullptr));
  say_code("clGetCommandQueueInfo null",
           clGetCommandQueueInfo(nullptr, CL_QUEUE_CONTEXT, 0, nullptr, nullptr));
  say_code("clFlush null", clFlush(nullptr));
  say_code("clFinish null", clFinish(nullptr));
}

void memory(const Setup& setup, cl_mem buffer) {
  say("-- memory objects");
  cl_int code = 1;
  clCreateBuffer(nullptr, 0, 16, nullptr, &code);
  say_code("clCreateBuffer null", code);
  cl_buffer_region region = {0, 16};
  clCreateSubBuffer(nullptr, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
  say_code("clCreateSubBuffer null", code);
  const cl_image_format format = {CL_RGBA, CL_UNORM_INT8};
  cl_image_desc desc = {};
  desc.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc.image_width = desc.image_height = 4;
  clCreateImage(nullptr, 0, &format, &desc, nullptr, &code);
  say_code("clCreateImage null", code);
  clCreateImage(setup.context, 0, nullptr, &desc, nullptr, &code);
  say_code("clCreateImage no format", code);
  clCreateImage(setup.context, 0, &format, nullptr, nullptr, &code);
  say_code("clCreateImage no description", code);
  say_code("clRetainMemObject null", clRetainMemObject(nullptr));
  say_code("clReleaseMemObject null", clReleaseMemObject(nullptr));
  say_code("clGetMemObjectInfo null",
           clGetMemObjectInfo(nullptr, CL_MEM_SIZE, 0, nullptr, nullptr));
  say_code("clGetImageInfo null", clGetImageInfo(nullptr, CL_IMAGE_WIDTH, 0, nullptr, nullptr));
  say_code("clSetMemObjectDestructorCallback null", clSetMemObjectDestructorCallback(
                                                        nullptr, [](cl_mem, void*) {}, nullptr));
  say_code("clGetSupportedImageFormats null",
           clGetSupportedImageFormats(nullptr, 0, CL_MEM_OBJECT_IMAGE2D, 0, nullptr, nullptr));
  clCreateSampler(nullptr, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_LINEAR, &code);
  say_code("clCreateSampler null", code);
  say_code("clRetainSampler null", clRetainSampler(nullptr));
  say_code("clReleaseSampler null", clReleaseSampler(nullptr));
  say_code("clGetSamplerInfo null",
           clGetSamplerInfo(nullptr, CL_SAMPLER_FILTER_MODE, 0, nullptr, nullptr));

  unsigned char bytes[64] = {};
  auto transfer = [&](const char* what, cl_command_queue queue, cl_mem object, size_t offset,
                      size_t size, void* host) {
    say("%s: read %s, write %s", what,
        error_name(
            clEnqueueReadBuffer(queue, object, CL_TRUE, offset, size, host, 0, nullptr, nullptr))
            .c_str(),
        error_name(
            clEnqueueWriteBuffer(queue, object, CL_TRUE, offset, size, host, 0, nullptr, nullptr))
            .c_str());
  };
  transfer("good", setup.queue, buffer, 0, 64, bytes);
  transfer("null queue", nullptr, buffer, 0, 64, bytes);
  transfer("null buffer", setup.queue, nullptr, 0, 64, bytes);
  transfer("null host", setup.queue, buffer, 0, 64, nullptr);
  transfer("past the end", setup.queue, buffer, kSize - 8, 64, bytes);
  transfer("offset past the end", setup.queue, buffer, kSize + 8, 8, bytes);
  transfer("size 0", setup.queue, buffer, 0, 0, bytes);
}

void programs(const Setup& setup) {
  say("-- programs and kernels");
  cl_int code = 1;
  const char* source = "kernel void k(global int* a) {}";
  const char* none = nullptr;
  clCreateProgramWithSource(nullptr, 1, &source, nullptr, &code);
  say_code("clCreateProgramWithSource null", code);
  clCreateProgramWithSource(setup.context, 0, &source, nullptr, &code);
  say_code("clCreateProgramWithSource no pieces", code);
  // Not tried: a null list of sources, which crashes PoCL 3.1.
  clCreateProgramWithSource(setup.context, 1, &none, nullptr, &code);
  say_code("clCreateProgramWithSource null piece", code);
  clCreateProgramWithBinary(setup.context, 0, nullptr, nullptr, nullptr, nullptr, &code);
  say_code("clCreateProgramWithBinary nothing", code);
  clCreateProgramWithBuiltInKernels(setup.context, 1, &setup.device, "no such kernel", &code);
  say_code("clCreateProgramWithBuiltInKernels unknown", code);
  say_code("clBuildProgram null", clBuildProgram(nullptr, 0, nullptr, nullptr, nullptr, nullptr));
  say_code("clCompileProgram null",
           clCompileProgram(nullptr, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, nullptr));
  clLinkProgram(setup.context, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, &code);
  say_code("clLinkProgram nothing", code);
  say_code("clRetainProgram null", clRetainProgram(nullptr));
  say_code("clReleaseProgram null", clReleaseProgram(nullptr));
  say_code("clGetProgramInfo null",
           clGetProgramInfo(nullptr, CL_PROGRAM_SOURCE, 0, nullptr, nullptr));
  say_code("clUnloadPlatformCompiler null", clUnloadPlatformCompiler(nullptr));

  cl_program program = clCreateProgramWithSource(setup.context, 1, &source, nullptr, &code);
  require(code, "clCreateProgramWithSource");
  say_code("clBuildProgram count without a list",
           clBuildProgram(program, 1, nullptr, nullptr, nullptr, nullptr));
  say_code("clBuildProgram list without a count",
           clBuildProgram(program, 0, &setup.device, nullptr, nullptr, nullptr));
  int user = 0;
  say_code("clBuildProgram user data without a callback",
           clBuildProgram(program, 0, nullptr, nullptr, nullptr, &user));
  say_code("clBuildProgram", clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr));
  clCreateKernel(nullptr, "k", &code);
  say_code("clCreateKernel null", code);
  clCreateKernel(program, nullptr, &code);
  say_code("clCreateKernel no name", code);
  clCreateKernel(program, "", &code);
  say_code("clCreateKernel empty name", code);
  cl_uint count = 0;
  say_code("clCreateKernelsInProgram count", clCreateKernelsInProgram(program, 0, nullptr, &count));
  say("kernels: %u", count);
  say_code("clCreateKernelsInProgram null", clCreateKernelsInProgram(nullptr, 0, nullptr, &count));
  say_code("clRetainKernel null", clRetainKernel(nullptr));
  say_code("clReleaseKernel null", clReleaseKernel(nullptr));
  say_code("clSetKernelArg null", clSetKernelArg(nullptr, 0, 4, &user));
  say_code("clGetKernelInfo null",
           clGetKernelInfo(nullptr, CL_KERNEL_NUM_ARGS, 0, nullptr, nullptr));
  say_code("clGetKernelArgInfo null",
           clGetKernelArgInfo(nullptr, 0, CL_KERNEL_ARG_NAME, 0, nullptr, nullptr));
  say_code("clGetKernelWorkGroupInfo null",
           clGetKernelWorkGroupInfo(nullptr, setup.device, CL_KERNEL_WORK_GROUP_SIZE, 0, nullptr,
                                    nullptr));
  clReleaseProgram(program);
}

void launches(const Setup& setup, cl_mem buffer) {
  say("-- launches");
  cl_program program = setup.build(
      "kernel void plain(global int* a) { a[get_global_id(0)] = 1; }"
      "kernel __attribute__((reqd_work_group_size(4, 1, 1))) void fixed(global int* a) {"
      " a[get_global_id(0)] = 2; }");
  cl_kernel plain = setup.kernel(program, "plain"), fixed = setup.kernel(program, "fixed");
  clSetKernelArg(plain, 0, sizeof buffer, &buffer);
  clSetKernelArg(fixed, 0, sizeof buffer, &buffer);
  auto launch = [&](const char* what, cl_kernel kernel, cl_uint dimensions,
                    std::vector<size_t> global, std::vector<size_t> local = {}) {
    say_code(what,
             clEnqueueNDRangeKernel(setup.queue, kernel, dimensions, nullptr,
                                    global.empty() ? nullptr : global.data(),
                                    local.empty() ? nullptr : local.data(), 0, nullptr, nullptr));
  };
  launch("good", plain, 1, {16}, {4});
  // Not tried: a null kernel and a group of 0, which crash PoCL 3.1.
  launch("0 dimensions", plain, 0, {16});
  launch("4 dimensions", plain, 4, {1, 1, 1, 1});
  launch("not a multiple", plain, 1, {16}, {5});
  launch("group too large in all", plain, 3, {4096, 4096, 1}, {4096, 4096, 1});
  launch("fixed, good", fixed, 1, {16}, {4});
  launch("fixed, wrong group", fixed, 1, {16}, {8});
  launch("fixed, not a multiple", fixed, 1, {18}, {4});
  size_t items = 16;
  say_code("null queue", clEnqueueNDRangeKernel(nullptr, plain, 1, nullptr, &items, nullptr, 0,
                                                nullptr, nullptr));
  say_code("clEnqueueTask", clEnqueueTask(setup.queue, plain, 0, nullptr, nullptr));
  clFinish(setup.queue);
  auto bytes = contents(setup.queue, buffer, 64);
  say("buffer: %s", hex(bytes.data(), bytes.size()).c_str());
  clReleaseKernel(plain);
  clReleaseKernel(fixed);
  clReleaseProgram(program);
}

void events(const Setup& setup, cl_mem buffer) {
  say("-- events and other commands");
  cl_int code = 1;
  clCreateUserEvent(nullptr, &code);
  say_code("clCreateUserEvent null", code);
  say_code("clRetainEvent null", clRetainEvent(nullptr));
  say_code("clReleaseEvent null", clReleaseEvent(nullptr));
  say_code("clSetUserEventStatus null", clSetUserEventStatus(nullptr, CL_COMPLETE));
  say_code("clGetEventInfo null", clGetEventInfo(nullptr, CL_EVENT_CONTEXT, 0, nullptr, nullptr));
  say_code("clGetEventProfilingInfo null",
           clGetEventProfilingInfo(nullptr, CL_PROFILING_COMMAND_END, 0, nullptr, nullptr));
  say_code("clSetEventCallback null",
           clSetEventCallback(
               nullptr, CL_COMPLETE, [](cl_event, cl_int, void*) {}, nullptr));
  cl_event event = nullptr;
  say_code("clEnqueueMarkerWithWaitList null",
           clEnqueueMarkerWithWaitList(nullptr, 0, nullptr, &event));
  say_code("clEnqueueBarrierWithWaitList null",
           clEnqueueBarrierWithWaitList(nullptr, 0, nullptr, &event));
  say_code("clEnqueueCopyBuffer null source",
           clEnqueueCopyBuffer(setup.queue, nullptr, buffer, 0, 0, 16, 0, nullptr, nullptr));
  say_code("clEnqueueCopyBuffer null target",
           clEnqueueCopyBuffer(setup.queue, buffer, nullptr, 0, 0, 16, 0, nullptr, nullptr));
  int pattern = 1;
  say_code("clEnqueueFillBuffer null",
           clEnqueueFillBuffer(setup.queue, nullptr, &pattern, 4, 0, 16, 0, nullptr, nullptr));
  void* at = clEnqueueMapBuffer(setup.queue, nullptr, CL_TRUE, CL_MAP_READ, 0, 16, 0, nullptr,
                                nullptr, &code);
  say_code("clEnqueueMapBuffer null", code);
  say_code("clEnqueueUnmapMemObject null",
           clEnqueueUnmapMemObject(setup.queue, nullptr, at, 0, nullptr, nullptr));
  cl_mem none = nullptr;
  say_code("clEnqueueMigrateMemObjects a null",
           clEnqueueMigrateMemObjects(setup.queue, 1, &none, 0, 0, nullptr, nullptr));
  const size_t origin[3] = {0, 0, 0}, region[3] = {1, 1, 1};
  say_code("clEnqueueReadImage null",
           clEnqueueReadImage(setup.queue, nullptr, CL_TRUE, origin, region, 0, 0, &pattern, 0,
                              nullptr, nullptr));
  say_code("clEnqueueReadImage of a buffer",
           clEnqueueReadImage(setup.queue, buffer, CL_TRUE, origin, region, 0, 0, &pattern, 0,
                              nullptr, nullptr));
}

void unknown_functions(const Setup& setup) {
  say("-- extension functions");
  say("unknown: %d",
      clGetExtensionFunctionAddressForPlatform(setup.platform, "clNoSuchThing") != nullptr);
}

}  // namespace

int main() {
  Setup setup;
  cl_mem buffer = setup.buffer(kSize);
  platforms_and_devices(setup);
  partitions(setup);
  contexts_and_queues(setup);
  memory(setup, buffer);
  programs(setup);
  launches(setup, buffer);
  events(setup, buffer);
  unknown_functions(setup);
  clReleaseMemObject(buffer);
  return finish();
}
