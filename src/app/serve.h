// serve(): a node, from its configuration to its last worker. The same for `longwired`,
// `longwire serve` and the private node of `longwire run --local`.
#pragma once

#include "base/result.h"
#include "node/agent.h"
#include "node/config.h"
#include "node/journal.h"

namespace longwire::app {

struct ServeOptions {
  node::NodeConfig config;
  int ready_fd = -1;  // gets one line per endpoint once the node listens, then is closed
};

// Runs until SIGTERM or SIGINT (drain; a second one ends at once), or SIGUSR1 (leaves the sessions
// to the next agent). Returns an error when the node could not start.
base::Status serve(const ServeOptions& options, node::Journal& journal);

}  // namespace longwire::app
