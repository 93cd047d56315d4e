#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "base/random.h"
#include "link/inproc/inproc.h"
#include "link/tls/identity.h"
#include "link/tls/tls_link.h"

namespace longwire::link {
namespace {

using base::Deadline;
using base::ErrorCode;
using base::kSecond;

Deadline soon() { return Deadline::in(base::monotonic_clock(), 10 * kSecond); }

TlsContext::Ptr psk(TlsRole role, std::string identity, std::uint8_t key) {
  return TlsContext::with_pre_shared_key(role, std::move(identity), PreSharedKey{key}).value();
}

// Moves bytes between two engines until both are quiet. False: one of them failed.
bool shuttle(TlsEngine& a, TlsEngine& b) {
  bool ok = true;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      ok = from->handshake().ok() && ok;
      const auto out = from->to_send();
      const auto space = to->receive_space();
      const std::size_t n = std::min(out.size(), space.size());
      std::copy_n(out.begin(), n, space.begin());
      to->received(n);
      from->sent(n);
      moved = moved || n > 0;
    }
  }
  return ok;
}

struct Engines {
  Engines(TlsContext::Ptr client_context, TlsContext::Ptr server_context)
      : client(TlsEngine::create(std::move(client_context)).value()),
        server(TlsEngine::create(std::move(server_context)).value()),
        ok(shuttle(*client, *server)) {}
  std::unique_ptr<TlsEngine> client;
  std::unique_ptr<TlsEngine> server;
  bool ok;
};

TEST(TlsEngine, PreSharedKeyAgrees) {
  Engines e(psk(TlsRole::kClient, "ab", 1), psk(TlsRole::kServer, "ab", 1));
  ASSERT_TRUE(e.ok);
  EXPECT_TRUE(e.client->handshake().value());
  EXPECT_EQ(e.client->export_keying_material("longwire test").value(),
            e.server->export_keying_material("longwire test").value());
  EXPECT_NE(e.client->export_keying_material("longwire test").value(),
            e.server->export_keying_material("longwire other").value());
  EXPECT_FALSE(e.client->peer_fingerprint().has_value());
}

// Moves what one side has to send, all of it.
void deliver(TlsEngine& from, TlsEngine& to) {
  const auto out = from.to_send();
  const auto space = to.receive_space();
  ASSERT_LE(out.size(), space.size());
  std::copy(out.begin(), out.end(), space.begin());
  to.received(out.size());
  from.sent(out.size());
}

// One flight each way: the first bytes of a session's worker come with its Finished.
TEST(TlsEngine, AServerWithAPreSharedKeyWritesInItsFirstFlight) {
  const auto client = TlsEngine::create(psk(TlsRole::kClient, "ab", 1)).value();
  const auto server = TlsEngine::create(psk(TlsRole::kServer, "ab", 1)).value();
  EXPECT_FALSE(client->handshake().value());
  deliver(*client, *server);
  EXPECT_TRUE(server->handshake().value());
  const std::byte data[16] = {std::byte{7}};
  ASSERT_EQ(server->write(data).value(), sizeof data);
  deliver(*server, *client);
  EXPECT_TRUE(client->handshake().value());
  std::byte in[sizeof data] = {};
  ASSERT_EQ(client->read(in).value(), sizeof data);
  EXPECT_EQ(in[0], data[0]);
  // And the client's, behind its own.
  ASSERT_EQ(client->write(data).value(), sizeof data);
  deliver(*client, *server);
  ASSERT_EQ(server->read(in).value(), sizeof data);
  ASSERT_EQ(server->write(data).value(), sizeof data);
  deliver(*server, *client);
  EXPECT_EQ(client->read(in).value(), sizeof data);
}

// Whoever repeats the first flight of somebody else gets no further.
TEST(TlsEngine, AServerReadsNothingBeforeAFinishedThatIsRight) {
  const auto client = TlsEngine::create(psk(TlsRole::kClient, "ab", 1)).value();
  const auto server = TlsEngine::create(psk(TlsRole::kServer, "ab", 1)).value();
  EXPECT_FALSE(client->handshake().value());
  deliver(*client, *server);
  EXPECT_TRUE(server->handshake().value());
  std::byte in[16];
  EXPECT_EQ(server->read(in).value(), 0u);
  deliver(*server, *client);
  EXPECT_TRUE(client->handshake().value());
  const std::byte data[16] = {};
  ASSERT_EQ(client->write(data).value(), sizeof data);
  const auto finished = client->to_send();
  const auto space = server->receive_space();
  std::copy(finished.begin(), finished.end(), space.begin());
  space[20] ^= std::byte{1};  // of the Finished, or the record before it
  server->received(finished.size());
  EXPECT_FALSE(server->read(in).ok());
  EXPECT_FALSE(server->read(in).ok());
}

TEST(TlsEngine, WrongKeyOrIdentityIsRefused) {
  for (const auto& server : {psk(TlsRole::kServer, "ab", 2), psk(TlsRole::kServer, "cd", 1)}) {
    Engines e(psk(TlsRole::kClient, "ab", 1), server);
    EXPECT_FALSE(e.ok);
    EXPECT_EQ(e.client->handshake().error().code(), ErrorCode::kUnauthenticated);
  }
}

TEST(TlsEngine, PreSharedKeyNeverMeetsCertificates) {
  const auto certificate = TlsContext::with_certificate(
      TlsRole::kServer, make_identity("n").value(), [](const PeerCertificate&) { return true; });
  Engines e(psk(TlsRole::kClient, "ab", 1), certificate.value());
  EXPECT_FALSE(e.ok);
  EXPECT_FALSE(e.client->handshake().ok());
}

TEST(TlsEngine, CertificatesShowFingerprints) {
  const TlsIdentity node = make_identity("node").value();
  const TlsIdentity user = make_identity("user").value();
  std::optional<Fingerprint> seen_by_client, seen_by_server;
  Engines e(TlsContext::with_certificate(TlsRole::kClient, user,
                                         [&](const PeerCertificate& its) {
                                           seen_by_client = its.fingerprint;
                                           return true;
                                         })
                .value(),
            TlsContext::with_certificate(TlsRole::kServer, node, [&](const PeerCertificate& its) {
              seen_by_server = its.fingerprint;
              return true;
            }).value());
  ASSERT_TRUE(e.ok);
  EXPECT_EQ(seen_by_client, fingerprint_of_certificate(node.certificate_pem).value());
  EXPECT_EQ(seen_by_server, fingerprint_of_certificate(user.certificate_pem).value());
  EXPECT_EQ(e.client->peer_fingerprint(), seen_by_client);
  EXPECT_EQ(e.server->peer_fingerprint(), seen_by_server);
  EXPECT_NE(seen_by_client, seen_by_server);
}

TEST(TlsEngine, ACertificatesNoteReachesTheOtherSide) {
  const std::vector<std::byte> note(kMaxCertificateNoteBytes, std::byte{7});
  const TlsIdentity plain = make_identity("node").value();
  const TlsIdentity noted = with_note(plain, "node", note).value();
  EXPECT_EQ(fingerprint_of_certificate(noted.certificate_pem).value(),
            fingerprint_of_certificate(plain.certificate_pem).value());
  std::vector<std::byte> seen;
  Engines e(TlsContext::with_certificate(TlsRole::kClient, plain,
                                         [&](const PeerCertificate& its) {
                                           seen = its.note;
                                           return true;
                                         })
                .value(),
            TlsContext::with_certificate(TlsRole::kServer, noted, [](const PeerCertificate&) {
              return true;
            }).value());
  ASSERT_TRUE(e.ok);
  EXPECT_EQ(seen, note);
  EXPECT_EQ(e.client->peer_note(), note);
  EXPECT_TRUE(e.server->peer_note().empty());
  EXPECT_FALSE(with_note(plain, "node", std::vector<std::byte>(kMaxCertificateNoteBytes + 1)).ok());
}

TEST(TlsEngine, AnUnknownPeerIsRefusedByEitherSide) {
  const auto context = [](TlsRole role, bool accepts) {
    return TlsContext::with_certificate(role, make_identity("x").value(),
                                        [accepts](const PeerCertificate&) { return accepts; })
        .value();
  };
  {
    Engines e(context(TlsRole::kClient, false), context(TlsRole::kServer, true));
    EXPECT_EQ(e.client->handshake().error().code(), ErrorCode::kUnauthenticated);
  }
  Engines e(context(TlsRole::kClient, true), context(TlsRole::kServer, false));
  EXPECT_EQ(e.server->handshake().error().code(), ErrorCode::kUnauthenticated);
  std::byte out[8];
  EXPECT_EQ(e.client->read(out).error().code(), ErrorCode::kUnauthenticated);
}

TEST(TlsEngine, AForgedRecordIsAFault) {
  Engines e(psk(TlsRole::kClient, "ab", 1), psk(TlsRole::kServer, "ab", 1));
  const std::byte data[16] = {};
  ASSERT_EQ(e.client->write(data).value(), sizeof data);
  const auto out = e.client->to_send();
  const auto space = e.server->receive_space();
  std::copy(out.begin(), out.end(), space.begin());
  space[out.size() - 1] ^= std::byte{1};
  e.server->received(out.size());
  std::byte in[16];
  EXPECT_EQ(e.server->read(in).error().code(), ErrorCode::kWireFault);
}

TEST(TlsEngine, GarbageInsteadOfAHandshake) {
  base::SeededRandom random(7);
  for (int i = 0; i < 200; ++i) {
    const auto role = random.one_in(2) ? TlsRole::kClient : TlsRole::kServer;
    const auto engine = TlsEngine::create(psk(role, "ab", 1)).value();
    for (int round = 0; round < 8; ++round) {
      const auto space = engine->receive_space();
      const std::size_t n = std::min<std::size_t>(space.size(), random.below(600));
      random.fill(space.first(n));
      if (random.one_in(2) && n > 5) space[0] = std::byte{0x16};
      engine->received(n);
      if (!engine->handshake().ok()) break;
    }
  }
}

TEST(TlsIdentity, BadPemIsAnError) {
  const TlsIdentity good = make_identity("x").value();
  const auto with = [](const TlsIdentity& identity) {
    return TlsContext::with_certificate(TlsRole::kServer, identity, nullptr);
  };
  EXPECT_TRUE(with(good).ok());
  EXPECT_FALSE(with({"nonsense", good.private_key_pem}).ok());
  EXPECT_FALSE(with({good.certificate_pem, ""}).ok());
  EXPECT_FALSE(with({good.certificate_pem, make_identity("y").value().private_key_pem}).ok());
}

TEST(TlsLink, HandshakeTimesOut) {
  auto pair = make_inproc_pair();
  const auto link =
      TlsLink::handshake(std::move(pair.first), psk(TlsRole::kClient, "ab", 1),
                         Deadline::in(base::monotonic_clock(), 5 * base::kMillisecond));
  EXPECT_EQ(link.error().code(), ErrorCode::kTimeout);
}

TEST(TlsLink, StartsAnewWithAnotherKeyOnTheSameConnection) {
  auto pair = make_inproc_pair();
  const auto run = [](std::unique_ptr<Link> bare, TlsRole role) {
    for (std::uint8_t key = 1; key <= 3; ++key) {
      auto tls = TlsLink::handshake(std::move(bare), psk(role, "ab", key), soon());
      ASSERT_TRUE(tls.ok()) << tls.error().to_string();
      Link& link = **tls;
      // Client speaks, server answers: as Hello and Welcome do.
      std::byte in[1] = {};
      const std::byte out[1] = {std::byte{key}};
      const ConstBuffer part = out;
      if (role == TlsRole::kClient) {
        ASSERT_EQ(link.write_some({&part, 1}).value(), 1u);
      }
      for (std::size_t n = 0; n == 0;) {
        ASSERT_TRUE(link.wait({.readable = true}, soon()).ok());
        n = link.read_some(in).value();
      }
      EXPECT_EQ(in[0], std::byte{key});
      if (role == TlsRole::kServer) {
        ASSERT_EQ(link.write_some({&part, 1}).value(), 1u);
      }
      auto released = (*tls)->release();
      ASSERT_TRUE(released.ok()) << released.error().to_string();
      bare = std::move(released).value();
    }
  };
  std::thread server([&] { run(std::move(pair.second), TlsRole::kServer); });
  run(std::move(pair.first), TlsRole::kClient);
  server.join();
}

TEST(TlsLink, ACutConnectionIsNotAnOrderlyEnd) {
  // An attacker who closes the TCP connection must not look like the peer's own end.
  auto pair = make_inproc_pair();
  std::unique_ptr<TlsLink> server;
  std::thread accepting([&] {
    server =
        TlsLink::handshake(std::move(pair.second), psk(TlsRole::kServer, "ab", 1), soon()).value();
  });
  auto client =
      TlsLink::handshake(std::move(pair.first), psk(TlsRole::kClient, "ab", 1), soon()).value();
  accepting.join();
  server->release().value()->close();
  std::byte in[1];
  EXPECT_EQ(client->read_some(in).error().code(), ErrorCode::kLinkLost);
}

}  // namespace
}  // namespace longwire::link
