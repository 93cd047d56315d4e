// f16, f16x2, bf16 and bf16x2 forms; nullptr for other types.
#pragma once

#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

enum class HalfOp : std::uint8_t { kAdd, kSub, kMul };
enum class HalfFunction : std::uint8_t { kEx2, kTanh };

Handler select_half_arithmetic(const ir::Instruction& i, HalfOp op);
Handler select_half_fma(const ir::Instruction& i);
Handler select_half_extremum(const ir::Instruction& i, bool max);
Handler select_half_function(const ir::Instruction& i, HalfFunction function);

}  // namespace longwire::softcuda::interp
