// One kernel that keeps its device busy for about the seconds of its argument. Prints "running"
// when it has begun and "done" with its result when it has ended. For test_sharing.py.
#include <CL/cl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr char kSource[] = R"(
kernel void spin(global uint* a, ulong rounds) {
  uint x = a[0];
  for (ulong i = 0; i < rounds; ++i) x = x * 1664525u + (uint)i;
  a[0] = x;
}
)";

void require(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s: %d\n", what, code);
  std::exit(1);
}

double spin(cl_command_queue queue, cl_kernel kernel, cl_ulong rounds, bool say) {
  const auto begin = std::chrono::steady_clock::now();
  const size_t one = 1;
  cl_event event = nullptr;
  clSetKernelArg(kernel, 1, sizeof rounds, &rounds);
  require(clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &one, nullptr, 0, nullptr, &event),
          "launch");
  require(clFlush(queue), "flush");
  if (say) {
    std::puts("running");
    std::fflush(stdout);
  }
  require(clWaitForEvents(1, &event), "wait");
  clReleaseEvent(event);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int code = CL_SUCCESS;
  require(clGetPlatformIDs(1, &platform, nullptr), "platform");
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "device");
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  require(code, "context");
  cl_command_queue queue = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
  require(code, "queue");
  const char* source = kSource;
  cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &code);
  require(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), "build");
  cl_kernel kernel = clCreateKernel(program, "spin", &code);
  require(code, "kernel");
  cl_uint value = 1;
  cl_mem buffer = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, sizeof value, &value, &code);
  require(code, "buffer");
  clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  spin(queue, kernel, 1000, false);
  constexpr cl_ulong kTrial = 20'000'000;
  const double trial = spin(queue, kernel, kTrial, false);
  spin(queue, kernel, static_cast<cl_ulong>(seconds / trial * kTrial), true);
  require(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof value, &value, 0, nullptr, nullptr),
          "read");
  std::printf("done %u\n", value);
  return 0;
}
