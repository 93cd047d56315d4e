// The reference back end: executes the instructions of the ir as the PTX ISA describes them.
#pragma once

#include <memory>

#include "base/result.h"
#include "softcuda/ir/ir.h"
#include "softcuda/machine/backend.h"

namespace longwire::softcuda::interp {

std::unique_ptr<machine::Backend> create();

// Whether an instruction is executed in this form.
bool is_supported(const ir::Instruction& instruction) noexcept;
// kUnsupported: names the first one that is not, with its line.
base::Status check_supported(const ir::Module& module);

}  // namespace longwire::softcuda::interp
