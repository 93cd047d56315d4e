// The walls around a session. What a client makes a vendor driver do must not reach further than
// the driver itself: no network, no other process, no file outside the tenant's cache to write,
// only the system's libraries and devices to read.
//
// Two walls, either of which a kernel may lack: seccomp (an allow-list of system calls, found by
// tracing PoCL and what it starts) and Landlock (files). No new privileges: the agent has seen to
// it.
#pragma once

#include <filesystem>

#include "app/worker_main/options.h"
#include "base/log.h"
#include "base/result.h"

namespace longwire::app {

struct Walls {
  Confinement strictness = Confinement::kEnforce;
  std::filesystem::path cache;  // the one place to write to
};

// Confines this process for good, and everything that it starts. REQUIRES: one thread.
base::Status confine(const Walls& walls, base::Logger& logger);

}  // namespace longwire::app
