#include "session/auth/pairing.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "link/inproc/inproc.h"
#include "link/tls/identity.h"
#include "link/tls/tls_link.h"
#include "session/auth/spake2.h"
#include "session/handshake.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::ErrorCode;
using base::kSecond;

template <std::size_t N>
std::array<std::uint8_t, N> from_hex(std::string_view hex) {
  std::array<std::uint8_t, N> bytes{};
  EXPECT_EQ(hex.size(), 2 * N);
  for (std::size_t i = 0; i < N; ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return bytes;
}

template <std::size_t N>
std::span<const std::byte> bytes_of(const std::array<std::uint8_t, N>& array) {
  return std::as_bytes(std::span(array));
}

// RFC 9382, appendix B (P-256).
struct Vector {
  const char* a;
  const char* b;
  const char* w;
  const char* x;
  const char* pa;
  const char* y;
  const char* pb;
  const char* a_confirms;
  const char* b_confirms;
};

constexpr Vector kVectors[] = {
    {"server", "client", "2ee57912099d31560b3a44b1184b9b4866e904c49d12ac5042c97dca461b1a5f",
     "43dd0fd7215bdcb482879fca3220c6a968e66d70b1356cac18bb26c84a78d729",
     "04a56fa807caaa53a4d28dbb9853b9815c61a411118a6fe516a8798434751470f9010153ac33d0d5f2047ffdb1a3e"
     "4"
     "2c9b4e6be662766e1eeb4116988ede5f912c",
     "dcb60106f276b02606d8ef0a328c02e4b629f84f89786af5befb0bc75b6e66be",
     "0406557e482bd03097ad0cbaa5df82115460d951e3451962f1eaf4367a420676d09857ccbc522686c83d1852abfa8"
     "e"
     "d6e4a1155cf8f1543ceca528afb591a1e0b7",
     "58ad4aa88e0b60d5061eb6b5dd93e80d9c4f00d127c65b3b35b1b5281fee38f0",
     "d3e2e547f1ae04f2dbdbf0fc4b79f8ecff2dff314b5d32fe9fcef2fb26dc459b"},
};

TEST(Spake2, Rfc9382Vectors) {
  for (const Vector& v : kVectors) {
    const auto w = from_hex<32>(v.w);
    auto a = Spake2::start_with(Spake2Role::kA, w, {v.a, v.b, ""}, from_hex<32>(v.x)).value();
    auto b = Spake2::start_with(Spake2Role::kB, w, {v.a, v.b, ""}, from_hex<32>(v.y)).value();
    EXPECT_EQ(a.share(), from_hex<65>(v.pa));
    EXPECT_EQ(b.share(), from_hex<65>(v.pb));
    ASSERT_TRUE(a.receive_share(bytes_of(b.share())).ok());
    ASSERT_TRUE(b.receive_share(bytes_of(a.share())).ok());
    EXPECT_EQ(a.confirmation(), from_hex<32>(v.a_confirms));
    EXPECT_EQ(b.confirmation(), from_hex<32>(v.b_confirms));
    EXPECT_TRUE(a.peer_confirms(bytes_of(b.confirmation())));
    EXPECT_TRUE(b.peer_confirms(bytes_of(a.confirmation())));
  }
}

TEST(Spake2, RefusesWhatIsNoPoint) {
  base::SystemRandom random;
  auto a = Spake2::start(Spake2Role::kA, Spake2Scalar{1}, {"a", "b", ""}, random).value();
  Spake2Share share = a.share();
  share[64] ^= 1;  // off the curve
  EXPECT_EQ(a.receive_share(bytes_of(share)).error().code(), ErrorCode::kWireFault);
  EXPECT_FALSE(a.receive_share({}).ok());
  EXPECT_FALSE(a.receive_share(bytes_of(Spake2Share{})).ok());
  EXPECT_FALSE(a.receive_share(bytes_of(share).first(33)).ok());
}

TEST(PairingCode, TypedByPeople) {
  base::SeededRandom random(1);
  const std::string code = make_pairing_code(random);
  EXPECT_EQ(code.size(), 8u);
  EXPECT_EQ(parse_pairing_code(to_display(code)).value(), code);
  EXPECT_EQ(parse_pairing_code(" oil1-AbCd \n").value(), "0111ABCD");
  for (const char* bad : {"", "1234567", "123456789", "1234-567U", "1234 567*"}) {
    EXPECT_FALSE(parse_pairing_code(bad).ok()) << bad;
  }
}

struct FakeClock final : base::Clock {
  base::Nanoseconds now = 0;
  base::Nanoseconds now_ns() const noexcept override { return now; }
};

struct Pair {
  PairingChannel channel{Fingerprint{1}, Fingerprint{2}, {3}};
  PairingChannel node_channel = channel;
  FakeClock clock;
  base::SystemRandom random;
  PairingOffer offer{clock, random};

  // The client's result; the node's in `node_done`.
  base::Status run(const std::string& code) {
    node_done = false;
    PairingClient client(code, channel, "anna's laptop", random);
    PairingServer server(offer, node_channel, "gpu-box", random);
    LW_ASSIGN(std::vector<std::byte> to_node, client.start());
    for (;;) {
      LW_ASSIGN(const PairingStep at_node, server.on_message(to_node));
      node_done = node_done || at_node.done;
      LW_ASSIGN(const PairingStep at_client, client.on_message(at_node.reply));
      if (at_client.done) {
        EXPECT_EQ(server.client_name(), "anna's laptop");
        EXPECT_EQ(client.node_name(), "gpu-box");
        return {};
      }
      to_node = at_client.reply;
    }
  }
  bool node_done = false;
};

TEST(Pairing, RightCode) {
  Pair pair;
  EXPECT_TRUE(pair.run(pair.offer.code()).ok());
  EXPECT_TRUE(pair.node_done);
  EXPECT_FALSE(pair.offer.open());
  // A code works once.
  EXPECT_EQ(pair.run(pair.offer.code()).error().code(), ErrorCode::kPermissionDenied);
}

TEST(Pairing, ThreeWrongCodesEndTheOffer) {
  Pair pair;
  const std::string wrong = pair.offer.code() == "00000000" ? "00000001" : "00000000";
  for (int i = 0; i < kPairingTries; ++i) {
    EXPECT_TRUE(pair.offer.open());
    EXPECT_EQ(pair.run(wrong).error().code(), ErrorCode::kUnauthenticated);
    EXPECT_FALSE(pair.node_done);
  }
  EXPECT_FALSE(pair.offer.open());
  EXPECT_EQ(pair.run(pair.offer.code()).error().code(), ErrorCode::kPermissionDenied);
}

TEST(Pairing, ATryCountsWhenItBegins) {
  Pair pair;
  for (int i = 0; i < kPairingTries; ++i) {  // a guesser who hangs up
    PairingClient client("00000000", pair.channel, "x", pair.random);
    PairingServer server(pair.offer, pair.channel, "y", pair.random);
    EXPECT_TRUE(server.on_message(client.start().value()).ok());
  }
  EXPECT_FALSE(pair.offer.open());
}

TEST(Pairing, CodesGrowOld) {
  Pair pair;
  pair.clock.now = kPairingLifetimeNs;
  EXPECT_FALSE(pair.offer.open());
  EXPECT_EQ(pair.run(pair.offer.code()).error().code(), ErrorCode::kTimeout);
}

TEST(Pairing, SomebodyInTheMiddleIsNoticed) {
  {
    Pair pair;  // the node sees another client key than the client's
    pair.node_channel.client = Fingerprint{9};
    EXPECT_EQ(pair.run(pair.offer.code()).error().code(), ErrorCode::kUnauthenticated);
    EXPECT_FALSE(pair.node_done);
  }
  Pair pair;  // or the same keys over two connections
  pair.node_channel.exported = {9};
  EXPECT_EQ(pair.run(pair.offer.code()).error().code(), ErrorCode::kUnauthenticated);
  EXPECT_FALSE(pair.node_done);
}

TEST(Pairing, MessagesOutOfTurnAreFaults) {
  Pair pair;
  PairingServer server(pair.offer, pair.channel, "y", pair.random);
  EXPECT_EQ(server.on_message({}).error().code(), ErrorCode::kWireFault);
  EXPECT_EQ(server.on_message(encode(Hello{})).error().code(), ErrorCode::kWireFault);
  EXPECT_TRUE(pair.offer.open());
}

TEST(Pairing, OverTls) {
  auto links = link::make_inproc_pair();
  const link::TlsIdentity node = link::make_identity("node").value();
  const link::TlsIdentity user = link::make_identity("user").value();
  const auto anyone = [](const link::PeerCertificate&) { return true; };
  const Deadline deadline = Deadline::in(base::monotonic_clock(), 20 * kSecond);
  const auto channel_of = [&](const link::TlsLink& tls) {
    return PairingChannel{link::fingerprint_of_certificate(user.certificate_pem).value(),
                          link::fingerprint_of_certificate(node.certificate_pem).value(),
                          tls.export_keying_material(kPairingExporterLabel).value()};
  };
  base::SystemRandom random;
  PairingOffer offer(base::monotonic_clock(), random);

  std::thread serving([&] {
    auto context = link::TlsContext::with_certificate(link::TlsRole::kServer, node, anyone).value();
    auto tls = link::TlsLink::handshake(std::move(links.second), context, deadline).value();
    PairingServer server(offer, channel_of(*tls), "gpu-box", random);
    for (bool done = false; !done;) {
      const auto message = receive_handshake_message(*tls, deadline).value();
      const PairingStep step = server.on_message(message).value();
      EXPECT_TRUE(send_all(*tls, step.reply, deadline).ok());
      done = step.done;
    }
  });
  auto context = link::TlsContext::with_certificate(link::TlsRole::kClient, user, anyone).value();
  auto tls = link::TlsLink::handshake(std::move(links.first), context, deadline).value();
  PairingClient client(offer.code(), channel_of(*tls), "laptop", random);
  const base::Status paired = run_pairing(*tls, client, deadline);
  EXPECT_TRUE(paired.ok()) << paired.error().to_string();
  serving.join();
}

}  // namespace
}  // namespace longwire::session
