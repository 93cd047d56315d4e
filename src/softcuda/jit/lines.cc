// Lines (analysis.h): of such registers only what they begin with is kept, for the warp or for each
// row of lanes. What is here is what Analysis::line_result() says to be lines.
#include <cstddef>

#include "softcuda/interp/specials.h"
#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::kLanes;
using interp::NativeState;
using ir::Op;

namespace {

constexpr std::int64_t kInt32Span = std::int64_t{1} << 32, kInt32Low = std::int64_t{1} << 31;

}  // namespace

LLVMTypeRef Emitter::base_type(int bits, bool of_rows) const {
  LLVMTypeRef one = v_.integer_type(bits);
  return of_rows ? LLVMVectorType(one, static_cast<unsigned>(kLanes / analysis_.rows())) : one;
}

LLVMValueRef Emitter::of_rows(LLVMValueRef base) {
  if (LLVMGetTypeKind(LLVMTypeOf(base)) == LLVMVectorTypeKind) return base;
  LLVMTypeRef type = base_type(static_cast<int>(LLVMGetIntTypeWidth(LLVMTypeOf(base))), true);
  LLVMValueRef all = LLVMGetPoison(type);
  for (int row = 0; row < kLanes / analysis_.rows(); ++row)
    all = LLVMBuildInsertElement(v_.b, all, base,
                                 LLVMConstInt(v_.i32, static_cast<unsigned>(row), 0), "");
  return all;
}

LLVMValueRef Emitter::of_row(LLVMValueRef base, int row) {
  if (LLVMGetTypeKind(LLVMTypeOf(base)) != LLVMVectorTypeKind) return base;
  return LLVMBuildExtractElement(v_.b, base, LLVMConstInt(v_.i32, static_cast<unsigned>(row), 0),
                                 "");
}

LLVMValueRef Emitter::two(Values::Two f, LLVMValueRef x, LLVMValueRef y) {
  const bool rows = LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMVectorTypeKind ||
                    LLVMGetTypeKind(LLVMTypeOf(y)) == LLVMVectorTypeKind;
  if (rows) x = of_rows(x), y = of_rows(y);
  return f(v_.b, x, y, "");
}

LLVMValueRef Emitter::moved(LLVMValueRef base, std::int64_t by) {
  if (by == 0) return base;
  LLVMTypeRef type = LLVMTypeOf(of_row(base, 0));
  return two(LLVMBuildAdd, base, LLVMConstInt(type, static_cast<std::uint64_t>(by), 1));
}

Value Emitter::spread(LLVMValueRef base, const Shape& shape) {
  const int width = analysis_.rows();
  const int bits = static_cast<int>(LLVMGetIntTypeWidth(LLVMTypeOf(of_row(base, 0))));
  Value all = v_.splat({of_row(base, 0), true});
  if (shape.of_rows) {
    LLVMValueRef from[kLanes];
    for (int lane = 0; lane < kLanes; ++lane)
      from[lane] = LLVMConstInt(v_.i32, static_cast<unsigned>(lane / width), 0);
    all.v = LLVMBuildShuffleVector(v_.b, base, LLVMGetPoison(LLVMTypeOf(base)),
                                   LLVMConstVector(from, kLanes), "");
  }
  if (shape.step == 0) return all;
  LLVMValueRef steps[kLanes];
  for (int lane = 0; lane < kLanes; ++lane)
    steps[lane] = LLVMConstInt(v_.integer_type(bits),
                               static_cast<std::uint64_t>(shape.step * (lane % width)), 1);
  return v_.add(all, {LLVMConstVector(steps, kLanes), false});
}

// %tid, at the beginning of the rows.
LLVMValueRef Emitter::thread_base(ir::Special special) {
  const auto which =
      static_cast<std::size_t>(special) - static_cast<std::size_t>(ir::Special::kTidX);
  const std::size_t place = offsetof(NativeState, tid) + which * sizeof(NativeState::tid[0]);
  const auto width = static_cast<std::size_t>(analysis_.rows());
  if (width == kLanes || which == 0) return load_field(v_.i32, place);
  LLVMValueRef all = LLVMGetPoison(base_type(32, true));
  for (std::size_t row = 0; row < kLanes / width; ++row)
    all = LLVMBuildInsertElement(v_.b, all,
                                 load_field(v_.i32, place + row * width * sizeof(std::uint32_t)),
                                 LLVMConstInt(v_.i32, row, 0), "");
  return all;
}

LLVMValueRef Emitter::line_base(const Slot& slot, int bits) {
  const Shape shape = analysis_.shape(slot);
  if (slot.base == Base::kFrame && !shape.uniform()) {
    const RegisterId id = analysis_.register_of(slot);
    return LLVMBuildLoad2(v_.b, stored_type(id), places_[id], "");
  }
  if (slot.base != Base::kSpecials || shape.uniform()) return slot_value(slot, bits).v;
  const ir::Special special = programs_.specials[slot.offset / interp::kPoolBytes].special;
  LLVMValueRef base =
      special == ir::Special::kLaneid ? LLVMConstInt(v_.i32, 0, 0) : thread_base(special);
  if (bits == 32) return base;
  return (bits > 32 ? LLVMBuildZExt : LLVMBuildTrunc)(
      v_.b, base, base_type(bits, LLVMGetTypeKind(LLVMTypeOf(base)) == LLVMVectorTypeKind), "");
}

// What a line begins with whose values are those of the group's lanes.
LLVMValueRef Emitter::found_base(LLVMValueRef values, const Shape& shape) {
  const int width = analysis_.rows(), count = shape.of_rows ? kLanes / width : 1;
  LLVMTypeRef one = LLVMGetElementType(LLVMTypeOf(values));
  LLVMValueRef all =
      shape.of_rows ? LLVMGetPoison(base_type(LLVMGetIntTypeWidth(one), true)) : nullptr;
  for (int row = 0; row < count; ++row) {
    LLVMValueRef lanes = group_;
    if (shape.of_rows) {
      const unsigned bits = (1U << width) - 1;
      lanes = LLVMBuildAnd(v_.b, group_, LLVMConstInt(v_.i32, bits << (row * width), 0), "");
    }
    LLVMValueRef lane =
        v_.call_intrinsic("llvm.cttz", {v_.i32}, {lanes, LLVMConstInt(v_.i1, 0, 0)});
    lane = LLVMBuildAnd(v_.b, lane, LLVMConstInt(v_.i32, kLanes - 1, 0), "");
    LLVMValueRef along =
        LLVMBuildAnd(v_.b, lane, LLVMConstInt(v_.i32, static_cast<unsigned>(width) - 1, 0), "");
    along = LLVMGetIntTypeWidth(one) == 64 ? LLVMBuildZExt(v_.b, along, one, "")
                                           : LLVMBuildTrunc(v_.b, along, one, "");
    LLVMValueRef by =
        LLVMBuildMul(v_.b, along, LLVMConstInt(one, static_cast<std::uint64_t>(shape.step), 1), "");
    LLVMValueRef base = LLVMBuildSub(v_.b, LLVMBuildExtractElement(v_.b, values, lane, ""), by, "");
    if (!shape.of_rows) return base;
    all = LLVMBuildInsertElement(v_.b, all, base,
                                 LLVMConstInt(v_.i32, static_cast<unsigned>(row), 0), "");
  }
  return all;
}

LLVMValueRef Emitter::for_all(LLVMValueRef condition) {
  if (LLVMGetTypeKind(LLVMTypeOf(condition)) != LLVMVectorTypeKind) return condition;
  LLVMValueRef all = of_row(condition, 0);
  for (int row = 1; row < kLanes / analysis_.rows(); ++row)
    all = LLVMBuildAnd(v_.b, all, of_row(condition, row), "");
  return all;
}

// From 32 bits to 64. Where a line's numbers pass the end of their range it is none: the step is
// left to the Runner.
LLVMValueRef Emitter::extended(const Step& s, LLVMValueRef base, std::int64_t step,
                               bool with_sign) {
  const bool rows = LLVMGetTypeKind(LLVMTypeOf(base)) == LLVMVectorTypeKind;
  LLVMValueRef wide =
      (with_sign ? LLVMBuildSExt : LLVMBuildZExt)(v_.b, base, base_type(64, rows), "");
  if (step == 0) return wide;
  LLVMValueRef last = moved(wide, step * (analysis_.rows() - 1));
  if (with_sign) last = moved(last, kInt32Low);
  LLVMValueRef limit = LLVMConstInt(v_.i64, static_cast<std::uint64_t>(kInt32Span), 0);
  LLVMValueRef inside = LLVMBuildICmp(v_.b, LLVMIntULT, last, rows ? of_rows(limit) : limit, "");
  (void)s;
  LLVMBasicBlockRef next = new_block();
  branch_if(for_all(inside), next, exit_at(now_));
  at(next);
  return wide;
}

LLVMValueRef Emitter::product_base(const Step& s) {
  const int bits = ir::bits_of(s.source->type);
  const bool wide = s.source->modifiers.part == ir::Part::kWide;
  const bool with_sign = ir::is_signed(s.source->type);
  LLVMValueRef a = line_base(s.slot(1), bits), b = line_base(s.slot(2), bits);
  if (wide) {
    a = extended(s, a, analysis_.shape(s.slot(1)).step, with_sign);
    b = extended(s, b, analysis_.shape(s.slot(2)).step, with_sign);
  }
  return two(LLVMBuildMul, a, b);
}

LLVMValueRef Emitter::line_sum(const Step& s) {
  const ir::Instruction& i = *s.source;
  const int bits = ir::bits_of(i.type);
  switch (i.op) {
    case Op::kAdd:
    case Op::kSub:
      return two(i.op == Op::kAdd ? LLVMBuildAdd : LLVMBuildSub, line_base(s.slot(1), bits),
                 line_base(s.slot(2), bits));
    case Op::kShl:
      return two(LLVMBuildShl, line_base(s.slot(1), bits), operand(s, 2, bits).v);
    case Op::kMul:
      return product_base(s);
    case Op::kMad: {
      const int to = i.modifiers.part == ir::Part::kWide ? 2 * bits : bits;
      return two(LLVMBuildAdd, product_base(s), line_base(s.slot(3), to));
    }
    case Op::kCvt: {
      const int from = ir::bits_of(i.type2);
      LLVMValueRef a = line_base(s.slot(1), from);
      if (from == bits) return a;
      if (from < bits)
        return extended(s, a, analysis_.shape(s.slot(1)).step, ir::is_signed(i.type2));
      return LLVMBuildTrunc(
          v_.b, a, base_type(bits, LLVMGetTypeKind(LLVMTypeOf(a)) == LLVMVectorTypeKind), "");
    }
    case Op::kCvta: {
      const bool back = i.modifiers.to_space != ir::Space::kGeneric;
      return two(back ? LLVMBuildSub : LLVMBuildAdd, line_base(s.slot(1), 64),
                 space_base(back ? i.modifiers.to_space : i.modifiers.space).v);
    }
    default:
      return line_base(s.slot(1), bits);
  }
}

// False: what the step writes is no line, or one value.
bool Emitter::emit_line(std::uint32_t step) {
  const Step& s = program_.steps[step];
  if (s.source == nullptr || destinations(s) != 1 || s.slot(0).base != Base::kFrame) return false;
  const RegisterId id = analysis_.register_of(s.slot(0));
  const Shape &shape = analysis_.shape(id), own = analysis_.result_shape(s);
  if (!shape.is_line() || shape.uniform() || own.uniform()) return false;
  LLVMValueRef base = line_sum(s);
  if (shape.of_rows) base = of_rows(base);
  if (s.guard != ir::kNone)
    base = LLVMBuildSelect(v_.b, guard_.v, base,
                           LLVMBuildLoad2(v_.b, stored_type(id), places_[id], ""), "");
  LLVMBuildStore(v_.b, base, places_[id]);
  return true;
}

}  // namespace longwire::softcuda::jit
