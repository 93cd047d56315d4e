#include "device.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace longwire::bench {
namespace {

constexpr const char* kSource = R"(
__kernel void empty(void) {}
__kernel void increment(__global int* values) { values[get_global_id(0)] += 1; }
)";

double clock_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void build_kernels(Device& device) {
  cl_int status = CL_SUCCESS;
  const char* source = kSource;
  cl_program program = clCreateProgramWithSource(device.context, 1, &source, nullptr, &status);
  require(status, "clCreateProgramWithSource");
  require(clBuildProgram(program, 1, &device.id, "", nullptr, nullptr), "clBuildProgram");
  device.empty = clCreateKernel(program, "empty", &status);
  require(status, "clCreateKernel");
  device.increment = clCreateKernel(program, "increment", &status);
  require(status, "clCreateKernel");
}

}  // namespace

void require(cl_int status, const char* what) {
  if (status == CL_SUCCESS) return;
  std::fprintf(stderr, "longwire_bench_figures: %s failed with %d\n", what, status);
  std::exit(1);
}

double now_us() { return clock_us(CLOCK_MONOTONIC); }
double process_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }

Device open_device() {
  Device device;
  cl_platform_id platform = nullptr;
  require(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device.id, nullptr), "clGetDeviceIDs");
  char name[256] = {};
  require(clGetDeviceInfo(device.id, CL_DEVICE_NAME, sizeof name - 1, name, nullptr),
          "clGetDeviceInfo");
  device.name = name;
  cl_int status = CL_SUCCESS;
  device.context = clCreateContext(nullptr, 1, &device.id, nullptr, nullptr, &status);
  require(status, "clCreateContext");
  device.in_order = clCreateCommandQueue(device.context, device.id, 0, &status);
  require(status, "clCreateCommandQueue");
  device.out_of_order = clCreateCommandQueue(device.context, device.id,
                                             CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &status);
  require(status, "clCreateCommandQueue (out of order)");
  build_kernels(device);
  return device;
}

Figure summary(const std::string& name, const std::string& unit, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const bool smaller_is_better = unit == "us";
  const std::size_t last = values.size() - 1;
  const std::size_t tail = smaller_is_better ? last * 99 / 100 : last / 100;
  return {name, unit, values[last / 2], values[tail]};
}

Figure measure_us(const std::string& name, int warm_up, int runs,
                  const std::function<void()>& once) {
  for (int i = 0; i < warm_up; ++i)
    once();
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(runs));
  for (int i = 0; i < runs; ++i) {
    const double start = now_us();
    once();
    times.push_back(now_us() - start);
  }
  return summary(name, "us", std::move(times));
}

}  // namespace longwire::bench
