// The worker's concrete backend: OpenCL through the system's ICD loader.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "worker/core/worker.h"
#include "worker/opencl/session_limits.h"

namespace longwire::app {

// Loads libOpenCL.so.1. To be called once, after the sandbox and the cache are in place. kNotFound
// where this node has no ICD loader. Builds are cached in a folder of `cache`, the tenant's own.
base::Result<worker::core::Worker::MakeBackend> load_opencl(
    const std::filesystem::path& cache, const worker::opencl::SessionLimits& limits);

}  // namespace longwire::app
