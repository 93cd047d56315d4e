// Bugs that are planted in a simulated worker, to prove that the simulation finds such ones.
#pragma once

#include <optional>
#include <string_view>

#include "plan.h"
#include "worker/core/worker.h"

namespace longwire::sim {

enum class Bug : std::uint8_t {
  kNone,
  kRunsTwice,     // a launch is executed twice: a frame replayed under a new number
  kSkipsLaunch,   // a launch is forgotten: a frame acknowledged, but not executed
  kSkipsCopy,     // a buffer keeps what it had
  kForgetsReply,  // a blocking call is never answered
  kHidesFailure,  // a buffer that cannot be had is had
  kNeedsCache,    // a build fails that cannot be kept
  // The node's:
  kKeepsBrokenChunk,   // a chunk inside which its lane broke counts as received
  kRefusesTwins,       // of two greetings at once, one is told that the session is over
  kAgentAwayTooShort,  // the client is told of an absence shorter than it is
};
std::optional<Bug> bug_named(std::string_view name);  // "runs-twice", ...

// `make` with the bug, if it is one of the worker's. The first four show at about one in 20 of the
// commands that they may befall.
worker::core::Worker::MakeBackend with_bug(worker::core::Worker::MakeBackend make, Bug bug,
                                           const Plan& plan);

}  // namespace longwire::sim
