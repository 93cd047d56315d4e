// The process's limit on the size of files (RLIMIT_FSIZE, `ulimit -f`).
#pragma once

#include <cstdint>

namespace longwire::base {

// Whether a file, also one in memory alone, may have so many bytes. Look before one grows: beyond
// the limit ::write() and ::ftruncate() end the whole process, by SIGXFSZ.
bool file_may_have(std::uint64_t bytes) noexcept;

}  // namespace longwire::base
