// Barriers of the block. A warp comes to one once, as the ISA counts warps: so lanes that have
// diverged wait for each other first, and come together also where they stand at different
// instructions.
#include "softcuda/interp/runner.h"

namespace longwire::softcuda::interp {
namespace {

bool is_reduction(const Step& s) {
  const ir::Mode mode = s.source->modifiers.mode;
  return mode == ir::Mode::kRedPopc || mode == ir::Mode::kRedAnd || mode == ir::Mode::kRedOr;
}

std::uint32_t value_of(const Context& c, const Step& s, int operand, int lane) {
  return s.has(operand) ? c.at<std::uint32_t>(s.slot(operand))[lane] : 0;
}

// Of clusters there are two more: to come, and to wait.
std::uint32_t number_of(const Context& c, const Step& s, int operand, int lane) {
  if (s.source->op == ir::Op::kBarrierCluster)
    return s.source->modifiers.mode == ir::Mode::kWait ? machine::kClusterWait
                                                       : machine::kClusterArrive;
  const std::uint32_t id = value_of(c, s, operand, lane);
  return id < machine::kBarriers ? id : machine::kNoBarrier;
}

// bar a b; bar.red d a b c
int id_operand(const Step& s) { return is_reduction(s) ? 1 : 0; }

}  // namespace

bool Runner::barrier(const Step& s) {
  const Mask lanes = guard_of(s);
  if (lanes == 0) {
    ++step_;
    return true;
  }
  if (forced_) {
    barrier_of_parked(s);
    return false;
  }
  if (lanes == context_.live) {
    const Waiting all{now_, &s, lanes};
    leave(step_);
    join_barrier(&all, 1);
    ++step_;
    return true;
  }
  split(lanes, step_, step_ + 1);  // lanes for which the guard is false go on
  parked_ |= lanes;
  return false;
}

// All parked lanes that stand at the same barrier as the group, by activation and instruction.
int Runner::find_waiting(const Step& s, Waiting* waiting) {
  const std::uint32_t id = number_of(context_, s, id_operand(s), std::countr_zero(group_));
  int count = 0;
  for (Activation* activation = top_; activation != nullptr; activation = activation->below) {
    use(*activation);
    for (Mask left = activation->lanes & parked_; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      const Step& other = activation->program->steps[activation->steps[lane]];
      if (other.kind != StepKind::kBarrier ||
          number_of(context_, other, id_operand(other), lane) != id)
        continue;
      Waiting* last = count == 0 ? nullptr : &waiting[count - 1];
      if (last != nullptr && last->activation == activation && last->step == &other)
        last->lanes |= Mask{1} << lane;
      else
        waiting[count++] = {activation, &other, Mask{1} << lane};
    }
  }
  return count;
}

void Runner::barrier_of_parked(const Step& s) {
  Waiting waiting[kLanes];
  const int count = find_waiting(s, waiting);
  join_barrier(waiting, count);
  for (int n = 0; n < count; ++n) {
    parked_ &= ~waiting[n].lanes;
    for (Mask left = waiting[n].lanes; left != 0; left &= left - 1)
      ++waiting[n].activation->steps[std::countr_zero(left)];
  }
}

void Runner::join_barrier(const Waiting* waiting, int count) {
  const Step& s = *waiting[0].step;
  const int id = id_operand(s), first = std::countr_zero(waiting[0].lanes);
  Mask lanes = 0, predicate = 0;
  for (int n = count - 1; n >= 0; --n) {  // the first's registers are in use in the end
    use(*waiting[n].activation);
    lanes |= waiting[n].lanes;
    if (is_reduction(*waiting[n].step))
      predicate |= context_.predicate(waiting[n].step->slot(3)) & waiting[n].lanes;
  }
  const std::uint32_t result =
      warp_.barrier(number_of(context_, s, id, first), value_of(context_, s, id + 1, first), lanes,
                    s.source->modifiers.mode, predicate, s.source->place);
  for (int n = count - 1; n >= 0; --n) {
    if (!is_reduction(*waiting[n].step)) continue;
    use(*waiting[n].activation);
    const Slot& d = waiting[n].step->slot(0);
    context_.mask = waiting[n].lanes;
    if (d.bytes == 0)
      context_.set_predicate(d, result != 0 ? kAllLanes : 0);
    else
      for (Mask left = context_.mask; left != 0; left &= left - 1)
        context_.at<std::uint32_t>(d)[std::countr_zero(left)] = result;
  }
}

}  // namespace longwire::softcuda::interp
