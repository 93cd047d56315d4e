#include "base/file_limit.h"

#include <sys/resource.h>

namespace longwire::base {

bool file_may_have(std::uint64_t bytes) noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || bytes <= limit.rlim_cur;
}

}  // namespace longwire::base
