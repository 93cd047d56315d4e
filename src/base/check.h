// LW_CHECK guards our own invariants; never data of a peer, a user or a vendor driver.
#pragma once

namespace longwire::base {
[[noreturn]] void check_failed(const char* file, int line, const char* expression) noexcept;
}  // namespace longwire::base

#define LW_CHECK(expression) \
  ((expression) ? void(0) : ::longwire::base::check_failed(__FILE__, __LINE__, #expression))
