// What lanes of a warp say to each other, once they are together. See interp/warp_ops.cc.
#include "softcuda/jit/emitter.h"

namespace longwire::softcuda::jit {

using interp::Base;
using interp::kLanes;
using ir::Mode;
using ir::Op;

namespace {

// The lane that a lane reads from, and whether that is inside of its segment.
int source_lane(Mode mode, int lane, unsigned by, unsigned range, bool& inside) {
  const int clamp = static_cast<int>(range & 31), segment = static_cast<int>(range >> 8 & 31);
  const int first = lane & segment, last = first | (clamp & ~segment);
  const int step = static_cast<int>(by & 31);
  int source = first | (step & ~segment);
  if (mode == Mode::kUp) source = lane - step;
  if (mode == Mode::kDown) source = lane + step;
  if (mode == Mode::kBfly) source = lane ^ step;
  inside = mode == Mode::kUp ? source >= last : source <= last;
  return inside ? source & (kLanes - 1) : lane;
}

}  // namespace

// With a distance and a range that are known.
bool Emitter::emit_shuffle(const Step& s) {
  if (s.slot(3).base != Base::kConstants || s.slot(4).base != Base::kConstants) return false;
  const auto by = static_cast<unsigned>(LLVMConstIntGetZExtValue(operand(s, 3, 32).v));
  const auto range = static_cast<unsigned>(LLVMConstIntGetZExtValue(operand(s, 4, 32).v));
  LLVMValueRef sources[kLanes];
  std::uint32_t all_inside = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    bool inside = false;
    const int source = source_lane(s.source->modifiers.mode, lane, by, range, inside);
    sources[lane] = LLVMConstInt(v_.i32, static_cast<unsigned>(source), 0);
    all_inside |= static_cast<std::uint32_t>(inside ? 1 : 0) << lane;
  }
  // What a lane holds that takes no part is 0 for others.
  const Value here{active_lanes(s), false};
  const Value a = v_.splat(v_.select(here, operand(s, 2, 32), v_.constant(32, 0)));
  LLVMValueRef moved = LLVMBuildShuffleVector(v_.b, a.v, LLVMGetPoison(LLVMTypeOf(a.v)),
                                              LLVMConstVector(sources, kLanes), "");
  result(s, 0, {moved, false});
  condition_result(s, 1, v_.condition_of(LLVMConstInt(v_.i32, all_inside, 0)));
  return true;
}

bool Emitter::emit_warp(const Step& s) {
  const Mode mode = s.source->modifiers.mode;
  if (s.source->op == Op::kBarWarp) return true;
  if (s.source->op == Op::kShfl) return emit_shuffle(s);
  if (s.source->op != Op::kVote) return false;
  LLVMValueRef lanes = lanes_of(s);
  LLVMValueRef yes = LLVMBuildAnd(v_.b, v_.mask_of(condition(s, 1)), lanes, "");
  const Value ayes{yes, true}, all{lanes, true}, none = v_.constant(32, 0);
  if (mode == Mode::kBallot) return result(s, 0, ayes), true;
  Value outcome;
  if (mode == Mode::kAny)
    outcome = v_.icmp(LLVMIntNE, ayes, none);
  else
    outcome = v_.icmp(LLVMIntEQ, ayes, all);
  if (mode == Mode::kUni) outcome = v_.either(outcome, v_.icmp(LLVMIntEQ, ayes, none));
  result(s, 0, outcome);
  return true;
}

}  // namespace longwire::softcuda::jit
