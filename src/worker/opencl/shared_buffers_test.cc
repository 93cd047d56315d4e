// Transfers without the driver: of idle queues, in memory that host and device share.
#include <gtest/gtest.h>

#include "worker/opencl/program_info.h"
#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::Bytes;
using testing::pattern;
using testing::WorkerTest;

constexpr std::size_t kBytes = 4096;

fake::FakeOptions sharing(cl_device_type type) {
  fake::FakeOptions options;
  options.type = type;
  options.shares_memory = true;
  return options;
}

class SharedBuffersTest : public WorkerTest {
 protected:
  explicit SharedBuffersTest(cl_device_type type = CL_DEVICE_TYPE_CPU)
      : WorkerTest(nullptr, nullptr, sharing(type)) {}

  void write_inline(Handle buffer, const Bytes& data, std::size_t offset = 0, Handle event = 0) {
    msg::EnqueueWriteBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.offset = offset;
    m.data = wire::Blob::inlined(data);
    m.event = event;
    client->send(m);
  }
  // Native commands since the last time.
  std::size_t commands() {
    const std::size_t all = driver.commands_run();
    return all - std::exchange(counted_, all);
  }

 private:
  std::size_t counted_ = 0;
};

class ClearedBuffersTest : public SharedBuffersTest {
 protected:
  ClearedBuffersTest() : SharedBuffersTest(CL_DEVICE_TYPE_GPU) {}
};

TEST_F(SharedBuffersTest, AnIdleQueueNeedsNoNativeCommand) {
  const Handle buffer = create_buffer(kBytes);
  const Bytes data = pattern(1000);
  finish(queue);
  commands();
  write_inline(buffer, data, 24);
  EXPECT_EQ(read(buffer, data.size(), 24), data);
  write_inline(buffer, data, 2000);
  EXPECT_EQ(read(buffer, data.size(), 2000), data);
  finish(queue);
  EXPECT_EQ(commands(), 0u);
}

TEST_F(SharedBuffersTest, ContentsAreThereFromTheBeginning) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = create_buffer(kBytes, wire::Blob::inlined(data));
  EXPECT_EQ(read(buffer, kBytes), data);
}

TEST_F(SharedBuffersTest, WhatIsUnderWayIsNotOvertaken) {
  const Handle buffer = create_buffer(kBytes);
  const Handle gate = create_user_event();
  const Bytes first = pattern(kBytes);
  const Bytes second(kBytes, std::byte{7});
  msg::EnqueueWriteBuffer m;
  m.queue = queue;
  m.buffer = buffer;
  m.data = wire::Blob::inlined(first);
  m.wait_list = wire::U64View(&gate, 1);
  client->send(m);
  write_inline(buffer, second);
  set_user_event(gate, CL_COMPLETE);
  EXPECT_EQ(read(buffer, kBytes), second);
}

// No event of the launch is watched: only the Finish can tell that it is over.
TEST_F(SharedBuffersTest, KernelsAndTheHostSeeTheSameBytes) {
  const Handle buffer = create_buffer(kBytes);
  const Handle kernel = create_kernel(build("kernel void fill(global uint* a, uint b) {}"), "fill");
  const cl_uint value = 7;
  msg::SetKernelArg m;
  m.kernel = kernel;
  m.kind = static_cast<std::uint32_t>(ArgKind::kMemory);
  m.object = buffer;
  client->send(m);
  msg::SetKernelArg v;
  v.kernel = kernel;
  v.index = 1;
  v.kind = static_cast<std::uint32_t>(ArgKind::kValue);
  v.value = std::as_bytes(std::span(&value, 1));
  client->send(v);
  write_inline(buffer, pattern(kBytes));
  launch(queue, kernel, {}, false);
  EXPECT_EQ(read(buffer, 1), Bytes(1, std::byte{7})) << "natively: the launch is under way";
  launch(queue, kernel, {}, false);
  finish(queue);
  commands();
  EXPECT_EQ(read(buffer, 1), Bytes(1, std::byte{7}));
  EXPECT_EQ(commands(), 0u);
}

TEST_F(SharedBuffersTest, TheProgramsEventsAreNativeOnes) {
  const Handle buffer = create_buffer(kBytes);
  finish(queue);
  commands();
  const Handle event = client->handle(Kind::kEvent);
  write_inline(buffer, pattern(kBytes), 0, event);
  ASSERT_TRUE(client->await_event(event));
  EXPECT_EQ(client->events.at(event).status, CL_COMPLETE);
  EXPECT_EQ(commands(), 1u);
}

TEST_F(SharedBuffersTest, APartOfABufferIsSharedToo) {
  const Bytes data = pattern(kBytes);
  const Handle whole = create_buffer(kBytes, wire::Blob::inlined(data));
  msg::CreateSubBuffer m;
  m.mem = client->handle(Kind::kMem);
  m.parent = whole;
  m.origin = 1024;
  m.size = 512;
  client->send(m);
  finish(queue);
  commands();
  EXPECT_EQ(read(m.mem, 512), Bytes(data.begin() + 1024, data.begin() + 1536));
  EXPECT_EQ(commands(), 0u);
}

TEST_F(SharedBuffersTest, ARangeThatLeavesTheBufferFailsAsNatively) {
  const Handle buffer = create_buffer(kBytes);
  for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{kBytes}, ~std::uint64_t{0}}) {
    msg::EnqueueReadBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.offset = offset;
    m.download.bytes = kBytes;
    msg::EnqueueReadBuffer::Reply answer;
    EXPECT_EQ(client->call(m, &answer), CL_INVALID_VALUE);
  }
}

TEST_F(ClearedBuffersTest, WhatIsClearedByAQueueIsNotTouched) {
  const Handle buffer = create_buffer(kBytes);
  finish(queue);
  commands();
  EXPECT_EQ(read(buffer, kBytes), Bytes(kBytes));
  EXPECT_GE(commands(), 1u);
}

}  // namespace
}  // namespace longwire::worker::opencl
