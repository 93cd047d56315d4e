// The worker's command line: written by the agent (src/app/serve.cc), read here.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace longwire::app {

enum class Confinement : std::uint8_t { kOff, kLog, kEnforce };

struct WorkerOptions {
  std::filesystem::path cache;  // of all tenants
  Confinement sandbox = Confinement::kEnforce;
  bool preload = true;  // the vendors' libraries, before a session comes
  std::string probe;    // tests: try one forbidden thing and say what came of it
};
base::Result<WorkerOptions> parse_worker_options(int argc, char** argv);

}  // namespace longwire::app
