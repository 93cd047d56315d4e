// Streamed writes (transfer_streams.h), into mapped memory and through blocks.
#include <gtest/gtest.h>

#include <atomic>

#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::Bytes;
using testing::Changed;
using testing::CollectSink;
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

TEST_F(OnUnifiedMemory, BytesAreReceivedWhereTheyBelong) {
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
  EXPECT_EQ(worker->worker().uploads().staged_bytes(), 0u) << "and no block";
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

// --- boxes ---------------------------------------------------------------------------------------

TEST(ShapeTest, PiecesAreWholeRowsOrWholeSlices) {
  const Shape box{10, 4, 3};  // slices of 40
  EXPECT_EQ(box.piece(0, 100).bytes, 80u);
  EXPECT_EQ(box.piece(80, 100).bytes, 40u) << "what is left";
  EXPECT_EQ(box.piece(0, 39).bytes, 30u);
  EXPECT_EQ(box.piece(30, 39).bytes, 10u) << "not over the end of a slice";
  EXPECT_EQ(box.piece(40, 5).bytes, 10u) << "one row at least";
  EXPECT_EQ(Shape::linear(100).piece(64, 64).bytes, 36u);
}

TEST_F(WorkerTest, LargeRectsAreReadInPieces) {
  constexpr std::uint64_t kRowPitch = 1100;
  struct Case {
    std::uint64_t width, rows, slices, slice_pitch;
  };
  for (const Case& c : {Case{1000, 3000, 2, 3100 * kRowPitch}, Case{1000, 500, 10, 600 * kRowPitch},
                        Case{1000, 5000, 1, 0}}) {
    const std::uint64_t pitch = c.slice_pitch != 0 ? c.slice_pitch : c.rows * kRowPitch;
    const Bytes data = pattern(pitch * (c.slices + 1) + 4 * kRowPitch);
    const Handle buffer = create_buffer(data.size());
    const auto blob = upload_blob(data.size(), wire::BlobMode::kEager);
    write(buffer, blob);
    send_bytes(blob, data);
    const std::uint64_t origin[] = {7, 3, c.slices > 1 ? 1u : 0u};
    const std::uint64_t region[] = {c.width, c.rows, c.slices};
    msg::EnqueueReadBufferRect m;
    m.queue = queue;
    m.buffer = buffer;
    m.origin = wire::U64View(origin, 3);
    m.region = wire::U64View(region, 3);
    m.row_pitch = kRowPitch;
    m.slice_pitch = c.slice_pitch;
    const std::size_t size = c.width * c.rows * c.slices;
    m.download = {wire::BlobMode::kEager, ++transfers, size, {}};
    const auto sink = std::make_shared<CollectSink>(size);
    client->bulk().expect(m.download.transfer, size, sink);
    ASSERT_EQ(client->call(m), CL_SUCCESS);
    ASSERT_TRUE(client->await([&] { return sink->done.load(); }));
    auto got = sink->bytes.begin();
    for (std::uint64_t slice = 0; slice < c.slices; ++slice) {
      for (std::uint64_t row = 0; row < c.rows; ++row, got += static_cast<long>(c.width)) {
        const auto from = data.begin() + static_cast<long>((origin[2] + slice) * pitch +
                                                           (3 + row) * kRowPitch + 7);
        ASSERT_TRUE(std::equal(from, from + static_cast<long>(c.width), got))
            << "slice " << slice << " row " << row;
      }
    }
  }
}

}  // namespace
}  // namespace longwire::worker::opencl
