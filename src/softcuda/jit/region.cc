// The code of regions (analysis.h): their blocks stand one after the other, each for the lanes that
// wait for it. What a block writes that is of use to other lanes keeps their values. Lanes that go
// back run before those that wait further down, as the Runner has it.
#include <algorithm>
#include <cstddef>

#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using interp::NativeState;

LLVMValueRef Emitter::waiting_place(std::uint32_t block) {
  LLVMValueRef& place = waiting_[block];
  if (place != nullptr) return place;
  LLVMBasicBlockRef now = LLVMGetInsertBlock(v_.b);
  LLVMPositionBuilderBefore(v_.b, LLVMGetFirstInstruction(LLVMGetEntryBasicBlock(function_)));
  place = LLVMBuildAlloca(v_.b, v_.shaped(v_.i1, false), "");
  at(now);
  return place;
}

LLVMValueRef Emitter::waiting_at(std::uint32_t block) {
  return LLVMBuildLoad2(v_.b, v_.shaped(v_.i1, false), waiting_place(block), "");
}

void Emitter::set_waiting(std::uint32_t block, LLVMValueRef lanes) {
  LLVMBuildStore(v_.b, lanes, waiting_place(block));
}

void Emitter::add_waiting(std::uint32_t block, LLVMValueRef lanes) {
  set_waiting(block, LLVMBuildOr(v_.b, waiting_at(block), lanes, ""));
}

void Emitter::none_waiting(const Region& region) {
  for (std::uint32_t b : region.blocks)
    set_waiting(b, LLVMConstNull(v_.shaped(v_.i1, false)));
}

// Whether other lanes of the warp wait in a region, so that the Runner decides.
LLVMValueRef Emitter::others_wait_in(const Region& region) {
  const std::uint32_t end = analysis_.blocks()[region.blocks.back()].end;
  return LLVMBuildICmp(v_.b, LLVMIntUGT, LLVMConstInt(v_.i32, end, 0), join_, "");
}

// At the branch of the head.
void Emitter::enter_region(std::uint32_t step, const Region& region) {
  LLVMValueRef waits = others_wait_in(region);
  LLVMBasicBlockRef next = new_block();
  branch_if(waits, exit_at(step), next);
  at(next);
  none_waiting(region);
  end_region_block(step);
  LLVMBuildBr(v_.b, starts_[region.blocks.front()]);
}

// From elsewhere into a loop that lanes leave one by one: all that are together.
void Emitter::enter_loop(const Region& region) {
  none_waiting(region);
  set_waiting(region.entry, whole_lanes_);
  branch_if(others_wait_in(region), exit_of(region), bodies_[region.entry]);
}

// Leaves the code with each lane at the block that it waits for.
LLVMBasicBlockRef Emitter::exit_of(const Region& region) {
  LLVMBasicBlockRef& block = region_exits_[&region];
  if (block != nullptr) return block;
  block = new_block();
  LLVMBasicBlockRef before = LLVMGetInsertBlock(v_.b);
  at(block);
  for (RegisterId id = 0; id < analysis_.registers(); ++id)
    if (analysis_.outlives(id, region)) store_register(id);
  leave_waiting(region, 0);
  LLVMBuildRet(v_.b, LLVMConstInt(v_.i32, analysis_.blocks()[region.meet].first, 0));
  at(before);
  return block;
}

// Back to an earlier block of the region, where lanes go there; else on to what follows. Those that
// have gone back often let others run.
void Emitter::go_back(const Region& region, std::uint32_t block) {
  LLVMBasicBlockRef back = new_block(), on = new_block(), leaving = new_block();
  LLVMValueRef lanes = v_.mask_of({waiting_at(block), false});
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, lanes, LLVMConstInt(v_.i32, 0, 0), ""), on, back);
  at(back);
  look_at_rounds(leaving);
  LLVMBuildBr(v_.b, bodies_[block]);
  at(leaving);
  LLVMBuildStore(v_.b, lanes, field(offsetof(NativeState, resting)));
  LLVMBuildBr(v_.b, exit_of(region));
  at(on);
}

// What comes behind a block of the region: the next one, or where all meet.
void Emitter::region_next(const Region& region, std::uint32_t block) {
  const auto found = std::find(region.blocks.begin(), region.blocks.end(), block);
  if (found + 1 != region.blocks.end()) {
    LLVMBuildBr(v_.b, starts_[found[1]]);
    return;
  }
  const Region* other = analysis_.region_in(region.meet);
  if (other != nullptr && other->loops) return enter_loop(*other);
  const std::uint32_t meet = analysis_.blocks()[region.meet].first;
  LLVMValueRef waits = LLVMBuildICmp(v_.b, LLVMIntUGE, LLVMConstInt(v_.i32, meet, 0), join_, "");
  branch_if(waits, exit_at(meet), starts_[region.meet]);
}

// Its lanes, if there are any.
void Emitter::begin_region_block() {
  LLVMBasicBlockRef none = new_block();
  LLVMValueRef lanes = v_.mask_of({waiting_at(block_), false});
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, lanes, LLVMConstInt(v_.i32, 0, 0), ""), none,
            bodies_[block_]);
  at(none);
  region_next(*region_, block_);
  at(bodies_[block_]);
  group_lanes_ = waiting_at(block_);
  group_ = v_.mask_of({group_lanes_, false});
  set_waiting(kRunning, group_lanes_);
  set_waiting(block_, LLVMConstNull(v_.shaped(v_.i1, false)));
}

// Says to the blocks that follow which lanes come to them. The step is a branch, or the block's
// end.
void Emitter::end_region_block(std::uint32_t step) {
  const Step& s = program_.steps[step];
  const Region& region = region_ != nullptr ? *region_ : *analysis_.region_of_head(block_);
  auto come = [&](std::uint32_t to_step, LLVMValueRef lanes) {
    const std::uint32_t block = analysis_.block_of(to_step);
    if (block != region.meet) add_waiting(block, lanes);
  };
  if (s.kind == StepKind::kBlockEnd) return come(step + 1, group_lanes_);
  if (s.guard == ir::kNone) return come(s.target, group_lanes_);
  const Value here{group_lanes_, false};
  come(s.target, v_.both(here, v_.splat(guard_)).v);
  // What is not taken goes on, before others go back.
  group_lanes_ = v_.both(here, v_.splat(v_.inverted(guard_))).v;
  come(analysis_.blocks()[block_ + 1].first, group_lanes_);
}

// The lanes' values that a step does not compute, in a block that only some run.
void Emitter::keep_others(RegisterId id, Value& value) {
  if (region_ == nullptr || analysis_.shape(id).is_line() ||
      !analysis_.outlives(id, *region_, block_))
    return;
  value = v_.select({group_lanes_, false}, value, read_raw(id));
}

void Emitter::leave_lanes(std::uint32_t number, LLVMValueRef lanes, std::uint32_t at_step) {
  LLVMBuildStore(v_.b, lanes,
                 field(offsetof(NativeState, apart_lanes) + number * sizeof(interp::Mask)));
  LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, at_step, 0),
                 field(offsetof(NativeState, apart_steps) + number * sizeof(std::uint32_t)));
}

// Leaves lanes that wait for blocks there, from one of them on, and others where all meet. How many
// places there are.
std::uint32_t Emitter::leave_waiting(const Region& region, std::uint32_t first) {
  std::uint32_t count = 0;
  leave_lanes(count++, whole_, analysis_.blocks()[region.meet].first);
  for (std::uint32_t b : region.blocks)
    if (b >= first)
      leave_lanes(count++, v_.mask_of({waiting_at(b), false}), analysis_.blocks()[b].first);
  LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, count, 0), field(offsetof(NativeState, apart)));
  return count;
}

// Leaves the lanes of a region where they are, those that run at a step.
void Emitter::emit_apart(std::uint32_t step, const Region& region) {
  const std::uint32_t count = leave_waiting(region, analysis_.block_of(step) + 1);
  leave_lanes(count, v_.mask_of({waiting_at(kRunning), false}), step);
  LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, count + 1, 0), field(offsetof(NativeState, apart)));
}

}  // namespace longwire::softcuda::jit
