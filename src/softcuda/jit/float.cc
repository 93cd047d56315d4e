// Floating point to nearest, as interp/float_semantics.h has it, bit for bit: no contraction, one
// NaN for f32. Other roundings and 16-bit types are the interpreter's.
#include <bit>
#include <iterator>

#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using ir::Op;
using ir::Type;

Value Emitter::canonical(Value x) {
  if (v_.bits(x) != 32) return x;
  const Value nan = v_.cast_bits(v_.constant(32, interp::floating::kNaN32), v_.f32);
  return v_.select(v_.fcmp(LLVMRealORD, x, x), x, nan);
}

Value Emitter::flushed(Value x) {
  const Value raw = v_.to_integer(x);
  const Value exponent = v_.both(raw, v_.constant(32, 0x7f80'0000));
  const Value tiny = v_.icmp(LLVMIntEQ, exponent, v_.constant(32, 0));
  const Value zero = v_.both(raw, v_.constant(32, 0x8000'0000));
  return v_.to_float(v_.select(tiny, zero, raw));
}

Value Emitter::float_input(const Step& s, int n) {
  const int bits = ir::bits_of(s.source->type);
  const Value x = v_.to_float(raw_operand(s, n, bits));
  return bits == 32 && s.source->modifiers.ftz ? flushed(x) : x;
}

bool Emitter::writes_number(const Step& s) const {
  const Slot& slot = s.slot(0);
  return slot.base == interp::Base::kFrame && slot.present &&
         analysis_.is_number(analysis_.register_of(slot));
}

void Emitter::float_result(const Step& s, Value x) {
  const ir::Modifiers& m = s.source->modifiers;
  if (v_.bits(x) == 32) {
    if (m.saturate) {
      const Value zero = v_.real(32, 0), one = v_.real(32, 1);
      const Value below = v_.select(v_.fcmp(LLVMRealOLT, x, one), x, one);
      x = v_.select(v_.fcmp(LLVMRealOGT, x, zero), below, zero);
    }
    if (!writes_number(s)) x = canonical(x);
    if (m.ftz) x = flushed(x);
  }
  result(s, 0, x);
}

// See interp's: which NaN an operation of doubles gives.
Value Emitter::settled(Value x, std::initializer_list<Value> operands) {
  if (v_.bits(x) != 64) return x;
  Value nan = v_.cast_bits(v_.constant(64, interp::floating::kNaN64), v_.f64);
  for (auto each = std::rbegin(operands); each != std::rend(operands); ++each) {
    const Value quiet =
        v_.either(v_.to_integer(*each), v_.constant(64, interp::floating::kQuiet64));
    nan = v_.select(v_.fcmp(LLVMRealUNO, *each, *each), v_.to_float(quiet), nan);
  }
  return v_.select(v_.fcmp(LLVMRealORD, x, x), x, nan);
}

bool Emitter::float_extremum(const Step& s, bool most) {
  const ir::Modifiers& m = s.source->modifiers;
  if (m.nan || m.xorsign_abs || s.operands > 3) return false;
  const Value a = float_input(s, 1), b = float_input(s, 2);
  const int bits = v_.bits(a);
  if (bits == 32) {  // zeros alone are equal and may differ; of NaNs float_result() makes one
    const Value x = v_.to_integer(a), y = v_.to_integer(b);
    const Value of_equal = v_.to_float(most ? v_.both(x, y) : v_.either(x, y));
    const Value other = v_.intrinsic(most ? "llvm.maxnum" : "llvm.minnum", {a, b});
    float_result(s, v_.select(v_.fcmp(LLVMRealOEQ, a, b), of_equal, other));
    return true;
  }
  const Value less = v_.fcmp(LLVMRealOLT, a, b);
  const Value negative = v_.icmp(LLVMIntSLT, v_.to_integer(a), v_.constant(bits, 0));
  Value chosen = most ? v_.select(less, b, a) : v_.select(less, a, b);
  const Value of_equal = most ? v_.select(negative, b, a) : v_.select(negative, a, b);
  chosen = v_.select(v_.fcmp(LLVMRealOEQ, a, b), of_equal, chosen);
  chosen = v_.select(v_.fcmp(LLVMRealUNO, b, b), a, chosen);
  float_result(s, v_.select(v_.fcmp(LLVMRealUNO, a, a), b, chosen));
  return true;
}

// In double, as the interpreter does it.
Value Emitter::reverse_root(Value x) {
  const Value wide = v_.converted(LLVMBuildFPExt, x, v_.f64);
  const Value root = v_.two(LLVMBuildFDiv, v_.real(64, 1), v_.intrinsic("llvm.sqrt", {wide}));
  return v_.converted(LLVMBuildFPTrunc, root, v_.f32);
}

// See interp's div_fast().
Value Emitter::fast_quotient(Value a, Value b) {
  const Value size = v_.both(v_.to_integer(b), v_.constant(32, 0x7fff'ffff));
  const auto most = std::bit_cast<std::uint32_t>(interp::floating::kMostDivisor);
  const Value over = v_.icmp(LLVMIntUGT, size, v_.constant(32, most));
  const Value finite = v_.icmp(LLVMIntULT, size, v_.constant(32, 0x7f80'0000));
  const Value sign = v_.both(v_.to_integer(b), v_.constant(32, 0x8000'0000));
  const Value zero = v_.two(LLVMBuildFMul, a, v_.to_float(sign));
  return v_.select(v_.both(over, finite), zero, v_.two(LLVMBuildFDiv, a, b));
}

bool Emitter::emit_float(const Step& s) {
  const ir::Instruction& i = *s.source;
  if ((i.type != Type::kF32 && i.type != Type::kF64) || i.type2 != Type::kNone) return false;
  if (interp::is_directed(i.modifiers.rounding)) return false;
  const int bits = ir::bits_of(i.type);
  const bool exact_only = i.type == Type::kF64 && i.modifiers.approximate;
  auto in = [&](int n) { return float_input(s, n); };
  auto done = [&](Value x) { return float_result(s, x), true; };
  auto two = [&](Values::Two f, Value a, Value b) {
    return done(settled(v_.two(f, a, b), {a, b}));
  };
  auto call = [&](const char* name, std::initializer_list<Value> operands) {
    return done(settled(v_.intrinsic(name, operands), operands));
  };
  switch (i.op) {
    case Op::kAdd:
      return two(LLVMBuildFAdd, in(1), in(2));
    case Op::kSub:
      return two(LLVMBuildFSub, in(1), in(2));
    case Op::kMul:
      return two(LLVMBuildFMul, in(1), in(2));
    case Op::kDiv:
      if (i.modifiers.approximate) return done(fast_quotient(in(1), in(2)));
      return two(LLVMBuildFDiv, in(1), in(2));
    case Op::kFma:
    case Op::kMad:
      return call("llvm.fma", {in(1), in(2), in(3)});
    case Op::kMin:
      return float_extremum(s, false);
    case Op::kMax:
      return float_extremum(s, true);
    case Op::kRcp:
      return !exact_only && two(LLVMBuildFDiv, v_.real(bits, 1), in(1));
    case Op::kSqrt:
      return call("llvm.sqrt", {in(1)});
    case Op::kRsqrt:
      return i.type == Type::kF32 && done(reverse_root(in(1)));
    default:
      return emit_function(s) || emit_sign(s);
  }
}

// Of the bits alone.
bool Emitter::emit_sign(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  const Value sign = v_.constant(bits, std::uint64_t{1} << (bits - 1));
  switch (i.op) {
    case Op::kAbs:
    case Op::kNeg: {
      Value raw = operand(s, 1, bits);
      if (bits == 32 && i.modifiers.ftz) raw = v_.to_integer(flushed(v_.to_float(raw)));
      result(s, 0, i.op == Op::kAbs ? v_.both(raw, v_.inverted(sign)) : v_.exclusive(raw, sign));
      return true;
    }
    case Op::kCopysign: {
      const Value from = v_.both(operand(s, 1, bits), sign);
      result(s, 0, v_.either(from, v_.both(operand(s, 2, bits), v_.inverted(sign))));
      return true;
    }
    default:
      return false;
  }
}

// --- conversions ---

bool Emitter::emit_convert(const Step& s) {
  const ir::Instruction& i = *s.source;
  const ir::Modifiers& m = i.modifiers;
  if (i.op != Op::kCvt || m.relu || interp::is_directed(m.rounding) ||
      m.rounding == ir::Rounding::kStochastic || m.rounding == ir::Rounding::kNearestAway)
    return false;
  auto is_known = [](Type type) {
    if (ir::is_float(type)) return type == Type::kF16 || type == Type::kF32 || type == Type::kF64;
    return type >= Type::kB8 && type <= Type::kS64 && type != Type::kB128;
  };
  if (!is_known(i.type) || !is_known(i.type2)) return false;
  const bool to = ir::is_float(i.type), from = ir::is_float(i.type2);
  if (from && to) return float_to_float(s);
  if (m.saturate && (to || !from)) return false;
  if (from) return float_to_integer(s);
  if (to) return integer_to_float(s);
  const Value source = operand(s, 1, ir::bits_of(i.type2));
  const Value value = v_.resized(source, ir::bits_of(i.type), ir::is_signed(i.type2));
  result(s, 0, v_.resized(value, 8 * s.slot(0).bytes, ir::is_signed(i.type)));
  return true;
}

bool Emitter::integer_to_float(const Step& s) {
  const ir::Instruction& i = *s.source;
  if (i.type == Type::kF16) return false;
  const auto convert = ir::is_signed(i.type2) ? LLVMBuildSIToFP : LLVMBuildUIToFP;
  const Value source = operand(s, 1, ir::bits_of(i.type2));
  result(s, 0, v_.converted(convert, source, v_.float_type(ir::bits_of(i.type))));
  return true;
}

namespace {

const char* integral(ir::Rounding rounding) {
  switch (rounding) {
    case ir::Rounding::kIntZero:
      return "llvm.trunc";
    case ir::Rounding::kIntDown:
      return "llvm.floor";
    case ir::Rounding::kIntUp:
      return "llvm.ceil";
    case ir::Rounding::kIntNearest:
      return "llvm.roundeven";
    default:
      return nullptr;
  }
}

}  // namespace

bool Emitter::float_to_integer(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int from = ir::bits_of(i.type2), to = ir::bits_of(i.type);
  const char* rounding = integral(i.modifiers.rounding);
  if (from == 16 || rounding == nullptr) return false;
  Value x = real_operand(s, 1, from);
  if (from == 32 && i.modifiers.ftz) x = flushed(x);
  x = v_.intrinsic(rounding, {x});
  const char* convert = ir::is_signed(i.type) ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
  LLVMTypeRef type = v_.shaped(v_.integer_type(to), x.uniform);
  Value value{v_.call_intrinsic(convert, {type, LLVMTypeOf(x.v)}, {x.v}), x.uniform};
  if (from == 64 || to == 64) {
    const Value of_nan = v_.constant(to, std::uint64_t{1} << (to - 1));
    value = v_.select(v_.fcmp(LLVMRealORD, x, x), value, of_nan);
  }
  result(s, 0, v_.resized(value, 8 * s.slot(0).bytes, ir::is_signed(i.type)));
  return true;
}

bool Emitter::float_to_float(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int from = ir::bits_of(i.type2), to = ir::bits_of(i.type);
  const char* rounding = integral(i.modifiers.rounding);
  if ((to == 64 || to == 16) && (i.modifiers.saturate || i.modifiers.ftz)) return false;
  if (rounding != nullptr && (from != to || from == 16)) return false;
  if (from == 16 && to == 16) return false;
  Value x = real_operand(s, 1, from);
  if (from == 32 && i.modifiers.ftz) x = flushed(x);
  if (rounding != nullptr) x = settled(v_.intrinsic(rounding, {x}), {x});
  if (from != to)
    x = v_.converted(from < to ? LLVMBuildFPExt : LLVMBuildFPTrunc, x, v_.float_type(to));
  if (to == 16) {
    constexpr std::uint64_t kNaN16 = 0x7fff;
    const Value ordered = v_.fcmp(LLVMRealORD, x, x);
    result(s, 0, v_.select(ordered, v_.to_integer(x), v_.constant(16, kNaN16)));
    return true;
  }
  float_result(s, x);
  return true;
}

}  // namespace longwire::softcuda::jit
