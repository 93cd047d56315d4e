// What compiled code calls.
#pragma once

#include <cstdint>
#include <string_view>

#include "softcuda/interp/program.h"

namespace longwire::softcuda::jit {

// Executes a step as the interpreter does, for some lanes, on the registers in the frame.
void run_step(interp::NativeState& state, const interp::Step& step, interp::Mask lanes);
// The same of an access to memory; finds how much is allocated around the address, for the next,
// which looks at `span` bytes at once (0: at `size`), of a multiple of `size`.
void run_access(interp::NativeState& state, const interp::Step& step, interp::Mask lanes,
                std::uint64_t address, std::uint32_t range, std::uint32_t span, std::uint32_t size);
// All lanes of the warp come to a barrier; 0: they are not together.
std::uint32_t run_barrier(interp::NativeState& state, const interp::Step& step);

// A function that LLVM makes calls of by itself, of the C library or the compiler's; nullptr: it is
// not among those that the code may call.
const void* function_named(std::string_view name) noexcept;

}  // namespace longwire::softcuda::jit
