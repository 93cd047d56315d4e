// The worker's command line: written by the agent (src/app/serve.cc), read here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"
#include "worker/opencl/session_limits.h"

namespace longwire::app {

enum class Confinement : std::uint8_t { kOff, kLog, kEnforce };

// What a worker is locked into.
struct Cage {
  Confinement strictness = Confinement::kEnforce;
  std::filesystem::path cache;      // of all tenants
  std::filesystem::path temporary;  // this worker's own; empty: a folder of the tenant's cache
  // The first user id of the tenants; 0: the worker stays who it is.
  std::uint32_t first_user = 0;
  std::vector<std::filesystem::path> devices;  // beside the known ones
};

struct WorkerOptions {
  Cage cage;
  worker::opencl::Scrub scrub = worker::opencl::Scrub::kAuto;
  bool preload = true;  // the vendors' libraries, before a session comes
};
base::Result<WorkerOptions> parse_worker_options(int argc, char** argv);

}  // namespace longwire::app
