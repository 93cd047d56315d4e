// Comparison, selection and moves. What each means is said in interp/compare.cc and move.cc.
#include <cstddef>

#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::NativeState;
using ir::Compare;
using ir::Op;
using ir::Type;

namespace {

LLVMIntPredicate of_integers(Compare compare, bool with_sign) {
  switch (compare) {
    case Compare::kNe:
      return LLVMIntNE;
    case Compare::kLt:
    case Compare::kLo:
      return with_sign ? LLVMIntSLT : LLVMIntULT;
    case Compare::kLe:
    case Compare::kLs:
      return with_sign ? LLVMIntSLE : LLVMIntULE;
    case Compare::kGt:
    case Compare::kHi:
      return with_sign ? LLVMIntSGT : LLVMIntUGT;
    case Compare::kGe:
    case Compare::kHs:
      return with_sign ? LLVMIntSGE : LLVMIntUGE;
    default:
      return LLVMIntEQ;
  }
}

LLVMRealPredicate of_floats(Compare compare) {
  switch (compare) {
    case Compare::kNe:
      return LLVMRealONE;
    case Compare::kLt:
      return LLVMRealOLT;
    case Compare::kLe:
      return LLVMRealOLE;
    case Compare::kGt:
      return LLVMRealOGT;
    case Compare::kGe:
      return LLVMRealOGE;
    case Compare::kEqu:
      return LLVMRealUEQ;
    case Compare::kNeu:
      return LLVMRealUNE;
    case Compare::kLtu:
      return LLVMRealULT;
    case Compare::kLeu:
      return LLVMRealULE;
    case Compare::kGtu:
      return LLVMRealUGT;
    case Compare::kGeu:
      return LLVMRealUGE;
    case Compare::kNum:
      return LLVMRealORD;
    case Compare::kNan:
      return LLVMRealUNO;
    default:
      return LLVMRealOEQ;
  }
}

bool is_integer(Type type) {
  return type == Type::kB16 || type == Type::kB32 || type == Type::kB64 || type == Type::kU16 ||
         type == Type::kU32 || type == Type::kU64 || type == Type::kS16 || type == Type::kS32 ||
         type == Type::kS64;
}

}  // namespace

Value Emitter::compared(const Step& s, Type type, int a, int b, bool& known) {
  const Compare compare = s.source->modifiers.compare;
  const int bits = ir::bits_of(type);
  known = true;
  if (is_integer(type))
    return v_.icmp(of_integers(compare, ir::is_signed(type)), operand(s, a, bits),
                   operand(s, b, bits));
  known = type == Type::kF32 || type == Type::kF64;
  if (!known) return {};
  Value x = v_.to_float(raw_operand(s, a, bits)), y = v_.to_float(raw_operand(s, b, bits));
  if (bits == 32 && s.source->modifiers.ftz) x = flushed(x), y = flushed(y);
  return v_.fcmp(of_floats(compare), x, y);
}

bool Emitter::set_predicates(const Step& s) {
  bool known = false;
  Value first = compared(s, s.source->type, 2, 3, known);
  if (!known) return false;
  Value second = v_.inverted(first);
  switch (s.source->modifiers.combine) {
    case ir::Combine::kNone:
      break;
    case ir::Combine::kAnd:
      first = v_.both(first, condition(s, 4)), second = v_.both(second, condition(s, 4));
      break;
    case ir::Combine::kOr:
      first = v_.either(first, condition(s, 4)), second = v_.either(second, condition(s, 4));
      break;
    case ir::Combine::kXor:
      first = v_.exclusive(first, condition(s, 4)), second = v_.exclusive(second, condition(s, 4));
      break;
    default:
      return false;
  }
  condition_result(s, 0, first);
  condition_result(s, 1, second);
  return true;
}

bool Emitter::emit_compare(const Step& s) {
  const ir::Instruction& i = *s.source;
  if (i.op == Op::kSetp) return set_predicates(s);
  const bool simple = i.op == Op::kSet && i.modifiers.combine == ir::Combine::kNone &&
                      ir::bits_of(i.type) == 32 && i.type != Type::kF16x2 &&
                      i.type != Type::kBF16x2;
  if (!simple) return false;
  bool known = false;
  const Value outcome = compared(s, i.type2, 1, 2, known);
  if (!known) return false;
  constexpr std::uint64_t kOne = 0x3f80'0000, kOnes = 0xffff'ffff;
  result(
      s, 0,
      v_.select(outcome, v_.constant(32, i.type == Type::kF32 ? kOne : kOnes), v_.constant(32, 0)));
  return true;
}

bool Emitter::emit_select(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  if (i.op == Op::kSelp) {
    if (bits == 1) {
      result(s, 0, v_.select(condition(s, 3), condition(s, 1), condition(s, 2)));
      return true;
    }
    auto in = [&](int n) {
      return writes_number(s) ? raw_operand(s, n, bits) : operand(s, n, bits);
    };
    result(s, 0, v_.select(condition(s, 3), in(1), in(2)));
    return true;
  }
  if (i.op != Op::kSlct || i.type2 != Type::kS32) return false;
  const Value first = v_.icmp(LLVMIntSGE, operand(s, 3, 32), v_.constant(32, 0));
  result(s, 0, v_.select(first, operand(s, 1, bits), operand(s, 2, bits)));
  return true;
}

// mov.b32 d, {a, b} and back: the first is the least significant.
bool Emitter::mov_packed(const Step& s) {
  const int bits = ir::bits_of(s.source->type);
  const bool packs = s.count[1] > 1;
  const int parts = packs ? s.count[1] : s.count[0];
  const int part = bits / parts;
  if (part < 16) return false;
  if (packs) {
    Value all = v_.constant(bits, 0);
    for (int n = 0; n < parts; ++n) {
      const Value one = v_.resized(operand(s, 1, part, n), bits, false);
      const Value by = v_.constant(bits, static_cast<unsigned>(n * part));
      all = v_.either(all, v_.two(LLVMBuildShl, one, by));
    }
    result(s, 0, all);
    return true;
  }
  const Value whole = operand(s, 1, bits);
  for (int n = 0; n < parts; ++n) {
    const Value by = v_.constant(bits, static_cast<unsigned>(n * part));
    result(s, 0, v_.resized(v_.two(LLVMBuildLShr, whole, by), part, false), n);
  }
  return true;
}

bool Emitter::emit_move(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  if (i.op == Op::kMov) {
    if (bits == 1) return result(s, 0, condition(s, 1)), true;
    if (bits == 128) return false;
    if (s.count[0] > 1 || s.count[1] > 1) return mov_packed(s);
    Value value = writes_number(s) ? raw_operand(s, 1, bits) : operand(s, 1, bits);
    if (s.slot(1).in_frame) {
      const Value base{load_field(v_.i32, offsetof(NativeState, local_base)), true};
      value = v_.add(value, v_.resized(base, bits, false));
    }
    return result(s, 0, value), true;
  }
  if (i.op == Op::kPrmt) return emit_permute(s);
  if (i.op != Op::kCvta || bits != 64) return false;
  const bool back = i.modifiers.to_space != ir::Space::kGeneric;
  const Value base = space_base(back ? i.modifiers.to_space : i.modifiers.space);
  Value address = operand(s, 1, 64);
  if (s.slot(1).in_frame && !back) {
    const Value frame{load_field(v_.i32, offsetof(NativeState, local_base)), true};
    address = v_.add(address, v_.resized(frame, 64, false));
  }
  result(s, 0, back ? v_.sub(address, base) : v_.add(address, base));
  return true;
}

// With a selector that is known.
bool Emitter::emit_permute(const Step& s) {
  if (s.slot(3).base != Base::kConstants || s.source->modifiers.mode != ir::Mode::kNone)
    return false;
  const unsigned long long selector = LLVMConstIntGetZExtValue(operand(s, 3, 32).v);
  const Value a = operand(s, 1, 32), b = operand(s, 2, 32);
  Value all = v_.constant(32, 0);
  for (unsigned n = 0; n < 4; ++n) {
    const unsigned which = selector >> (4 * n) & 15;
    const Value from = (which & 4) != 0 ? b : a;
    Value byte = v_.two(LLVMBuildLShr, from, v_.constant(32, std::uint64_t{8} * (which & 3)));
    byte = v_.resized(byte, 8, false);
    if ((which & 8) != 0) byte = v_.two(LLVMBuildAShr, byte, v_.constant(8, 7));
    const Value wide = v_.resized(byte, 32, false);
    all = v_.either(all, v_.two(LLVMBuildShl, wide, v_.constant(32, std::uint64_t{8} * n)));
  }
  result(s, 0, all);
  return true;
}

// Where a space begins among all addresses.
Value Emitter::space_base(ir::Space space) {
  if (space == ir::Space::kShared) return {load_field(v_.i64, offsetof(NativeState, shared)), true};
  if (space == ir::Space::kParam)
    return {load_field(v_.i64, offsetof(NativeState, parameters)), true};
  return space == ir::Space::kLocal ? lane_base() : v_.constant(64, 0);
}

// Where the local memory of each lane begins.
Value Emitter::lane_base() {
  const Value first{load_field(v_.i64, offsetof(NativeState, local)), true};
  const Value stride{load_field(v_.i64, offsetof(NativeState, local_stride)), true};
  return v_.add(first, v_.mul(v_.lanes(64, 1), stride));
}

}  // namespace longwire::softcuda::jit
