// Checks of `longwire doctor`: can this user reach a node, from its name to a session. Each step
// needs the one before it; what cannot be tried is left out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/longwire/doctor_finding.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/core/config.h"
#include "client/core/node_session.h"
#include "link/tcp/tcp.h"

namespace longwire::app {

inline constexpr base::Nanoseconds kSlowNameNs = 500 * base::kMillisecond;
inline constexpr base::Nanoseconds kConnectTimeoutNs = 3 * base::kSecond;  // of each address
inline constexpr base::Nanoseconds kSessionTimeoutNs = 10 * base::kSecond;
inline constexpr base::Nanoseconds kMaxClockSkewNs = 30 * base::kSecond;
inline constexpr std::size_t kMaxTriedAddresses = 8;

// Numeric addresses of a name, in the order to try them. Errors: kNotFound.
using Resolver = std::function<base::Result<std::vector<std::string>>(const std::string& host)>;
base::Result<std::vector<std::string>> resolve_with_system(const std::string& host);

struct NodeVisit {
  std::string home = {};        // of this user's key
  std::string token_file = {};  // in place of a pairing; empty: none
  Resolver resolve = resolve_with_system;
  const base::Clock& clock = base::monotonic_clock();
  const base::Clock& wall = base::wall_clock();
  base::Nanoseconds connect_timeout_ns = kConnectTimeoutNs;
  base::Nanoseconds session_timeout_ns = kSessionTimeoutNs;
};

// What the checks have opened on the way, for those that measure.
struct Reached {
  std::unique_ptr<client::core::NodeSession> session;  // null: not reached
  base::Nanoseconds round_trip_ns = 0;                 // of the TCP connection; 0 on a unix socket
  std::string congestion_control;                      // that a connection to it has here
};

// "name", "connect", "session", "clock", "version".
Findings check_node(const client::core::NodeAddress& node, const NodeVisit& visit,
                    Reached& reached);

// "clock": the node said its time at some point between two of ours, all since 1970.
Finding judge_clock(std::uint64_t node_ms, base::Nanoseconds before_ns, base::Nanoseconds after_ns);

}  // namespace longwire::app
