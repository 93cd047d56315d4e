// The seccomp wall: two filters, of which the kernel takes the stricter answer. The first is the
// allow-list (syscalls.h, and calls that are allowed with certain arguments only); the second
// refuses single uses of calls that the first lets through.
#pragma once

#include <cstdint>
#include <span>

#include "app/worker_main/options.h"
#include "base/result.h"

namespace longwire::app {

// A condition on one argument: (argument & mask) == value, or != where `differs`.
struct ArgumentRule {
  const char* call;
  unsigned argument;  // from 0
  std::uint64_t mask;
  std::uint64_t value;
  bool differs = false;
};

// What is allowed under a condition only. The value kOwnPid stands for this process.
inline constexpr std::uint64_t kOwnPid = ~std::uint64_t{0};
std::span<const ArgumentRule> conditional_calls();
// What is refused of calls that are allowed.
std::span<const ArgumentRule> refused_uses();

// For this process and all that it starts, for good. REQUIRES: one thread, no new privileges.
base::Status restrict_calls(Confinement strictness);

}  // namespace longwire::app
