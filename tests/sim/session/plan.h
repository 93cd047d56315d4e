// What one seed decides about one session of the simulation: how its links behave, what befalls it,
// and what its program does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "link/sim/faulty_link.h"

namespace longwire::sim {

// Limits of what a plan asks for.
inline constexpr unsigned kMaxSteps = 24;
inline constexpr unsigned kMaxCuts = 5;
inline constexpr unsigned kMaxRefusals = 3;
// Long enough for any machine to come back after the faults of a plan.
inline constexpr base::Nanoseconds kGraceNs = 60 * base::kSecond;
// What a session gets whose grace is to pass.
inline constexpr base::Nanoseconds kShortGraceNs = 150 * base::kMillisecond;

// What ends the session from outside. Only then may a program see it lost.
enum class Fatal : std::uint8_t {
  kNone,
  kWorkerStops,  // after so many bytes of its first link
  kWorkerGone,   // its links close, and the node knows no such session any more
  kGracePasses,  // the link is cut, and the node lets nobody in for longer than the grace
};

// How the client's links behave, one after the other. End 0 is the client's.
struct LinkPlan {
  link::LinkFaults faults;
  bool handshake_is_cut = false;  // the cut comes before the handshake is over
};

struct Plan {
  explicit Plan(std::uint64_t seed);
  std::string to_string() const;

  std::uint64_t seed;
  Fatal fatal = Fatal::kNone;
  std::uint64_t fatal_at_bytes = 0;  // towards `fatal_towards` on the first link
  std::size_t fatal_towards = 0;
  std::vector<LinkPlan> links;     // the first, and those of the resumes; after them sound ones
  std::vector<unsigned> refusals;  // how often the node refuses before each resume
  std::uint32_t lanes = 0;
  link::LinkFaults lane_faults;                    // of every lane
  std::optional<base::Nanoseconds> clock_jump_ns;  // both sides', at clock_jump_at
  link::LinkFaults::Point clock_jump_at;
  unsigned steps = 0;
  std::uint64_t program_seed = 0;
};

}  // namespace longwire::sim
