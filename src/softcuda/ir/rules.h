// What the instruction set demands of an opcode beyond its pattern, and its defaults.
#pragma once

#include <string>

#include "softcuda/ir/opcode.h"

namespace longwire::softcuda::ir {

// Fills in what the text leaves to the instruction set (rounding, scope), or says what is wrong:
// to be followed by the opcode in quotes.
std::string finish(Opcode& opcode);

}  // namespace longwire::softcuda::ir
