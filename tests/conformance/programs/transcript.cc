#include "transcript.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace conformance {
namespace {

constexpr size_t kHexBytesMax = 64;
int failures = 0;

const std::map<cl_int, const char*>& error_names() {
  static const std::map<cl_int, const char*> names = {
#define NAME(code) {code, #code}
      NAME(CL_SUCCESS),
      NAME(CL_DEVICE_NOT_FOUND),
      NAME(CL_DEVICE_NOT_AVAILABLE),
      NAME(CL_COMPILER_NOT_AVAILABLE),
      NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE),
      NAME(CL_OUT_OF_RESOURCES),
      NAME(CL_OUT_OF_HOST_MEMORY),
      NAME(CL_PROFILING_INFO_NOT_AVAILABLE),
      NAME(CL_MEM_COPY_OVERLAP),
      NAME(CL_IMAGE_FORMAT_MISMATCH),
      NAME(CL_IMAGE_FORMAT_NOT_SUPPORTED),
      NAME(CL_BUILD_PROGRAM_FAILURE),
      NAME(CL_MAP_FAILURE),
      NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET),
      NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
      NAME(CL_COMPILE_PROGRAM_FAILURE),
      NAME(CL_LINKER_NOT_AVAILABLE),
      NAME(CL_LINK_PROGRAM_FAILURE),
      NAME(CL_DEVICE_PARTITION_FAILED),
      NAME(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
      NAME(CL_INVALID_VALUE),
      NAME(CL_INVALID_DEVICE_TYPE),
      NAME(CL_INVALID_PLATFORM),
      NAME(CL_INVALID_DEVICE),
      NAME(CL_INVALID_CONTEXT),
      NAME(CL_INVALID_QUEUE_PROPERTIES),
      NAME(CL_INVALID_COMMAND_QUEUE),
      NAME(CL_INVALID_HOST_PTR),
      NAME(CL_INVALID_MEM_OBJECT),
      NAME(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR),
      NAME(CL_INVALID_IMAGE_SIZE),
      NAME(CL_INVALID_SAMPLER),
      NAME(CL_INVALID_BINARY),
      NAME(CL_INVALID_BUILD_OPTIONS),
      NAME(CL_INVALID_PROGRAM),
      NAME(CL_INVALID_PROGRAM_EXECUTABLE),
      NAME(CL_INVALID_KERNEL_NAME),
      NAME(CL_INVALID_KERNEL_DEFINITION),
      NAME(CL_INVALID_KERNEL),
      NAME(CL_INVALID_ARG_INDEX),
      NAME(CL_INVALID_ARG_VALUE),
      NAME(CL_INVALID_ARG_SIZE),
      NAME(CL_INVALID_KERNEL_ARGS),
      NAME(CL_INVALID_WORK_DIMENSION),
      NAME(CL_INVALID_WORK_GROUP_SIZE),
      NAME(CL_INVALID_WORK_ITEM_SIZE),
      NAME(CL_INVALID_GLOBAL_OFFSET),
      NAME(CL_INVALID_EVENT_WAIT_LIST),
      NAME(CL_INVALID_EVENT),
      NAME(CL_INVALID_OPERATION),
      NAME(CL_INVALID_GL_OBJECT),
      NAME(CL_INVALID_BUFFER_SIZE),
      NAME(CL_INVALID_MIP_LEVEL),
      NAME(CL_INVALID_GLOBAL_WORK_SIZE),
      NAME(CL_INVALID_PROPERTY),
      NAME(CL_INVALID_IMAGE_DESCRIPTOR),
      NAME(CL_INVALID_COMPILER_OPTIONS),
      NAME(CL_INVALID_LINKER_OPTIONS),
      NAME(CL_INVALID_DEVICE_PARTITION_COUNT),
      NAME(CL_INVALID_PIPE_SIZE),
      NAME(CL_INVALID_DEVICE_QUEUE),
      NAME(CL_INVALID_SPEC_ID),
      NAME(CL_MAX_SIZE_RESTRICTION_EXCEEDED),
#undef NAME
  };
  return names;
}

}  // namespace

void say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::putchar('\n');
  std::fflush(stdout);
}

void expect(bool good, const char* format, ...) {
  if (good) return;
  ++failures;
  std::fputs("FAILED: ", stdout);
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::putchar('\n');
  std::fflush(stdout);
}

int finish() {
  say("failures: %d", failures);
  return failures == 0 ? 0 : 1;
}

std::string error_name(cl_int code) {
  auto found = error_names().find(code);
  return found == error_names().end() ? std::to_string(code) : found->second;
}

cl_int say_code(const char* what, cl_int code) {
  say("%s: %s", what, error_name(code).c_str());
  return code;
}

void require(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  say("FAILED: %s: %s; cannot go on", what, error_name(code).c_str());
  std::exit(2);
}

std::string hex(const void* bytes, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  std::string text;
  char digits[3];
  for (size_t i = 0; i < size && i < kHexBytesMax; ++i) {
    std::snprintf(digits, sizeof digits, "%02x", at[i]);
    text += digits;
  }
  if (size <= kHexBytesMax) return text;
  char tail[64];
  std::snprintf(tail, sizeof tail, "… %zu bytes, %016llx", size, checksum(bytes, size));
  return text + tail;
}

unsigned long long checksum(const void* bytes, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  unsigned long long sum = 0xcbf29ce484222325ULL;
  for (size_t i = 0; i < size; ++i)
    sum = (sum ^ at[i]) * 0x100000001b3ULL;
  return sum;
}

Setup::Setup(cl_command_queue_properties properties) {
  require(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
  cl_int code = CL_SUCCESS;
  context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  require(code, "clCreateContext");
  queue = new_queue(properties);
}

Setup::~Setup() {
  expect(clReleaseCommandQueue(queue) == CL_SUCCESS, "clReleaseCommandQueue");
  expect(clReleaseContext(context) == CL_SUCCESS, "clReleaseContext");
}

cl_command_queue Setup::new_queue(cl_command_queue_properties properties) const {
  cl_int code = CL_SUCCESS;
  cl_command_queue made = clCreateCommandQueue(context, device, properties, &code);
  require(code, "clCreateCommandQueue");
  return made;
}

cl_program Setup::build(const char* source, const char* options) const {
  cl_int code = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &code);
  require(code, "clCreateProgramWithSource");
  require(clBuildProgram(program, 1, &device, options, nullptr, nullptr), "clBuildProgram");
  return program;
}

cl_kernel Setup::kernel(cl_program program, const char* name) const {
  cl_int code = CL_SUCCESS;
  cl_kernel made = clCreateKernel(program, name, &code);
  require(code, name);
  return made;
}

cl_mem Setup::buffer(size_t size_bytes, cl_mem_flags flags, void* host) const {
  cl_int code = CL_SUCCESS;
  cl_mem made = clCreateBuffer(context, flags, size_bytes, host, &code);
  require(code, "clCreateBuffer");
  return made;
}

std::vector<unsigned char> contents(cl_command_queue queue, cl_mem buffer, size_t size_bytes) {
  std::vector<unsigned char> bytes(size_bytes);
  require(
      clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, size_bytes, bytes.data(), 0, nullptr, nullptr),
      "clEnqueueReadBuffer");
  return bytes;
}

}  // namespace conformance
