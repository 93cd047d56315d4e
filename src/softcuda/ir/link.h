// Syntax trees to the program form: what an instruction is and what a name means is decided here.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "softcuda/ir/ir.h"
#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ir {

// Links one or several inputs: .extern against .visible, .weak and .common. The first error is
// told as ptx::error_at() does: kInvalidArgument (the program is wrong), kUnsupported (we lack
// what it asks for), kLimit, kNotFound (an .extern that nothing defines).
base::Result<std::unique_ptr<const Module>> link(
    std::span<const std::unique_ptr<ptx::Source>> sources);

}  // namespace longwire::softcuda::ir
