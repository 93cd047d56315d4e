// Probes of the sandbox, for tests: what a taken-over worker would try first.
#pragma once

#include "app/worker_main/options.h"
#include "base/log.h"

namespace longwire::app {

inline constexpr int kProbeRefused = 0;
inline constexpr int kProbeAllowed = 3;
inline constexpr int kProbeUnknown = 2;
inline constexpr int kProbeSkipped = 77;  // this kernel lacks what would refuse it

// Confines this process, then tries what options.probe names ("NAME" or "NAME:ARGUMENT").
int probe(const WorkerOptions& options, base::Logger& logger);

}  // namespace longwire::app
