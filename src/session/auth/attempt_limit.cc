#include "session/auth/attempt_limit.h"

namespace longwire::session {

bool AttemptLimit::take(const std::string& address) {
  const base::Nanoseconds now_ns = clock_.now_ns();
  const auto is_over = [now_ns](const auto& item) {
    return now_ns - item.second.began_at_ns >= kAttemptWindowNs;
  };
  if (const auto known = entries_.find(address); known != entries_.end() && is_over(*known)) {
    entries_.erase(known);
  }
  if (!entries_.contains(address) && entries_.size() >= kMaxAttemptAddresses) {
    std::erase_if(entries_, is_over);
    if (entries_.size() >= kMaxAttemptAddresses) return false;
  }
  Entry& entry = entries_.try_emplace(address, Entry{0, now_ns}).first->second;
  if (entry.tries >= kAttemptsPerAddress) return false;
  ++entry.tries;
  return true;
}

}  // namespace longwire::session
