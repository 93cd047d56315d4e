// How often a program's thread waits for its node, call by call, and how many system calls its
// commands cost: counts, so that a regression fails without timing anything. What a round trip is
// says client/core/counters.h.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "allocations.h"
#include "client/opencl/node.h"
#include "session_fixture.h"

namespace longwire::inproc {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr const char* kSource = R"(
kernel void fill(global uint* to, uint value) { to[get_global_id(0)] = value; }
)";
constexpr std::size_t kWords = 1024;  // 4 KiB
constexpr std::size_t kBytes = kWords * 4;
constexpr int kMany = 1000;

class RoundTripTest : public SessionFixture {
 protected:
  RoundTripTest() : SessionFixture(0) {}
  void TearDown() override {
    if (kernel != nullptr) api::ReleaseKernel(kernel);
    if (buffer != nullptr) api::ReleaseMemObject(buffer);
    SessionFixture::TearDown();
  }

  void make_buffer() {
    buffer = api::CreateBuffer(context, CL_MEM_READ_WRITE, kBytes, nullptr, nullptr);
    ASSERT_NE(buffer, nullptr);
  }
  // A kernel with its arguments set, and everything that was asked for done.
  void make_kernel() {
    const char* source = kSource;
    program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
    ASSERT_EQ(api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
    kernel = api::CreateKernel(program, "fill", nullptr);
    ASSERT_NE(kernel, nullptr);
    const cl_uint value = 7;
    ASSERT_EQ(api::SetKernelArg(kernel, 0, sizeof buffer, &buffer), CL_SUCCESS);
    ASSERT_EQ(api::SetKernelArg(kernel, 1, sizeof value, &value), CL_SUCCESS);
    ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  }
  cl_int launch(cl_command_queue on, cl_uint waits = 0, const cl_event* wait = nullptr,
                cl_event* event = nullptr) {
    const std::size_t items = kWords;
    return api::EnqueueNDRangeKernel(on, kernel, 1, nullptr, &items, nullptr, waits, wait, event);
  }
  cl_int read(Words& words) {
    return api::EnqueueReadBuffer(queue, buffer, CL_TRUE, 0, words.size() * 4, words.data(), 0,
                                  nullptr, nullptr);
  }

  client::core::SessionCounters counters() {
    return rig->runtime().nodes()[0]->session().counters();
  }
  // Since the last time, or the beginning.
  std::uint64_t round_trips() {
    const std::uint64_t all = counters().round_trips;
    return all - std::exchange(counted, all);
  }

  cl_mem buffer = nullptr;
  cl_kernel kernel = nullptr;
  std::uint64_t counted = 0;
};

TEST_P(RoundTripTest, FindingDevicesAndMakingAContextTakesNone) {
  EXPECT_EQ(round_trips(), 0u) << "the node describes its devices unasked";
}

// An older node, which has to be asked.
class OlderNodeTest : public RoundTripTest {};

TEST_P(OlderNodeTest, FindingDevicesTakesOne) { EXPECT_EQ(round_trips(), 1u); }

INSTANTIATE_TEST_SUITE_P(One, OlderNodeTest,
                         ::testing::Values(Setup{Transport::kUnix, Driver::kFake, 2, false, false}),
                         [](const auto& one) { return name_of(one.param); });

// Every number of the headers and of vendors; tests/node/programs/test_trace.py has clinfo itself.
TEST_P(RoundTripTest, InformationAboutDevicesTakesNone) {
  round_trips();
  std::array<char, 65536> value{};
  for (cl_uint what = CL_DEVICE_TYPE; what <= 0x1075; ++what)
    api::GetDeviceInfo(device, what, value.size(), value.data(), nullptr);
  for (cl_uint what = 0x4000; what <= 0x400B; ++what)  // NVIDIA's
    api::GetDeviceInfo(device, what, value.size(), value.data(), nullptr);
  for (cl_uint what = CL_PLATFORM_PROFILE; what < CL_PLATFORM_PROFILE + 16; ++what)
    api::GetPlatformInfo(platform, what, value.size(), value.data(), nullptr);
  EXPECT_EQ(round_trips(), 0u);
}

TEST_P(RoundTripTest, WhatNobodyKnowsIsAskedOnce) {
  round_trips();
  cl_uint value = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(api::GetDeviceInfo(device, 0x7fff, sizeof value, &value, nullptr), CL_SUCCESS);
    cl_uint formats = 0;
    api::GetSupportedImageFormats(context, CL_MEM_READ_ONLY, CL_MEM_OBJECT_IMAGE2D, 0, nullptr,
                                  &formats);
  }
  EXPECT_EQ(round_trips(), 2u);
}

TEST_P(RoundTripTest, WhatAnImageNeedsTakesOne) {
  round_trips();
  std::size_t value = 0;
  api::GetImageRequirementsInfoEXT(context, nullptr, CL_MEM_READ_ONLY, nullptr, nullptr,
                                   CL_IMAGE_REQUIREMENTS_BASE_ADDRESS_ALIGNMENT_EXT, sizeof value,
                                   &value, nullptr);
  EXPECT_EQ(round_trips(), 1u);
}

TEST_P(RoundTripTest, CreateWriteReleaseTakesNone) {
  const Words words(kWords, 1);
  round_trips();
  for (int i = 0; i < 10; ++i) {
    const cl_mem one = api::CreateBuffer(context, CL_MEM_READ_WRITE, kBytes, nullptr, nullptr);
    ASSERT_EQ(
        api::EnqueueWriteBuffer(queue, one, CL_TRUE, 0, kBytes, words.data(), 0, nullptr, nullptr),
        CL_SUCCESS);
    ASSERT_EQ(api::ReleaseMemObject(one), CL_SUCCESS);
  }
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
}

TEST_P(RoundTripTest, CreateWithContentsTakesNone) {
  Words words(kWords, 1);
  round_trips();
  const cl_mem one = api::CreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, kBytes,
                                       words.data(), nullptr);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(round_trips(), 0u);
  api::ReleaseMemObject(one);
}

// One to send the bytes, one for the Finish; a full socket may take a few more.
TEST_P(RoundTripTest, ALargeWriteAndAFinishAreSentByTwoSystemCalls) {
  constexpr int kWrites = 50;
  const std::vector<char> bytes(session::kInlineBytes, 1);
  buffer = api::CreateBuffer(context, CL_MEM_READ_WRITE, bytes.size(), nullptr, nullptr);
  ASSERT_NE(buffer, nullptr);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  const client::core::LinkTotals before = counters().link;
  for (int i = 0; i < kWrites; ++i) {
    ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, bytes.size(), bytes.data(), 0,
                                      nullptr, nullptr),
              CL_SUCCESS);
    ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  }
  EXPECT_LE(counters().link.writes - before.writes, std::uint64_t{kWrites} * 5 / 2);
}

TEST_P(RoundTripTest, ABlockingReadTakesOne) {
  make_buffer();
  Words words(kWords);
  ASSERT_EQ(read(words), CL_SUCCESS);
  round_trips();
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(read(words), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 10u);
}

// Its bytes come beside the stream.
TEST_P(RoundTripTest, ABlockingReadOfAMebibyteTakesOne) {
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  buffer = api::CreateBuffer(context, CL_MEM_READ_WRITE, kLarge, nullptr, nullptr);
  Words words(kLarge / 4);
  ASSERT_EQ(read(words), CL_SUCCESS);  // opens the lanes
  round_trips();
  ASSERT_EQ(read(words), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
}

// As much as the node takes unasked (session/bulk.h, eager).
TEST_P(RoundTripTest, ABlockingWriteOfAMebibyteTakesNone) {
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  buffer = api::CreateBuffer(context, CL_MEM_READ_WRITE, kLarge, nullptr, nullptr);
  const Words words(kLarge / 4);
  round_trips();
  ASSERT_EQ(
      api::EnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, kLarge, words.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  EXPECT_EQ(round_trips(), 0u);
}

// The hot path of the calling thread asks nobody for memory; an event comes from those freed
// before.
TEST_P(RoundTripTest, LaunchesAndSmallCopiesAllocateNothing) {
  make_buffer();
  make_kernel();
  if (!allocations_are_counted()) GTEST_SKIP();
  const cl_uint value = 7;
  const auto each = [&] {
    ASSERT_EQ(api::SetKernelArg(kernel, 1, sizeof value, &value), CL_SUCCESS);
    ASSERT_EQ(launch(queue), CL_SUCCESS);
    ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, CL_FALSE, 0, sizeof value, &value, 0, nullptr,
                                      nullptr),
              CL_SUCCESS);
    ASSERT_EQ(api::EnqueueCopyBuffer(queue, buffer, buffer, 0, 64, 16, 0, nullptr, nullptr),
              CL_SUCCESS);
  };
  each();
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  const std::uint64_t before = thread_allocations();
  for (int i = 0; i < 100; ++i)
    each();
  EXPECT_EQ(thread_allocations() - before, 0u);
  cl_event event = nullptr;
  const std::uint64_t without = thread_allocations();
  ASSERT_EQ(launch(queue, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(thread_allocations() - without, 0u);
  api::ReleaseEvent(event);
}

TEST_P(RoundTripTest, BuildingAProgramTakesOne) {
  const char* source = kSource;
  round_trips();
  program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::BuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
}

TEST_P(RoundTripTest, KernelsTakeNone) {
  make_buffer();
  make_kernel();
  round_trips();
  const cl_kernel other = api::CreateKernel(program, "fill", nullptr);
  ASSERT_NE(other, nullptr);
  ASSERT_EQ(api::SetKernelArg(other, 0, sizeof buffer, &buffer), CL_SUCCESS);
  std::array<char, 4096> value{};
  for (cl_uint what = CL_KERNEL_WORK_GROUP_SIZE; what <= CL_KERNEL_PRIVATE_MEM_SIZE; ++what)
    api::GetKernelWorkGroupInfo(other, device, what, value.size(), value.data(), nullptr);
  for (cl_uint what = CL_KERNEL_FUNCTION_NAME; what <= CL_KERNEL_ATTRIBUTES; ++what)
    api::GetKernelInfo(other, what, value.size(), value.data(), nullptr);
  ASSERT_EQ(api::ReleaseKernel(other), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 0u);
}

TEST_P(RoundTripTest, InformationAboutObjectsTakesNone) {
  make_buffer();
  make_kernel();
  round_trips();
  std::array<char, 65536> value{};
  for (cl_uint what = 0x1080; what < 0x1090; ++what)
    api::GetContextInfo(context, what, value.size(), value.data(), nullptr);
  for (cl_uint what = 0x1090; what < 0x10a0; ++what)
    api::GetCommandQueueInfo(queue, what, value.size(), value.data(), nullptr);
  for (cl_uint what = 0x1100; what < 0x1110; ++what)
    api::GetMemObjectInfo(buffer, what, value.size(), value.data(), nullptr);
  for (cl_uint what = CL_PROGRAM_BUILD_STATUS; what < CL_PROGRAM_BUILD_STATUS + 8; ++what)
    api::GetProgramBuildInfo(program, device, what, value.size(), value.data(), nullptr);
  for (const cl_uint what : {CL_PROGRAM_CONTEXT, CL_PROGRAM_DEVICES, CL_PROGRAM_NUM_DEVICES,
                             CL_PROGRAM_NUM_KERNELS, CL_PROGRAM_KERNEL_NAMES, CL_PROGRAM_SOURCE})
    api::GetProgramInfo(program, what, value.size(), value.data(), nullptr);
  EXPECT_EQ(round_trips(), 0u);
}

TEST_P(RoundTripTest, EventsTakeAtMostOneUntilTheyAreComplete) {
  make_buffer();
  make_kernel();
  round_trips();
  cl_event event = nullptr;
  ASSERT_EQ(launch(queue, 0, nullptr, &event), CL_SUCCESS);
  ASSERT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_LE(round_trips(), 1u) << "none where the completion was there before the wait";
  cl_int status = 1;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(api::GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                                nullptr),
              CL_SUCCESS);
    ASSERT_EQ(status, CL_COMPLETE);
  }
  ASSERT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 0u);
  api::ReleaseEvent(event);
}

// Programs that wait for the event of a blocking command do so after each.
TEST_P(RoundTripTest, WaitingForACompleteEventSendsNothing) {
  make_buffer();
  Words words(kWords);
  cl_event event = nullptr;
  ASSERT_EQ(
      api::EnqueueReadBuffer(queue, buffer, CL_TRUE, 0, kBytes, words.data(), 0, nullptr, &event),
      CL_SUCCESS);
  ASSERT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  const auto sent = counters().messages_sent;
  ASSERT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(counters().messages_sent, sent);
  api::ReleaseEvent(event);
}

TEST_P(RoundTripTest, AThousandLaunchesTakeOneAtTheEnd) {
  make_buffer();
  make_kernel();
  round_trips();
  for (int i = 0; i < kMany; ++i)
    ASSERT_EQ(launch(queue), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
}

TEST_P(RoundTripTest, AThousandDependentLaunchesTakeOneAtTheEnd) {
  make_buffer();
  make_kernel();
  round_trips();
  std::vector<cl_event> events(kMany);
  for (int i = 0; i < kMany; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_EQ(launch(queue, i == 0 ? 0 : 1, i == 0 ? nullptr : &events[at - 1], &events[at]),
              CL_SUCCESS);
  }
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
  for (const cl_event event : events)
    api::ReleaseEvent(event);
}

TEST_P(RoundTripTest, AChainOverTwoQueuesTakesAtMostOneAtTheEnd) {
  make_buffer();
  make_kernel();
  const cl_command_queue queues[] = {queue, new_queue(0)};
  round_trips();
  cl_event last = nullptr;
  for (int i = 0; i < kMany; ++i) {
    cl_event next = nullptr;
    ASSERT_EQ(
        launch(queues[i % 2], last == nullptr ? 0 : 1, last == nullptr ? nullptr : &last, &next),
        CL_SUCCESS);
    if (last != nullptr) api::ReleaseEvent(last);
    last = next;
  }
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::WaitForEvents(1, &last), CL_SUCCESS);
  EXPECT_LE(round_trips(), 1u);
  api::ReleaseEvent(last);
  api::ReleaseCommandQueue(queues[1]);
}

TEST_P(RoundTripTest, WriteLaunchReadTakesOne) {
  make_buffer();
  make_kernel();
  Words words(kWords, 3);
  round_trips();
  ASSERT_EQ(api::EnqueueWriteBuffer(queue, buffer, CL_FALSE, 0, kBytes, words.data(), 0, nullptr,
                                    nullptr),
            CL_SUCCESS);
  ASSERT_EQ(launch(queue), CL_SUCCESS);
  Words out(kWords);
  ASSERT_EQ(read(out), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
  EXPECT_EQ(out, Words(kWords, 7));
}

TEST_P(RoundTripTest, MappingToReadTakesOneAndUnmappingNone) {
  make_buffer();
  make_kernel();
  round_trips();
  cl_int status = CL_SUCCESS;
  void* const mapped = api::EnqueueMapBuffer(queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                             kBytes, 0, nullptr, nullptr, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(round_trips(), 1u);
  ASSERT_EQ(api::EnqueueUnmapMemObject(queue, buffer, mapped, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(round_trips(), 0u);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
}

// Many commands in one system call (session/pump.h): about 0.005 of one per command on an idle
// machine. How often the background thread flushes is the scheduler's, hence the room; sanitizers
// slow the program down more than its system calls.
#ifdef LONGWIRE_SANITIZED
constexpr double kMaxSystemCallsPerCommand = 1;
#else
constexpr double kMaxSystemCallsPerCommand = 0.25;
#endif

TEST_P(RoundTripTest, SystemCallsPerPipelinedCommand) {
  if (GetParam().transport == Transport::kInproc) GTEST_SKIP() << "no system calls";
  make_buffer();
  make_kernel();
  constexpr int kCommands = 20 * kMany;
  const auto before = counters();
  for (int i = 0; i < kCommands; ++i)
    ASSERT_EQ(launch(queue), CL_SUCCESS);
  ASSERT_EQ(api::Finish(queue), CL_SUCCESS);
  const auto after = counters();
  EXPECT_GE(after.messages_sent - before.messages_sent, std::uint64_t{kCommands});
  const double calls = static_cast<double>(after.link.system_calls() - before.link.system_calls());
  EXPECT_LT(calls / kCommands, kMaxSystemCallsPerCommand) << calls << " system calls";
  RecordProperty("system_calls_per_thousand", static_cast<int>(calls * kMany / kCommands));
}

std::vector<Setup> all_setups() {
  std::vector<Setup> setups;
  for (const Driver driver : {Driver::kFake, Driver::kSystem}) {
    for (const Transport transport : {Transport::kInproc, Transport::kUnix, Transport::kTcp})
      setups.push_back({transport, driver, 2});
  }
  return setups;
}

INSTANTIATE_TEST_SUITE_P(OverEveryLink, RoundTripTest, ::testing::ValuesIn(all_setups()),
                         [](const auto& one) { return name_of(one.param); });

}  // namespace
}  // namespace longwire::inproc
