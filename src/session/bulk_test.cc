#include "session/bulk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/random.h"
#include "link/inproc/inproc.h"
#include "link/tls/testing.h"
#include "link/unix/unix.h"
#include "session/pump.h"
#include "session/testing.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using testing::FunctionSink;

const base::Clock& the_clock() { return base::monotonic_clock(); }

class MemorySink final : public BulkSink {
 public:
  explicit MemorySink(std::size_t bytes) : data(bytes) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    if (refuse) return {};
    return std::span(data).subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t bytes, bool complete) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(complete_) << "called after the last";
    received_bytes += bytes;
    complete_ = complete;
    changed_.notify_all();
  }
  void aborted(const Error& why) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(why_aborted_.has_value());
    why_aborted_ = why;
    changed_.notify_all();
  }
  bool wait_until_complete() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return complete_ || why_aborted_; });
    return complete_;
  }
  bool wait_until_received(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return received_bytes >= bytes || why_aborted_; });
    return !why_aborted_;
  }
  Error wait_until_aborted() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return why_aborted_.has_value(); });
    return *why_aborted_;
  }
  bool is_aborted() {
    const std::lock_guard lock(mutex_);
    return why_aborted_.has_value();
  }

  std::vector<std::byte> data;
  std::size_t received_bytes = 0;
  bool refuse = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool complete_ = false;
  std::optional<Error> why_aborted_;
};

class Sent {
 public:
  ~Sent() {
    if (asked_) (void)wait();
  }
  std::function<void(Status)> callback() {
    asked_ = true;
    return [this](Status status) {
      const std::lock_guard lock(mutex_);
      EXPECT_FALSE(status_.has_value()) << "called twice";
      status_ = std::move(status);
      changed_.notify_all();
    };
  }
  bool over() {
    const std::lock_guard lock(mutex_);
    return status_.has_value();
  }
  Status wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return status_.has_value(); });
    return *status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Status> status_;
  bool asked_ = false;
};

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  base::SeededRandom(seed).fill(bytes);
  return bytes;
}

// One side: a stream, the pump in whose background it is read, and a port.
struct Side {
  explicit Side(std::unique_ptr<link::Link> link, LaneLoss lane_loss = LaneLoss::kEndsSession)
      : stream(the_clock(), {}, sink),
        pump(stream, the_clock()),
        port(the_clock(), stream, lane_loss) {
    sink.set([this](const Frame& frame) {
      if (frame.opcode == wire::kOpLaneReceived) return port.on_lane_received(frame.payload);
      return frame.opcode == wire::kOpBulkData ? port.on_stream_chunk(frame.payload) : Status();
    });
    EXPECT_TRUE(stream.attach(std::move(link), 0).ok());
    pump.start_background();
  }
  ~Side() {
    stream.shut_down(Error(ErrorCode::kClosed, "test over"));
    port.shut_down(Error(ErrorCode::kClosed, "test over"));
  }
  FunctionSink sink;
  Stream stream;
  Pump pump;
  BulkPort port;
};

struct Params {
  const char* name;
  std::size_t lanes;
  bool sockets;
  bool tls = false;
};

class BulkTest : public ::testing::TestWithParam<Params> {
 protected:
  std::uint32_t lanes_ = 0;
  BulkTest() : BulkTest(link::make_inproc_pair()) {}
  explicit BulkTest(std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> links)
      : a_(std::move(links.first)), b_(std::move(links.second)) {
    for (std::size_t i = 0; i < GetParam().lanes; ++i)
      add_lane();
  }
  void add_lane() {
    ++lanes_;
    if (GetParam().tls) {
      auto links = link::testing::make_tls_pair(link::make_inproc_pair(50'000),
                                                link::testing::TlsKind::kPreSharedKey);
      EXPECT_TRUE(a_.port.add_lane(std::move(links.first), lanes_).ok());
      EXPECT_TRUE(b_.port.add_lane(std::move(links.second), lanes_).ok());
      return;
    }
    if (GetParam().sockets) {
      auto sockets = link::unix_socket_pair().value();
      EXPECT_TRUE(
          a_.port.add_lane(link::make_unix_link(std::move(sockets.first)).value(), lanes_).ok());
      EXPECT_TRUE(
          b_.port.add_lane(link::make_unix_link(std::move(sockets.second)).value(), lanes_).ok());
      return;
    }
    auto links = link::make_inproc_pair(100'000);
    EXPECT_TRUE(a_.port.add_lane(std::move(links.first), lanes_).ok());
    EXPECT_TRUE(b_.port.add_lane(std::move(links.second), lanes_).ok());
  }
  Side a_, b_;
};

TEST_P(BulkTest, OneTransferOfEachSize) {
  TransferId id = 1;
  for (const std::size_t size : {std::size_t{1}, std::size_t{4095}, kChunkBytes - 1, kChunkBytes,
                                 kChunkBytes + 1, 5 * kChunkBytes + 12345}) {
    const auto data = random_bytes(size, id);
    auto sink = std::make_shared<MemorySink>(size);
    b_.port.expect(id, size, sink);
    Sent sent;
    a_.port.send(id, 0, data, sent.callback());
    EXPECT_TRUE(sent.wait().ok());
    ASSERT_TRUE(sink->wait_until_complete());
    EXPECT_EQ(sink->data, data);
    ++id;
  }
}

TEST_P(BulkTest, ManyAtOnceBothWays) {
  constexpr std::size_t kTransfers = 20;
  std::vector<std::vector<std::byte>> data;
  std::vector<std::shared_ptr<MemorySink>> sinks;
  std::vector<Sent> sent(2 * kTransfers);
  for (std::size_t i = 0; i < 2 * kTransfers; ++i) {
    data.push_back(random_bytes(1 + i * 77'777, i));
    sinks.push_back(std::make_shared<MemorySink>(data[i].size()));
    (i % 2 == 0 ? b_ : a_).port.expect(i + 1, data[i].size(), sinks[i]);
  }
  const auto send_from = [&](BulkPort& port, std::size_t first) {
    for (std::size_t i = first; i < 2 * kTransfers; i += 2) {
      port.send(i + 1, 0, data[i], sent[i].callback());
    }
  };
  std::thread other([&] { send_from(b_.port, 1); });
  send_from(a_.port, 0);
  other.join();
  for (std::size_t i = 0; i < 2 * kTransfers; ++i) {
    EXPECT_TRUE(sent[i].wait().ok());
    ASSERT_TRUE(sinks[i]->wait_until_complete());
    EXPECT_EQ(sinks[i]->data, data[i]);
  }
}

TEST_P(BulkTest, ChunksMayComeBeforeTheirAnnouncement) {
  const auto data = random_bytes(3 * kChunkBytes, 1);
  auto sink = std::make_shared<MemorySink>(data.size());
  Sent sent;
  std::thread sending([&] { a_.port.send(1, 0, data, sent.callback()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that they usually do
  b_.port.expect(1, data.size(), sink);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_EQ(sink->data, data);
  sending.join();
}

TEST_P(BulkTest, InPieces) {
  const auto data = random_bytes(3 * kChunkBytes, 2);
  auto sink = std::make_shared<MemorySink>(data.size());
  b_.port.expect(9, data.size(), sink);
  const std::size_t half = data.size() / 2;
  Sent one, two;
  a_.port.send(9, half, std::span(data).subspan(half), two.callback());
  a_.port.send(9, 0, std::span(data).first(half), one.callback());
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_EQ(sink->data, data);
  EXPECT_TRUE(one.wait().ok());
  EXPECT_TRUE(two.wait().ok());
}

TEST_P(BulkTest, EmptyTransferIsCompleteAtOnce) {
  auto sink = std::make_shared<MemorySink>(0);
  b_.port.expect(1, 0, sink);
  EXPECT_TRUE(sink->wait_until_complete());
  Sent sent;
  a_.port.send(1, 0, {}, sent.callback());
  EXPECT_TRUE(sent.wait().ok());
}

TEST_P(BulkTest, ACancelledTransferIsDropped) {
  const auto data = random_bytes(4 * kChunkBytes, 3);
  auto sink = std::make_shared<MemorySink>(data.size());
  b_.port.expect(1, data.size(), sink);
  Sent half, rest, other;
  a_.port.send(1, 0, std::span(data).first(kChunkBytes), half.callback());
  ASSERT_TRUE(sink->wait_until_received(kChunkBytes));
  b_.port.cancel(1);
  const auto before = sink->received_bytes;
  a_.port.send(1, kChunkBytes, std::span(data).subspan(kChunkBytes), rest.callback());
  // Others go on.
  auto next = std::make_shared<MemorySink>(data.size());
  b_.port.expect(2, data.size(), next);
  a_.port.send(2, 0, data, other.callback());
  ASSERT_TRUE(next->wait_until_complete());
  EXPECT_EQ(next->data, data);
  EXPECT_EQ(sink->received_bytes, before);
  EXPECT_TRUE(rest.wait().ok());
  EXPECT_EQ(sink.use_count(), 1);
}

TEST_P(BulkTest, CancelsWhileBytesArrive) {
  base::SeededRandom random(4);
  const auto data = random_bytes(6 * kChunkBytes, 4);
  for (TransferId id = 1; id <= 20; ++id) {
    auto sink = std::make_shared<MemorySink>(data.size());
    b_.port.expect(id, data.size(), sink);
    Sent sent;
    std::thread sending([&] { a_.port.send(id, 0, data, sent.callback()); });
    (void)sink->wait_until_received(random.below(3) * kChunkBytes);
    b_.port.cancel(id);
    // From here on the memory is ours again.
    std::fill(sink->data.begin(), sink->data.end(), std::byte{0});
    EXPECT_TRUE(sent.wait().ok());
    sending.join();
    EXPECT_TRUE(std::ranges::all_of(sink->data, [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST_P(BulkTest, ASinkMayDropItsBytes) {
  const auto data = random_bytes(2 * kChunkBytes, 5);
  auto sink = std::make_shared<MemorySink>(data.size());
  sink->refuse = true;
  b_.port.expect(1, data.size(), sink);
  Sent sent;
  a_.port.send(1, 0, data, sent.callback());
  EXPECT_TRUE(sink->wait_until_complete());
  EXPECT_NE(sink->data, data);
}

TEST_P(BulkTest, ThePeersAbort) {
  auto sink = std::make_shared<MemorySink>(100);
  b_.port.expect(1, 100, sink);
  b_.port.on_peer_abort(1, Error(ErrorCode::kUnavailable, "buffer is gone"));
  EXPECT_EQ(sink->wait_until_aborted().message(), "buffer is gone");
  b_.port.on_peer_abort(77, Error(ErrorCode::kUnavailable, "never heard of"));
}

TEST_P(BulkTest, ShutDownAbortsEverything) {
  auto sink = std::make_shared<MemorySink>(100);
  b_.port.expect(1, 100, sink);
  b_.port.shut_down(Error(ErrorCode::kClosed, "over"));
  EXPECT_EQ(sink->wait_until_aborted().code(), ErrorCode::kClosed);
  auto late = std::make_shared<MemorySink>(100);
  b_.port.expect(2, 100, late);
  EXPECT_EQ(late->wait_until_aborted().code(), ErrorCode::kClosed);
}

INSTANTIATE_TEST_SUITE_P(Lanes, BulkTest,
                         ::testing::Values(Params{"Stream", 0, false},
                                           Params{"OneInproc", 1, false},
                                           Params{"FourInproc", 4, false},
                                           Params{"TwoUnix", 2, true},
                                           Params{"TwoTls", 2, false, true}),
                         [](const auto& info) { return info.param.name; });

// --- a lane whose other end is the test ---

struct Lane {
  Lane() : side(std::move(stream_links.first)) {
    auto links = link::make_inproc_pair();
    EXPECT_TRUE(side.port.add_lane(std::move(links.first), 0).ok());
    peer = std::move(links.second);
  }
  void write(std::span<const std::byte> bytes) {
    const link::ConstBuffer part = bytes;
    (void)peer->write_some({&part, 1});  // fails where the other side has seen enough
  }
  void write_chunk(TransferId id, std::uint64_t offset, std::uint32_t bytes,
                   std::uint32_t flags = 0) {
    std::array<std::byte, kLaneChunkHeaderBytes> header;
    wire::Writer w(header);
    w.u64(id);
    w.u64(offset);
    w.u32(bytes);
    w.u32(flags);
    write(header);
    if (bytes <= 4096) write(std::vector<std::byte>(bytes));
  }
  void expect_end(ErrorCode code) {
    while (!side.stream.ended())
      std::this_thread::yield();  // it ends with its lane
    EXPECT_EQ(side.stream.why_ended().code(), code);
  }
  std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> stream_links =
      link::make_inproc_pair();
  Side side;
  std::unique_ptr<link::Link> peer;
};

TEST(BulkLane, ChunksThatCannotBeAreFaults) {
  struct Bad {
    std::uint64_t offset;
    std::uint32_t bytes;
    std::uint32_t flags;
  };
  for (const Bad bad : {Bad{0, 0, 0}, Bad{0, kChunkBytes + 1, 0}, Bad{0, 101, 0}, Bad{100, 1, 0},
                        Bad{~0ull, 2, 0}, Bad{~0ull - 1, 8, 0}, Bad{0, 8, 1}}) {
    Lane lane;
    auto sink = std::make_shared<MemorySink>(100);
    lane.side.port.expect(1, 100, sink);
    lane.write_chunk(1, bad.offset, bad.bytes, bad.flags);
    EXPECT_EQ(sink->wait_until_aborted().code(), ErrorCode::kWireFault);
    lane.expect_end(ErrorCode::kWireFault);
  }
}

TEST(BulkLane, TheSameBytesTwiceAreAFault) {
  Lane lane;
  auto sink = std::make_shared<MemorySink>(100);
  lane.side.port.expect(1, 100, sink);
  lane.write_chunk(1, 0, 60);
  lane.write_chunk(1, 0, 60);
  EXPECT_EQ(sink->wait_until_aborted().code(), ErrorCode::kWireFault);
}

TEST(BulkLane, ACutInsideAChunkEndsTheSession) {
  Lane lane;
  auto sink = std::make_shared<MemorySink>(100);
  lane.side.port.expect(1, 100, sink);
  lane.write_chunk(1, 0, 60);
  ASSERT_TRUE(sink->wait_until_received(60));
  lane.write(std::vector<std::byte>(7));
  lane.peer->close();
  EXPECT_TRUE(sink->is_aborted() || !sink->wait_until_complete());
  lane.expect_end(ErrorCode::kClosed);
}

TEST(BulkLane, AnOrderlyEndOfAnIdleLaneIsOneLaneLess) {
  Lane lane;
  EXPECT_EQ(lane.side.port.lanes(), 1u);
  lane.peer->close();
  while (lane.side.port.lanes() > 0)
    std::this_thread::yield();
  EXPECT_FALSE(lane.side.stream.ended());
}

// --- lanes that are repaired ---

// Two sides whose lanes the test takes away; kOpLaneReceived goes over the stream.
struct Repairing {
  Repairing() : Repairing(link::make_inproc_pair()) {}
  explicit Repairing(std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>> links)
      : a(std::move(links.first), LaneLoss::kIsRepaired),
        b(std::move(links.second), LaneLoss::kIsRepaired) {
    a.port.confirm_promptly();
    b.port.confirm_promptly();
  }
  void add_lane(std::size_t pipe_bytes = 100'000) {
    auto links = link::make_inproc_pair(pipe_bytes);
    EXPECT_TRUE(a.port.add_lane(std::move(links.first), ++lanes).ok());
    EXPECT_TRUE(b.port.add_lane(std::move(links.second), lanes).ok());
  }
  std::uint32_t lanes = 0;
  Side a, b;
};

TEST(BulkRepair, MemoryIsNeededUntilTheOtherSideHasIt) {
  Repairing both;
  both.add_lane(std::size_t{8} << 20);
  const auto data = random_bytes(3 * kChunkBytes, 1);
  Sent received, taken;
  both.a.port.send(1, 0, data, received.callback(), taken.callback());
  EXPECT_TRUE(taken.wait().ok());
  EXPECT_FALSE(received.over()) << "nobody has announced it yet";
  auto sink = std::make_shared<MemorySink>(data.size());
  both.b.port.expect(1, data.size(), sink);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_TRUE(received.wait().ok());
}

// A node takes a command's data in when the commands before it have theirs.
TEST(BulkRepair, WhatIsAnnouncedComesThoughItIsBehindWhatIsNot) {
  Repairing both;
  both.add_lane(std::size_t{8} << 20);
  const auto late = random_bytes(2 * kChunkBytes + 5, 1);
  const auto data = random_bytes(kChunkBytes + 3, 2);
  Sent late_received, received, late_taken;
  both.a.port.send(1, 0, late, late_received.callback(), late_taken.callback());
  EXPECT_TRUE(late_taken.wait().ok());
  both.a.port.send(2, 0, data, received.callback());
  auto sink = std::make_shared<MemorySink>(data.size());
  both.b.port.expect(2, data.size(), sink);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_EQ(sink->data, data);
  auto late_sink = std::make_shared<MemorySink>(late.size());
  both.b.port.expect(1, late.size(), late_sink);
  ASSERT_TRUE(late_sink->wait_until_complete());
  EXPECT_EQ(late_sink->data, late);
  EXPECT_TRUE(late_received.wait().ok());
  EXPECT_TRUE(received.wait().ok());
}

// And nothing else is on its way that its confirmation could go with.
TEST(BulkRepair, WhatWasKeptUntilItWasAnnouncedIsConfirmedToo) {
  Repairing both;
  both.add_lane(std::size_t{8} << 20);
  const auto data = random_bytes(100'000, 1);
  Sent received, taken;
  both.a.port.send(1, 0, data, received.callback(), taken.callback());
  EXPECT_TRUE(taken.wait().ok());
  std::this_thread::sleep_for(std::chrono::nanoseconds(5 * kHoldUpNs));  // so that it usually is
  auto sink = std::make_shared<MemorySink>(data.size());
  both.b.port.expect(1, data.size(), sink);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_TRUE(received.wait().ok());
}

// The handshake of a lane may fail for one side alone.
TEST(BulkRepair, WhatWentToALaneThatOneSideNeverHadIsSentAgain) {
  Repairing both;
  auto links = link::make_inproc_pair(std::size_t{8} << 20);
  EXPECT_TRUE(both.a.port.add_lane(std::move(links.first), 1).ok());
  const auto data = random_bytes(kChunkBytes, 3);
  auto sink = std::make_shared<MemorySink>(data.size());
  both.b.port.expect(1, data.size(), sink);
  Sent received, taken;
  both.a.port.send(1, 0, data, received.callback(), taken.callback());
  EXPECT_TRUE(taken.wait().ok());
  links.second.reset();
  both.b.port.lane_never_came(1);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_EQ(sink->data, data);
  EXPECT_TRUE(received.wait().ok());
}

TEST(BulkRepair, OtherMemoryMayTakeItsPlace) {
  Repairing both;
  both.add_lane(std::size_t{8} << 20);
  auto data = random_bytes(3 * kChunkBytes, 2);
  const auto copy = data;
  Sent received, taken;
  both.a.port.send(1, 0, data, received.callback(), taken.callback());
  EXPECT_TRUE(taken.wait().ok());
  ASSERT_TRUE(both.a.port.rebase(1, copy));
  std::ranges::fill(data, std::byte{0});
  both.a.port.drop_lanes();  // all is sent again
  auto sink = std::make_shared<MemorySink>(data.size());
  both.b.port.expect(1, data.size(), sink);
  ASSERT_TRUE(sink->wait_until_complete());
  EXPECT_EQ(sink->data, copy);
  EXPECT_TRUE(received.wait().ok());
  EXPECT_FALSE(both.a.port.rebase(1, copy)) << "it is over";
}

TEST(BulkRepair, BytesMayMoveWhileTheyAreBeingSent) {
  for (const bool as_frames : {false, true}) {
    Repairing both;
    both.add_lane(1000);
    auto data = random_bytes(3 * kChunkBytes, 1);
    const auto copy = data;
    Sent received;
    both.a.port.send(1, 0, data, received.callback());  // its lane is full at once: none expects it
    if (as_frames) both.a.port.drop_lanes();
    ASSERT_TRUE(both.a.port.rebase(1, copy));
    std::ranges::fill(data, std::byte{0});
    auto sink = std::make_shared<MemorySink>(data.size());
    both.b.port.expect(1, data.size(), sink);
    ASSERT_TRUE(sink->wait_until_complete());
    EXPECT_EQ(sink->data, copy);
    EXPECT_TRUE(received.wait().ok());
  }
}

TEST(BulkRepair, LanesComeAndGoWhileBytesFlow) {
  Repairing both;
  base::SeededRandom random(3);
  both.add_lane();
  for (TransferId id = 1; id <= 40; ++id) {
    const auto data = random_bytes(1 + random.below(5 * kChunkBytes), id);
    auto sink = std::make_shared<MemorySink>(data.size());
    Side& from = random.one_in(2) ? both.a : both.b;
    Side& to = &from == &both.a ? both.b : both.a;
    if (random.one_in(2)) to.port.expect(id, data.size(), sink);
    Sent received;
    from.port.send(id, 0, data, received.callback());
    if (random.one_in(3)) (random.one_in(2) ? from : to).port.drop_lanes();
    if (both.a.port.lanes() < 3 && both.b.port.lanes() < 3) both.add_lane();
    if (sink.use_count() == 1) to.port.expect(id, data.size(), sink);
    ASSERT_TRUE(sink->wait_until_complete());
    EXPECT_EQ(sink->data, data);
    while (!received.over()) {  // small ones are confirmed with whatever is sent next
      ASSERT_TRUE(to.stream.flush().ok());
      std::this_thread::yield();
    }
    EXPECT_TRUE(received.wait().ok());
  }
  EXPECT_FALSE(both.a.stream.ended());
}

TEST(BulkRepair, WhatCannotHaveComeIsAFault) {
  Repairing both;
  both.add_lane();
  std::array<std::byte, 24> payload{};
  wire::Writer w(payload);
  w.u64(1);
  w.u64(7);  // chunks, of none that were sent
  w.u64(0);
  EXPECT_EQ(both.a.port.on_lane_received(payload).error().code(), ErrorCode::kWireFault);
}

TEST(BulkRepair, TheEndOfTheSessionFailsWhatIsNotReceived) {
  Repairing both;
  both.add_lane(std::size_t{8} << 20);
  const auto data = random_bytes(kChunkBytes, 4);
  Sent received, taken;
  both.a.port.send(1, 0, data, received.callback(), taken.callback());
  EXPECT_TRUE(taken.wait().ok());
  both.a.port.shut_down(Error(ErrorCode::kLinkLost, "gone for good"));
  EXPECT_EQ(received.wait().error().code(), ErrorCode::kLinkLost);
}

TEST(BulkLane, AtMostEight) {
  Lane lane;
  std::vector<std::unique_ptr<link::Link>> peers;
  for (std::size_t i = 1; i <= kMaxLanes; ++i) {
    auto links = link::make_inproc_pair();
    EXPECT_EQ(lane.side.port.add_lane(std::move(links.first), static_cast<std::uint32_t>(i)).ok(),
              i < kMaxLanes);
    peers.push_back(std::move(links.second));
  }
}

// Each takes more memory than the byte that it brings.
TEST(BulkFrames, TooManyChunksThatNobodyAnnouncedAreAFault) {
  FunctionSink sink([](const Frame&) { return Status{}; });
  Stream stream(the_clock(), {}, sink);
  BulkPort port(the_clock(), stream);
  std::array<std::byte, 32> payload;
  std::size_t taken = 0;
  Status status;
  while (taken <= kMaxUnannouncedChunks) {
    wire::Writer out(payload);
    out.u64(taken + 1);  // transfer
    out.u64(0);
    out.bytes(std::span(payload).first(1));
    status = port.on_stream_chunk(payload);
    if (!status.ok()) break;
    ++taken;
  }
  EXPECT_EQ(taken, kMaxUnannouncedChunks);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kWireFault);
}

}  // namespace
}  // namespace longwire::session
