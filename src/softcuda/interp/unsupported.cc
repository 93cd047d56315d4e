// What the interpreter does not execute: refused when a module is loaded.
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

#define UNSUPPORTED(name) \
  Handler select_##name(const ir::Instruction&) { return nullptr; }
UNSUPPORTED(Mapa)
UNSUPPORTED(Getctarank)
UNSUPPORTED(Alloca)
UNSUPPORTED(Stacksave)
UNSUPPORTED(Stackrestore)
UNSUPPORTED(Tex)
UNSUPPORTED(Tld4)
UNSUPPORTED(Txq)
UNSUPPORTED(Suld)
UNSUPPORTED(Sust)
UNSUPPORTED(Suq)
UNSUPPORTED(CpAsync)
UNSUPPORTED(CpAsyncCommit)
UNSUPPORTED(CpAsyncWait)
UNSUPPORTED(CpAsyncWaitAll)
UNSUPPORTED(Atom)
UNSUPPORTED(Red)
UNSUPPORTED(MbarrierInit)
UNSUPPORTED(MbarrierInval)
UNSUPPORTED(MbarrierArrive)
UNSUPPORTED(MbarrierTestWait)
UNSUPPORTED(MbarrierTryWait)
UNSUPPORTED(Mma)
UNSUPPORTED(Ldmatrix)
UNSUPPORTED(Stmatrix)
UNSUPPORTED(Movmatrix)
UNSUPPORTED(WmmaLoad)
UNSUPPORTED(WmmaStore)
UNSUPPORTED(WmmaMma)
#undef UNSUPPORTED

}  // namespace longwire::softcuda::interp
