// atom and red of integers: the lanes one after the other, as interp/atom.cc has it. Shared memory
// is the thread's own that runs the block, so that nothing there need be atomic.
#include <cstddef>

#include "softcuda/jit/access.h"

namespace longwire::softcuda::jit {

using interp::NativeState;
using ir::AtomicOp;
using ir::Op;
using ir::Space;
using ir::Type;

namespace {

bool is_integer(Type type) {
  return type == Type::kB32 || type == Type::kU32 || type == Type::kS32 || type == Type::kB64 ||
         type == Type::kU64 || type == Type::kS64;
}

bool is_known(AtomicOp op) {
  return op != AtomicOp::kNone && op != AtomicOp::kInc && op != AtomicOp::kDec;
}

LLVMAtomicRMWBinOp rmw_of(AtomicOp op, bool with_sign) {
  switch (op) {
    case AtomicOp::kAnd:
      return LLVMAtomicRMWBinOpAnd;
    case AtomicOp::kOr:
      return LLVMAtomicRMWBinOpOr;
    case AtomicOp::kXor:
      return LLVMAtomicRMWBinOpXor;
    case AtomicOp::kMin:
      return with_sign ? LLVMAtomicRMWBinOpMin : LLVMAtomicRMWBinOpUMin;
    case AtomicOp::kMax:
      return with_sign ? LLVMAtomicRMWBinOpMax : LLVMAtomicRMWBinOpUMax;
    case AtomicOp::kExch:
      return LLVMAtomicRMWBinOpXchg;
    default:
      return LLVMAtomicRMWBinOpAdd;
  }
}

}  // namespace

LLVMValueRef Emitter::updated(AtomicOp op, bool with_sign, LLVMValueRef old, LLVMValueRef b,
                              LLVMValueRef c) {
  const Value x{old, true}, y{b, true};
  switch (op) {
    case AtomicOp::kAnd:
      return v_.both(x, y).v;
    case AtomicOp::kOr:
      return v_.either(x, y).v;
    case AtomicOp::kXor:
      return v_.exclusive(x, y).v;
    case AtomicOp::kMin:
      return v_.intrinsic(with_sign ? "llvm.smin" : "llvm.umin", {x, y}).v;
    case AtomicOp::kMax:
      return v_.intrinsic(with_sign ? "llvm.smax" : "llvm.umax", {x, y}).v;
    case AtomicOp::kExch:
      return b;
    case AtomicOp::kCas:
      return v_.select(v_.icmp(LLVMIntEQ, x, y), {c, true}, x).v;
    default:
      return v_.add(x, y).v;
  }
}

// One lane's; what was there before.
LLVMValueRef Emitter::update_one(const Access& a, LLVMValueRef place, LLVMValueRef b,
                                 LLVMValueRef c) {
  const ir::Instruction& i = *a.s->source;
  const AtomicOp op = i.modifiers.atomic;
  const bool with_sign = ir::is_signed(i.type);
  constexpr auto kOrder = LLVMAtomicOrderingSequentiallyConsistent;
  if (a.space == Space::kShared) {
    LLVMValueRef old = LLVMBuildLoad2(v_.b, v_.integer_type(a.bits), place, "");
    LLVMBuildStore(v_.b, updated(op, with_sign, old, b, c), place);
    return old;
  }
  if (op != AtomicOp::kCas)
    return LLVMBuildAtomicRMW(v_.b, rmw_of(op, with_sign), place, b, kOrder, 0);
  LLVMValueRef both = LLVMBuildAtomicCmpXchg(v_.b, place, b, c, kOrder, kOrder, 0);
  return LLVMBuildExtractValue(v_.b, both, 0, "");
}

// A place for 32 values that are looked at one by one.
LLVMValueRef Emitter::spilled(int which, Value value) {
  LLVMValueRef place = scratch_[which];
  LLVMSetAlignment(LLVMBuildStore(v_.b, v_.splat(value).v, place), kScratchAlignment);
  return place;
}

LLVMValueRef Emitter::element_place(LLVMValueRef place, int bits, LLVMValueRef lane) {
  LLVMValueRef index = LLVMBuildZExt(v_.b, lane, v_.i64, "");
  return LLVMBuildGEP2(v_.b, v_.integer_type(bits), place, &index, 1, "");
}

void Emitter::update_each(const Access& a, Value addresses, int value_operand, bool has_result) {
  const bool cas = a.s->source->modifiers.atomic == AtomicOp::kCas;
  LLVMValueRef places = spilled(0, addresses);
  LLVMValueRef values = spilled(1, operand(*a.s, value_operand, a.bits));
  LLVMValueRef thirds = cas ? spilled(2, operand(*a.s, value_operand + 1, a.bits)) : nullptr;
  LLVMBasicBlockRef before = LLVMGetInsertBlock(v_.b), loop = new_block(), after = new_block();
  LLVMBuildBr(v_.b, loop);
  at(loop);
  LLVMValueRef left = LLVMBuildPhi(v_.b, v_.i32, "");
  LLVMValueRef lane = v_.call_intrinsic("llvm.cttz", {v_.i32}, {left, LLVMConstInt(v_.i1, 1, 0)});
  LLVMValueRef address = LLVMBuildLoad2(v_.b, v_.i64, element_place(places, 64, lane), "");
  LLVMTypeRef type = v_.integer_type(a.bits);
  LLVMValueRef b = LLVMBuildLoad2(v_.b, type, element_place(values, a.bits, lane), "");
  LLVMValueRef c =
      cas ? LLVMBuildLoad2(v_.b, type, element_place(thirds, a.bits, lane), "") : nullptr;
  LLVMValueRef old = update_one(a, place_of(a, address), b, c);
  if (has_result) LLVMBuildStore(v_.b, old, element_place(scratch_[3], a.bits, lane));
  LLVMValueRef next =
      LLVMBuildAnd(v_.b, left, LLVMBuildSub(v_.b, left, LLVMConstInt(v_.i32, 1, 0), ""), "");
  LLVMValueRef incoming[] = {a.lanes, next};
  LLVMBasicBlockRef from[] = {before, loop};
  LLVMAddIncoming(left, incoming, from, 2);
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, next, LLVMConstInt(v_.i32, 0, 0), ""), after, loop);
  at(after);
  if (!has_result) return;
  LLVMValueRef all = LLVMBuildLoad2(v_.b, v_.shaped(type, false), scratch_[3], "");
  LLVMSetAlignment(all, kScratchAlignment);
  put_loaded(a, 0, {all, false});
}

bool Emitter::emit_atomic(std::uint32_t step) {
  const Step& s = program_.steps[step];
  if (s.source == nullptr) return false;
  const ir::Instruction& i = *s.source;
  const bool atom = i.op == Op::kAtom;
  const int address_operand = atom ? 1 : 0;
  if ((!atom && i.op != Op::kRed) || !is_integer(i.type) || !is_known(i.modifiers.atomic) ||
      s.count[address_operand + 1] != 1 || (atom && s.count[0] != 1))
    return false;
  Access a;
  a.s = &s;
  a.store = !atom;
  a.space = i.modifiers.space;
  a.bits = ir::bits_of(i.type);
  a.bytes = static_cast<std::uint64_t>(a.bits / 8);
  a.lanes = lanes_of(s);
  if (a.space != Space::kShared && a.space != Space::kGlobal && a.space != Space::kGeneric)
    return false;
  const bool has_result = atom && s.slot(0).present && s.slot(0).base == interp::Base::kFrame &&
                          analysis_.live_at(step + 1)[analysis_.register_of(s.slot(0))];
  a.address_operand = address_operand;
  begin_access(a);
  const Value addresses = v_.splat(address_of(s.slot(address_operand)));
  need(a, all_of(is_inside(a, addresses, a.bytes), a.lanes));
  need_aligned(a, addresses);
  update_each(a, addresses, address_operand + 1, has_result);
  // A loop may wait for what it reads.
  if (has_result)
    LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, 1, 0), field(offsetof(NativeState, strong)));
  LLVMBuildBr(v_.b, a.done);
  emit_slow_access(a);
  at(a.done);
  return true;
}

}  // namespace longwire::softcuda::jit
