// Running somebody's program as our child: its exit code is ours, and so are its signals.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace longwire::app {

using Environment = std::vector<std::pair<std::string, std::string>>;  // added to ours

// Runs `arguments` with `environment`, passes on the signals that other processes send to us (a
// terminal's go to the program by themselves), and waits. The exit code to leave with: the
// program's; 128 + N when signal N ended it; 126 or 127 when it could not be executed (said on
// stderr).
base::Result<int> run_program(const std::vector<std::string>& arguments,
                              const Environment& environment);

}  // namespace longwire::app
