#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace longwire::base {

void check_failed(const char* file, int line, const char* expression) noexcept {
  std::fprintf(stderr, "longwire: internal error at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace longwire::base
