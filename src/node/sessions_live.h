// One session of Sessions, for its own sources.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "node/sessions.h"

namespace longwire::node {

struct Sessions::Live {
  explicit Live(asio::io_context& io) : start_timer(io) {}

  NewSession wanted;
  session::Welcome welcome;
  session::ReclaimSecret reclaim{};  // what a later agent shows its worker
  Opened opened;                     // empty once called
  std::unique_ptr<WorkerProcess> worker;
  asio::steady_timer start_timer;
  base::Nanoseconds began_at_ns = 0;
  bool adopted = false;
  bool audited = false;       // its beginning is in the audit log
  bool unseen = false;        // it has ended while no agent was there, or before it could tell
  std::string ended_because;  // why we have ended it
  std::string_view ended_as = "ended";  // as which outcome that is told
  session::Stats stats;
  base::Nanoseconds stats_at_ns = 0;
  session::Stats stats_before;
  base::Nanoseconds stats_before_at_ns = 0;
  std::optional<session::Ended> ended;

  void take(const session::Stats& latest, base::Nanoseconds now_ns) {
    stats_before = std::exchange(stats, latest);
    stats_before_at_ns = std::exchange(stats_at_ns, now_ns);
  }
};

// Eight bytes name it among many; all sixteen would be the key to its lanes.
inline std::string session_name(const session::SessionId& id) {
  return session::to_hex(std::span(id).first(8));
}

}  // namespace longwire::node
