// cvt from and to e4m3x2 and e5m2x2.
#pragma once

#include <cstdint>

#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

Handler select_fp8(const ir::Instruction& i);  // nullptr: of neither type

// One number; `bits` of the format. e4m3 has no infinity: NaN is 0x7f, the largest number 448.
std::uint8_t e4m3_of(double value) noexcept;
std::uint8_t e5m2_of(double value) noexcept;
float float_of_e4m3(std::uint8_t bits) noexcept;
float float_of_e5m2(std::uint8_t bits) noexcept;

}  // namespace longwire::softcuda::interp
