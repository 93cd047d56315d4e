#include "figures/device.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace longwire::bench {
namespace {

constexpr const char* kSource = R"(
__kernel void empty(void) {}
__kernel void increment(__global int* values) { values[get_global_id(0)] += 1; }
)";

std::string platform_name(cl_platform_id platform) {
  char name[256] = {};
  require(clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, nullptr),
          "clGetPlatformInfo");
  return name;
}

cl_platform_id find_platform(const std::string& part, std::string& name) {
  cl_uint count = 0;
  require(clGetPlatformIDs(0, nullptr, &count), "clGetPlatformIDs");
  std::vector<cl_platform_id> platforms(count);
  require(clGetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs");
  for (cl_platform_id platform : platforms) {
    name = platform_name(platform);
    if (name.find(part) != std::string::npos) return platform;
  }
  std::fprintf(stderr, "longwire_bench_figures: no platform has \"%s\" in its name\n",
               part.c_str());
  std::exit(1);
}

cl_command_queue make_queue(const Device& device, cl_command_queue_properties properties) {
  cl_int status = CL_SUCCESS;
  cl_command_queue queue = clCreateCommandQueue(device.context, device.id, properties, &status);
  require(status, "clCreateCommandQueue");
  return queue;
}

void build_kernels(Device& device) {
  cl_int status = CL_SUCCESS;
  const char* source = kSource;
  cl_program program = clCreateProgramWithSource(device.context, 1, &source, nullptr, &status);
  require(status, "clCreateProgramWithSource");
  require(clBuildProgram(program, 1, &device.id, "", nullptr, nullptr), "clBuildProgram");
  device.empty = kernel_of(program, "empty");
  device.increment = kernel_of(program, "increment");
}

}  // namespace

void require(cl_int status, const char* what) {
  if (status == CL_SUCCESS) return;
  std::fprintf(stderr, "longwire_bench_figures: %s failed with %d\n", what, status);
  std::exit(1);
}

Device find_device(const std::string& platform) {
  Device device;
  cl_platform_id found = find_platform(platform, device.platform);
  require(clGetDeviceIDs(found, CL_DEVICE_TYPE_ALL, 1, &device.id, nullptr), "clGetDeviceIDs");
  char name[256] = {};
  require(clGetDeviceInfo(device.id, CL_DEVICE_NAME, sizeof name - 1, name, nullptr),
          "clGetDeviceInfo");
  device.name = name;
  return device;
}

void open(Device& device) {
  cl_int status = CL_SUCCESS;
  device.context = clCreateContext(nullptr, 1, &device.id, nullptr, nullptr, &status);
  require(status, "clCreateContext");
  device.in_order = make_queue(device, 0);
  device.out_of_order = make_queue(device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  build_kernels(device);
}

cl_mem make_buffer(const Device& device, std::size_t bytes) {
  cl_int status = CL_SUCCESS;
  cl_mem buffer = clCreateBuffer(device.context, CL_MEM_READ_WRITE, bytes, nullptr, &status);
  require(status, "clCreateBuffer");
  return buffer;
}

cl_kernel kernel_of(cl_program program, const char* name) {
  cl_int status = CL_SUCCESS;
  cl_kernel kernel = clCreateKernel(program, name, &status);
  require(status, "clCreateKernel");
  return kernel;
}

}  // namespace longwire::bench
