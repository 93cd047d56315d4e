// Integer, logic and shift instructions. What each means is said in interp/integer_semantics.h.
#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using ir::Op;
using ir::Type;

namespace {

bool is_plain(Type type) {
  const int bits = ir::bits_of(type);
  return !ir::is_float(type) && (bits == 16 || bits == 32 || bits == 64) && type != Type::kU16x2 &&
         type != Type::kS16x2 && type != Type::kU8x4 && type != Type::kS8x4;
}

}  // namespace

bool Emitter::emit_integer(const Step& s) {
  const ir::Instruction& i = *s.source;
  const ir::Modifiers& m = i.modifiers;
  if (!is_plain(i.type) || m.saturate || m.relu || m.carry_in || m.carry_out) return false;
  const int bits = ir::bits_of(i.type);
  const bool with_sign = ir::is_signed(i.type);
  auto in = [&](int n) { return operand(s, n, bits); };
  switch (i.op) {
    case Op::kAdd:
      return result(s, 0, v_.add(in(1), in(2))), true;
    case Op::kSub:
      return result(s, 0, v_.sub(in(1), in(2))), true;
    case Op::kMul:
      return integer_multiply(s, false);
    case Op::kMad:
      return integer_multiply(s, true);
    case Op::kMin:
      return result(s, 0, v_.intrinsic(with_sign ? "llvm.smin" : "llvm.umin", {in(1), in(2)})),
             true;
    case Op::kMax:
      return result(s, 0, v_.intrinsic(with_sign ? "llvm.smax" : "llvm.umax", {in(1), in(2)})),
             true;
    case Op::kAbs:
      return result(s, 0, v_.intrinsic("llvm.abs", {in(1), v_.constant(1, 0)})), true;
    case Op::kNeg:
      return result(s, 0, v_.sub(v_.constant(bits, 0), in(1))), true;
    case Op::kDiv:
      return integer_divide(s, false);
    case Op::kRem:
      return integer_divide(s, true);
    case Op::kSad: {
      const Value a = in(1), b = in(2);
      const Value less = v_.icmp(with_sign ? LLVMIntSLT : LLVMIntULT, a, b);
      const Value apart = v_.select(less, v_.sub(b, a), v_.sub(a, b));
      return result(s, 0, v_.add(in(3), apart)), true;
    }
    default:
      return false;
  }
}

bool Emitter::integer_multiply(const Step& s, bool with_sum) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  const bool with_sign = ir::is_signed(i.type);
  Value a = operand(s, 1, bits), b = operand(s, 2, bits), product;
  int wide = bits;
  switch (i.modifiers.part) {
    case ir::Part::kLo:
      product = v_.mul(a, b);
      break;
    case ir::Part::kWide:
      if (bits == 64) return false;
      wide = 2 * bits;
      product = v_.mul(v_.resized(a, wide, with_sign), v_.resized(b, wide, with_sign));
      break;
    case ir::Part::kHi: {
      if (bits == 64 && !(a.uniform && b.uniform)) return false;
      product = v_.mul(v_.resized(a, 2 * bits, with_sign), v_.resized(b, 2 * bits, with_sign));
      const Value high =
          v_.two(LLVMBuildLShr, product, v_.constant(2 * bits, static_cast<unsigned>(bits)));
      product = v_.resized(high, bits, false);
      break;
    }
    default:
      return false;
  }
  if (with_sum) product = v_.add(product, operand(s, 3, wide));
  result(s, 0, product);
  return true;
}

// By zero: all ones, and the dividend. A divisor that would trap becomes 1.
bool Emitter::integer_divide(const Step& s, bool remainder) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  const bool with_sign = ir::is_signed(i.type);
  const Value a = operand(s, 1, bits), b = operand(s, 2, bits);
  if (bits == 64 && !(a.uniform && b.uniform)) return false;  // 32 divisions, one by one
  const Value zero = v_.constant(bits, 0), one = v_.constant(bits, 1);
  const Value by_zero = v_.icmp(LLVMIntEQ, b, zero);
  Value divisor = v_.select(by_zero, one, b);
  Value by_minus_one;
  if (with_sign) {
    by_minus_one = v_.icmp(LLVMIntEQ, b, v_.inverted(zero));
    divisor = v_.select(by_minus_one, one, divisor);
  }
  Value quotient = divided(a, divisor, with_sign);
  if (remainder) quotient = v_.sub(a, v_.mul(quotient, divisor));
  if (with_sign) quotient = v_.select(by_minus_one, remainder ? zero : v_.sub(zero, a), quotient);
  result(s, 0, v_.select(by_zero, remainder ? a : v_.inverted(zero), quotient));
  return true;
}

// Processors divide no vectors of integers, but those of up to 32 bits are exact as f64.
Value Emitter::divided(Value a, Value b, bool with_sign) {
  if (a.uniform && b.uniform) return v_.two(with_sign ? LLVMBuildSDiv : LLVMBuildUDiv, a, b);
  const auto convert = with_sign ? LLVMBuildSIToFP : LLVMBuildUIToFP;
  const Value x = v_.converted(convert, a, v_.f64), y = v_.converted(convert, b, v_.f64);
  return v_.converted(with_sign ? LLVMBuildFPToSI : LLVMBuildFPToUI, v_.two(LLVMBuildFDiv, x, y),
                      v_.integer_type(v_.bits(a)));
}

bool Emitter::emit_bits(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  const Value no = v_.constant(1, 0);
  switch (i.op) {
    case Op::kPopc:
      return result(s, 0, v_.resized(v_.intrinsic("llvm.ctpop", {operand(s, 1, bits)}), 32, false)),
             true;
    case Op::kClz: {
      const Value zeros = v_.intrinsic("llvm.ctlz", {operand(s, 1, bits), no});
      return result(s, 0, v_.resized(zeros, 32, false)), true;
    }
    case Op::kBrev:
      return result(s, 0, v_.intrinsic("llvm.bitreverse", {operand(s, 1, bits)})), true;
    case Op::kBfe: {
      // Of unsigned fields that lie inside; other forms are the interpreter's.
      const Value at = operand(s, 2, 32), count = operand(s, 3, 32);
      if (ir::is_signed(i.type) || bits != 32) return false;
      const Value pos = v_.both(at, v_.constant(32, 0xff)),
                  len = v_.both(count, v_.constant(32, 0xff));
      const Value wide = v_.resized(operand(s, 1, 32), 64, false);
      const Value most = v_.constant(32, 32);
      const Value by = v_.resized(v_.intrinsic("llvm.umin", {pos, most}), 64, false);
      const Value width = v_.resized(v_.intrinsic("llvm.umin", {len, most}), 64, false);
      const Value field = v_.two(LLVMBuildLShr, wide, by);
      const Value one = v_.constant(64, 1);
      const Value mask = v_.sub(v_.two(LLVMBuildShl, one, width), one);
      return result(s, 0, v_.resized(v_.both(field, mask), 32, false)), true;
    }
    default:
      return false;
  }
}

bool Emitter::emit_logic(const Step& s) {
  const ir::Instruction& i = *s.source;
  const bool predicate = i.type == Type::kPred;
  const int bits = ir::bits_of(i.type);
  auto in = [&](int n) { return predicate ? condition(s, n) : operand(s, n, bits); };
  switch (i.op) {
    case Op::kAnd:
      return result(s, 0, v_.both(in(1), in(2))), true;
    case Op::kOr:
      return result(s, 0, v_.either(in(1), in(2))), true;
    case Op::kXor:
      return result(s, 0, v_.exclusive(in(1), in(2))), true;
    case Op::kNot:
      return result(s, 0, v_.inverted(in(1))), true;
    case Op::kCnot: {
      const Value is_zero = v_.icmp(LLVMIntEQ, in(1), v_.constant(bits, 0));
      return result(s, 0, v_.resized(is_zero, bits, false)), true;
    }
    case Op::kLop3: {
      if (i.modifiers.combine != ir::Combine::kNone) return false;
      if (s.slot(4).base != interp::Base::kConstants) return false;
      const Value a = in(1), b = in(2), c = in(3);
      const unsigned long long table = LLVMConstIntGetZExtValue(operand(s, 4, 32).v);
      Value all = v_.constant(32, 0);
      for (unsigned row = 0; row < 8; ++row) {
        if ((table >> row & 1) == 0) continue;
        const Value x = (row & 4) != 0 ? a : v_.inverted(a);
        const Value y = (row & 2) != 0 ? b : v_.inverted(b);
        all = v_.either(all, v_.both(v_.both(x, y), (row & 1) != 0 ? c : v_.inverted(c)));
      }
      return result(s, 0, all), true;
    }
    default:
      return false;
  }
}

// Shifts by more than the width give zeros, or copies of the sign.
bool Emitter::emit_shift(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  if (i.op == Op::kShl || i.op == Op::kShr) {
    const bool with_sign = i.op == Op::kShr && ir::is_signed(i.type);
    const Value most = v_.constant(32, static_cast<unsigned>(bits) - 1);
    const Value by = operand(s, 2, 32), a = operand(s, 1, bits);
    const Value inside = v_.resized(v_.intrinsic("llvm.umin", {by, most}), bits, false);
    const auto shift = i.op == Op::kShl ? LLVMBuildShl : with_sign ? LLVMBuildAShr : LLVMBuildLShr;
    Value shifted = v_.two(shift, a, inside);
    if (!with_sign)
      shifted = v_.select(v_.icmp(LLVMIntUGT, by, most), v_.constant(bits, 0), shifted);
    result(s, 0, shifted);
    return true;
  }
  if (i.op != Op::kShf || i.type != Type::kB32) return false;
  const bool left = i.modifiers.mode == ir::Mode::kLeft;
  Value by = operand(s, 3, 32);
  if (i.modifiers.wrap)
    by = v_.both(by, v_.constant(32, 31));
  else
    by = v_.intrinsic("llvm.umin", {by, v_.constant(32, 32)});
  by = v_.resized(by, 64, false);
  const Value high =
      v_.two(LLVMBuildShl, v_.resized(operand(s, 2, 32), 64, false), v_.constant(64, 32));
  const Value both = v_.either(high, v_.resized(operand(s, 1, 32), 64, false));
  Value moved = v_.two(left ? LLVMBuildShl : LLVMBuildLShr, both, by);
  if (left) moved = v_.two(LLVMBuildLShr, moved, v_.constant(64, 32));
  result(s, 0, v_.resized(moved, 32, false));
  return true;
}

}  // namespace longwire::softcuda::jit
