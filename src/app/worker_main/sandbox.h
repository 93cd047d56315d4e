// The cage around a session. What a client makes a vendor driver do must not reach further than
// the driver itself: no network, no other process, no file outside the tenant's cache to write,
// only the system's libraries and the devices that compute to read.
//
// Its walls, each of which stands without the others: a user of the tenant's own, where the agent
// is root (user.h); Landlock, where the kernel has it (files, and what other means there are to
// reach out); seccomp (an allow-list of system calls). No new privileges: the agent has seen to it.
// docs/SECURITY.md says what is promised, tests/node/caged.cc tries.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/worker_main/options.h"
#include "base/log.h"
#include "base/result.h"

namespace longwire::app {

// Confines this process for good, and everything that it starts. Returns the tenant's cache, where
// it may write and where it stands from now on. REQUIRES: one thread.
base::Result<std::filesystem::path> enter_cage(const Cage& cage, const std::string& tenant,
                                               base::Logger& logger);

}  // namespace longwire::app
