// What the interpreter does not execute: refused when a module is loaded.
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

#define UNSUPPORTED(name) \
  Handler select_##name(const ir::Instruction&) { return nullptr; }
UNSUPPORTED(Alloca)
UNSUPPORTED(Stacksave)
UNSUPPORTED(Stackrestore)
UNSUPPORTED(Txq)
UNSUPPORTED(Suq)
#undef UNSUPPORTED

}  // namespace longwire::softcuda::interp
