#include "app/longwire/pair_client.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "base/random.h"
#include "client/core/config.h"
#include "driver/connect.h"
#include "link/tcp/tcp.h"
#include "link/tls/tls_link.h"
#include "session/auth/key_store.h"
#include "session/auth/pairing.h"
#include "session/auth/trust_store.h"
#include "session/handshake.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr int kPairingTimeoutMs = 20'000;

// "anna@laptop" becomes "anna-laptop" on the node.
std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const passwd* user = ::getpwuid(::geteuid());  // one thread
  const std::string name = user != nullptr ? user->pw_name : std::to_string(::geteuid());
  return session::to_peer_name(name + "-" + host.data());
}

Result<std::unique_ptr<link::TlsLink>> meet(const link::HostPort& place,
                                            const session::KeyStore& key, Deadline deadline) {
  LW_ASSIGN(base::UniqueFd socket, link::connect_tcp(place, deadline));
  LW_ASSIGN(std::unique_ptr<link::Link> tcp, link::make_tcp_link(std::move(socket)));
  const auto preamble = session::encode(session::Preamble{session::Purpose::kPairing, {}});
  LW_TRY(session::send_all(*tcp, preamble, deadline));
  // Any key: who it is, is what the code will prove.
  LW_ASSIGN(link::TlsContext::Ptr context,
            link::TlsContext::with_certificate(link::TlsRole::kClient, key.identity(),
                                               [](const link::PeerCertificate&) { return true; }));
  return link::TlsLink::handshake(std::move(tcp), std::move(context), deadline);
}

Status greet(link::TlsLink& link, Deadline deadline) {
  session::Hello hello;
  hello.purpose = session::Purpose::kPairing;
  hello.program = "longwire pair";
  hello.process_id = static_cast<std::uint64_t>(::getpid());
  hello.software = "longwire " LONGWIRE_VERSION;
  LW_TRY(session::hello_and_welcome(link, hello, deadline));
  return {};
}

Result<std::string> trust_node(const std::string& home, const std::string& name,
                               const session::Fingerprint& fingerprint) {
  LW_ASSIGN(session::TrustStore nodes, session::TrustStore::open(driver::nodes_file(home)));
  session::TrustedPeer peer;
  peer.fingerprint = fingerprint;
  const std::string wanted = session::to_peer_name(name);
  peer.name = wanted;
  for (int i = 2;; ++i) {
    const auto other = nodes.find(peer.name);
    if (!other || other->fingerprint == fingerprint) break;
    peer.name = wanted.substr(0, session::kMaxPeerNameBytes - 6) + "-" + std::to_string(i);
  }
  LW_TRY(nodes.add(peer));
  return peer.name;
}

}  // namespace

Result<std::string> pair_as_client(const std::string& node, const std::string& typed,
                                   const std::string& home) {
  LW_ASSIGN(const std::string code, session::parse_pairing_code(typed));
  LW_ASSIGN(const link::HostPort place, link::parse_host_port(node, client::core::kDefaultPort));
  LW_TRY(session::ensure_private_directory(home));
  LW_ASSIGN(const session::KeyStore key,
            session::KeyStore::open_or_create(home, "longwire client"));
  const Deadline deadline =
      Deadline::in(base::monotonic_clock(), kPairingTimeoutMs * base::kMillisecond);
  LW_ASSIGN(const std::unique_ptr<link::TlsLink> link, meet(place, key, deadline));
  LW_TRY(greet(*link, deadline));
  session::PairingChannel facts;
  facts.client = key.fingerprint();
  const auto peer = link->peer_fingerprint();
  if (!peer) return Error(ErrorCode::kUnauthenticated, "the node has shown no key");
  facts.node = *peer;
  LW_ASSIGN(facts.exported, link->export_keying_material(session::kPairingExporterLabel));
  base::SystemRandom random;
  session::PairingClient client(code, facts, own_name(), random);
  LW_TRY(session::run_pairing(*link, client, deadline));
  return trust_node(home, client.node_name(), facts.node);
}

}  // namespace longwire::app
