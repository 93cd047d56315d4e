// The program form as text, for tests and for people who look for an error.
#pragma once

#include <string>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

std::string to_text(const Module& module);
std::string to_text(const Module& module, const Function& function);
std::string to_text(const Module& module, const Function& function, const Instruction& instruction);

}  // namespace longwire::softcuda::ir
