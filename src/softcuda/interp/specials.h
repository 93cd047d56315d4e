// The special registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

// Whether it changes while a kernel runs.
bool is_clock(ir::Special special) noexcept;
bool is_special_supported(ir::Special special) noexcept;

// What is one for all lanes of a warp.
std::uint64_t warp_value(ir::Special special, const machine::Warp& warp) noexcept;
// Of %laneid and the masks of lanes.
std::uint32_t lane_value(ir::Special special, std::uint32_t lane) noexcept;
// 32 equal values, in every width (kPoolBytes).
void fill_pool(std::byte* pool, std::uint64_t value) noexcept;
// The values of a special register for the lanes of a warp.
void fill_special(std::byte* pool, const SpecialUse& use, const machine::Warp& warp) noexcept;
// A step: reads the clock that slot 0 is, whose displacement says which.
void refresh_clock(Context& c, const Step& s);

}  // namespace longwire::softcuda::interp
