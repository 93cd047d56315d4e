// Initialisers of variables: bytes, and addresses that are filled in when the module is loaded.
#pragma once

#include <functional>

#include "softcuda/ir/context.h"
#include "softcuda/ir/layout.h"

namespace longwire::softcuda::ir {

struct InitialContext {
  const ptx::Source& source;
  Errors& errors;
  std::uint64_t& budget;  // bytes of initialisers that the link may still make
  std::function<std::optional<ModuleName>(std::string_view)> find;
};

// Fills in `out.initial` and `out.relocations`, and `out.bytes` of an array whose size is left to
// its initialiser.
void initialise(const ptx::Variable& variable, const Extent& extent, const InitialContext& context,
                Variable& out);

}  // namespace longwire::softcuda::ir
