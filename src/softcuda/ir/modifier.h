// What each modifier of an opcode says.
#pragma once

#include <string_view>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

// Notes `token` ("ftz", "global", "m16n8k16") in `modifiers`. `layouts` counts the .row and .col
// that an opcode has had. What has no effect (.aligned, cache hints) is left alone.
void apply_modifier(Op op, std::string_view token, int& layouts, Modifiers& modifiers);

}  // namespace longwire::softcuda::ir
