// Eight threads on eight queues of one context, and threads that share objects.
#include <atomic>
#include <thread>

#include "transcript.h"

namespace {

using namespace conformance;

constexpr unsigned kThreads = 8;
constexpr unsigned kRounds = 60;
constexpr size_t kItems = 4096;

constexpr char kSource[] = R"(
kernel void advance(global uint* a, uint by) {
  size_t i = get_global_id(0);
  a[i] = a[i] * 1664525u + by + (uint)i;
}
)";

template <typename Body>
void in_threads(Body body) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i)
    threads.emplace_back(body, i);
  for (auto& thread : threads)
    thread.join();
}

// What `advance` does, on the host.
void model_step(std::vector<cl_uint>& data, cl_uint by) {
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = data[i] * 1664525u + by + static_cast<cl_uint>(i);
}

// A thread's own queue, kernel and buffer; every round writes, computes, copies and reads.
unsigned long long own_queue(const Setup& setup, cl_program program, unsigned index) {
  cl_command_queue queue = setup.new_queue();
  cl_kernel kernel = setup.kernel(program, "advance");
  std::vector<cl_uint> data(kItems, index), back(kItems);
  const size_t bytes = kItems * sizeof(cl_uint);
  cl_mem buffer = setup.buffer(bytes), copy = setup.buffer(bytes);
  size_t items = kItems;
  for (cl_uint round = 0; round < kRounds; ++round) {
    cl_uint by = index * 1000 + round;
    const bool blocking = round % 3 == 0;
    require(
        clEnqueueWriteBuffer(queue, buffer, blocking, 0, bytes, data.data(), 0, nullptr, nullptr),
        "write");
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    clSetKernelArg(kernel, 1, sizeof by, &by);
    require(clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
            "step");
    require(clEnqueueCopyBuffer(queue, buffer, copy, 0, 0, bytes, 0, nullptr, nullptr), "copy");
    require(clEnqueueReadBuffer(queue, copy, CL_TRUE, 0, bytes, back.data(), 0, nullptr, nullptr),
            "read");
    model_step(data, by);
    expect(back == data, "thread %u round %u", index, round);
    data = back;
  }
  clReleaseMemObject(copy);
  clReleaseMemObject(buffer);
  clReleaseKernel(kernel);
  clReleaseCommandQueue(queue);
  return checksum(data.data(), bytes);
}

void queues_apart(const Setup& setup) {
  say("-- eight threads on eight queues");
  cl_program program = setup.build(kSource);
  unsigned long long sums[kThreads];
  in_threads([&](unsigned index) { sums[index] = own_queue(setup, program, index); });
  for (unsigned i = 0; i < kThreads; ++i)
    say("thread %u: %016llx", i, sums[i]);
  clReleaseProgram(program);
}

void one_queue(const Setup& setup) {
  say("-- eight threads on one queue, each with its own buffer");
  cl_program program = setup.build(kSource);
  unsigned long long sums[kThreads];
  in_threads([&](unsigned index) {
    cl_kernel kernel = setup.kernel(program, "advance");
    std::vector<cl_uint> data(kItems, index);
    cl_mem buffer = setup.buffer(kItems * 4, CL_MEM_COPY_HOST_PTR, data.data());
    size_t items = kItems;
    for (cl_uint by = 0; by < kRounds; ++by) {
      clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
      clSetKernelArg(kernel, 1, sizeof by, &by);
      require(clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr,
                                     nullptr),
              "step");
      if (by % 16 == index) require(clFinish(setup.queue), "clFinish");
      model_step(data, by);
    }
    auto bytes = contents(setup.queue, buffer, kItems * 4);
    sums[index] = checksum(bytes.data(), bytes.size());
    expect(sums[index] == checksum(data.data(), kItems * 4), "thread %u", index);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
  });
  for (unsigned i = 0; i < kThreads; ++i)
    say("thread %u: %016llx", i, sums[i]);
  clReleaseProgram(program);
}

void builds_at_once(const Setup& setup) {
  say("-- eight threads that build, each its own program");
  cl_uint results[kThreads] = {};
  in_threads([&](unsigned index) {
    std::string source =
        "kernel void answer(global uint* a) { a[0] = " + std::to_string(index * 11 + 1) + "; }";
    cl_program program = setup.build(source.c_str());
    cl_kernel kernel = setup.kernel(program, "answer");
    cl_mem buffer = setup.buffer(4);
    cl_command_queue queue = setup.new_queue();
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    size_t one = 1;
    clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &one, nullptr, 0, nullptr, nullptr);
    clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, 4, &results[index], 0, nullptr, nullptr);
    clReleaseCommandQueue(queue);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
  });
  for (unsigned i = 0; i < kThreads; ++i)
    say("thread %u: %u", i, results[i]);
}

void references_at_once(const Setup& setup) {
  say("-- eight threads that retain, ask and release one object");
  cl_mem buffer = setup.buffer(64);
  in_threads([&](unsigned) {
    for (unsigned round = 0; round < kRounds * 20; ++round) {
      expect(clRetainMemObject(buffer) == CL_SUCCESS, "retain");
      size_t size = 0;
      expect(clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof size, &size, nullptr) == CL_SUCCESS &&
                 size == 64,
             "ask");
      expect(clReleaseMemObject(buffer) == CL_SUCCESS, "release");
    }
  });
  cl_uint count = 0;
  clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, nullptr);
  say("references %u", count);
  clReleaseMemObject(buffer);
}

// One thread is blocked in clWaitForEvents; another must still be able to let it go.
void blocked_thread(const Setup& setup) {
  say("-- a blocked thread does not stop the others");
  cl_int code = CL_SUCCESS;
  cl_event gate = clCreateUserEvent(setup.context, &code);
  require(code, "clCreateUserEvent");
  std::atomic<int> woken{0};
  std::vector<std::thread> waiting;
  for (unsigned i = 0; i < kThreads; ++i)
    waiting.emplace_back([&] {
      require(clWaitForEvents(1, &gate), "clWaitForEvents");
      ++woken;
    });
  cl_mem buffer = setup.buffer(4096);
  unsigned char bytes[4096] = {1, 2, 3};
  for (int i = 0; i < 20; ++i) {
    require(clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof bytes, bytes, 0, nullptr,
                                 nullptr),
            "write");
    contents(setup.queue, buffer, sizeof bytes);
  }
  say("woken too early: %d", woken.load());
  say_code("let go", clSetUserEventStatus(gate, CL_COMPLETE));
  for (auto& thread : waiting)
    thread.join();
  say("woken: %d", woken.load());
  clReleaseEvent(gate);
  clReleaseMemObject(buffer);
}

}  // namespace

int main() {
  Setup setup;
  queues_apart(setup);
  one_queue(setup);
  builds_at_once(setup);
  references_at_once(setup);
  blocked_thread(setup);
  return finish();
}
