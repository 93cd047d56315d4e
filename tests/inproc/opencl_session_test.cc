// What a program sees through the client library and the worker, over every link, on the fake
// driver and on the machine's own OpenCL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <string>
#include <thread>

#include "session_fixture.h"

namespace longwire::inproc {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr const char* kSource = R"(
kernel void fill(global uint* to, uint value) { to[get_global_id(0)] = value; }
kernel void add(global uint* a, global uint* b, global uint* c) {
  const size_t i = get_global_id(0);
  c[i] = a[i] + b[i];
}
kernel void noop(uint value) {}
)";

Words counting(std::size_t count, std::uint32_t from = 0) {
  Words words(count);
  for (std::size_t i = 0; i < count; ++i)
    words[i] = from + static_cast<std::uint32_t>(i);
  return words;
}

class SessionTest : public SessionFixture {
 protected:
  SessionTest() : SessionFixture(CL_QUEUE_PROFILING_ENABLE) {}

  cl_mem new_buffer(std::size_t bytes, void* data = nullptr) {
    cl_int status = CL_SUCCESS;
    const auto made =
        api::CreateBuffer(context, CL_MEM_READ_WRITE | (data != nullptr ? CL_MEM_COPY_HOST_PTR : 0),
                          bytes, data, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    return made;
  }
  cl_mem new_buffer(Words& words) { return new_buffer(words.size() * 4, words.data()); }
  Words read(cl_mem buffer, std::size_t count) {
    Words words(count);
    EXPECT_EQ(api::EnqueueReadBuffer(queue, buffer, CL_TRUE, 0, count * 4, words.data(), 0, nullptr,
                                     nullptr),
              CL_SUCCESS);
    return words;
  }
  void build() {
    cl_int status = CL_SUCCESS;
    const char* source = kSource;
    program = api::CreateProgramWithSource(context, 1, &source, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
    ASSERT_EQ(api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
  }
  cl_kernel new_kernel(const char* name) {
    cl_int status = CL_SUCCESS;
    const auto made = api::CreateKernel(program, name, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    return made;
  }
  cl_int launch(cl_command_queue on, cl_kernel kernel, std::size_t items, cl_uint waits = 0,
                const cl_event* wait = nullptr, cl_event* event = nullptr) {
    return api::EnqueueNDRangeKernel(on, kernel, 1, nullptr, &items, nullptr, waits, wait, event);
  }
  cl_event user_event() {
    cl_int status = CL_SUCCESS;
    const auto event = api::CreateUserEvent(context, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    return event;
  }
  static cl_int status_of(cl_event event) {
    cl_int status = 1;
    EXPECT_EQ(api::GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                                nullptr),
              CL_SUCCESS);
    return status;
  }
};

// --- data ---

TEST_P(SessionTest, TransfersOfEverySizeRoundTrip) {
  for (const std::size_t count : {1u, 1000u, 16384u, 16385u, 300'000u, 2'200'000u, 5'000'000u}) {
    const Words words = counting(count, 7);
    const cl_mem buffer = new_buffer(count * 4);
    for (const cl_bool blocking : {CL_TRUE, CL_FALSE}) {
      ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, blocking, 0, count * 4, words.data(), 0,
                                        nullptr, nullptr),
                CL_SUCCESS);
      EXPECT_EQ(read(buffer, count), words) << count;
    }
    Words later(count);
    cl_event event = nullptr;
    ASSERT_EQ(api::EnqueueReadBuffer(queue, buffer, CL_FALSE, 0, count * 4, later.data(), 0,
                                     nullptr, &event),
              CL_SUCCESS);
    EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
    EXPECT_EQ(later, words) << "the event of a read is complete when its bytes are there";
    api::ReleaseEvent(event);
    Words by_finish(count);
    ASSERT_EQ(api::EnqueueReadBuffer(queue, buffer, CL_FALSE, 0, count * 4, by_finish.data(), 0,
                                     nullptr, nullptr),
              CL_SUCCESS);
    EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
    EXPECT_EQ(by_finish, words) << "clFinish waits for the bytes of reads";
    api::ReleaseMemObject(buffer);
  }
}

TEST_P(SessionTest, InitialContentsOfEverySize) {
  for (const std::size_t count : {10u, 100'000u, 3'000'000u}) {
    Words words = counting(count, 3);
    const cl_mem buffer = new_buffer(words);
    std::fill(words.begin(), words.end(), 0);  // they were captured
    EXPECT_EQ(read(buffer, count), counting(count, 3));
    api::ReleaseMemObject(buffer);
  }
}

TEST_P(SessionTest, MapWriteUnmapRead) {
  const std::size_t count = 50'000;
  Words words = counting(count);
  const cl_mem buffer = new_buffer(words);
  cl_int status = CL_SUCCESS;
  auto* mapped = static_cast<std::uint32_t*>(api::EnqueueMapBuffer(
      queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 400, 4000, 0, nullptr, nullptr, &status));
  ASSERT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(mapped[0], 100u);
  for (std::size_t i = 0; i < 1000; ++i)
    mapped[i] += 1;
  EXPECT_EQ(api::EnqueueUnmapMemObject(queue, buffer, mapped, 0, nullptr, nullptr), CL_SUCCESS);
  for (std::size_t i = 100; i < 1100; ++i)
    words[i] += 1;
  EXPECT_EQ(read(buffer, count), words);
  api::ReleaseMemObject(buffer);
}

TEST_P(SessionTest, RectsAndCopies) {
  Words words = counting(64 * 64);
  const cl_mem from = new_buffer(words);
  const cl_mem to = new_buffer(words.size() * 4);
  const std::uint32_t zero = 0;
  ASSERT_EQ(api::EnqueueFillBuffer(queue, to, &zero, 4, 0, words.size() * 4, 0, nullptr, nullptr),
            CL_SUCCESS);
  const std::size_t origin[] = {16, 2, 0};
  const std::size_t region[] = {32, 8, 1};
  const std::size_t host_origin[] = {0, 0, 0};
  Words part(8 * 8);
  ASSERT_EQ(api::EnqueueReadBufferRect(queue, from, CL_TRUE, origin, host_origin, region, 256, 0,
                                       32, 0, part.data(), 0, nullptr, nullptr),
            CL_SUCCESS);
  for (std::size_t row = 0; row < 8; ++row)
    for (std::size_t i = 0; i < 8; ++i)
      EXPECT_EQ(part[row * 8 + i], (row + 2) * 64 + 4 + i);
  ASSERT_EQ(api::EnqueueCopyBuffer(queue, from, to, 0, 400, 4000, 0, nullptr, nullptr), CL_SUCCESS);
  const Words copied = read(to, words.size());
  EXPECT_EQ(copied[99], 0u);
  EXPECT_EQ(copied[100], 0u + words[0]);
  EXPECT_EQ(copied[1099], words[999]);
  api::ReleaseMemObject(from);
  api::ReleaseMemObject(to);
}

TEST_P(SessionTest, ImagesRoundTrip) {
  cl_image_format format{CL_RGBA, CL_UNORM_INT8};
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc.image_width = 200;
  desc.image_height = 100;
  cl_int status = CL_SUCCESS;
  const cl_mem image =
      api::CreateImage(context, CL_MEM_READ_WRITE, &format, &desc, nullptr, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  const Words pixels = counting(200 * 100, 5);
  const std::size_t origin[] = {0, 0, 0};
  const std::size_t region[] = {200, 100, 1};
  ASSERT_EQ(api::EnqueueWriteImage(queue, image, CL_TRUE, origin, region, 0, 0, pixels.data(), 0,
                                   nullptr, nullptr),
            CL_SUCCESS);
  Words back(200 * 100);
  ASSERT_EQ(api::EnqueueReadImage(queue, image, CL_TRUE, origin, region, 0, 0, back.data(), 0,
                                  nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(back, pixels);
  api::ReleaseMemObject(image);
}

// --- kernels and events ---

TEST_P(SessionTest, KernelsComputeAndProfile) {
  build();
  Words a = counting(5000);
  Words b = counting(5000, 1'000'000);
  const cl_mem ma = new_buffer(a);
  const cl_mem mb = new_buffer(b);
  const cl_mem mc = new_buffer(a.size() * 4);
  const cl_kernel add = new_kernel("add");
  EXPECT_EQ(api::SetKernelArg(add, 0, sizeof ma, &ma), CL_SUCCESS);
  EXPECT_EQ(api::SetKernelArg(add, 1, sizeof mb, &mb), CL_SUCCESS);
  EXPECT_EQ(api::SetKernelArg(add, 2, sizeof mc, &mc), CL_SUCCESS);
  cl_event event = nullptr;
  ASSERT_EQ(launch(queue, add, a.size(), 0, nullptr, &event), CL_SUCCESS);
  const Words c = read(mc, a.size());
  for (std::size_t i = 0; i < c.size(); ++i)
    ASSERT_EQ(c[i], a[i] + b[i]);
  cl_ulong start = 0;
  cl_ulong end = 0;
  ASSERT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(api::GetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, 8, &start, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(api::GetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, 8, &end, nullptr),
            CL_SUCCESS);
  EXPECT_LE(start, end);
  EXPECT_NE(end, 0u);
  api::ReleaseEvent(event);
  api::ReleaseKernel(add);
  for (const cl_mem mem : {ma, mb, mc})
    api::ReleaseMemObject(mem);
}

TEST_P(SessionTest, KernelArgumentsAreKnownAndChecked) {
  build();
  const cl_kernel fill = new_kernel("fill");
  cl_uint count = 0;
  EXPECT_EQ(api::GetKernelInfo(fill, CL_KERNEL_NUM_ARGS, sizeof count, &count, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(count, 2u);
  const std::uint64_t wrong = 0;
  EXPECT_EQ(api::SetKernelArg(fill, 1, 8, &wrong), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(api::SetKernelArg(fill, 2, 4, &wrong), CL_INVALID_ARG_INDEX);
  EXPECT_EQ(launch(queue, fill, 1), CL_INVALID_KERNEL_ARGS);
  api::ReleaseKernel(fill);
}

TEST_P(SessionTest, FailedBuildHasALog) {
  const char* source = "kernel void broken( { #error\n";
  if (GetParam().driver == Driver::kFake) source = "#error";
  cl_int status = CL_SUCCESS;
  const cl_program broken = api::CreateProgramWithSource(context, 1, &source, nullptr, &status);
  EXPECT_EQ(api::BuildProgram(broken, 1, &device, nullptr, nullptr, nullptr),
            CL_BUILD_PROGRAM_FAILURE);
  char log[4096] = "";
  std::size_t size = 0;
  EXPECT_EQ(api::GetProgramBuildInfo(broken, device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size),
            CL_SUCCESS);
  EXPECT_GT(size, 1u);
  if (size <= sizeof log) {
    EXPECT_EQ(
        api::GetProgramBuildInfo(broken, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, nullptr),
        CL_SUCCESS);
    EXPECT_THAT(log, ::testing::HasSubstr("error"));
  }
  api::ReleaseProgram(broken);
}

TEST_P(SessionTest, BinariesRoundTrip) {
  build();
  std::size_t size = 0;
  ASSERT_EQ(api::GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr),
            CL_SUCCESS);
  ASSERT_GT(size, 0u);
  std::vector<unsigned char> binary(size);
  unsigned char* pointer = binary.data();
  ASSERT_EQ(api::GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof pointer, &pointer, nullptr),
            CL_SUCCESS);
  const unsigned char* data = binary.data();
  cl_int each = 1;
  cl_int status = 1;
  const cl_program again =
      api::CreateProgramWithBinary(context, 1, &device, &size, &data, &each, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(each, CL_SUCCESS);
  EXPECT_EQ(api::BuildProgram(again, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
  const cl_kernel kernel = api::CreateKernel(again, "add", &status);
  EXPECT_EQ(status, CL_SUCCESS);
  api::ReleaseKernel(kernel);
  api::ReleaseProgram(again);
}

TEST_P(SessionTest, UserEventsHoldCommandsBack) {
  Words words = counting(300'000);
  const cl_mem buffer = new_buffer(words.size() * 4);
  const cl_event gate = user_event();
  cl_event written = nullptr;
  ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, CL_FALSE, 0, words.size() * 4, words.data(), 1,
                                    &gate, &written),
            CL_SUCCESS);
  const cl_command_queue other = new_queue(0);  // is not held back by the first
  const cl_mem small = new_buffer(16);
  EXPECT_EQ(
      api::EnqueueWriteBuffer(other, small, CL_TRUE, 0, 16, words.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  EXPECT_EQ(api::Finish(other), CL_SUCCESS);
  EXPECT_GT(status_of(written), CL_COMPLETE);
  EXPECT_EQ(api::SetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(api::WaitForEvents(1, &written), CL_SUCCESS);
  EXPECT_EQ(read(buffer, words.size()), words);
  api::ReleaseEvent(gate);
  api::ReleaseEvent(written);
  api::ReleaseMemObject(buffer);
  api::ReleaseMemObject(small);
  api::ReleaseCommandQueue(other);
}

TEST_P(SessionTest, AFailedUserEventFailsItsDependents) {
  build();
  const cl_kernel noop = new_kernel("noop");
  const std::uint32_t value = 1;
  api::SetKernelArg(noop, 0, 4, &value);
  const cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(launch(queue, noop, 1, 1, &gate, &event), CL_SUCCESS);
  EXPECT_EQ(api::SetUserEventStatus(gate, -7), CL_SUCCESS);
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_LT(status_of(event), 0);
  api::ReleaseEvent(gate);
  api::ReleaseEvent(event);
  api::ReleaseKernel(noop);
}

TEST_P(SessionTest, EventCallbacksAreCalled) {
  build();
  const cl_kernel noop = new_kernel("noop");
  const std::uint32_t value = 1;
  api::SetKernelArg(noop, 0, 4, &value);
  struct Heard {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
  } heard;
  const auto callback = [](cl_event, cl_int, void* user) {
    auto& h = *static_cast<Heard*>(user);
    const std::lock_guard lock(h.mutex);
    ++h.count;
    h.changed.notify_all();
  };
  std::vector<cl_event> events;
  for (int i = 0; i < 50; ++i) {
    cl_event event = nullptr;
    ASSERT_EQ(launch(queue, noop, 1, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, callback, &heard), CL_SUCCESS);
    EXPECT_EQ(api::SetEventCallback(event, CL_RUNNING, callback, &heard), CL_SUCCESS);
    events.push_back(event);
  }
  api::Finish(queue);
  std::unique_lock lock(heard.mutex);
  EXPECT_TRUE(heard.changed.wait_for(lock, std::chrono::seconds(20), [&] {
    return heard.count == 100;
  })) << heard.count;
  for (const cl_event event : events)
    api::ReleaseEvent(event);
  api::ReleaseKernel(noop);
}

TEST_P(SessionTest, DestructorCallbacksAreCalled) {
  const cl_mem buffer = new_buffer(64);
  std::atomic<int> called{0};
  const auto callback = [](cl_mem, void* user) { ++*static_cast<std::atomic<int>*>(user); };
  EXPECT_EQ(api::SetMemObjectDestructorCallback(buffer, callback, &called), CL_SUCCESS);
  api::ReleaseMemObject(buffer);
  for (int i = 0; i < 2000 && called == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(called, 1);
}

TEST_P(SessionTest, OutOfOrderQueuesFollowWaitLists) {
  build();
  const cl_command_queue unordered = new_queue(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  const cl_mem buffer = new_buffer(4000);
  const cl_kernel fill = new_kernel("fill");
  api::SetKernelArg(fill, 0, sizeof buffer, &buffer);
  cl_event last = nullptr;
  for (std::uint32_t i = 0; i < 20; ++i) {
    api::SetKernelArg(fill, 1, 4, &i);
    cl_event event = nullptr;
    ASSERT_EQ(launch(unordered, fill, 1000, last != nullptr ? 1 : 0,
                     last != nullptr ? &last : nullptr, &event),
              CL_SUCCESS);
    if (last != nullptr) api::ReleaseEvent(last);
    last = event;
  }
  EXPECT_EQ(api::Finish(unordered), CL_SUCCESS);
  EXPECT_EQ(read(buffer, 1000), Words(1000, 19));
  api::ReleaseEvent(last);
  api::ReleaseKernel(fill);
  api::ReleaseMemObject(buffer);
  api::ReleaseCommandQueue(unordered);
}

// --- many threads ---

TEST_P(SessionTest, EightThreadsOnEightQueues) {
  build();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uint32_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const cl_command_queue own = new_queue(0);
      const std::size_t count = t % 2 == 0 ? 1000 : 100'000;
      const cl_mem buffer = new_buffer(count * 4);
      const cl_kernel fill = new_kernel("fill");
      api::SetKernelArg(fill, 0, sizeof buffer, &buffer);
      for (std::uint32_t i = 0; i < 30; ++i) {
        const std::uint32_t value = t * 1000 + i;
        api::SetKernelArg(fill, 1, 4, &value);
        if (launch(own, fill, count) != CL_SUCCESS) ++wrong;
        Words words(count);
        if (api::EnqueueReadBuffer(own, buffer, CL_TRUE, 0, count * 4, words.data(), 0, nullptr,
                                   nullptr) != CL_SUCCESS)
          ++wrong;
        if (words != Words(count, value)) ++wrong;
      }
      api::ReleaseKernel(fill);
      api::ReleaseMemObject(buffer);
      api::ReleaseCommandQueue(own);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

// --- nodes ---

constexpr Setup kSmall{Transport::kInproc, Driver::kFake, 1};

TEST(NodesTest, TwoNodesAreOnePlatform) {
  Rig rig(kSmall, 2);
  cl_platform_id platform = nullptr;
  ASSERT_EQ(api::GetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
  cl_uint count = 0;
  ASSERT_EQ(api::GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count), CL_SUCCESS);
  EXPECT_EQ(count, 4u) << "two fake devices each";
}

// Nothing hangs and nothing succeeds once the node has gone.
TEST(NodesTest, ALostNodeFailsWhatWaitsForIt) {
  Rig rig(kSmall);
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int status = CL_SUCCESS;
  ASSERT_EQ(api::GetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
  ASSERT_EQ(api::GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
  const cl_context context = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
  const cl_command_queue queue =
      api::CreateCommandQueueWithProperties(context, device, nullptr, &status);
  const cl_mem buffer = api::CreateBuffer(context, CL_MEM_READ_WRITE, 1 << 20, nullptr, &status);
  const cl_event gate = api::CreateUserEvent(context, &status);
  const std::vector<std::byte> data(1 << 20);
  cl_event event = nullptr;
  ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, CL_FALSE, 0, data.size(), data.data(), 1, &gate,
                                    &event),
            CL_SUCCESS);
  std::thread finishing([&] { EXPECT_LT(api::Finish(queue), 0); });
  rig.node().die();
  EXPECT_LT(api::WaitForEvents(1, &event), 0);
  finishing.join();
  std::byte byte{};
  EXPECT_LT(api::EnqueueReadBuffer(queue, buffer, CL_TRUE, 0, 1, &byte, 0, nullptr, nullptr), 0);
  api::ReleaseEvent(event);
  api::ReleaseEvent(gate);
  api::ReleaseMemObject(buffer);
  api::ReleaseCommandQueue(queue);
  api::ReleaseContext(context);
  EXPECT_EQ(rig.end(), 0u);
}

std::vector<Setup> all_setups() {
  std::vector<Setup> setups;
  for (const Driver driver : {Driver::kFake, Driver::kSystem}) {
    for (const Transport transport : {Transport::kInproc, Transport::kUnix, Transport::kTcp})
      setups.push_back({transport, driver, 2});
    setups.push_back({Transport::kInproc, driver, 0});
  }
  return setups;
}

INSTANTIATE_TEST_SUITE_P(OverEveryLink, SessionTest, ::testing::ValuesIn(all_setups()),
                         [](const auto& one) { return name_of(one.param); });

}  // namespace
}  // namespace longwire::inproc
