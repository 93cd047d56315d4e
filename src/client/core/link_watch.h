// LinkWatch: notices that a link is dead of which no kernel says so (a cable pulled, an address
// that has changed). Looks at one session's link at regular intervals, while the program waits for
// something; silence leads to a ping, and silence after that to a suspicion. A suspicion costs
// another link, never the session.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace longwire::client::core {

inline constexpr base::Nanoseconds kWatchIntervalNs = 250 * base::kMillisecond;
// Looks without an answer to the ping, at least; twice as many after each suspicion that has not
// helped, as the worker may just be busy.
inline constexpr std::int64_t kLeastPatience = 3;
inline constexpr std::int64_t kMostPatience = 40;
inline constexpr int kRoundTripsOfPatience = 3;

class LinkWatch {
 public:
  enum class Advice : std::uint8_t { kNothing, kPing, kSuspect };

  void set_round_trip(base::Nanoseconds round_trip_ns) noexcept {
    const auto looks = kRoundTripsOfPatience * round_trip_ns / kWatchIntervalNs;
    least_ = patience_ = std::clamp(looks, kLeastPatience, kMostPatience);
  }
  // Every kWatchIntervalNs: how much has come on this link, and whether anybody waits for more.
  Advice look(std::uint64_t bytes_in, bool awaited) noexcept {
    const bool heard = bytes_in != bytes_in_;
    bytes_in_ = bytes_in;
    if (heard) patience_ = least_;
    silent_ = heard || !awaited ? 0 : silent_ + 1;
    if (silent_ == 1) return Advice::kPing;
    if (silent_ <= patience_) return Advice::kNothing;
    silent_ = 0;
    patience_ = std::min(2 * patience_, kMostPatience);
    return Advice::kSuspect;
  }
  // Another link, on which so much has come already.
  void relinked(std::uint64_t bytes_in) noexcept {
    bytes_in_ = bytes_in;
    silent_ = 0;
  }

 private:
  std::uint64_t bytes_in_ = 0;
  std::int64_t silent_ = 0;
  std::int64_t least_ = kLeastPatience;
  std::int64_t patience_ = kLeastPatience;
};

}  // namespace longwire::client::core
