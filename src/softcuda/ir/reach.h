// What a kernel may reach through calls: how deep they go, and where shared memory is placed.
#pragma once

#include <span>

#include "base/result.h"
#include "softcuda/ir/context.h"

namespace longwire::softcuda::ir {

inline constexpr std::uint64_t kMaxReachSteps = 20'000'000;
inline constexpr std::uint64_t kMaxSharedBytes = 1 << 30;  // of a kernel; the machine has less

// `uses` are of the module's functions, in their order. Sets call_depth of functions,
// static_shared_bytes of kernels and the offsets of shared variables.
base::Status place_shared(Module& module, std::span<const Uses> uses);

}  // namespace longwire::softcuda::ir
