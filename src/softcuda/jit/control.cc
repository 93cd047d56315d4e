// Control flow: how the group goes from block to block, and leaves.
#include <algorithm>
#include <cstddef>

#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::NativeState;

namespace {

// As the Runner has it: a group that has gone back so often lets others run; the second where it
// looks at what others write.
constexpr std::uint32_t kMostRounds = (1 << 16) - 2, kMostRoundsWaiting = 14;

}  // namespace

// Leaves the code at a step, which the Runner executes.
LLVMBasicBlockRef Emitter::exit_at(std::uint32_t step) {
  LLVMBasicBlockRef& block = exits_[step];
  if (block != nullptr) return block;
  block = new_block();
  LLVMBasicBlockRef before = LLVMGetInsertBlock(v_.b);
  at(block);
  const Region* region = analysis_.region_in(analysis_.block_of(step));
  RegisterSet live = analysis_.live_at(step);
  for (RegisterId id = 0; id < live.size(); ++id)
    if (live[id] ||
        (region != nullptr && analysis_.outlives(id, *region, analysis_.block_of(step))))
      store_register(id);
  if (region != nullptr) emit_apart(step, *region);
  LLVMBuildRet(v_.b, LLVMConstInt(v_.i32, step, 0));
  at(before);
  return block;
}

// At a jump back: leaves where the group has made as many, or is to stop.
void Emitter::look_at_rounds(LLVMBasicBlockRef leaving) {
  LLVMValueRef rounds = load_field(v_.i32, offsetof(NativeState, rounds));
  LLVMValueRef strong = load_field(v_.i32, offsetof(NativeState, strong));
  LLVMValueRef stopping = LLVMBuildLoad2(v_.b, v_.i8, stopping_, "");
  LLVMSetVolatile(stopping, 1);
  stopping = LLVMBuildZExt(v_.b, stopping, v_.i32, "");
  LLVMValueRef zero = LLVMConstInt(v_.i32, 0, 0);
  LLVMValueRef stop = LLVMBuildICmp(v_.b, LLVMIntNE, stopping, zero, "");
  LLVMValueRef waiting = LLVMBuildICmp(v_.b, LLVMIntNE, strong, zero, "");
  LLVMValueRef most = LLVMBuildSelect(v_.b, waiting, LLVMConstInt(v_.i32, kMostRoundsWaiting, 0),
                                      LLVMConstInt(v_.i32, kMostRounds, 0), "");
  LLVMValueRef often = LLVMBuildICmp(v_.b, LLVMIntUGE, rounds, most, "");
  LLVMBasicBlockRef next = new_block();
  branch_if(LLVMBuildOr(v_.b, stop, often, ""), leaving, next);
  at(next);
  LLVMBuildStore(v_.b, LLVMBuildAdd(v_.b, rounds, LLVMConstInt(v_.i32, 1, 0), ""),
                 field(offsetof(NativeState, rounds)));
}

// To the beginning of a block. A group that comes to where others wait, or past them, stops there.
// On the way back it looks whether it should go on.
void Emitter::go(std::uint32_t from_step, std::uint32_t target_step) {
  if (target_step + 1 >= program_.steps.size()) {
    LLVMBuildBr(v_.b, exit_at(from_step));
    return;
  }
  if (target_step <= from_step) look_at_rounds(exit_at(from_step));
  const std::uint32_t block = analysis_.block_of(target_step);
  if (const Region* region = analysis_.region_in(block); region != nullptr && region->loops)
    return enter_loop(*region);
  if (program_.steps[target_step].kind != StepKind::kNative) {  // an empty block
    LLVMBuildBr(v_.b, starts_[block]);
    return;
  }
  LLVMValueRef waits =
      LLVMBuildICmp(v_.b, LLVMIntUGE, LLVMConstInt(v_.i32, target_step, 0), join_, "");
  branch_if(waits, exit_at(target_step), starts_[block]);
}

void Emitter::emit_branch(std::uint32_t step) {
  const Step& s = program_.steps[step];
  ++counts_.compiled;
  if (region_ != nullptr) {
    end_region_block(step);
    const std::uint32_t to = analysis_.block_of(s.target);
    if (to <= block_) go_back(*region_, to);
    if (s.guard == ir::kNone) region_next(*region_, block_);
    return;
  }
  if (s.guard == ir::kNone) return go(step, s.target);
  const Region* region = analysis_.region_of_head(block_);
  if (region != nullptr && !guard_.uniform) return enter_region(step, *region);
  const Value guard = guard_;
  LLVMBasicBlockRef taken = new_block(), other = new_block();
  if (guard.uniform) {
    branch_if(guard.v, taken, other);
  } else {
    LLVMBasicBlockRef not_all = new_block();
    LLVMValueRef lanes = v_.mask_of(v_.both({group_lanes_, false}, guard));
    branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, lanes, group_, ""), taken, not_all);
    at(not_all);
    LLVMValueRef none = LLVMBuildICmp(v_.b, LLVMIntEQ, lanes, LLVMConstInt(v_.i32, 0, 0), "");
    branch_if(none, other, exit_at(step));
  }
  at(taken);
  go(step, s.target);
  at(other);
}

void Emitter::emit_leave(std::uint32_t step) {
  const Step& s = program_.steps[step];
  const bool ends = s.kind == StepKind::kReturn || s.kind == StepKind::kExit;
  counts_.compiled += ends && s.source != nullptr ? 1 : 0;
  counts_.called += ends ? 0 : 1;
  if (s.guard == ir::kNone) {
    LLVMBuildBr(v_.b, exit_at(step));
    return;
  }
  LLVMBasicBlockRef next = new_block();
  LLVMValueRef none = LLVMBuildICmp(v_.b, LLVMIntEQ, lanes_of(s), LLVMConstInt(v_.i32, 0, 0), "");
  branch_if(none, next, exit_at(step));
  at(next);
}

void Emitter::emit_barrier(std::uint32_t step) {
  const Step& s = program_.steps[step];
  // The cluster's has no number here: the Runner's.
  bool simple =
      s.guard == ir::kNone && destinations(s) == 0 && s.source->op != ir::Op::kBarrierCluster;
  for (int n = 0; n < s.operands; ++n)
    simple = simple && (!s.slot(n).present || s.slot(n).base == Base::kConstants);
  ++counts_.compiled;
  if (!simple) {
    LLVMBuildBr(v_.b, exit_at(step));
    return;
  }
  LLVMValueRef passed = call(Called::kBarrier, v_.i32, {place_of_step(s)});
  LLVMBasicBlockRef next = new_block();
  LLVMValueRef missing = LLVMBuildICmp(v_.b, LLVMIntEQ, passed, LLVMConstInt(v_.i32, 0, 0), "");
  branch_if(missing, exit_at(step), next);
  at(next);
}

// Here when the lanes that it names are here; else the Runner lets them wait.
void Emitter::emit_warp_sync(std::uint32_t step) {
  const Step& s = program_.steps[step];
  const int which = static_cast<int>(s.target);
  LLVMValueRef lanes = lanes_of(s);
  LLVMValueRef zero = LLVMConstInt(v_.i32, 0, 0);
  LLVMBasicBlockRef some = new_block(), check = new_block(), next = new_block();
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, lanes, zero, ""), next, some);
  at(some);
  LLVMValueRef wanted = zero;
  if (s.has(which)) {
    const Value named = operand(s, which, 32);
    LLVMValueRef first =
        v_.call_intrinsic("llvm.cttz", {v_.i32}, {lanes, LLVMConstInt(v_.i1, 0, 0)});
    wanted = named.uniform ? named.v : LLVMBuildExtractElement(v_.b, named.v, first, "");
  }
  wanted = LLVMBuildAnd(v_.b, wanted, load_field(v_.i32, offsetof(NativeState, live)), "");
  LLVMValueRef away = LLVMBuildAnd(v_.b, wanted, LLVMBuildNot(v_.b, lanes, ""), "");
  away = LLVMBuildOr(v_.b, away, load_field(v_.i32, offsetof(NativeState, parked)), "");
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, away, zero, ""), check, exit_at(step));
  at(check);
  if (emit_warp(s))
    ++counts_.compiled;
  else
    call_step(s, lanes);
  LLVMBuildBr(v_.b, next);
  at(next);
}

LLVMValueRef Emitter::place_of_step(const Step& s) {
  const auto number = static_cast<std::uint64_t>(&s - program_.steps.data());
  return offset(v_.table_word(v_.ptr, table_.steps(program_)), number * sizeof(Step));
}

LLVMValueRef Emitter::call(Called which, LLVMTypeRef result,
                           std::initializer_list<LLVMValueRef> others) {
  std::vector<LLVMValueRef> arguments = {state_};
  arguments.insert(arguments.end(), others);
  std::vector<LLVMTypeRef> types(arguments.size());
  std::transform(arguments.begin(), arguments.end(), types.begin(), LLVMTypeOf);
  const auto count = static_cast<unsigned>(arguments.size());
  return LLVMBuildCall2(v_.b, LLVMFunctionType(result, types.data(), count, 0),
                        v_.table_word(v_.ptr, Table::called(which)), arguments.data(), count, "");
}

// By the interpreter: operands to the frame, results back.
void Emitter::call_step(const Step& s, LLVMValueRef mask) {
  ++counts_.called;
  for (int n = 0; n < s.operands; ++n)
    for (int e = 0; e < s.count[n]; ++e)
      if (const Slot& slot = s.slot(n, e); slot.present && slot.base == Base::kFrame)
        store_register(analysis_.register_of(slot));
  call(Called::kStep, LLVMVoidTypeInContext(v_.context), {place_of_step(s), mask});
  for (int n = 0; n < destinations(s) && n < s.operands; ++n)
    for (int e = 0; e < s.count[n]; ++e)
      if (const Slot& slot = s.slot(n, e); slot.present && slot.base == Base::kFrame)
        load_register(analysis_.register_of(slot), nullptr);
}

}  // namespace longwire::softcuda::jit
