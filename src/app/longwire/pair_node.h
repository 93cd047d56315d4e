// The node's half of `longwire pair`: shows the code and waits.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace longwire::app {

// Asks the node that runs on this machine for a code (src/app/pairing_desk.h), says on stdout what
// to do with it, and returns once a client has used it. kUnavailable: no node runs here.
base::Status pair_as_node(const std::filesystem::path& state_directory);

}  // namespace longwire::app
