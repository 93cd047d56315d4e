// The code of regions (analysis.h): their blocks stand one after the other, each for the lanes that
// wait for it. What a block writes that is of use to other lanes keeps their values.
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

// At the branch of the head. Where other lanes of the warp wait on the way, the Runner decides.
void Emitter::enter_region(std::uint32_t step, const Region& region) {
  const std::uint32_t meet = analysis_.blocks()[region.meet].first;
  LLVMValueRef waits = LLVMBuildICmp(v_.b, LLVMIntUGE, LLVMConstInt(v_.i32, meet, 0), join_, "");
  LLVMBasicBlockRef next = new_block();
  branch_if(waits, exit_at(step), next);
  at(next);
  none_waiting(region);
  end_region_block(step);
  LLVMBuildBr(v_.b, starts_[region.blocks.front()]);
}

// What comes behind a block of the region: the next one, or where all meet.
void Emitter::region_next(const Region& region, std::uint32_t block) {
  const auto found = std::find(region.blocks.begin(), region.blocks.end(), block);
  if (found + 1 != region.blocks.end()) {
    LLVMBuildBr(v_.b, starts_[found[1]]);
    return;
  }
  const std::uint32_t meet = analysis_.blocks()[region.meet].first;
  LLVMValueRef waits = LLVMBuildICmp(v_.b, LLVMIntUGE, LLVMConstInt(v_.i32, meet, 0), join_, "");
  branch_if(waits, exit_at(meet), starts_[region.meet]);
}

// Its lanes, if there are any.
void Emitter::begin_region_block() {
  group_lanes_ = waiting_at(block_);
  group_ = v_.mask_of({group_lanes_, false});
  LLVMBasicBlockRef body = new_block(), none = new_block();
  branch_if(LLVMBuildICmp(v_.b, LLVMIntEQ, group_, LLVMConstInt(v_.i32, 0, 0), ""), none, body);
  at(none);
  region_next(*region_, block_);
  at(body);
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
  // What is not taken goes on, with the block's end.
  group_lanes_ = v_.both(here, v_.splat(v_.inverted(guard_))).v;
  if (region_ == nullptr) come(analysis_.blocks()[block_ + 1].first, group_lanes_);
}

// The lanes' values that a step does not compute, in a block that only some run.
void Emitter::keep_others(RegisterId id, Value& value) {
  if (region_ == nullptr || analysis_.shape(id).is_line() ||
      !analysis_.outlives(id, *region_, block_))
    return;
  value = v_.select({group_lanes_, false}, value, read_raw(id));
}

// Leaves the lanes of a region where they are.
void Emitter::emit_apart(std::uint32_t step, const Region& region) {
  std::uint32_t count = 0;
  auto leave = [&](LLVMValueRef lanes, std::uint32_t to) {
    LLVMBuildStore(v_.b, lanes,
                   field(offsetof(NativeState, apart_lanes) + count * sizeof(interp::Mask)));
    LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, to, 0),
                   field(offsetof(NativeState, apart_steps) + count * sizeof(std::uint32_t)));
    ++count;
  };
  leave(whole_, analysis_.blocks()[region.meet].first);
  const std::uint32_t own = analysis_.block_of(step);
  for (std::uint32_t b : region.blocks)
    if (b > own) leave(v_.mask_of({waiting_at(b), false}), analysis_.blocks()[b].first);
  leave(v_.mask_of({waiting_at(own), false}), step);
  LLVMBuildStore(v_.b, LLVMConstInt(v_.i32, count, 0), field(offsetof(NativeState, apart)));
}

}  // namespace longwire::softcuda::jit
