// What compiled code calls.
#pragma once

#include <cstdint>
#include <string_view>

#include "softcuda/interp/program.h"

namespace longwire::softcuda::jit {

// Executes a step as the interpreter does, for some lanes, on the registers in the frame.
void run_step(interp::NativeState& state, const interp::Step& step, interp::Mask lanes);
// What an access of the code looks at: its NativeState::ranges, and how many bytes at once (0: each
// lane's). As a number, to be small in the code.
struct AccessReach {
  std::uint32_t range = 0, span = 0;
  std::uint64_t packed() const noexcept { return std::uint64_t{range} << 32 | span; }
  static AccessReach of(std::uint64_t packed) noexcept {
    return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
  }
};
// As run_step, of an access to memory; finds how much is allocated around the address, for the
// next.
void run_access(interp::NativeState& state, const interp::Step& step, interp::Mask lanes,
                std::uint64_t reach);
// All lanes of the warp come to a barrier; 0: they are not together.
std::uint32_t run_barrier(interp::NativeState& state, const interp::Step& step);

// A function that LLVM makes calls of by itself, of the C library or the compiler's; nullptr: it is
// not among those that the code may call.
const void* function_named(std::string_view name) noexcept;

}  // namespace longwire::softcuda::jit
