// Time arrives through Clock, so that the simulator runs the production code on its own time.
#pragma once

#include <cstdint>
#include <limits>

namespace longwire::base {

using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic; the origin is arbitrary.
  virtual Nanoseconds now_ns() const noexcept = 0;
};

// CLOCK_MONOTONIC of this machine. Stateless, hence shareable.
const Clock& monotonic_clock() noexcept;

// The time of day of this machine: since 1970, UTC. Steps when somebody sets it.
const Clock& wall_clock() noexcept;

// A point in time of the clock that the callee uses; kNever waits without end.
struct Deadline {
  Nanoseconds at_ns = std::numeric_limits<Nanoseconds>::max();
  static Deadline never() { return {}; }
  static Deadline in(const Clock& clock, Nanoseconds from_now_ns) {
    return {clock.now_ns() + from_now_ns};
  }
  bool is_never() const { return at_ns == std::numeric_limits<Nanoseconds>::max(); }
};

}  // namespace longwire::base
