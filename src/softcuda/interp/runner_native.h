// What a back end that compiles does to run warps: begin_native() for the first of a fiber, then
// run_native(); next_warp() or next_block() before each further one.
#pragma once

#include <cstdint>

#include "softcuda/interp/decode.h"
#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

// Lanes come in rows of so many, in each of which %tid.x counts up by one and %tid.y and %tid.z are
// one value; 0: in none that are of use.
std::uint32_t rows_of(const machine::Dim3& block) noexcept;

void begin_native(NativeState& state, const KernelPrograms& programs, machine::Warp& warp) noexcept;
// The warp has become the block's next one, or one of another block, in this one `number`.
void next_warp(NativeState& state) noexcept;
void next_block(NativeState& state, std::uint32_t number) noexcept;
// REQUIRES: the kernel has code; state.runner_place has room for a Runner.
void run_native(NativeState& state);

}  // namespace longwire::softcuda::interp
