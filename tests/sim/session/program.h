// The program of a simulated session: OpenCL calls that a seed chooses, on an in-order queue, with
// a model of what every buffer must hold. It believes nothing: what a call reports as done is
// checked.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plan.h"

namespace longwire::sim {

inline constexpr std::size_t kMaxLaunches = 2 * kMaxSteps + 2;
using CallCounts = std::array<std::atomic<std::uint32_t>, kMaxLaunches>;

struct ProgramReport {
  std::vector<std::string> problems;  // what must never be
  bool lost = false;                  // a call failed as after a lost session
  std::uint32_t launched = 0;         // journal(1) to journal(launched) were enqueued, in order
  std::uint32_t confirmed = 0;        // of them so many were reported to have run
  std::uint32_t callbacks_wanted = 0;
  std::shared_ptr<CallCounts> callbacks = std::make_shared<CallCounts>();  // of each event
};

// Runs with process_runtime() of this thread. `session`: the number that journal() is told.
// Returns once every callback was called; a second call may come until the runtime has gone.
ProgramReport run_program(const Plan& plan, std::uint32_t session);

}  // namespace longwire::sim
