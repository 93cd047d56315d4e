// Where the parts of this installation are, found from the running binary: a build tree has bin/
// and lib/, a prefix bin/, libexec/longwire/ and lib/longwire/.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace longwire::app {

// /proc/self/exe.
base::Result<std::filesystem::path> own_binary();
base::Result<std::filesystem::path> find_worker();         // longwire-worker
base::Result<std::filesystem::path> find_opencl_driver();  // liblongwire_opencl.so

}  // namespace longwire::app
