#include "app/longwire/doctor_node.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "app/longwire/table.h"
#include "driver/connect.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Nanoseconds;
using base::Result;
using client::core::NodeAddress;
using client::core::NodeSession;
using Transport = NodeAddress::Transport;

constexpr std::uint64_t kMsOfNs = base::kMillisecond;

// --- name
// -----------------------------------------------------------------------------------------

Finding judge_name(const std::string& host, const Result<std::vector<std::string>>& addresses,
                   Nanoseconds took_ns) {
  if (!addresses) {
    return problem("name", addresses.error().message(),
                   "spell it as the network does, or use the node's address");
  }
  const std::string seen = host + " is " + addresses->front() + ", found in " + show_time(took_ns);
  if (took_ns < kSlowNameNs) return fine("name", seen);
  return warning("name", seen + ": every program waits for that",
                 "use the address instead of the name, add it to /etc/hosts, or mend "
                 "/etc/resolv.conf");
}

// --- connect
// --------------------------------------------------------------------------------------

Finding cannot_connect(const Error& why, const link::HostPort& place) {
  const std::string port = std::to_string(place.port);
  switch (why.code()) {
    case ErrorCode::kClosed:
      return problem("connect", why.message(),
                     "longwired is not running there, or listens elsewhere: systemctl status "
                     "longwired, on the node");
    case ErrorCode::kTimeout:
      return problem("connect", why.message(),
                     "the machine is off, or a firewall drops TCP port " + port +
                         ": let it through on the node, and between");
    default:
      return problem("connect", why.message(), "no way leads there: check the address and routes");
  }
}

std::string congestion_control_of(int socket) {
  std::array<char, 32> name{};
  socklen_t size = name.size() - 1;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return "";
  return name.data();
}

// To the first address that answers, as programs do.
Finding connect_to(const std::vector<std::string>& addresses, const link::HostPort& place,
                   const NodeVisit& visit, Reached& reached) {
  Result<base::UniqueFd> last = Error(ErrorCode::kNotFound, "no address");
  const std::size_t count = std::min(addresses.size(), kMaxTriedAddresses);
  for (std::size_t i = 0; i < count; ++i) {
    const Nanoseconds began = visit.clock.now_ns();
    auto socket = link::connect_tcp({addresses[i], place.port},
                                    base::Deadline::in(visit.clock, visit.connect_timeout_ns));
    if (socket) {
      reached.round_trip_ns = visit.clock.now_ns() - began;
      reached.congestion_control = congestion_control_of(socket->get());
      const std::string seen = link::to_string({addresses[i], place.port}) + " answers in " +
                               show_time(reached.round_trip_ns);
      if (i == 0) return fine("connect", seen);
      return warning("connect", seen + ", but not the address before it: " + last.error().message(),
                     "use that address: every program tries the other one first");
    }
    last = std::move(socket);
  }
  return cannot_connect(last.error(), place);
}

// --- session
// --------------------------------------------------------------------------------------

Finding no_session(const Error& why, const NodeAddress& node) {
  const std::string& seen = why.message();
  switch (why.code()) {
    case ErrorCode::kUnauthenticated:
      return problem("session", seen,
                     "the two do not trust each other (any more): longwire pair " + node.place);
    case ErrorCode::kUnsupported:
      return problem("session", seen, "install the same version on both machines");
    case ErrorCode::kTimeout:
      return problem("session", "it takes the connection, but does not answer: " + seen,
                     "something else listens there, or a firewall lets only small packets through");
    case ErrorCode::kLimit:
      return problem("session", seen, "the node is full: limits in its longwired.toml");
    case ErrorCode::kPermissionDenied:
      return problem("session", seen, "the node's log says more: journalctl -u longwired");
    default:
      return problem("session", seen,
                     "is that port longwired's, and with TLS as `longwire pair` uses it? The "
                     "node's log says why it has ended the connection");
  }
}

std::string described(const session::Welcome& welcome, Nanoseconds took_ns) {
  return "node '" + welcome.node + "'" +
         (welcome.tenant.empty() ? "" : ", tenant '" + welcome.tenant + "'") + ", set up in " +
         show_time(took_ns);
}

Finding judge_version(const std::string& software) {
  if (software == "longwire " LONGWIRE_VERSION) return fine("version", "both are " + software);
  return warning("version", "the node is " + software + ", this is longwire " LONGWIRE_VERSION,
                 "they understand each other; the same version on both has every feature");
}

// Without an introduction, which is larger than a packet: the path is judged step by step.
constexpr std::uint64_t kFeatures = driver::kFeatures & ~session::kFeatureIntroduction;

Findings open_session(const NodeAddress& node, const NodeVisit& visit, Reached& reached) {
  auto session = std::make_unique<NodeSession>(
      visit.clock, driver::make_connector(node, visit.home, visit.token_file, kFeatures));
  const Nanoseconds before = visit.wall.now_ns();
  const Nanoseconds began = visit.clock.now_ns();
  const auto connected =
      session->connect(base::Deadline::in(visit.clock, visit.session_timeout_ns));
  const Nanoseconds took = visit.clock.now_ns() - began;
  const Nanoseconds after = visit.wall.now_ns();
  if (!connected) return {no_session(connected.error(), node)};
  const session::Welcome& welcome = session->welcome();
  Findings findings = {fine("session", described(welcome, took)), judge_version(welcome.software),
                       judge_clock(welcome.time_ms, before, after)};
  reached.session = std::move(session);
  return findings;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// "name" and "connect". False: no further.
bool check_way(const NodeAddress& node, const NodeVisit& visit, Reached& reached,
               Findings& findings) {
  const auto place = link::parse_host_port(node.place, client::core::kDefaultPort);
  if (!place) {
    findings.push_back(problem("name", place.error().message(), "write HOST or HOST:PORT"));
    return false;
  }
  const Nanoseconds began = visit.clock.now_ns();
  const auto addresses = visit.resolve(place->host);
  findings.push_back(judge_name(place->host, addresses, visit.clock.now_ns() - began));
  if (!addresses) return false;
  findings.push_back(connect_to(*addresses, *place, visit, reached));
  return findings.back().outcome != Outcome::kProblem;
}

}  // namespace

Result<std::vector<std::string>> resolve_with_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0) {
    return Error(ErrorCode::kNotFound, "cannot resolve '" + host + "': " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  std::vector<std::string> addresses;
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  if (addresses.empty()) return Error(ErrorCode::kNotFound, "'" + host + "' has no address");
  return addresses;
}

Finding judge_clock(std::uint64_t node_ms, Nanoseconds before_ns, Nanoseconds after_ns) {
  if (node_ms == 0) return skipped("clock", "the node does not say its time: it is older");
  if (node_ms > static_cast<std::uint64_t>(INT64_MAX) / kMsOfNs) {
    return warning("clock", "the node's time makes no sense",
                   "set its clock: timedatectl set-ntp on");
  }
  const auto node_ns = static_cast<Nanoseconds>(node_ms * kMsOfNs);
  const Nanoseconds early = before_ns - node_ns;  // > 0: at least so much behind
  const Nanoseconds late = node_ns - after_ns;    // > 0: at least so much ahead
  const Nanoseconds skew = std::max<Nanoseconds>({early, late, 0});
  if (skew <= kMaxClockSkewNs) return fine("clock", "the node's is within 30 s of this one's");
  return warning("clock",
                 "the node's is " + std::to_string(skew / base::kSecond) + " s " +
                     (early > 0 ? "behind" : "ahead of") + " this one's",
                 "what is valid until some time ends early or late: timedatectl set-ntp on, on "
                 "both");
}

Findings check_node(const NodeAddress& node, const NodeVisit& visit, Reached& reached) {
  Findings findings;
  if (node.transport != Transport::kUnix && !check_way(node, visit, reached, findings)) {
    return findings;
  }
  Findings session = open_session(node, visit, reached);
  findings.insert(findings.end(), session.begin(), session.end());
  return findings;
}

}  // namespace longwire::app
