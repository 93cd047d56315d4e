#include "driver/connect.h"

#include <errno.h>  // program_invocation_short_name
#include <unistd.h>

#include <array>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "link/tcp/tcp.h"
#include "link/tls/tls_link.h"
#include "link/unix/unix.h"
#include "session/auth/key_store.h"
#include "session/auth/rotation.h"
#include "session/auth/token.h"
#include "session/auth/trust_store.h"
#include "session/handshake.h"
#include "session/private_file.h"

namespace longwire::driver {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using client::core::Connector;
using client::core::NodeAddress;
using link::Link;
using session::Purpose;

// What opening a link takes (Opened::round_trips).
constexpr std::uint32_t kTcpRoundTrips = 1;
constexpr std::uint32_t kTlsRoundTrips = 1;
constexpr std::uint32_t kHelloRoundTrips = 1;

// How long a node's old key is accepted after the new one has been seen: machines that share it may
// not all have it at once.
constexpr std::int64_t kNodeOverlapS = 24 * 3600;

constexpr std::size_t kMaxTokenFileBytes = 4096;

session::Hello make_hello(Purpose purpose, std::uint64_t features = kFeatures) {
  session::Hello hello;
  hello.purpose = purpose;
  hello.features = features;
  hello.max_payload_bytes = wire::kMaxPayloadBytes;
  hello.program = program_invocation_short_name;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) hello.host = host.data();
  hello.process_id = static_cast<std::uint64_t>(::getpid());
  hello.software = "longwire " LONGWIRE_VERSION;
  return hello;
}

// The session is over for good, or another attempt may succeed (Connector::open_resume).
Error resume_failed(const Error& why, bool connected) {
  const bool refused = why.code() == ErrorCode::kNotFound ||
                       why.code() == ErrorCode::kPermissionDenied ||
                       why.code() == ErrorCode::kUnsupported;
  if (connected) return {refused ? ErrorCode::kNotFound : ErrorCode::kUnavailable, why.message()};
  return why.code() == ErrorCode::kNotFound ? Error(ErrorCode::kUnavailable, why.message()) : why;
}

Result<std::unique_ptr<Link>> connect_tcp(const NodeAddress& address, Deadline deadline) {
  LW_ASSIGN(const link::HostPort place,
            link::parse_host_port(address.place, client::core::kDefaultPort));
  LW_ASSIGN(base::UniqueFd socket, link::connect_tcp(place, deadline));
  LW_ASSIGN(std::unique_ptr<Link> link, link::make_tcp_link(std::move(socket)));
  return link;
}

Status send_preamble(Link& link, const session::Hello& hello, Deadline deadline) {
  return session::send_all(link, session::encode(session::Preamble{hello.purpose, hello.session}),
                           deadline);
}

session::Hello make_resume_hello(const session::Welcome& session) {
  session::Hello hello = make_hello(Purpose::kResume);
  hello.session = session.session;
  return hello;
}

session::Hello make_lane_hello(const session::Welcome& session, std::uint32_t lane) {
  session::Hello hello = make_hello(Purpose::kLane);
  hello.session = session.session;
  hello.lane = lane;
  return hello;
}

// The name of the session's key is its id in hex (session/handshake.h).
std::string psk_identity(const session::SessionId& id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : id) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

// A connection without TLS: a unix socket, or TCP where a person has said so by name.
class PlainConnector final : public Connector {
 public:
  PlainConnector(NodeAddress address, std::uint64_t features)
      : address_(std::move(address)), features_(features) {}

  Result<Opened> open_session(Deadline deadline) override {
    return open(make_hello(Purpose::kNewSession, features_), deadline);
  }
  Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                           Deadline deadline) override {
    return open(make_lane_hello(session, lane), deadline);
  }
  Result<Opened> open_resume(const session::Welcome& session,
                             const std::function<wire::Sequence()>& received,
                             Deadline deadline) override {
    auto link = connect(deadline);
    if (!link.ok()) return resume_failed(link.error(), false);
    session::Hello hello = make_resume_hello(session);
    hello.received = received();
    auto opened = greet(std::move(link).value(), hello, deadline);
    if (!opened.ok()) return resume_failed(opened.error(), true);
    return opened;
  }
  std::string node_name() const override { return address_.to_string(); }

 private:
  Result<Opened> open(const session::Hello& hello, Deadline deadline) {
    const base::Nanoseconds began_ns = base::monotonic_clock().now_ns();
    LW_ASSIGN(std::unique_ptr<Link> link, connect(deadline));
    const base::Nanoseconds connected_ns = base::monotonic_clock().now_ns();
    LW_ASSIGN(Opened opened, greet(std::move(link), hello, deadline));
    opened.round_trip_ns = connected_ns - began_ns;
    return opened;
  }

  Result<Opened> greet(std::unique_ptr<Link> link, const session::Hello& hello, Deadline deadline) {
    Opened opened;
    opened.round_trips = kHelloRoundTrips;
    if (address_.transport != NodeAddress::Transport::kUnix) opened.round_trips += kTcpRoundTrips;
    opened.link = std::move(link);
    LW_TRY(send_preamble(*opened.link, hello, deadline));
    LW_ASSIGN(opened.welcome, session::hello_and_welcome(*opened.link, hello, deadline));
    return opened;
  }

  Result<std::unique_ptr<Link>> connect(Deadline deadline) {
    if (address_.transport == NodeAddress::Transport::kUnix) {
      LW_ASSIGN(base::UniqueFd socket, link::connect_unix(address_.place, deadline));
      LW_ASSIGN(std::unique_ptr<Link> link, link::make_unix_link(std::move(socket)));
      return link;
    }
    return connect_tcp(address_, deadline);
  }

  const NodeAddress address_;
  const std::uint64_t features_;
};

// TLS 1.3 with this user's key against a node that has been paired; then, with the session's own
// secret, against the session's worker (session/handshake.h).
class TlsConnector final : public Connector {
 public:
  TlsConnector(NodeAddress address, std::string home, std::string token_file,
               std::uint64_t features)
      : address_(std::move(address)),
        home_(std::move(home)),
        token_file_(std::move(token_file)),
        features_(features) {}

  Result<Opened> open_session(Deadline deadline) override {
    session::Hello hello = make_hello(Purpose::kNewSession, features_);
    LW_ASSIGN(const OwnToken token, own_token());
    const base::Nanoseconds began_ns = base::monotonic_clock().now_ns();
    LW_ASSIGN(std::unique_ptr<Link> tcp, connect_tcp(address_, deadline));
    const base::Nanoseconds connected_ns = base::monotonic_clock().now_ns();
    LW_TRY(send_preamble(*tcp, hello, deadline));
    LW_ASSIGN(std::unique_ptr<link::TlsLink> agent,
              meet_agent(std::move(tcp), token.node, deadline));
    if (token.node && agent->peer_fingerprint() == token.node) hello.token = token.bytes;
    Opened opened;
    opened.round_trips = kTcpRoundTrips + 2 * kTlsRoundTrips + kHelloRoundTrips;
    opened.round_trip_ns = connected_ns - began_ns;
    LW_ASSIGN(opened.welcome, session::hello_and_welcome(*agent, hello, deadline));
    LW_ASSIGN(tcp, agent->release());
    LW_ASSIGN(opened.link, meet_worker(std::move(tcp), opened.welcome, deadline));
    return opened;
  }

  Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                           Deadline deadline) override {
    LW_ASSIGN(std::unique_ptr<Link> tcp, connect_tcp(address_, deadline));
    return open_inner(std::move(tcp), session, make_lane_hello(session, lane), {}, deadline);
  }
  Result<Opened> open_resume(const session::Welcome& session,
                             const std::function<wire::Sequence()>& received,
                             Deadline deadline) override {
    auto tcp = connect_tcp(address_, deadline);
    if (!tcp.ok()) return resume_failed(tcp.error(), false);
    auto opened =
        open_inner(std::move(tcp).value(), session, make_resume_hello(session), received, deadline);
    if (!opened.ok()) return resume_failed(opened.error(), true);
    return opened;
  }

  std::string node_name() const override { return address_.to_string(); }

 private:
  struct OwnToken {
    std::vector<std::byte> bytes;
    std::optional<session::Fingerprint> node;  // whom it is for; none where there is no token
  };
  // Whoever gave this user a token vouches for the node that it names.
  Result<OwnToken> own_token() const {
    if (token_file_.empty()) return OwnToken{};
    LW_ASSIGN(const std::string text, session::read_private_file(token_file_, kMaxTokenFileBytes));
    LW_ASSIGN(std::vector<std::byte> bytes, session::token_from_text(text));
    auto token = session::read_token(bytes);
    if (!token.ok()) return std::move(token).error().during(token_file_);
    return OwnToken{std::move(bytes), token->node};
  }

  Result<std::unique_ptr<link::TlsLink>> meet_agent(
      std::unique_ptr<Link> tcp, const std::optional<session::Fingerprint>& vouched_for,
      Deadline deadline) {
    LW_ASSIGN(session::TrustStore trusted, session::TrustStore::open(nodes_file(home_)));
    if (trusted.peers().empty() && !vouched_for) return not_paired();
    LW_ASSIGN(const session::KeyStore key,
              session::KeyStore::open_or_create(home_, "longwire client"));
    bool unknown = false;
    std::vector<session::Rotation> way;  // from a key that is trusted to that of this node
    LW_ASSIGN(link::TlsContext::Ptr context,
              link::TlsContext::with_certificate(
                  link::TlsRole::kClient, key.identity(), [&](const link::PeerCertificate& node) {
                    if (trusted.find(node.fingerprint) || vouched_for == node.fingerprint) {
                      return true;
                    }
                    way = way_to(node, trusted);
                    unknown = way.empty();
                    return !unknown;
                  }));
    auto agent = link::TlsLink::handshake(std::move(tcp), std::move(context), deadline);
    if (!agent.ok() && unknown) return not_paired();
    // Now the node has proved its new key.
    if (agent.ok() && !way.empty()) {
      LW_TRY(trusted.follow(way, std::time(nullptr), kNodeOverlapS));
    }
    return agent;
  }

  // Empty: no trusted key vouches for the node's.
  static std::vector<session::Rotation> way_to(const link::PeerCertificate& node,
                                               const session::TrustStore& trusted) {
    auto rotations = session::read_rotations(node.note, session::KeyRole::kNode, node.fingerprint,
                                             std::time(nullptr));
    if (!rotations.ok() || !trusted.can_follow(*rotations)) return {};
    return std::move(rotations).value();
  }

  // With a session's worker.
  static Result<Opened> open_inner(std::unique_ptr<Link> tcp, const session::Welcome& session,
                                   session::Hello hello,
                                   const std::function<wire::Sequence()>& received,
                                   Deadline deadline) {
    LW_TRY(send_preamble(*tcp, hello, deadline));
    Opened opened;
    opened.round_trips = kTcpRoundTrips + kTlsRoundTrips + kHelloRoundTrips;
    LW_ASSIGN(opened.link, meet_worker(std::move(tcp), session, deadline));
    if (received) hello.received = received();
    LW_ASSIGN(opened.welcome, session::hello_and_welcome(*opened.link, hello, deadline));
    return opened;
  }

  static Result<std::unique_ptr<Link>> meet_worker(std::unique_ptr<Link> tcp,
                                                   const session::Welcome& session,
                                                   Deadline deadline) {
    LW_ASSIGN(link::TlsContext::Ptr context,
              link::TlsContext::with_pre_shared_key(link::TlsRole::kClient,
                                                    psk_identity(session.session), session.secret));
    LW_ASSIGN(std::unique_ptr<Link> worker,
              link::TlsLink::handshake(std::move(tcp), std::move(context), deadline));
    return worker;
  }

  Error not_paired() const {
    return {ErrorCode::kUnauthenticated,
            "this user has not been paired with it: run `longwire pair " + address_.place + "`"};
  }

  const NodeAddress address_;
  const std::string home_;
  const std::string token_file_;
  const std::uint64_t features_;
};

}  // namespace

std::string nodes_file(const std::string& home) { return home + "/nodes"; }

std::unique_ptr<Connector> make_connector(NodeAddress address, std::string home,
                                          std::string token_file, std::uint64_t features) {
  if (address.transport == NodeAddress::Transport::kTls) {
    return std::make_unique<TlsConnector>(std::move(address), std::move(home),
                                          std::move(token_file), features);
  }
  return std::make_unique<PlainConnector>(std::move(address), features);
}

}  // namespace longwire::driver
