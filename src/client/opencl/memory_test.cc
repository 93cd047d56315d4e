// Memory objects, transfers and maps against a node in this process (client_test.h).
#include "client/opencl/memory.h"

#include <cstring>
#include <numeric>

#include "client/opencl/client_test.h"
#include "client/opencl/device.h"
#include "client/opencl/event.h"
#include "client/opencl/hazards.h"
#include "client/opencl/image.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"
#include "session/bulk.h"

namespace longwire::client::opencl {
namespace {

namespace msg = testing::msg;

// A node whose buffers are one array of bytes, and a program with a context and a queue.
class MemoryTest : public testing::ClientTest {
 protected:
  static constexpr std::size_t kBytes = 256;

  explicit MemoryTest(std::size_t nodes = 1) : ClientTest(nodes), bytes_(kBytes) {
    std::iota(bytes_.begin(), bytes_.end(), std::uint8_t{0});
  }
  void SetUp() override {
    node().on<msg::EnqueueReadBuffer>([this](const msg::EnqueueReadBuffer& m) {
      const auto data = std::as_bytes(std::span(bytes_)).subspan(m.offset, m.download.bytes);
      if (hold_reads_) {
        held_.push_back(
            [this, token = m.token, event = m.event, data] { answer(token, event, data); });
        return;
      }
      answer(m.token, m.event, data);
    });
    node().on<msg::EnqueueWriteBuffer>([this](const msg::EnqueueWriteBuffer& m) {
      std::memcpy(bytes_.data() + m.offset, m.data.inline_data.data(), m.data.inline_data.size());
      if (m.event != 0) node().event_done(m.event, CL_COMPLETE);
    });
    node().on<msg::EnqueueNothing>([this](const msg::EnqueueNothing& m) {
      if (m.token != 0) node().reply(m.token, CL_SUCCESS);
      if (m.event != 0) node().event_done(m.event, CL_COMPLETE);
    });
    node().on<msg::CreateBuffer>([this](const msg::CreateBuffer& m) {
      created_flags_ = m.flags;
      created_data_.assign(m.data.inline_data.begin(), m.data.inline_data.end());
    });
    node().on<msg::ReleaseObject>([this](const msg::ReleaseObject& m) {
      if (m.token != 0) node().reply(m.token, CL_SUCCESS);
    });
    Platform& platform = runtime().platform();
    ASSERT_EQ(platform.devices().size(), 1u);
    const cl_device_id device = to_cl<cl_device_id>(platform.devices().front());
    cl_int status = CL_SUCCESS;
    context_ = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
    queue_ = api::CreateCommandQueueWithProperties(context_, device, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
    other_queue_ = api::CreateCommandQueueWithProperties(context_, device, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
  }
  void TearDown() override {
    for (const cl_mem one : made_)
      api::ReleaseMemObject(one);
    if (queue_ != nullptr) api::ReleaseCommandQueue(queue_);
    if (other_queue_ != nullptr) api::ReleaseCommandQueue(other_queue_);
    if (context_ != nullptr) api::ReleaseContext(context_);
    ClientTest::TearDown();
  }

  void answer(wire::Token token, wire::Handle event, std::span<const std::byte> data) {
    if (event != 0) node().event_done(event, CL_COMPLETE);
    node().reply(token, CL_SUCCESS, msg::EnqueueReadBuffer::Reply{data});
  }
  void let_reads_go() {
    for (auto& one : held_)
      one();
    held_.clear();
  }
  cl_mem buffer(cl_mem_flags flags = 0, void* host = nullptr, std::size_t size = kBytes) {
    cl_int status = CL_SUCCESS;
    const cl_mem made = api::CreateBuffer(context_, flags, size, host, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    made_.push_back(made);
    return made;
  }
  cl_int buffer_error(cl_mem_flags flags, std::size_t size, void* host) {
    cl_int status = CL_SUCCESS;
    EXPECT_EQ(api::CreateBuffer(context_, flags, size, host, &status), nullptr);
    return status;
  }
  std::uint8_t* map(cl_mem memory, cl_map_flags flags, std::size_t offset, std::size_t size,
                    cl_int* status = nullptr) {
    return static_cast<std::uint8_t*>(api::EnqueueMapBuffer(queue_, memory, CL_TRUE, flags, offset,
                                                            size, 0, nullptr, nullptr, status));
  }
  cl_int unmap(cl_mem memory, void* pointer) {
    const cl_int status = api::EnqueueUnmapMemObject(queue_, memory, pointer, 0, nullptr, nullptr);
    EXPECT_EQ(api::Finish(queue_), CL_SUCCESS);
    return status;
  }
  template <class T>
  T info(cl_mem memory, cl_mem_info param) {
    T value{};
    EXPECT_EQ(api::GetMemObjectInfo(memory, param, sizeof value, &value, nullptr), CL_SUCCESS);
    return value;
  }

  std::vector<std::uint8_t> bytes_;
  bool hold_reads_ = false;
  std::vector<std::function<void()>> held_;
  cl_mem_flags created_flags_ = 0;
  std::vector<std::byte> created_data_;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  cl_command_queue other_queue_ = nullptr;
  std::vector<cl_mem> made_;
};

TEST_F(MemoryTest, CreationErrors) {
  int x = 0;
  EXPECT_EQ(buffer_error(0, 0, nullptr), CL_INVALID_BUFFER_SIZE);
  EXPECT_EQ(buffer_error(0, (std::size_t{1} << 30) + 1, nullptr), CL_INVALID_BUFFER_SIZE);
  EXPECT_EQ(buffer_error(CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY, 4, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(buffer_error(CL_MEM_COPY_HOST_PTR, 4, nullptr), CL_INVALID_HOST_PTR);
  EXPECT_EQ(buffer_error(0, 4, &x), CL_INVALID_HOST_PTR);
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(api::CreateBuffer(nullptr, 0, 4, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_CONTEXT);
  const cl_mem_properties unknown[] = {0x1234, 1, 0};
  EXPECT_EQ(api::CreateBufferWithProperties(context_, unknown, 0, 4, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_PROPERTY);
}

TEST_F(MemoryTest, InitialContentsTravelAndHostFlagsDoNot) {
  std::vector<std::uint8_t> host(kBytes, 7);
  buffer(CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR | CL_MEM_HOST_NO_ACCESS, host.data());
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(created_flags_, static_cast<cl_mem_flags>(CL_MEM_READ_ONLY));
  EXPECT_EQ(created_data_, std::vector<std::byte>(kBytes, std::byte{7}));
}

TEST_F(MemoryTest, Infos) {
  std::vector<std::uint8_t> host(kBytes);
  const cl_mem memory = buffer(CL_MEM_USE_HOST_PTR, host.data());
  EXPECT_EQ(info<std::size_t>(memory, CL_MEM_SIZE), kBytes);
  EXPECT_EQ(info<void*>(memory, CL_MEM_HOST_PTR), host.data());
  EXPECT_EQ(info<cl_uint>(memory, CL_MEM_REFERENCE_COUNT), 1u);
  EXPECT_EQ(info<cl_context>(memory, CL_MEM_CONTEXT), context_);
  EXPECT_EQ(info<cl_mem_object_type>(memory, CL_MEM_TYPE),
            cl_mem_object_type{CL_MEM_OBJECT_BUFFER});
  std::size_t size = 99;
  EXPECT_EQ(api::GetMemObjectInfo(memory, CL_MEM_PROPERTIES, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(api::GetMemObjectInfo(memory, 0x9999, 0, nullptr, &size), CL_INVALID_VALUE);
  EXPECT_EQ(api::GetMemObjectInfo(nullptr, CL_MEM_SIZE, 0, nullptr, &size), CL_INVALID_MEM_OBJECT);
}

TEST_F(MemoryTest, SubBuffers) {
  std::vector<std::uint8_t> host(kBytes);
  const cl_mem parent = buffer(CL_MEM_USE_HOST_PTR | CL_MEM_READ_ONLY, host.data());
  cl_buffer_region region{128, 64};
  cl_int status = CL_SUCCESS;
  const cl_mem child =
      api::CreateSubBuffer(parent, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  made_.push_back(child);
  EXPECT_EQ(info<cl_mem>(child, CL_MEM_ASSOCIATED_MEMOBJECT), parent);
  EXPECT_EQ(info<std::size_t>(child, CL_MEM_OFFSET), 128u);
  EXPECT_EQ(info<void*>(child, CL_MEM_HOST_PTR), host.data() + 128);
  EXPECT_EQ(info<cl_mem_flags>(child, CL_MEM_FLAGS),
            static_cast<cl_mem_flags>(CL_MEM_USE_HOST_PTR | CL_MEM_READ_ONLY));
  const auto error = [&](cl_mem of, cl_mem_flags flags, cl_buffer_region r) {
    EXPECT_EQ(api::CreateSubBuffer(of, flags, CL_BUFFER_CREATE_TYPE_REGION, &r, &status), nullptr);
    return status;
  };
  EXPECT_EQ(error(child, 0, {0, 4}), CL_INVALID_MEM_OBJECT) << "of a sub-buffer";
  EXPECT_EQ(error(parent, CL_MEM_READ_WRITE, {0, 4}), CL_INVALID_VALUE);
  EXPECT_EQ(error(parent, 0, {0, 0}), CL_INVALID_BUFFER_SIZE);
  EXPECT_EQ(error(parent, 0, {128, 129}), CL_INVALID_VALUE);
  EXPECT_EQ(error(parent, 0, {1, 4}), CL_MISALIGNED_SUB_BUFFER_OFFSET);
}

TEST_F(MemoryTest, BlockingReadBringsTheBytes) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(16);
  ASSERT_EQ(
      api::EnqueueReadBuffer(queue_, memory, CL_TRUE, 32, 16, host.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  EXPECT_EQ(host[0], 32);
  EXPECT_EQ(host[15], 47);
}

TEST_F(MemoryTest, ReadErrors) {
  const cl_mem memory = buffer(CL_MEM_HOST_WRITE_ONLY);
  std::uint8_t host[4];
  const auto read = [&](std::size_t offset, std::size_t size, void* to) {
    return api::EnqueueReadBuffer(queue_, memory, CL_TRUE, offset, size, to, 0, nullptr, nullptr);
  };
  EXPECT_EQ(read(0, 4, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(read(kBytes - 3, 4, host), CL_INVALID_VALUE);
  EXPECT_EQ(read(0, 4, host), CL_INVALID_OPERATION);
  EXPECT_EQ(api::EnqueueReadBuffer(queue_, nullptr, CL_TRUE, 0, 4, host, 0, nullptr, nullptr),
            CL_INVALID_MEM_OBJECT);
}

// The node says that the command is done; the event says so only when the bytes are here.
TEST_F(MemoryTest, EventOfAReadWaitsForItsBytes) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(4);
  wire::Token token = 0;
  node().on<msg::EnqueueReadBuffer>([&](const msg::EnqueueReadBuffer& m) {
    token = m.token;
    node().event_done(m.event, CL_COMPLETE);
  });
  cl_event event = nullptr;
  ASSERT_EQ(api::EnqueueReadBuffer(queue_, memory, CL_FALSE, 0, 4, host.data(), 0, nullptr, &event),
            CL_SUCCESS);
  ASSERT_EQ(api::Finish(other_queue_), CL_SUCCESS);  // the completion has been seen
  cl_int status = CL_COMPLETE;
  api::GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
  EXPECT_GT(status, CL_COMPLETE);
  answer(token, 0, std::as_bytes(std::span(bytes_)).subspan(8, 4));
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(host[0], 8);
  api::ReleaseEvent(event);
}

// The node may tell of later commands before the bytes of a read have come: transfer_order.h.
TEST_F(MemoryTest, LaterEventsAndFinishWaitForTheBytesOfReads) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(4);
  hold_reads_ = true;
  node().on<msg::EnqueueMarkerWithWaitList>(
      [this](const msg::EnqueueMarkerWithWaitList& m) { node().event_done(m.event, CL_COMPLETE); });
  cl_event events[3] = {};
  ASSERT_EQ(
      api::EnqueueReadBuffer(queue_, memory, CL_FALSE, 8, 4, host.data(), 0, nullptr, &events[0]),
      CL_SUCCESS);
  ASSERT_EQ(api::EnqueueMarkerWithWaitList(queue_, 0, nullptr, &events[1]), CL_SUCCESS);
  ASSERT_EQ(api::EnqueueMarkerWithWaitList(other_queue_, 1, &events[1], &events[2]), CL_SUCCESS);
  node().await(msg::EnqueueMarkerWithWaitList::kOpcode, 2);
  for (const cl_event event : events) {
    cl_int status = CL_COMPLETE;
    api::GetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
    EXPECT_GT(status, CL_COMPLETE);
  }
  std::thread release([this] { let_reads_go(); });
  EXPECT_EQ(api::Finish(other_queue_), CL_SUCCESS);
  EXPECT_EQ(host[0], 8);
  release.join();
  EXPECT_EQ(api::WaitForEvents(3, events), CL_SUCCESS);
  for (const cl_event event : events)
    api::ReleaseEvent(event);
}

TEST_F(MemoryTest, FinishWaitsForTheBytesOfReads) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(4);
  hold_reads_ = true;
  ASSERT_EQ(
      api::EnqueueReadBuffer(queue_, memory, CL_FALSE, 8, 4, host.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  node().await(msg::EnqueueReadBuffer::kOpcode);
  std::thread release([this] { let_reads_go(); });
  EXPECT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(host[0], 8);
  release.join();
}

TEST_F(MemoryTest, RectsAreScatteredIntoTheProgramsRows) {
  const cl_mem memory = buffer();
  node().on<msg::EnqueueReadBufferRect>([this](const msg::EnqueueReadBufferRect& m) {
    const std::uint8_t rows[] = {1, 2, 3, 4};
    ASSERT_EQ(m.download.bytes, sizeof rows);
    node().reply(m.token, CL_SUCCESS,
                 msg::EnqueueReadBufferRect::Reply{std::as_bytes(std::span(rows))});
  });
  std::vector<std::uint8_t> host(12, 0xee);
  const std::size_t origin[] = {0, 0, 0};
  const std::size_t host_origin[] = {1, 1, 0};
  const std::size_t region[] = {2, 2, 1};
  ASSERT_EQ(api::EnqueueReadBufferRect(queue_, memory, CL_TRUE, origin, host_origin, region, 16, 0,
                                       4, 0, host.data(), 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(host, (std::vector<std::uint8_t>{0xee, 0xee, 0xee, 0xee, 0xee, 1, 2, 0xee, 0xee, 3, 4,
                                             0xee}));
}

// A blocking write takes its bytes after a read under way has put them there.
TEST_F(MemoryTest, BlockingWriteWaitsForAReadIntoItsSource) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(8);
  hold_reads_ = true;
  ASSERT_EQ(
      api::EnqueueReadBuffer(queue_, memory, CL_FALSE, 16, 8, host.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  ASSERT_EQ(api::Finish(other_queue_), CL_SUCCESS);
  EXPECT_FALSE(runtime().pending_reads().empty());
  std::thread release([this] { let_reads_go(); });
  ASSERT_EQ(
      api::EnqueueWriteBuffer(queue_, memory, CL_TRUE, 100, 8, host.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  release.join();
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(bytes_[100], 16);
  EXPECT_TRUE(runtime().pending_reads().empty());
}

// A non-blocking one returns at once (the read may wait for a user event of this very thread); its
// bytes follow when they are there. A read that comes after the write does not hold them up.
TEST_F(MemoryTest, WriteFromMemoryThatIsStillBeingReadFollowsLater) {
  const cl_mem memory = buffer();
  std::vector<std::uint8_t> host(8);
  hold_reads_ = true;
  wire::Blob announced;
  node().on<msg::EnqueueWriteBuffer>(
      [&announced](const msg::EnqueueWriteBuffer& m) { announced = m.data; });
  const auto read = [&] {
    return api::EnqueueReadBuffer(queue_, memory, CL_FALSE, 16, 8, host.data(), 0, nullptr,
                                  nullptr);
  };
  ASSERT_EQ(read(), CL_SUCCESS);
  ASSERT_EQ(
      api::EnqueueWriteBuffer(queue_, memory, CL_FALSE, 100, 8, host.data(), 0, nullptr, nullptr),
      CL_SUCCESS);
  ASSERT_EQ(read(), CL_SUCCESS);
  ASSERT_EQ(api::Finish(other_queue_), CL_SUCCESS);
  EXPECT_NE(announced.mode, wire::BlobMode::kInline);
  EXPECT_EQ(announced.bytes, 8u);
  EXPECT_EQ(node().count(wire::kOpBulkData), 0u);
  held_.front()();
  held_.erase(held_.begin());
  node().await(wire::kOpBulkData);
  let_reads_go();
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
}

// A barrier of an out-of-order queue orders what comes after it, also behind bytes that the node
// has sent beside the stream.
TEST_F(MemoryTest, BarrierHoldsLaterEventsBehindTheBytesOfReads) {
  const cl_mem memory = buffer();
  const cl_queue_properties ooo[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE,
                                     0};
  const cl_device_id device = to_cl<cl_device_id>(runtime().platform().devices().front());
  cl_int status = CL_SUCCESS;
  const cl_command_queue queue =
      api::CreateCommandQueueWithProperties(context_, device, ooo, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  const auto complete = [this](const auto& m) {
    if (m.event != 0) node().event_done(m.event, CL_COMPLETE);
  };
  node().on<msg::EnqueueBarrierWithWaitList>(complete);
  std::vector<std::uint8_t> host(8);
  const std::uint8_t one = 1;
  hold_reads_ = true;
  cl_event before = nullptr;
  cl_event after = nullptr;
  ASSERT_EQ(api::EnqueueReadBuffer(queue, memory, CL_FALSE, 0, 8, host.data(), 0, nullptr, nullptr),
            CL_SUCCESS);
  ASSERT_EQ(api::EnqueueWriteBuffer(queue, memory, CL_FALSE, 99, 1, &one, 0, nullptr, &before),
            CL_SUCCESS);
  ASSERT_EQ(api::EnqueueBarrierWithWaitList(queue, 0, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(api::EnqueueWriteBuffer(queue, memory, CL_FALSE, 99, 1, &one, 0, nullptr, &after),
            CL_SUCCESS);
  ASSERT_EQ(api::WaitForEvents(1, &before), CL_SUCCESS);
  ASSERT_EQ(api::Finish(other_queue_), CL_SUCCESS);
  EXPECT_GT(from_cl<Event>(after)->status(), CL_COMPLETE);
  let_reads_go();
  EXPECT_EQ(api::WaitForEvents(1, &after), CL_SUCCESS);
  EXPECT_EQ(host[7], 7);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_FALSE(from_cl<Queue>(queue)->fence());
  api::ReleaseEvent(before);
  api::ReleaseEvent(after);
  api::ReleaseCommandQueue(queue);
}

TEST_F(MemoryTest, MapReadsAndUnmapWrites) {
  const cl_mem memory = buffer();
  std::uint8_t* mapped = map(memory, CL_MAP_READ | CL_MAP_WRITE, 10, 20);
  ASSERT_NE(mapped, nullptr);
  EXPECT_EQ(mapped[0], 10);
  EXPECT_EQ(info<cl_uint>(memory, CL_MEM_MAP_COUNT), 1u);
  mapped[1] = 200;
  EXPECT_EQ(unmap(memory, mapped), CL_SUCCESS);
  EXPECT_EQ(bytes_[11], 200);
  EXPECT_EQ(info<cl_uint>(memory, CL_MEM_MAP_COUNT), 0u);
  EXPECT_EQ(unmap(memory, mapped), CL_INVALID_VALUE) << "no longer mapped";
}

TEST_F(MemoryTest, MapForReadingWritesNothingBack) {
  const cl_mem memory = buffer();
  std::uint8_t* mapped = map(memory, CL_MAP_READ, 0, 4);
  ASSERT_NE(mapped, nullptr);
  mapped[0] = 99;
  EXPECT_EQ(unmap(memory, mapped), CL_SUCCESS);
  EXPECT_EQ(bytes_[0], 0);
  EXPECT_EQ(node().count(msg::EnqueueWriteBuffer::kOpcode), 0u);
}

TEST_F(MemoryTest, InvalidatingMapReadsNothing) {
  const cl_mem memory = buffer();
  std::uint8_t* mapped = map(memory, CL_MAP_WRITE_INVALIDATE_REGION, 0, 4);
  ASSERT_NE(mapped, nullptr);
  EXPECT_EQ(node().count(msg::EnqueueReadBuffer::kOpcode), 0u);
  std::memset(mapped, 5, 4);
  EXPECT_EQ(unmap(memory, mapped), CL_SUCCESS);
  EXPECT_EQ(bytes_[3], 5);
}

TEST_F(MemoryTest, MapErrors) {
  cl_int status = CL_SUCCESS;
  const cl_mem memory = buffer(CL_MEM_HOST_READ_ONLY);
  EXPECT_EQ(map(memory, CL_MAP_WRITE, 0, 4, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_OPERATION);
  EXPECT_EQ(map(memory, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION, 0, 4, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(map(memory, CL_MAP_READ, kBytes, 1, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(map(memory, CL_MAP_READ, 0, 0, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
}

TEST_F(MemoryTest, SeveralMapsOfOneRegionCount) {
  const cl_mem memory = buffer();
  std::uint8_t* first = map(memory, CL_MAP_READ, 0, 16);
  std::uint8_t* second = map(memory, CL_MAP_READ, 0, 16);
  std::uint8_t* inner = map(memory, CL_MAP_READ, 4, 4);
  EXPECT_EQ(first, second);
  EXPECT_EQ(inner, first + 4);
  EXPECT_EQ(info<cl_uint>(memory, CL_MEM_MAP_COUNT), 3u);
  EXPECT_EQ(unmap(memory, first), CL_SUCCESS);
  EXPECT_EQ(unmap(memory, second), CL_SUCCESS);
  EXPECT_EQ(unmap(memory, first), CL_INVALID_VALUE);
  EXPECT_EQ(unmap(memory, inner), CL_SUCCESS);
}

// What a map for writing shows is newer than the node's bytes: a second map must not fetch them.
TEST_F(MemoryTest, MapInsideAMapForWritingKeepsItsWrites) {
  const cl_mem memory = buffer();
  std::uint8_t* outer = map(memory, CL_MAP_WRITE, 0, 16);
  outer[5] = 77;
  std::uint8_t* inner = map(memory, CL_MAP_READ, 4, 4);
  EXPECT_EQ(inner[1], 77);
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(map(memory, CL_MAP_WRITE, 8, 16, &status), nullptr) << "partly overlapping";
  EXPECT_EQ(status, CL_INVALID_OPERATION);
  EXPECT_EQ(unmap(memory, inner), CL_SUCCESS);
  EXPECT_EQ(unmap(memory, outer), CL_SUCCESS);
  EXPECT_EQ(bytes_[5], 77);
}

TEST_F(MemoryTest, UseHostPtrMapsTheProgramsOwnMemory) {
  std::vector<std::uint8_t> host(kBytes);
  const cl_mem memory = buffer(CL_MEM_USE_HOST_PTR, host.data());
  std::uint8_t* mapped = map(memory, CL_MAP_READ, 8, 4);
  EXPECT_EQ(mapped, host.data() + 8);
  EXPECT_EQ(host[8], 8) << "the node's bytes, not those that were given";
  EXPECT_EQ(unmap(memory, mapped), CL_SUCCESS);
}

TEST_F(MemoryTest, SubBuffersShareTheirParentsShadow) {
  const cl_mem parent = buffer();
  cl_buffer_region region{128, 64};
  const cl_mem child =
      api::CreateSubBuffer(parent, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, nullptr);
  made_.push_back(child);
  std::uint8_t* all = map(parent, CL_MAP_READ, 0, kBytes);
  std::uint8_t* part = map(child, CL_MAP_READ, 0, 64);
  EXPECT_EQ(part, all + 128);
  EXPECT_EQ(info<cl_uint>(parent, CL_MEM_MAP_COUNT), 1u);
  EXPECT_EQ(info<cl_uint>(child, CL_MEM_MAP_COUNT), 1u);
  EXPECT_EQ(unmap(parent, part), CL_INVALID_VALUE) << "mapped through the sub-buffer";
  EXPECT_EQ(unmap(child, part), CL_SUCCESS);
  EXPECT_EQ(unmap(parent, all), CL_SUCCESS);
}

TEST_F(MemoryTest, MapEventsSayWhatTheyAre) {
  const cl_mem memory = buffer();
  cl_event events[2] = {};
  void* mapped = api::EnqueueMapBuffer(queue_, memory, CL_FALSE, CL_MAP_READ, 0, 4, 0, nullptr,
                                       &events[0], nullptr);
  ASSERT_EQ(api::WaitForEvents(1, &events[0]), CL_SUCCESS);
  ASSERT_EQ(api::EnqueueUnmapMemObject(queue_, memory, mapped, 0, nullptr, &events[1]), CL_SUCCESS);
  ASSERT_EQ(api::WaitForEvents(1, &events[1]), CL_SUCCESS);
  const cl_command_type expected[] = {CL_COMMAND_MAP_BUFFER, CL_COMMAND_UNMAP_MEM_OBJECT};
  for (int i = 0; i < 2; ++i) {
    cl_command_type type = 0;
    api::GetEventInfo(events[i], CL_EVENT_COMMAND_TYPE, sizeof type, &type, nullptr);
    EXPECT_EQ(type, expected[i]);
    api::ReleaseEvent(events[i]);
  }
}

TEST_F(MemoryTest, DestructorCallbacksRunLastToFirst) {
  static std::vector<int> order;
  order.clear();
  static std::atomic<bool> done;
  done = false;
  const cl_mem memory = api::CreateBuffer(context_, 0, 4, nullptr, nullptr);
  const auto first = [](cl_mem, void*) {
    order.push_back(1);
    done = true;
  };
  const auto second = [](cl_mem, void* data) { order.push_back(*static_cast<int*>(data)); };
  int two = 2;
  EXPECT_EQ(api::SetMemObjectDestructorCallback(memory, first, nullptr), CL_SUCCESS);
  EXPECT_EQ(api::SetMemObjectDestructorCallback(memory, second, &two), CL_SUCCESS);
  EXPECT_EQ(api::SetMemObjectDestructorCallback(memory, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::ReleaseMemObject(memory), CL_SUCCESS);
  while (!done)
    std::this_thread::yield();
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

// Natively a parent lives as long as its sub-buffers.
TEST_F(MemoryTest, ParentIsReleasedAfterItsSubBuffers) {
  const cl_mem parent = api::CreateBuffer(context_, 0, kBytes, nullptr, nullptr);
  cl_buffer_region region{0, 64};
  const cl_mem child =
      api::CreateSubBuffer(parent, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, nullptr);
  api::ReleaseMemObject(parent);
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(node().count(msg::ReleaseObject::kOpcode), 0u);
  api::ReleaseMemObject(child);
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(node().count(msg::ReleaseObject::kOpcode), 2u);
}

TEST_F(MemoryTest, CopyErrors) {
  const cl_mem memory = buffer();
  const auto copy = [&](std::size_t from, std::size_t to, std::size_t size) {
    return api::EnqueueCopyBuffer(queue_, memory, memory, from, to, size, 0, nullptr, nullptr);
  };
  EXPECT_EQ(copy(0, 8, 8), CL_SUCCESS);
  EXPECT_EQ(copy(0, 7, 8), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(copy(0, kBytes - 4, 8), CL_INVALID_VALUE);
  EXPECT_EQ(copy(0, 8, 0), CL_INVALID_VALUE) << "as PoCL has it";
  const std::uint32_t pattern = 1;
  const auto fill = [&](std::size_t pattern_size, std::size_t offset, std::size_t size) {
    return api::EnqueueFillBuffer(queue_, memory, &pattern, pattern_size, offset, size, 0, nullptr,
                                  nullptr);
  };
  EXPECT_EQ(fill(4, 4, 8), CL_SUCCESS);
  EXPECT_EQ(fill(3, 3, 9), CL_INVALID_VALUE);
  EXPECT_EQ(fill(4, 2, 8), CL_INVALID_VALUE);
  EXPECT_EQ(fill(4, 0, 6), CL_INVALID_VALUE);
}

TEST_F(MemoryTest, LostNodeFailsReadsInsteadOfHanging) {
  const cl_mem memory = buffer();
  std::uint8_t host[4];
  node().on<msg::EnqueueReadBuffer>([](const msg::EnqueueReadBuffer&) {});
  std::thread vanish([this] {
    node().await(msg::EnqueueReadBuffer::kOpcode);
    node().vanish();
  });
  EXPECT_NE(api::EnqueueReadBuffer(queue_, memory, CL_TRUE, 0, 4, host, 0, nullptr, nullptr),
            CL_SUCCESS);
  vanish.join();
}

// Found by fuzz_client: the call waited, and burnt its processor, for ever.
TEST_F(MemoryTest, LostNodeFailsReadsWhoseReplyCameBeforeTheirBytes) {
  std::vector<std::byte> host(2 * session::kInlineBytes);
  const cl_mem memory = buffer(0, nullptr, host.size());
  node().on<msg::EnqueueReadBuffer>(
      [this](const msg::EnqueueReadBuffer& m) { node().reply(m.token, CL_SUCCESS); });
  std::thread vanish([this] {
    node().await(msg::EnqueueReadBuffer::kOpcode);
    node().vanish();
  });
  EXPECT_EQ(api::EnqueueReadBuffer(queue_, memory, CL_TRUE, 0, host.size(), host.data(), 0, nullptr,
                                   nullptr),
            kLostCallStatus);
  vanish.join();
}

}  // namespace
}  // namespace longwire::client::opencl
