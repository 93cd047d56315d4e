#include "session/stream.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "link/inproc/inproc.h"
#include "session/mirrored_buffer.h"
#include "session/testing.h"
#include "wire/frame_codec.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;
using testing::FunctionSink;
using testing::is_patterned;
using testing::kTestOpcode;
using testing::send_patterned;
using testing::send_u64;
using testing::u64_of;

// A link whose other end is the test: takes what is written, up to a limit, and gives what the test
// has put in. One thread.
class ScriptedLink final : public link::Link {
 public:
  struct Script {
    std::vector<std::byte> written;             // by the stream
    std::deque<std::byte> to_read;              // for the stream
    std::size_t write_limit = ~std::size_t{0};  // bytes that are taken in all
    std::size_t step = ~std::size_t{0};         // bytes per call
    bool cut = false;
    bool closed = false;
  };
  explicit ScriptedLink(Script& script) : s_(script) {}

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    if (s_.closed) return Error(ErrorCode::kClosed, "closed");
    if (s_.to_read.empty() && s_.cut) return Error(ErrorCode::kLinkLost, "cut");
    const std::size_t n = std::min({out.size(), s_.to_read.size(), s_.step});
    std::copy_n(s_.to_read.begin(), n, out.begin());
    s_.to_read.erase(s_.to_read.begin(), s_.to_read.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    if (s_.cut) return Error(ErrorCode::kLinkLost, "cut");
    std::size_t total = 0;
    for (const auto part : parts) {
      const std::size_t n =
          std::min({part.size(), s_.write_limit - s_.written.size(), s_.step - total});
      s_.written.insert(s_.written.end(), part.begin(),
                        part.begin() + static_cast<std::ptrdiff_t>(n));
      total += n;
    }
    return total;
  }
  base::Result<link::Readiness> wait(link::Interest interest, Deadline) override {
    return link::Readiness{
        .readable = interest.readable && (!s_.to_read.empty() || s_.cut || s_.closed),
        .writable = interest.writable && (s_.written.size() < s_.write_limit || s_.cut)};
  }
  void wake() noexcept override {}
  void close() noexcept override { s_.closed = true; }
  link::LinkInfo info() const override { return {"script", "test", false}; }

 private:
  Script& s_;
};

std::vector<std::byte> frame_bytes(wire::Opcode opcode, wire::Sequence sequence,
                                   wire::Sequence acknowledged, std::uint16_t flags = 0,
                                   std::size_t payload = 8) {
  std::vector<std::byte> bytes(wire::kFrameHeaderBytes + payload);
  wire::encode_frame_header(
      {static_cast<std::uint32_t>(payload), opcode, flags, sequence, acknowledged},
      std::span(bytes).first<wire::kFrameHeaderBytes>());
  return bytes;
}

std::vector<wire::FrameHeader> headers_in(std::span<const std::byte> bytes) {
  std::vector<wire::FrameHeader> headers;
  while (bytes.size() >= wire::kFrameHeaderBytes) {
    headers.push_back(wire::decode_frame_header(bytes.first<wire::kFrameHeaderBytes>()));
    const std::size_t size = wire::kFrameHeaderBytes + headers.back().payload_bytes;
    if (bytes.size() < size) break;
    bytes = bytes.subspan(size);
  }
  EXPECT_TRUE(bytes.empty());
  return headers;
}

constexpr StreamLimits kSmall{.send_ring_bytes = 4096,
                              .receive_ring_bytes = 8192,
                              .flush_threshold_bytes = 1024,
                              .ack_every_bytes = 1024,
                              .max_payload_bytes = 1024};

// A stream whose peer is the test.
struct Half {
  explicit Half(StreamLimits limits = {}) : stream(base::monotonic_clock(), limits, sink) {
    EXPECT_TRUE(relink().ok());
  }
  Status relink(wire::Sequence peer_received = 0) {
    scripts.push_back(std::make_unique<ScriptedLink::Script>());
    return stream.attach(std::make_unique<ScriptedLink>(script()), peer_received);
  }
  ScriptedLink::Script& script() { return *scripts.back(); }
  void feed(std::span<const std::byte> bytes) {
    script().to_read.insert(script().to_read.end(), bytes.begin(), bytes.end());
  }
  base::Result<std::size_t> pump() { return stream.pump({0}); }

  std::vector<std::unique_ptr<ScriptedLink::Script>> scripts;
  FunctionSink sink;
  Stream stream;
};

// Two streams over an in-process link, pumped by one thread.
struct Both {
  explicit Both(StreamLimits limits = {}, std::size_t pipe_bytes = link::kInprocPipeBytes)
      : a(base::monotonic_clock(), limits, a_sink), b(base::monotonic_clock(), limits, b_sink) {
    connect(pipe_bytes);
  }
  void connect(std::size_t pipe_bytes = link::kInprocPipeBytes) {
    auto links = link::make_inproc_pair(pipe_bytes);
    const wire::Sequence a_received = a.received();
    const wire::Sequence b_received = b.received();
    EXPECT_TRUE(a.attach(std::move(links.first), b_received).ok());
    EXPECT_TRUE(b.attach(std::move(links.second), a_received).ok());
  }
  // B's end of the link goes, and B gets along with another that ends nowhere.
  void b_link_dies() { EXPECT_TRUE(b.attach(link::make_inproc_pair().first, a.received()).ok()); }
  void offer() {
    auto links = link::make_inproc_pair();
    const wire::Sequence a_received = a.let_link_go();
    a.offer(std::move(links.first), b.received());
    EXPECT_TRUE(b.attach(std::move(links.second), a_received).ok());
  }
  void pump_until(const std::function<bool()>& done) {
    for (int i = 0; i < 100'000 && !done(); ++i) {
      ASSERT_TRUE(a.pump({0}).ok());
      ASSERT_TRUE(b.pump({0}).ok());
    }
    ASSERT_TRUE(done());
  }
  FunctionSink a_sink, b_sink;
  Stream a, b;
};

// --- order, bounds, sizes ---

// Also where growing a file beyond the limit would end the process.
TEST(Stream, CannotBeMadeWhereFilesMayNotBeSoLarge) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto large = MirroredBuffer::create(8192), allowed = MirroredBuffer::create(4096);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code(), ErrorCode::kLimit);
  EXPECT_TRUE(allowed.ok());
}

TEST(Stream, DeliversInOrderWhatWasSent) {
  Both both;
  constexpr std::size_t kSizes[] = {0, 1, 7, 8, 9, 100, 4096, 65537, 1 << 20};
  std::size_t next = 0;
  both.b_sink.set([&](const Frame& frame) {
    EXPECT_TRUE(is_patterned(frame, next, kSizes[next % 9])) << next;
    EXPECT_EQ(frame.sequence, ++next);
    return Status();
  });
  for (std::size_t i = 0; i < 27; ++i) {
    ASSERT_TRUE(send_patterned(both.a, i, kSizes[i % 9]).ok());
    both.pump_until([&] { return next == i + 1; });
  }
  EXPECT_EQ(both.a.sent(), 27u);
  EXPECT_EQ(both.b.received(), 27u);
}

TEST(Stream, NothingIsSentBeforeFlushAndOneWriteTakesAll) {
  Half half;
  for (std::uint64_t i = 0; i < 10; ++i)
    ASSERT_TRUE(send_u64(half.stream, i).ok());
  EXPECT_TRUE(half.script().written.empty());
  EXPECT_TRUE(half.stream.needs_flush());
  ASSERT_TRUE(half.stream.flush().ok());
  EXPECT_FALSE(half.stream.needs_flush());
  EXPECT_EQ(headers_in(half.script().written).size(), 10u);
}

TEST(Stream, OverTheThresholdItFlushesByItself) {
  Half half(kSmall);
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(send_u64(half.stream, 0).ok());  // 32 bytes each
  EXPECT_EQ(half.script().written.size(), 1024u);
}

TEST(Stream, ADroppedDraftLeavesNothing) {
  Half half;
  {
    auto draft = half.stream.begin(kTestOpcode, 64);
    ASSERT_TRUE(draft.ok());
    draft->writer().u64(1);
  }
  ASSERT_TRUE(send_u64(half.stream, 2).ok());
  ASSERT_TRUE(half.stream.flush().ok());
  const auto headers = headers_in(half.script().written);
  ASSERT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers[0].sequence, 1u);
}

TEST(Stream, NeverSendsWhatTheRingHeldBefore) {
  Half half(kSmall);
  ASSERT_TRUE(send_patterned(half.stream, 255, 1024).ok());
  ASSERT_TRUE(half.stream.flush().ok());
  for (int round = 0; round < 8; ++round) {  // around the ring
    half.feed(frame_bytes(wire::kOpAck, 0, half.stream.sent(), wire::kFrameUnnumbered));
    ASSERT_TRUE(half.pump().ok());
    half.script().written.clear();
    auto draft = half.stream.begin(kTestOpcode, 1001);
    ASSERT_TRUE(draft.ok());
    draft->writer().u8(9);
    draft->commit();
    ASSERT_TRUE(half.stream.flush().ok());
    const auto payload = std::span(half.script().written).subspan(wire::kFrameHeaderBytes + 1);
    EXPECT_TRUE(std::ranges::all_of(payload, [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(Stream, TooLargeAFrameIsRefused) {
  Half half(kSmall);
  EXPECT_EQ(half.stream.begin(kTestOpcode, 1025).error().code(), ErrorCode::kLimit);
  EXPECT_TRUE(half.stream.begin(kTestOpcode, 1024).ok());
}

TEST(Stream, FullRingWaitsForAcknowledgement) {
  Both both(kSmall, 2048);
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame& frame) {
    EXPECT_EQ(u64_of(frame), received++);
    return Status();
  });
  constexpr std::uint64_t kFrames = 5000;  // 40 rings
  std::thread other([&] {
    while (both.b.received() < kFrames)
      ASSERT_TRUE(both.b.pump(Deadline::never()).ok());
    ASSERT_TRUE(both.b.flush().ok());
  });
  for (std::uint64_t i = 0; i < kFrames; ++i)
    ASSERT_TRUE(send_u64(both.a, i).ok());
  // The last pump would wait for an acknowledgement that nothing forces: hence the deadline.
  while (both.a.needs_flush())
    ASSERT_TRUE(both.a.pump({0}).ok());
  other.join();
  EXPECT_EQ(received, kFrames);
}

TEST(Stream, HandlersThatAnswerMoreThanTheRingHoldsDoNotBlockEachOther) {
  // Both sides answer each frame inside its handler, with far more than fits: each must go on
  // reading acknowledgements while it waits for room.
  Both both(kSmall, 1024);
  std::uint64_t at_a = 0;
  std::uint64_t at_b = 0;
  both.b_sink.set([&](const Frame&) {
    ++at_b;
    for (int i = 0; i < 3; ++i) {
      const Status sent = send_patterned(both.b, 1, 900);
      if (!sent.ok()) return sent;
    }
    return Status();
  });
  both.a_sink.set([&](const Frame&) {
    ++at_a;
    return Status();
  });
  constexpr std::uint64_t kFrames = 300;
  std::thread other([&] {
    while (at_b < kFrames || both.b.needs_flush()) {
      ASSERT_TRUE(both.b.pump(Deadline::never()).ok());
    }
  });
  for (std::uint64_t i = 0; i < kFrames; ++i)
    ASSERT_TRUE(send_patterned(both.a, i, 500).ok());
  while (at_a < 3 * kFrames)
    ASSERT_TRUE(both.a.pump(Deadline::never()).ok());
  both.b.wake();
  other.join();
}

TEST(Stream, AcknowledgesByItselfAfterMuch) {
  Half half(kSmall);
  for (wire::Sequence s = 1; s <= 32; ++s)
    half.feed(frame_bytes(kTestOpcode, s, 0));
  while (half.stream.received() < 32)
    ASSERT_TRUE(half.pump().ok());
  const auto headers = headers_in(half.script().written);
  ASSERT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers[0].opcode, wire::kOpAck);
  EXPECT_EQ(headers[0].flags, wire::kFrameUnnumbered);
  EXPECT_EQ(headers[0].sequence, 0u);
  EXPECT_EQ(headers[0].acknowledged, 32u);
}

TEST(Stream, AnswersPing) {
  Half half;
  auto ping = frame_bytes(wire::kOpPing, 0, 0, wire::kFrameUnnumbered);
  ping[wire::kFrameHeaderBytes] = std::byte{42};
  half.feed(ping);
  ASSERT_TRUE(half.pump().ok());
  const auto& written = half.script().written;
  ASSERT_EQ(headers_in(written).size(), 1u);
  EXPECT_EQ(headers_in(written)[0].opcode, wire::kOpPong);
  EXPECT_EQ(written[wire::kFrameHeaderBytes], std::byte{42});
}

TEST(Stream, ControlFramesNeverSplitOthers) {
  // Every write takes one byte, pings come all the time: still every frame is whole.
  Half half;
  half.script().step = 1;
  half.script().write_limit = 0;
  for (std::uint64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(send_u64(half.stream, i).ok());
    half.feed(frame_bytes(wire::kOpPing, 0, 0, wire::kFrameUnnumbered));
    for (int j = 0; j < 37; ++j) {
      ASSERT_TRUE(half.pump().ok());
      half.script().write_limit += 1;
    }
  }
  half.script().write_limit = ~std::size_t{0};
  for (int j = 0; j < 100; ++j)
    ASSERT_TRUE(half.pump().ok());
  wire::Sequence last = 0;
  for (const auto& header : headers_in(half.script().written)) {
    if ((header.flags & wire::kFrameUnnumbered) != 0) continue;
    EXPECT_EQ(header.sequence, ++last);
  }
  EXPECT_EQ(last, 6u);
}

// --- replay ---

TEST(Stream, ReplaysAfterACutAtEveryByte) {
  const std::size_t kSizes[] = {8, 0, 100, 24, 512};
  std::size_t total = 0;
  for (const std::size_t size : kSizes)
    total += wire::kFrameHeaderBytes + wire::round_up_8(size);
  for (std::size_t cut_at = 0; cut_at <= total; ++cut_at) {
    Half sender;
    std::vector<std::size_t> got;
    FunctionSink sink([&](const Frame& frame) {
      EXPECT_TRUE(is_patterned(frame, got.size(), kSizes[got.size()]));
      got.push_back(frame.payload.size());
      return Status();
    });
    Stream receiver(base::monotonic_clock(), {}, sink);
    ScriptedLink::Script inbound;
    ASSERT_TRUE(receiver.attach(std::make_unique<ScriptedLink>(inbound), 0).ok());

    sender.script().write_limit = cut_at;
    for (std::size_t i = 0; i < 5; ++i) {
      ASSERT_TRUE(send_patterned(sender.stream, i, kSizes[i]).ok());
    }
    ASSERT_TRUE(sender.stream.flush().ok());
    const auto pass_on = [&] {
      auto& bytes = sender.script().written;
      inbound.to_read.insert(inbound.to_read.end(), bytes.begin(), bytes.end());
    };
    pass_on();
    ASSERT_EQ(inbound.to_read.size(), cut_at);
    ASSERT_TRUE(receiver.pump({0}).ok());

    sender.script().cut = true;
    EXPECT_EQ(sender.pump().error().code(), ErrorCode::kLinkLost);
    EXPECT_TRUE(sender.stream.flush().ok());  // waits for the next link
    EXPECT_FALSE(sender.stream.ended());

    inbound = {};
    ASSERT_TRUE(receiver.attach(std::make_unique<ScriptedLink>(inbound), 0).ok());
    ASSERT_TRUE(sender.relink(receiver.received()).ok());
    ASSERT_TRUE(sender.stream.flush().ok());
    pass_on();
    ASSERT_TRUE(receiver.pump({0}).ok());
    ASSERT_EQ(got.size(), 5u) << "cut at " << cut_at;
  }
}

TEST(Stream, ReplayedDuplicatesAreDropped) {
  Half half;
  std::vector<wire::Sequence> got;
  half.sink.set([&](const Frame& frame) {
    got.push_back(frame.sequence);
    return Status();
  });
  for (const wire::Sequence s : {1, 2, 3, 1, 2, 3, 4, 2, 5})
    half.feed(frame_bytes(kTestOpcode, s, 0));
  ASSERT_TRUE(half.pump().ok());
  EXPECT_EQ(got, (std::vector<wire::Sequence>{1, 2, 3, 4, 5}));
}

TEST(Stream, LinkLostHandlerReconnects) {
  Both both;
  int lost = 0;
  both.a.set_link_lost_handler([&](const Stream::LinkLoss& loss) {
    EXPECT_EQ(loss.why.code(), ErrorCode::kLinkLost);
    ++lost;
    both.connect();
    return Deadline::never();
  });
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame& frame) {
    EXPECT_EQ(u64_of(frame), received++);
    return Status();
  });
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  both.pump_until([&] { return received == 1; });
  // The old link ends while a frame is queued.
  ASSERT_TRUE(send_u64(both.a, 1).ok());
  ScriptedLink::Script dead;
  dead.cut = true;
  ASSERT_TRUE(both.a.attach(std::make_unique<ScriptedLink>(dead), both.b.received()).ok());
  both.pump_until([&] { return received == 2; });
  EXPECT_EQ(lost, 1);
}

TEST(Stream, AttachRefusesWhatCannotBe) {
  Half half;
  ASSERT_TRUE(send_u64(half.stream, 0).ok());
  ASSERT_TRUE(send_u64(half.stream, 1).ok());
  EXPECT_EQ(half.relink(3).error().code(), ErrorCode::kWireFault);
  EXPECT_TRUE(half.relink(2).ok());
  EXPECT_EQ(half.relink(1).error().code(), ErrorCode::kWireFault);
}

// Gives links to a stream that has lost its own, and counts how often that happened.
struct Repair {
  explicit Repair(Both& both_, base::Nanoseconds within_ns = kPatienceNs) : both(both_) {
    both.a.set_link_lost_handler([this, within_ns](const Stream::LinkLoss& loss) {
      losses.push_back(loss.closed_by_peer);
      return Deadline::in(base::monotonic_clock(), within_ns);
    });
  }
  static constexpr base::Nanoseconds kPatienceNs = 60 * base::kSecond;
  Both& both;
  std::vector<bool> losses;
};

TEST(Stream, WaitsForAnOfferWhileFramesAreQueued) {
  Both both;
  Repair repair(both);
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame& frame) {
    EXPECT_EQ(u64_of(frame), received++);
    return Status();
  });
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  both.pump_until([&] { return received == 1; });
  both.b_link_dies();
  ASSERT_TRUE(both.a.pump(Deadline::never()).ok());  // it notices
  EXPECT_EQ(repair.losses, std::vector<bool>{true});
  ASSERT_TRUE(send_u64(both.a, 1).ok());
  ASSERT_TRUE(both.a.flush().ok());
  ASSERT_TRUE(both.a.pump({0}).ok());
  both.offer();
  both.pump_until([&] { return received == 2; });
  EXPECT_EQ(repair.losses.size(), 1u);
}

TEST(Stream, AnOfferReplacesALinkThatSeemsToLive) {
  Both both;
  Repair repair(both);
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame& frame) {
    EXPECT_EQ(u64_of(frame), received++);
    return Status();
  });
  for (std::uint64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(send_u64(both.a, i).ok());
    both.offer();
    both.pump_until([&] { return received == i + 1; });
  }
  EXPECT_TRUE(repair.losses.empty());
}

TEST(Stream, AnOfferThatWasOvertakenIsDropped) {
  Both both;
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame&) {
    ++received;
    return Status();
  });
  // A greeting of b's is under way, and slow, while b goes on over another link.
  const wire::Sequence said_then = both.b.received();
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  both.pump_until([&] { return received == 1; });
  both.b.ping();
  ASSERT_TRUE(both.b.flush().ok());
  both.pump_until([&] { return both.a.acknowledged() == 1; });
  both.a.offer(link::make_inproc_pair().first, said_then);
  ASSERT_TRUE(send_u64(both.a, 1).ok());
  both.pump_until([&] { return received == 2; });
}

TEST(Stream, NothingLeavesOnALinkThatIsLetGo) {
  Half half;
  half.stream.set_link_lost_handler([](const Stream::LinkLoss& loss) {
    EXPECT_FALSE(loss.closed_by_peer);
    return Deadline::never();
  });
  half.feed(frame_bytes(kTestOpcode, 1, 0));
  ASSERT_TRUE(half.pump().ok());
  EXPECT_EQ(half.stream.let_link_go(), 1u);
  ASSERT_TRUE(send_u64(half.stream, 0).ok());
  ASSERT_TRUE(half.stream.flush().ok());
  ASSERT_TRUE(half.pump().ok());
  EXPECT_TRUE(half.script().written.empty());
  EXPECT_FALSE(half.script().closed) << "the peer would take it for the end of this process";
}

TEST(Stream, ALinkThatDoesNotComeBackInTimeEndsTheStream) {
  Both both;
  Repair repair(both, 0);
  both.b_link_dies();
  ASSERT_TRUE(both.a.pump(Deadline::never()).ok());
  EXPECT_EQ(both.a.pump(Deadline::never()).error().code(), ErrorCode::kLinkLost);
  EXPECT_TRUE(both.a.ended());
}

TEST(Stream, ALinkThatThePeerHasClosedCanBeExpectedSooner) {
  Both both;
  Repair repair(both);
  both.b_link_dies();
  ASSERT_TRUE(both.a.pump(Deadline::never()).ok());
  both.a.expect_link_by({0});
  EXPECT_EQ(both.a.pump(Deadline::never()).error().code(), ErrorCode::kLinkLost);
}

TEST(Stream, OneThatIsThereIsNotExpected) {
  Both both;
  Repair repair(both);
  both.a.expect_link_by({0});
  std::uint64_t received = 0;
  both.b_sink.set([&](const Frame&) {
    ++received;
    return Status();
  });
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  both.pump_until([&] { return received == 1; });
}

TEST(Stream, ShutDownEndsAPumpWithoutALink) {
  Both both;
  Repair repair(both);
  both.b_link_dies();
  ASSERT_TRUE(both.a.pump(Deadline::never()).ok());
  std::thread other([&] { both.a.shut_down(Error(ErrorCode::kClosed, "enough")); });
  base::Result<std::size_t> pumped = 0;
  while (pumped.ok())
    pumped = both.a.pump(Deadline::never());
  EXPECT_EQ(pumped.error().code(), ErrorCode::kClosed);
  other.join();
}

TEST(Stream, APingIsAnsweredWithAnAcknowledgement) {
  Both both;
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  both.pump_until([&] { return both.b.received() == 1; });
  EXPECT_EQ(both.a.acknowledged(), 0u);
  both.a.ping();
  both.pump_until([&] { return both.a.acknowledged() == 1; });
}

// --- faults ---

void expect_fault(std::span<const std::byte> bytes) {
  Half half;
  half.feed(bytes);
  auto pumped = half.pump();
  if (pumped.ok()) pumped = half.pump();
  ASSERT_FALSE(pumped.ok());
  EXPECT_EQ(pumped.error().code(), ErrorCode::kWireFault);
  EXPECT_TRUE(half.stream.ended());
  EXPECT_TRUE(half.script().closed);
  // The peer is told.
  const auto headers = headers_in(half.script().written);
  ASSERT_FALSE(headers.empty());
  EXPECT_EQ(headers.back().opcode, wire::kOpFault);
}

TEST(Stream, WireFaults) {
  expect_fault(frame_bytes(kTestOpcode, 2, 0));                           // a gap
  expect_fault(frame_bytes(kTestOpcode, 0, 0));                           // no number
  expect_fault(frame_bytes(kTestOpcode, 1, 1));                           // acknowledges nothing
  expect_fault(frame_bytes(kTestOpcode, 1, 0, 2));                        // unknown flag
  expect_fault(frame_bytes(kTestOpcode, 0, 0, wire::kFrameUnnumbered));   // not a control frame
  expect_fault(frame_bytes(wire::kOpAck, 1, 0, wire::kFrameUnnumbered));  // numbered all the same
  expect_fault(frame_bytes(wire::kOpPing, 0, 0, wire::kFrameUnnumbered, 0));  // too short
  auto oversized = frame_bytes(kTestOpcode, 1, 0);
  oversized[2] = std::byte{0x11};  // 1 MiB and a bit
  expect_fault(oversized);
  auto odd = frame_bytes(kTestOpcode, 1, 0);
  odd[0] = std::byte{9};
  expect_fault(odd);
}

TEST(Stream, GarbageEndsInAFault) {
  base::SeededRandom random(3);
  for (int i = 0; i < 300; ++i) {
    Half half(kSmall);
    std::vector<std::byte> garbage(random.below(3000));
    random.fill(garbage);
    for (std::size_t j = 0; j < garbage.size(); ++j) {
      if (!random.one_in(8)) garbage[j] = std::byte{0};
    }
    half.feed(garbage);
    for (int j = 0; j < 10 && half.pump().ok(); ++j) {
    }
    if (!half.stream.ended()) continue;
    EXPECT_EQ(half.stream.why_ended().code(), ErrorCode::kWireFault);
  }
}

TEST(Stream, AHandlersErrorEndsTheSession) {
  Half half;
  half.sink.set([](const Frame&) { return Status(Error(ErrorCode::kWireFault, "nonsense")); });
  half.feed(frame_bytes(kTestOpcode, 1, 0));
  half.feed(frame_bytes(kTestOpcode, 2, 0));
  EXPECT_EQ(half.pump().error().message(), "nonsense");
  EXPECT_EQ(half.stream.received(), 1u);
  EXPECT_EQ(half.stream.begin(kTestOpcode, 8).error().message(), "nonsense");
  EXPECT_EQ(half.stream.flush().error().message(), "nonsense");
}

TEST(Stream, ThePeersFaultIsReported) {
  Both both;
  both.b_sink.set([](const Frame&) { return Status(Error(ErrorCode::kWireFault, "bad handle")); });
  ASSERT_TRUE(send_u64(both.a, 0).ok());
  ASSERT_TRUE(both.a.flush().ok());
  EXPECT_FALSE(both.b.pump({0}).ok());
  while (both.a.pump({0}).ok() && !both.a.ended()) {
  }
  EXPECT_EQ(both.a.why_ended().code(), ErrorCode::kWireFault);
  EXPECT_EQ(both.a.why_ended().message(), "the other side ended the session: bad handle");
}

TEST(Stream, EndAfterGoodbyeIsNoLoss) {
  Both both;
  std::optional<wire::Opcode> seen;
  both.b_sink.set([&](const Frame& frame) {
    seen = frame.opcode;
    return Status();
  });
  ASSERT_TRUE(both.a.say_goodbye().ok());
  both.pump_until([&] { return seen.has_value(); });
  EXPECT_EQ(*seen, wire::kOpGoodbye);
  both.a.shut_down(Error(ErrorCode::kClosed, "over"));
  EXPECT_EQ(both.b.pump({0}).error().code(), ErrorCode::kClosed);
  EXPECT_TRUE(both.b.ended());
}

TEST(Stream, ShutDownEndsAPumpUnderWay) {
  Both both;
  std::thread closer([&] { both.a.shut_down(Error(ErrorCode::kClosed, "over")); });
  base::Result<std::size_t> pumped = 0;
  while (pumped.ok())
    pumped = both.a.pump(Deadline::never());
  EXPECT_EQ(pumped.error().message(), "over");
  closer.join();
}

}  // namespace
}  // namespace longwire::session
