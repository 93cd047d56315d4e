// Bugs that are planted in a simulated worker, to prove that the simulation finds such ones.
#pragma once

#include <optional>
#include <string_view>

#include "worker/core/worker.h"

namespace longwire::sim {

enum class Bug : std::uint8_t {
  kNone,
  kRunsTwice,     // a launch is executed twice: a frame replayed under a new number
  kSkipsLaunch,   // a launch is forgotten: a frame acknowledged, but not executed
  kSkipsCopy,     // a buffer keeps what it had
  kForgetsReply,  // a blocking call is never answered
};
std::optional<Bug> bug_named(std::string_view name);  // "runs-twice", ...

// `make` with the bug, which shows at about one in 20 of the commands that it may befall.
worker::core::Worker::MakeBackend with_bug(worker::core::Worker::MakeBackend make, Bug bug,
                                           std::uint64_t seed);

}  // namespace longwire::sim
