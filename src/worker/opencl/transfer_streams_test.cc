// Streamed writes (transfer_streams.h), into mapped memory and through blocks.
#include <gtest/gtest.h>

#include <atomic>

#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::Bytes;
using testing::Changed;
using testing::pattern;
using testing::WorkerTest;

constexpr std::size_t kBytes = 5'000'000;

// A device whose memory is the host's. Native writes fail: nothing may be copied by them.
std::atomic<int> maps{0};
std::atomic<int> unmaps{0};
decltype(NativeApi::clGetDeviceInfo) real_device_info;
decltype(NativeApi::clEnqueueMapBuffer) real_map;
decltype(NativeApi::clEnqueueUnmapMemObject) real_unmap;

void unified(NativeApi& api) {
  maps = unmaps = 0;
  real_device_info = api.clGetDeviceInfo;
  real_map = api.clEnqueueMapBuffer;
  real_unmap = api.clEnqueueUnmapMemObject;
  api.clGetDeviceInfo = [](cl_device_id device, cl_device_info param, std::size_t room, void* value,
                           std::size_t* size) -> cl_int {
    if (param != CL_DEVICE_HOST_UNIFIED_MEMORY)
      return real_device_info(device, param, room, value, size);
    const cl_bool yes = CL_TRUE;
    if (value != nullptr) std::memcpy(value, &yes, sizeof yes);
    if (size != nullptr) *size = sizeof yes;
    return CL_SUCCESS;
  };
  api.clEnqueueMapBuffer = [](cl_command_queue queue, cl_mem mem, cl_bool blocking,
                              cl_map_flags flags, std::size_t offset, std::size_t size,
                              cl_uint count, const cl_event* wait, cl_event* event,
                              cl_int* status) -> void* {
    ++maps;
    return real_map(queue, mem, blocking, flags, offset, size, count, wait, event, status);
  };
  api.clEnqueueUnmapMemObject = [](cl_command_queue queue, cl_mem mem, void* at, cl_uint count,
                                   const cl_event* wait, cl_event* event) -> cl_int {
    ++unmaps;
    return real_unmap(queue, mem, at, count, wait, event);
  };
  api.clEnqueueWriteBuffer = [](cl_command_queue, cl_mem, cl_bool, std::size_t, std::size_t,
                                const void*, cl_uint, const cl_event*,
                                cl_event*) -> cl_int { return CL_OUT_OF_RESOURCES; };
}
using OnUnifiedMemory = Changed<unified>;

TEST_F(OnUnifiedMemory, EagerBytesNeedNoNativeWrite) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = create_buffer(kBytes + 100);
  for (const auto mode : {wire::BlobMode::kEager, wire::BlobMode::kRendezvous}) {
    const auto blob = upload_blob(kBytes, mode);
    msg::EnqueueWriteBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.offset = 100;
    m.data = blob;
    m.event = client->handle(Kind::kEvent);
    client->send(m);
    round_trip();
    send_bytes(blob, data);
    ASSERT_TRUE(client->await_event(m.event));
    EXPECT_EQ(client->events.at(m.event).status, CL_COMPLETE);
    EXPECT_EQ(read(buffer, kBytes, 100), data);
  }
  EXPECT_TRUE(client->await([&] { return client->credit == kBytes; }));
  EXPECT_EQ(maps, 2);
  EXPECT_EQ(unmaps, 2);
}

TEST_F(OnUnifiedMemory, ProfilingTimesAreInOrder) {
  const auto blob = upload_blob(kBytes, wire::BlobMode::kEager);
  const Handle event = write(create_buffer(kBytes), blob);
  send_bytes(blob, pattern(kBytes));
  ASSERT_TRUE(client->await_event(event));
  const auto& times = client->events.at(event).times;
  ASSERT_EQ(times.size(), 5u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_LE(times[i], times[i + 1]);
}

TEST_F(OnUnifiedMemory, AnAbortUnmaps) {
  const auto blob = upload_blob(kBytes, wire::BlobMode::kRendezvous);
  const Handle event = write(create_buffer(kBytes), blob);
  ASSERT_TRUE(client->await([&] { return !client->grants.empty(); }));
  const std::uint64_t abort[] = {blob.transfer, std::uint64_t(std::int64_t{CL_OUT_OF_RESOURCES})};
  client->send_raw(wire::kOpBulkAbort, std::as_bytes(std::span(abort)));
  ASSERT_TRUE(client->await_event(event));
  EXPECT_LT(client->events.at(event).status, 0);
  EXPECT_EQ(maps, 1);
  EXPECT_EQ(unmaps, 2) << "one behind the gate, which will not run, and one beside it";
}

// Bodies for both kinds of memory.
template <class Fixture>
class StreamedWriteTest : public Fixture {};
using Fixtures = ::testing::Types<WorkerTest, OnUnifiedMemory>;
TYPED_TEST_SUITE(StreamedWriteTest, Fixtures);

TYPED_TEST(StreamedWriteTest, EagerBytesWaitForTheirTurn) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = this->create_buffer(kBytes);
  const Handle user = this->create_user_event();
  const auto blob = this->upload_blob(kBytes, wire::BlobMode::kEager);
  const Handle event = this->write(buffer, blob, wire::U64View(&user, 1));
  this->send_bytes(blob, data);
  this->round_trip();
  EXPECT_EQ(this->client->reports.count(event), 0u);
  this->set_user_event(user, CL_COMPLETE);
  ASSERT_TRUE(this->client->await_event(event));
  EXPECT_EQ(this->client->events.at(event).status, CL_COMPLETE);
  EXPECT_EQ(this->read(buffer, kBytes), data);
  EXPECT_TRUE(this->client->await([&] { return this->client->credit == kBytes; }));
}

TYPED_TEST(StreamedWriteTest, AFailedWaitGivesTheCreditBackWhenTheBytesHaveCome) {
  const Handle user = this->create_user_event();
  const auto blob = this->upload_blob(kBytes, wire::BlobMode::kEager);
  const Handle event = this->write(this->create_buffer(kBytes), blob, wire::U64View(&user, 1));
  this->set_user_event(user, -5);
  ASSERT_TRUE(this->client->await_event(event));
  EXPECT_LT(this->client->events.at(event).status, 0);
  EXPECT_EQ(this->client->credit, 0u);
  this->send_bytes(blob, pattern(kBytes));
  EXPECT_TRUE(this->client->await([&] { return this->client->credit == kBytes; }));
  this->round_trip();
}

}  // namespace
}  // namespace longwire::worker::opencl
