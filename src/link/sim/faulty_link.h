// A link in memory for simulations with real threads, whose faults are a function of byte counts,
// not of wall time: "after 4711 bytes towards end 1 nothing more arrives, and nobody is told". So a
// seed names the same faults in every run, though the threads that write run as they like.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "link/link.h"

namespace longwire::link {

// What a cut looks like to the two ends.
enum class Cut : std::uint8_t {
  kNone,
  kReset,       // both find the link lost; what was not read yet is gone
  kClosed,      // both find that the other side's kernel closed it; what has come can be read
  kToldFirst,   // end 0 finds it lost, end 1 hears nothing more
  kToldSecond,  // the other way round
  kSilent,      // neither is told: writes are taken until the pipe is full, nothing arrives
};

// Byte counts are of one direction: what has been written towards that end.
struct LinkFaults {
  struct Point {
    std::size_t towards = 0;  // end 0 or 1
    std::uint64_t at_bytes = 0;
  };
  struct Stall {
    Point where;
    base::Nanoseconds for_ns = 0;  // what is written behind the point arrives so much later
  };
  struct Trap {
    Point where;
    std::function<void()> action;  // once, on the writing thread, without locks
  };
  std::uint64_t seed = 1;              // of the steps
  std::size_t pipe_bytes = 256 << 10;  // under way and unread, per direction
  std::size_t max_step_bytes = 0;      // a read or write takes 1 to so many bytes; 0: what it can
  base::Nanoseconds latency_ns = 0;
  std::vector<Stall> stalls;
  std::vector<Trap> traps;
  Cut cut = Cut::kNone;
  Point cut_at;
};

// Ends 0 (first) and 1. `clock` is that of the deadlines, and outlives them.
std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_faulty_pair(const base::Clock& clock,
                                                                         LinkFaults faults);

}  // namespace longwire::link
