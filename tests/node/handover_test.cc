#include "session/handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"

namespace longwire::session {
namespace {

using base::ErrorCode;

Adopt sample_adopt() {
  Adopt adopt;
  adopt.purpose = Purpose::kNewSession;
  adopt.encrypted = true;
  for (std::size_t i = 0; i < adopt.session.size(); ++i)
    adopt.session[i] = std::uint8_t(i + 1);
  for (std::size_t i = 0; i < adopt.secret.size(); ++i)
    adopt.secret[i] = std::uint8_t(0xa0 + i);
  adopt.features = 7;
  adopt.lanes = 4;
  adopt.max_payload_bytes = 1 << 20;
  adopt.eager_credit_bytes = 64 << 20;
  adopt.grace_ms = 30'000;
  adopt.limits = {1ull << 32, 1'000'000, {"0", "gpu-1"}};
  adopt.tenant = "lab";
  adopt.node = "gpu-box";
  adopt.peer = "10.0.0.2:50122 laptop pid=4711";
  adopt.program = "clinfo";
  adopt.outlives_agent = true;
  adopt.reclaim.fill(9);
  return adopt;
}

template <class T>
T round_trip(const T& message) {
  auto decoded = decode_handover(encode_handover(message));
  EXPECT_TRUE(decoded.ok());
  return std::get<T>(*decoded);
}

TEST(Handover, AdoptKeepsEveryField) {
  const Adopt a = sample_adopt();
  const Adopt b = round_trip(a);
  EXPECT_EQ(b.purpose, a.purpose);
  EXPECT_EQ(b.encrypted, a.encrypted);
  EXPECT_EQ(b.session, a.session);
  EXPECT_EQ(b.secret, a.secret);
  EXPECT_EQ(b.version, a.version);
  EXPECT_EQ(b.features, a.features);
  EXPECT_EQ(b.lanes, a.lanes);
  EXPECT_EQ(b.max_payload_bytes, a.max_payload_bytes);
  EXPECT_EQ(b.eager_credit_bytes, a.eager_credit_bytes);
  EXPECT_EQ(b.grace_ms, a.grace_ms);
  EXPECT_EQ(b.limits.memory_bytes, a.limits.memory_bytes);
  EXPECT_EQ(b.limits.handles, a.limits.handles);
  EXPECT_EQ(b.limits.devices, a.limits.devices);
  EXPECT_EQ(b.tenant, a.tenant);
  EXPECT_EQ(b.node, a.node);
  EXPECT_EQ(b.peer, a.peer);
  EXPECT_EQ(b.program, a.program);
  EXPECT_EQ(b.outlives_agent, a.outlives_agent);
  EXPECT_EQ(b.reclaim, a.reclaim);
}

TEST(Handover, OtherMessagesKeepEveryField) {
  EXPECT_EQ(round_trip(Drain{1234}).within_ms, 1234u);
  EXPECT_EQ(round_trip(Ready{"PoCL"}).detail, "PoCL");
  EXPECT_EQ(round_trip(Reclaim{sample_adopt().reclaim}).secret, sample_adopt().reclaim);
  const Ended ended = round_trip(Ended{ErrorCode::kLinkLost, "gone", {1, 2, 3, 4}});
  EXPECT_EQ(ended.code, ErrorCode::kLinkLost);
  EXPECT_EQ(ended.reason, "gone");
  EXPECT_EQ(ended.stats.bytes_in, 1u);
  EXPECT_EQ(ended.stats.bytes_out, 2u);
  EXPECT_EQ(ended.stats.commands, 3u);
  EXPECT_EQ(ended.stats.device_ns, 4u);
}

TEST(Handover, EveryCutIsAWireFault) {
  for (const HandoverMessage& message :
       {HandoverMessage(sample_adopt()), HandoverMessage(Ended{}), HandoverMessage(Ready{"x"}),
        HandoverMessage(Stats{}), HandoverMessage(Drain{}), HandoverMessage(Reclaim{})}) {
    const auto bytes = encode_handover(message);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      auto decoded = decode_handover(std::span(bytes).first(n));
      ASSERT_FALSE(decoded.ok()) << n;
      EXPECT_EQ(decoded.error().code(), ErrorCode::kWireFault);
    }
  }
}

TEST(Handover, RandomBytesNeverCrash) {
  base::SeededRandom random(42);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = encode_handover(sample_adopt());
    for (int flips = 0; flips < 4; ++flips) {
      random.fill(std::span(bytes).subspan(random.below(bytes.size()), 1));
    }
    bytes.resize(random.below(bytes.size() + 1));
    [[maybe_unused]] const auto decoded = decode_handover(bytes);
  }
}

TEST(Handover, OutOfRangeFieldsAreRefused) {
  auto bytes = encode_handover(sample_adopt());
  bytes[8] = std::byte{9};  // purpose
  EXPECT_FALSE(decode_handover(bytes).ok());
  bytes = encode_handover(sample_adopt());
  bytes[12] = std::byte{2};  // encrypted
  EXPECT_FALSE(decode_handover(bytes).ok());
  bytes = encode_handover(Ended{});
  bytes[8] = std::byte{99};  // code
  EXPECT_FALSE(decode_handover(bytes).ok());
  EXPECT_FALSE(decode_handover(std::vector<std::byte>(kMaxHandoverBytes + 8)).ok());
}

TEST(Handover, TimesThatWouldOverflowAreRefused) {
  Adopt adopt = sample_adopt();
  adopt.grace_ms = adopt.grace_after_close_ms = kMaxGraceMs;
  EXPECT_TRUE(decode_handover(encode_handover(adopt)).ok());
  EXPECT_TRUE(decode_handover(encode_handover(Drain{kMaxDrainMs})).ok());
  for (const std::uint64_t ms : {kMaxGraceMs + 1, UINT64_MAX}) {
    Adopt wrong = sample_adopt();
    wrong.grace_ms = ms;
    EXPECT_FALSE(decode_handover(encode_handover(wrong)).ok()) << ms;
    wrong = sample_adopt();
    wrong.grace_after_close_ms = ms;
    EXPECT_FALSE(decode_handover(encode_handover(wrong)).ok()) << ms;
    EXPECT_FALSE(decode_handover(encode_handover(Drain{ms})).ok()) << ms;
  }
}

TEST(HandoverSocket, AConnectionTravelsWithAdopt) {
  auto pair = make_handover_pair();
  ASSERT_TRUE(pair.ok());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  ASSERT_TRUE(send_handover(pair->agent.get(), sample_adopt(), writer.get()).ok());
  writer.reset();
  auto received = receive_handover(pair->worker.get());
  ASSERT_TRUE(received.ok());
  ASSERT_TRUE(received->has_value());
  ASSERT_TRUE((*received)->connection.valid());
  EXPECT_NE(::fcntl((*received)->connection.get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(::write((*received)->connection.get(), "x", 1), 1);
  char c = 0;
  EXPECT_EQ(::read(reader.get(), &c, 1), 1);
  EXPECT_EQ(c, 'x');
}

TEST(HandoverSocket, DescriptorsMustFitTheMessage) {
  auto pair = make_handover_pair();
  ASSERT_TRUE(pair.ok());
  ASSERT_TRUE(send_handover(pair->agent.get(), sample_adopt()).ok());
  EXPECT_EQ(receive_handover(pair->worker.get()).error().code(), ErrorCode::kWireFault);
  ASSERT_TRUE(send_handover(pair->agent.get(), Reclaim{}).ok());
  EXPECT_EQ(receive_handover(pair->worker.get()).error().code(), ErrorCode::kWireFault);
  ASSERT_TRUE(send_handover(pair->agent.get(), Drain{}, 0).ok());
  EXPECT_EQ(receive_handover(pair->worker.get()).error().code(), ErrorCode::kWireFault);
}

TEST(HandoverSocket, AnOversizedDatagramIsRefused) {
  auto pair = make_handover_pair();
  ASSERT_TRUE(pair.ok());
  const std::vector<char> big(kMaxHandoverBytes + 1);
  ASSERT_EQ(::send(pair->agent.get(), big.data(), big.size(), 0), ssize_t(big.size()));
  EXPECT_EQ(receive_handover(pair->worker.get()).error().code(), ErrorCode::kWireFault);
}

TEST(HandoverSocket, TheOtherEndsEndIsClosed) {
  auto pair = make_handover_pair();
  ASSERT_TRUE(pair.ok());
  pair->agent.reset();
  EXPECT_EQ(receive_handover(pair->worker.get()).error().code(), ErrorCode::kClosed);
  EXPECT_EQ(send_handover(pair->worker.get(), Stats{}).error().code(), ErrorCode::kClosed);
}

TEST(HandoverSocket, SendingNeverBlocks) {
  auto pair = make_handover_pair();
  ASSERT_TRUE(pair.ok());
  base::Status sent;
  for (int i = 0; i < 100'000 && sent.ok(); ++i)
    sent = send_handover(pair->worker.get(), Stats{});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code(), ErrorCode::kLimit);
}

}  // namespace
}  // namespace longwire::session
