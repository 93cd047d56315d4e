// A simulation of whole sessions: the production client (OpenCL's semantics, NodeSession, Redial,
// LinkWatch, lanes) and the production worker with its OpenCL backend on the fake driver, over
// links that misbehave. One seed decides all of a session: what its program does, how its links
// behave and what befalls it (plan.h).
//
// Production code runs on its own threads and in real time, so a session is *not* repeated bit for
// bit: what is repeated is every fault, which happens at a count of bytes, never at a time
// (link/sim/faulty_link.h). The simulation of two streams (stream_sim_test.cc) is fully
// deterministic.
//
// After every session: what was launched ran exactly once and in order, and all of it that the
// program was told of; every byte read was right; a program saw its session lost only where the
// plan ended it, and then for good; callbacks ran once; the worker ended. After every batch: no
// native object or memory, no descriptor and no thread is left. A session that hangs ends the
// process with its seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planted.h"

namespace longwire::sim {

// Sessions of a batch run at once; between batches the process is looked at.
inline constexpr unsigned kBatch = 1000;
inline constexpr unsigned kMaxParallel = 64;
inline constexpr unsigned kDefaultParallel = 48;
// A session takes some 20 ms, or 3 s where silence has to be noticed.
inline constexpr int kHangSeconds = 120;

struct SimOptions {
  std::uint64_t seed = 1;  // of the first session; the next ones follow
  std::uint64_t sessions = 1;
  unsigned parallel = kDefaultParallel;
  int hang_seconds = kHangSeconds;
  bool hang_stays = false;  // a session that hangs is kept, for a debugger
  Bug bug = Bug::kNone;
  std::string replay;     // the command that repeats a failure, up to " --seed"
  bool progress = false;  // a line each while, on stdout
};

struct SimFailure {
  std::uint64_t seed = 0;
  std::uint64_t sessions = 1;  // of a batch in which nobody knows who it was
  std::string what;
};
std::string to_string(const SimFailure& failure, const SimOptions& options);

struct SimTotals {
  std::uint64_t sessions = 0;
  std::uint64_t lost = 0;  // as planned
  std::uint64_t resumes = 0;
  std::uint64_t launches = 0;
};

struct SimResult {
  SimTotals totals;
  std::vector<SimFailure> failures;  // of the first batch that has any
};

// Stops after the first batch with a failure. One at a time per process.
SimResult simulate_sessions(const SimOptions& options);

}  // namespace longwire::sim
