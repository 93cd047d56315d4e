// In-process link: two bounded byte pipes in memory, for tests and for a client and worker in one
// process. No descriptors, no system calls but the futex of a real wait.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "link/link.h"

namespace longwire::link {

inline constexpr std::size_t kInprocPipeBytes = std::size_t{1} << 20;

// Both ends of a new link. `pipe_bytes` bounds what is under way in each direction.
std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_inproc_pair(
    std::size_t pipe_bytes = kInprocPipeBytes);

}  // namespace longwire::link
