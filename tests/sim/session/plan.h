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
inline constexpr unsigned kMaxLanesCut = 4;
// Whose agent is away for a short while need not be told of it: a client tries for longer anyway
// (client::core::kNobodyThereNs). Only who is told waits out a long one.
inline constexpr base::Nanoseconds kShortAwayNs = 300 * base::kMillisecond;
inline constexpr base::Nanoseconds kLongAwayNs = 2 * base::kSecond;
// Long enough for any machine to come back after the faults of a plan.
inline constexpr base::Nanoseconds kGraceNs = 60 * base::kSecond;
// What a session gets whose grace is to pass.
inline constexpr base::Nanoseconds kShortGraceNs = 150 * base::kMillisecond;

// Buffers of this size cannot be had: the fake driver fails to allocate them.
inline constexpr std::size_t kUnluckyBytes = 12344;

// What ends the session from outside. Only then may a program see it lost.
enum class Fatal : std::uint8_t {
  kNone,
  kWorkerStops,  // after so many bytes of its first link
  kWorkerGone,   // its links close, and the node knows no such session any more
  kGracePasses,  // the link is cut, and the node lets nobody in for longer than the grace
};

// The node's agent dies after so many bytes of the first link, and another one finds the worker
// later. Meanwhile nobody listens. No session is lost by it.
struct AgentDeath {
  link::LinkFaults::Point at;
  base::Nanoseconds away_ns = 0;  // 0: it lives
  bool cut_when_told = false;     // the first link closes as soon as the client has heard of it
};

// A greeting of a resume that comes once more, on a link of its own, before the one with which the
// client goes on: an attempt that it has given up.
struct Twin {
  bool comes = false;
  bool stale = false;  // says what the resume before this one said
  bool late = false;   // ends last, and so takes the session away from the other
  bool stays = false;  // its link stays open
};

// The node's cache of builds.
enum class Cache : std::uint8_t { kNone, kWorks, kFull };

// How the client's links behave, one after the other. End 0 is the client's.
struct LinkPlan {
  link::LinkFaults faults;
  bool handshake_is_cut = false;  // the cut comes before the handshake is over
  Twin twin;
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
  link::LinkFaults lane_faults;                    // of every lane, but for its cut:
  std::uint32_t lanes_cut = 0;                     // only the first so many are cut
  std::optional<base::Nanoseconds> clock_jump_ns;  // both sides', at clock_jump_at
  link::LinkFaults::Point clock_jump_at;
  AgentDeath agent_death;
  bool introduces = false;        // the node says unasked what devices it has
  bool tells_agent_away = false;  // and, by its workers, that its agent is away
  Cache cache = Cache::kNone;
  std::uint64_t eager_credit_bytes = 0;
  unsigned steps = 0;
  std::uint64_t program_seed = 0;
};

}  // namespace longwire::sim
