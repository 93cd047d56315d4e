// What a back end that compiles does to run a warp: once for each block, or for each warp that has
// a fiber of its own, begin_block(); for each warp begin_warp() and run_native().
#pragma once

#include <cstdint>

#include "softcuda/interp/decode.h"
#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

// Lanes come in rows of so many, in each of which %tid.x counts up by one and %tid.y and %tid.z are
// one value; 0: in none that are of use.
std::uint32_t rows_of(const machine::Dim3& block) noexcept;

void begin_block(NativeState& state, const KernelPrograms& programs, machine::Warp& warp) noexcept;
void begin_warp(NativeState& state) noexcept;
// REQUIRES: the kernel has code; state.runner_place has room for a Runner.
void run_native(NativeState& state);

}  // namespace longwire::softcuda::interp
