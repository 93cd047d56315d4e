// AttemptLimit: how often one address may try something that can be guessed, over all the codes
// that a node shows: at most so many times within the window that began with its first try. An
// address that succeeds is forgotten.
//
// Threads: one.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace longwire::session {

inline constexpr int kAttemptsPerAddress = 6;
inline constexpr base::Nanoseconds kAttemptWindowNs = 600 * base::kSecond;
// Remembered; while all of them are within their window, a new one is refused.
inline constexpr std::size_t kMaxAttemptAddresses = 1024;

class AttemptLimit {
 public:
  explicit AttemptLimit(const base::Clock& clock) : clock_(clock) {}
  // Counts a try; false where the address has none left.
  bool take(const std::string& address);
  void forget(const std::string& address) { entries_.erase(address); }

 private:
  struct Entry {
    int tries = 0;
    base::Nanoseconds began_at_ns = 0;
  };
  const base::Clock& clock_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace longwire::session
