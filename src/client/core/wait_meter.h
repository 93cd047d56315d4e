// WaitMeter: counts the waits of one session, see counters.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "client/core/counters.h"
#include "wire/frame.h"

namespace longwire::client::core {

class WaitMeter {
 public:
  explicit WaitMeter(const base::Clock& clock) noexcept;

  enum class For { kAnswer, kLink, kIntroduction };

  // One wait, from here to the end of its scope. `sent`: the last frame that this session has sent.
  class Scope {
   public:
    Scope(WaitMeter& meter, For what, wire::Sequence sent) noexcept;
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    WaitMeter& meter_;
    const base::Nanoseconds since_ns_;
  };

  void opened_link(std::uint64_t round_trips) noexcept { setup_round_trips_ += round_trips; }
  void read_into(SessionCounters& counters) const noexcept;

 private:
  bool is_round_trip(wire::Sequence sent) const noexcept;

  const base::Clock& clock_;
  const std::uint64_t serial_;  // of the session, in this process
  std::atomic<std::uint64_t> setup_round_trips_{0};
  std::atomic<std::uint64_t> round_trips_{0};
  std::atomic<std::uint64_t> waits_{0};
  std::atomic<base::Nanoseconds> blocked_ns_{0};
};

}  // namespace longwire::client::core
