// The floating-point forms of roots that integers share.
#pragma once

#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

Handler select_float_add(const ir::Instruction& i);
Handler select_float_sub(const ir::Instruction& i);
Handler select_float_mul(const ir::Instruction& i);
Handler select_float_div(const ir::Instruction& i);
Handler select_float_abs(const ir::Instruction& i);
Handler select_float_neg(const ir::Instruction& i);
Handler select_float_min(const ir::Instruction& i);
Handler select_float_max(const ir::Instruction& i);

}  // namespace longwire::softcuda::interp
