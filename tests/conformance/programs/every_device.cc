// All devices of the platform at once: a thread on each, and one context over all of them in which
// a buffer goes round. Says the same for each device, so that one node more is one block more.
#include <thread>

#include "transcript.h"

namespace {

using namespace conformance;

constexpr size_t kItems = 1 << 14;
constexpr size_t kBytes = kItems * sizeof(cl_uint);
constexpr cl_uint kRounds = 40;

constexpr char kSource[] = R"(
kernel void advance(global uint* a, uint by) {
  size_t i = get_global_id(0);
  a[i] = a[i] * 1664525u + by + (uint)i;
}
)";

void model_step(std::vector<cl_uint>& data, cl_uint by) {
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = data[i] * 1664525u + by + static_cast<cl_uint>(i);
}

// A context over some devices, a queue on each, and the kernel.
struct Work {
  explicit Work(const std::vector<cl_device_id>& devices) {
    cl_int code = CL_SUCCESS;
    context = clCreateContext(nullptr, static_cast<cl_uint>(devices.size()), devices.data(),
                              nullptr, nullptr, &code);
    require(code, "context");
    for (const cl_device_id device : devices) {
      queues.push_back(clCreateCommandQueue(context, device, 0, &code));
      require(code, "queue");
    }
    const char* source = kSource;
    program = clCreateProgramWithSource(context, 1, &source, nullptr, &code);
    require(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), "build");
    kernel = clCreateKernel(program, "advance", &code);
    require(code, "kernel");
    buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, kBytes, nullptr, &code);
    require(code, "buffer");
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  }
  ~Work() {
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    for (const cl_command_queue queue : queues)
      clReleaseCommandQueue(queue);
    clReleaseContext(context);
  }
  Work(const Work&) = delete;

  cl_context context = nullptr;
  std::vector<cl_command_queue> queues;
  cl_program program = nullptr;
  cl_kernel kernel = nullptr;
  cl_mem buffer = nullptr;
};

// Round after round on the next queue, each behind the event of the one before.
unsigned long long go_round(const std::vector<cl_device_id>& devices, cl_uint seed) {
  Work work(devices);
  const std::vector<cl_uint> first(kItems, seed);
  std::vector<cl_uint> data = first, back(kItems);
  cl_event before = nullptr;
  require(clEnqueueWriteBuffer(work.queues[0], work.buffer, CL_FALSE, 0, kBytes, first.data(), 0,
                               nullptr, &before),
          "write");
  const size_t items = kItems;
  for (cl_uint round = 0; round < kRounds; ++round) {
    cl_event after = nullptr;
    clSetKernelArg(work.kernel, 1, sizeof round, &round);
    require(clEnqueueNDRangeKernel(work.queues[round % devices.size()], work.kernel, 1, nullptr,
                                   &items, nullptr, 1, &before, &after),
            "step");
    clFlush(work.queues[round % devices.size()]);
    clReleaseEvent(before);
    before = after;
    model_step(data, round);
  }
  require(clEnqueueReadBuffer(work.queues[0], work.buffer, CL_TRUE, 0, kBytes, back.data(), 1,
                              &before, nullptr),
          "read");
  clReleaseEvent(before);
  expect(back == data, "seed %u: another result", seed);
  return checksum(back.data(), kBytes);
}

std::string name_of(cl_device_id device) {
  char name[256] = "";
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, nullptr);
  return name;
}

}  // namespace

int main() {
  cl_platform_id platform = nullptr;
  cl_uint count = 0;
  require(clGetPlatformIDs(1, &platform, nullptr), "platform");
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count), "devices");
  std::vector<cl_device_id> devices(count);
  require(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, devices.data(), nullptr), "devices");
  std::vector<unsigned long long> sums(count);
  std::vector<std::thread> threads;
  for (cl_uint i = 0; i < count; ++i)
    threads.emplace_back([&, i] { sums[i] = go_round({devices[i]}, 7); });
  for (std::thread& thread : threads)
    thread.join();
  for (cl_uint i = 0; i < count; ++i)
    say("device %s: %016llx", name_of(devices[i]).c_str(), sums[i]);
  say("all in one context: %016llx", go_round(devices, 11));
  return finish();
}
