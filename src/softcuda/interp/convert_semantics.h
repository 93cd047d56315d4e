// Conversions of one lane. PTX ISA 8.8, cvt. Values travel as bits in 64 bits.
#pragma once

#include <cstdint>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::interp {

// A value of type i.type2 in `bits` (what is above the type is ignored) as i.type, zero-extended
// for unsigned results and sign-extended to 64 bits for signed ones. Types are integers of 8 to 64
// bits, f16, bf16, tf32 (result only), f32 and f64.
std::uint64_t convert(const ir::Instruction& i, std::uint64_t bits) noexcept;

}  // namespace longwire::softcuda::interp
