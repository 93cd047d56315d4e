// A tenant's corner of the node's cache: what vendor drivers keep of the kernels they build must
// not be read, nor written, by another tenant's sessions.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace longwire::app {

// Makes `cache`/tenants/NAME and points the environment there (POCL_CACHE_DIR, XDG_CACHE_HOME,
// HOME, CUDA_CACHE_PATH, NEO_CACHE_DIR). To be called before a vendor driver is loaded.
base::Result<std::filesystem::path> enter_cache_of(const std::string& tenant,
                                                   const std::filesystem::path& cache);

}  // namespace longwire::app
