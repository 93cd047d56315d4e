#include "session/handshake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "link/inproc/inproc.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::ErrorCode;
using base::kMillisecond;
using base::kSecond;

Deadline soon() { return Deadline::in(base::monotonic_clock(), 10 * kSecond); }

Hello sample_hello() {
  Hello hello;
  hello.purpose = Purpose::kResume;
  hello.features = kFeatureOpenCl | kFeatureLanes;
  hello.session = {1, 2, 3};
  hello.received = 77;
  hello.lane = 3;
  hello.max_payload_bytes = 1 << 20;
  hello.tenant = "lab";
  hello.program = "hashcat";
  hello.host = "laptop";
  hello.process_id = 4242;
  hello.software = "longwire 0.1.0";
  return hello;
}

Welcome sample_welcome() {
  Welcome welcome;
  welcome.features = kFeatureOpenCl;
  welcome.session = {9};
  welcome.secret = {8};
  welcome.received = 5;
  welcome.lanes_wanted = 2;
  welcome.max_payload_bytes = 1 << 20;
  welcome.eager_credit_bytes = 1 << 26;
  welcome.grace_ms = 60'000;
  welcome.tenant = "lab";
  welcome.node = "gpu-box";
  welcome.software = "longwire 0.1.0";
  welcome.time_ms = 1'763'000'000'000;
  return welcome;
}

TEST(Preamble, RoundTrip) {
  const auto bytes = encode(Preamble{Purpose::kLane, {1, 2, 3}});
  EXPECT_EQ(bytes.size(), kPreambleBytes);
  EXPECT_EQ(bytes[0], std::byte{'L'});
  const Preamble preamble = decode_preamble(bytes).value();
  EXPECT_EQ(preamble.purpose, Purpose::kLane);
  EXPECT_EQ(preamble.session, (SessionId{1, 2, 3}));
}

TEST(Preamble, OtherProtocolsAreFaults) {
  for (const std::size_t at : {0u, 7u, 8u, 10u, 12u, 15u}) {  // magic, version, purpose, reserved
    auto bytes = encode(Preamble{});
    bytes[at] ^= std::byte{0x80};
    EXPECT_EQ(decode_preamble(bytes).error().code(), ErrorCode::kWireFault) << at;
  }
  const auto whole = encode(Preamble{});
  EXPECT_FALSE(decode_preamble(std::span(whole).first(31)).ok());
}

TEST(Handshake, CodecsRoundTrip) {
  const Hello hello = decode_hello(encode(sample_hello())).value();
  EXPECT_EQ(hello.purpose, Purpose::kResume);
  EXPECT_EQ(hello.received, 77u);
  EXPECT_EQ(hello.lane, 3u);
  EXPECT_EQ(hello.program, "hashcat");
  EXPECT_EQ(hello.process_id, 4242u);
  EXPECT_EQ(hello.session, sample_hello().session);
  EXPECT_EQ(encode(hello), encode(sample_hello()));

  const Welcome welcome = decode_answer(encode(sample_welcome())).value();
  EXPECT_EQ(welcome.secret, sample_welcome().secret);
  EXPECT_EQ(welcome.grace_ms, 60'000u);
  EXPECT_EQ(encode(welcome), encode(sample_welcome()));
}

TEST(Handshake, ANodeThatDoesNotSayTheTimeIsUnderstood) {
  auto older = encode(sample_welcome());
  older.resize(older.size() - 8);  // the last field
  older[0] = static_cast<std::byte>(older.size() - kHandshakeHeaderBytes);
  const Welcome welcome = decode_answer(older).value();
  EXPECT_EQ(welcome.time_ms, 0u);
  EXPECT_EQ(welcome.software, sample_welcome().software);
}

TEST(Handshake, ARefusalIsItsError) {
  const auto answer = decode_answer(encode(Refusal{ErrorCode::kLimit, "node full"}));
  EXPECT_EQ(answer.error().to_string(), "limit: refused: node full");
}

TEST(Handshake, AnOlderClientsHelloHasNoToken) {
  auto message = encode(sample_hello());
  message.resize(message.size() - 8);  // the length of an empty one
  wire::Writer(message).u32(static_cast<std::uint32_t>(message.size() - kHandshakeHeaderBytes));
  const auto hello = decode_hello(message);
  ASSERT_TRUE(hello.ok());
  EXPECT_EQ(hello->software, sample_hello().software);
  EXPECT_TRUE(hello->token.empty());
}

TEST(Handshake, ATokenIsCarriedAndBounded) {
  Hello hello = sample_hello();
  for (const std::size_t size : {std::size_t{1}, kMaxHelloTokenBytes}) {
    hello.token.assign(size, std::byte{9});
    const auto back = decode_hello(encode(hello));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->token, hello.token);
  }
  // The token's length is in front of its 1024 bytes.
  auto message = encode(hello);
  const std::size_t at = message.size() - kMaxHelloTokenBytes - 8;
  message.resize(message.size() + 8);
  wire::Writer(message).u32(static_cast<std::uint32_t>(message.size() - kHandshakeHeaderBytes));
  wire::Writer(std::span(message).subspan(at)).u64(kMaxHelloTokenBytes + 8);
  EXPECT_EQ(decode_hello(message).error().code(), ErrorCode::kWireFault);
}

TEST(Handshake, EveryTruncationIsAFault) {
  const auto hello = encode(sample_hello());
  const auto welcome = encode(sample_welcome());
  for (const auto& message : {hello, welcome}) {
    for (std::size_t n = 0; n < message.size(); ++n) {
      auto cut = std::vector(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(decode_hello(cut).ok()) << n;
      EXPECT_FALSE(decode_answer(cut).ok()) << n;
      // Also where the header agrees with the shorter body.
      if (n < kHandshakeHeaderBytes || n % 8 != 0) continue;
      wire::Writer(cut).u32(static_cast<std::uint32_t>(n - kHandshakeHeaderBytes));
      const bool without_token = message == hello && n + 8 == hello.size();
      EXPECT_EQ(decode_hello(cut).ok(), without_token) << n;
      const bool without_time = message == welcome && n + 8 == welcome.size();
      EXPECT_EQ(decode_answer(cut).ok(), without_time) << n;
    }
  }
}

TEST(Handshake, NewerPeersMayAppendFields) {
  auto message = encode(sample_hello());
  message.resize(message.size() + 24, std::byte{7});
  wire::Writer(message).u32(static_cast<std::uint32_t>(message.size() - kHandshakeHeaderBytes));
  EXPECT_TRUE(decode_hello(message).ok());
}

TEST(Handshake, OversizedMessagesAreFaultsBeforeAnythingIsAllocated) {
  std::vector<std::byte> header(kHandshakeHeaderBytes);
  wire::Writer w(header);
  w.u32(kMaxHelloBytes + 8);
  w.u32(1);
  EXPECT_EQ(handshake_message_bytes(header).error().code(), ErrorCode::kWireFault);
  EXPECT_EQ(handshake_message_bytes(std::span(header).first(4)).value(), kHandshakeHeaderBytes);
}

TEST(Handshake, TextsAreCutAndHarmless) {
  Hello hello = sample_hello();
  hello.program = "evil\x1b[2J\nname";
  hello.host = std::string(1000, 'h');
  const Hello got = decode_hello(encode(hello)).value();
  EXPECT_EQ(got.program, "evil?[2J?name");
  EXPECT_EQ(got.host, std::string(kMaxHelloTextBytes, 'h'));
}

// A lying node would have the program wait for ever, or never get a byte across.
TEST(Handshake, NoAbsurdLimitIsTaken) {
  const auto answer = [](auto&& change) {
    Welcome welcome = sample_welcome();
    change(welcome);
    return decode_answer(encode(welcome));
  };
  EXPECT_TRUE(answer([](Welcome& w) { w.grace_ms = kMaxGraceMs; }).ok());
  for (const std::uint64_t ms : {kMaxGraceMs + 1, std::uint64_t{INT64_MAX}, UINT64_MAX}) {
    EXPECT_EQ(answer([ms](Welcome& w) { w.grace_ms = ms; }).error().code(), ErrorCode::kWireFault);
  }
  for (const std::uint32_t bytes : {0u, kLeastPayloadBytes, UINT32_MAX})
    EXPECT_TRUE(answer([bytes](Welcome& w) { w.max_payload_bytes = bytes; }).ok()) << bytes;
  for (const std::uint32_t bytes : {1u, 24u, kLeastPayloadBytes - 1}) {
    EXPECT_FALSE(answer([bytes](Welcome& w) { w.max_payload_bytes = bytes; }).ok()) << bytes;
    Hello hello = sample_hello();
    hello.max_payload_bytes = bytes;
    EXPECT_FALSE(decode_hello(encode(hello)).ok()) << bytes;
  }
}

TEST(Handshake, GarbageIsNeverAHello) {
  base::SeededRandom random(5);
  const auto good = encode(sample_hello());
  for (int i = 0; i < 5000; ++i) {
    auto bytes = good;
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = std::byte(random.u64());
    }
    (void)decode_hello(bytes);  // anything, but no crash
    (void)decode_answer(bytes);
    (void)decode_preamble(bytes);
  }
}

TEST(Handshake, Versions) {
  Hello hello;
  EXPECT_EQ(choose_version(hello).value(), kProtocolVersionMax);
  hello.version_max = 900;
  EXPECT_EQ(choose_version(hello).value(), kProtocolVersionMax);
  hello.version_min = 800;
  hello.software = "longwire 9.0.0";
  const auto refused = choose_version(hello);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message().find("800 to 900"), std::string::npos);
  EXPECT_NE(refused.error().message().find("longwire 9.0.0"), std::string::npos);
  hello.version_min = 5;
  hello.version_max = 1;  // upside down
  EXPECT_FALSE(choose_version(hello).ok());
}

TEST(Handshake, ExchangeReadsNoByteTooMuch) {
  auto links = link::make_inproc_pair();
  std::thread node([&] {
    const Hello hello = receive_hello(*links.second, soon()).value();
    EXPECT_EQ(hello.host, "laptop");
    EXPECT_TRUE(send_all(*links.second, encode(sample_welcome()), soon()).ok());
    const std::byte more[3] = {std::byte{1}, std::byte{2}, std::byte{3}};
    EXPECT_TRUE(send_all(*links.second, more, soon()).ok());
  });
  const Welcome welcome = hello_and_welcome(*links.first, sample_hello(), soon()).value();
  EXPECT_EQ(welcome.node, "gpu-box");
  std::byte rest[3];
  EXPECT_TRUE(receive_all(*links.first, rest, soon()).ok());
  EXPECT_EQ(rest[0], std::byte{1});
  node.join();
}

base::Error answer_of(const std::vector<std::byte>& answer) {
  auto links = link::make_inproc_pair();
  EXPECT_TRUE(send_all(*links.second, answer, soon()).ok());
  return hello_and_welcome(*links.first, sample_hello(),
                           Deadline::in(base::monotonic_clock(), 20 * kMillisecond))
      .error();
}

TEST(Handshake, BadAnswers) {
  EXPECT_EQ(answer_of({}).code(), ErrorCode::kTimeout);
  EXPECT_EQ(answer_of(encode(Refusal{ErrorCode::kPermissionDenied, "no"})).code(),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(answer_of(encode(sample_hello())).code(), ErrorCode::kWireFault);
  Welcome other_version = sample_welcome();
  other_version.version = 77;
  EXPECT_EQ(answer_of(encode(other_version)).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(answer_of(std::vector<std::byte>(64, std::byte{'G'})).code(), ErrorCode::kWireFault);
}

}  // namespace
}  // namespace longwire::session
