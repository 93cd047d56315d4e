// ex2, lg2, sin and cos of f32: the operations of interp/functions.h, as code.
#include "softcuda/interp/functions.h"

#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

namespace functions = interp::functions;
using ir::Op;

namespace {

// What emits the arithmetic.
struct CodeArithmetic {
  using Real = Value;
  using Bits = Value;
  using Condition = Value;
  const Values& v;

  Real number(double x) const { return v.real(64, x); }
  Bits word(std::uint64_t x) const { return v.constant(64, x); }
  Real add(Real a, Real b) const { return v.two(LLVMBuildFAdd, a, b); }
  Real sub(Real a, Real b) const { return v.two(LLVMBuildFSub, a, b); }
  Real mul(Real a, Real b) const { return v.two(LLVMBuildFMul, a, b); }
  Real div(Real a, Real b) const { return v.two(LLVMBuildFDiv, a, b); }
  Condition less(Real a, Real b) const { return v.fcmp(LLVMRealOLT, a, b); }
  Condition less_or_equal(Real a, Real b) const { return v.fcmp(LLVMRealOLE, a, b); }
  Condition equal(Real a, Real b) const { return v.fcmp(LLVMRealOEQ, a, b); }
  Condition same(Bits a, Bits b) const { return v.icmp(LLVMIntEQ, a, b); }
  Real choose(Condition c, Real a, Real b) const { return v.select(c, a, b); }
  Bits bits_of(Real x) const { return v.to_integer(x); }
  Real real_of(Bits x) const { return v.to_float(x); }
  Bits plus(Bits a, Bits b) const { return v.add(a, b); }
  Bits common(Bits a, Bits b) const { return v.both(a, b); }
  Bits differing(Bits a, Bits b) const { return v.exclusive(a, b); }
  Bits shift_left(Bits x, int n) const { return v.two(LLVMBuildShl, x, word(amount(n))); }
  Bits shift_right(Bits x, int n) const { return v.two(LLVMBuildLShr, x, word(amount(n))); }

 private:
  static std::uint64_t amount(int n) { return static_cast<std::uint64_t>(n); }
};

}  // namespace

bool Emitter::emit_function(const Step& s) {
  const Op op = s.source->op;
  const bool circular = op == Op::kSin || op == Op::kCos;
  if (s.source->type != ir::Type::kF32 || (!circular && op != Op::kEx2 && op != Op::kLg2))
    return false;
  const CodeArithmetic code{v_};
  const Value x = v_.converted(LLVMBuildFPExt, float_input(s, 1), v_.f64);
  auto finish = [&](Value result) {
    float_result(s, v_.converted(LLVMBuildFPTrunc, result, v_.f32));
  };
  if (!circular) {
    finish(op == Op::kEx2 ? functions::ex2(code, x) : functions::lg2(code, x));
    return true;
  }
  // Lanes whose angle is far, or none, are the interpreter's, and with them all.
  LLVMValueRef lanes = lanes_of(s);
  const Value near =
      v_.fcmp(LLVMRealOLT, v_.intrinsic("llvm.fabs", {x}), code.number(functions::kFar));
  LLVMBasicBlockRef here = new_block(), away = new_block(), done = new_block();
  branch_if(all_of(near, lanes), here, away);
  at(here);
  finish(op == Op::kSin ? functions::sin(code, x) : functions::cos(code, x));
  LLVMBuildBr(v_.b, done);
  at(away);
  call_step(s, lanes);
  LLVMBuildBr(v_.b, done);
  at(done);
  return true;
}

}  // namespace longwire::softcuda::jit
