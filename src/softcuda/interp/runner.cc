#include "softcuda/interp/runner.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "softcuda/interp/specials.h"

namespace longwire::softcuda::interp {
namespace {

constexpr std::uint32_t kNoJoin = std::numeric_limits<std::uint32_t>::max();
// Backward branches of one group before others get their turn: in loops that look at memory which
// others write, and in any.
constexpr std::uint32_t kRoundsWaiting = 16;
constexpr std::uint32_t kRoundsAnyway = 1 << 16;

Mask lanes_at(const std::uint32_t* steps, Mask lanes, std::uint32_t step) noexcept {
  Mask found = 0;
  for (int i = 0; i < kLanes; ++i)
    found |= static_cast<Mask>(steps[i] == step ? 1 : 0) << i;
  return found & lanes;
}

std::uint32_t lowest(const std::uint32_t* steps, Mask lanes) noexcept {
  std::uint32_t low = kNoJoin;
  for (int i = 0; i < kLanes; ++i)
    low = (lanes >> i & 1) != 0 ? std::min(low, steps[i]) : low;
  return low;
}

}  // namespace

Runner::Runner(const KernelPrograms& programs, machine::Warp& warp, NativeState* native)
    : programs_(programs), warp_(warp), native_(native) {
  context_.warp = &warp;
  context_.block = &warp.block();
  context_.live = warp.lanes();
  const std::size_t specials = frame_aligned(programs.specials.size() * kPoolBytes);
  if (specials > warp.frames().size())
    warp.fault(machine::FaultKind::kStackOverflow, -1, 0, {}, "no room for special registers");
  frames_used_ = specials;
  std::byte* pool = warp.frames().data();
  for (const SpecialUse& use : programs.specials) {
    fill_special(pool, use, warp);
    pool += kPoolBytes;
  }
}

void Runner::run() {
  push(programs_.functions[programs_.kernel], context_.live, {});
  while (pick())
    execute();
}

Runner::Activation* Runner::push(const Program& program, Mask lanes, const ir::Place& place,
                                 bool zeroed) {
  const std::size_t head = frame_aligned(sizeof(Activation));
  const std::size_t frame = frame_aligned(program.function->frame_bytes);
  const std::size_t bytes = head + frame + (context_.allocates ? sizeof context_.taken : 0);
  const std::uint64_t taken =
      context_.allocates ? *std::max_element(context_.taken, context_.taken + kLanes) : 0;
  const std::uint32_t local =
      top_ == nullptr ? 0
                      : now_->local_base + machine::kCallBytes +
                            (now_->program->function->local_bytes + machine::kCallBytes - 1) /
                                machine::kCallBytes * machine::kCallBytes;
  if (bytes > warp_.frames().size() - frames_used_ ||
      std::uint64_t{local} + program.function->local_bytes + taken > warp_.local_stride())
    warp_.fault(machine::FaultKind::kStackOverflow, std::countr_zero(lanes), 0, place,
                "the stack of the thread is full: recursion too deep (cudaLimitStackSize)");
  std::byte* place_of = warp_.frames().data() + frames_used_;
  auto* activation = new (place_of) Activation{};
  activation->program = &program;
  activation->below = top_;
  activation->frame = place_of + head;
  if (context_.allocates) {
    activation->taken = reinterpret_cast<std::uint32_t*>(place_of + head + frame);
    std::copy_n(context_.taken, kLanes, activation->taken);
  }
  activation->local_base = local;
  activation->members = activation->lanes = lanes;
  if (zeroed) std::memset(activation->frame, 0, program.function->frame_bytes);
  frames_used_ += bytes;
  return top_ = activation;
}

void Runner::pop_finished() noexcept {
  while (top_ != nullptr && top_->members == 0) {
    frames_used_ =
        static_cast<std::size_t>(reinterpret_cast<std::byte*>(top_) - warp_.frames().data());
    top_ = top_->below;
  }
}

void Runner::use(Activation& activation) noexcept {
  now_ = &activation;
  context_.local_base = activation.local_base;
  context_.local_top = activation.local_base + activation.program->function->local_bytes;
  auto* constants = const_cast<std::byte*>(programs_.constants.data());
  std::byte* specials = warp_.frames().data();
  // Where the values of each width stand in a pool; see kPoolBytes.
  constexpr std::uint32_t kPart[Context::kWidths] = {kWideBytes + kMiddleBytes,
                                                     kWideBytes + kMiddleBytes, kWideBytes, 0, 0};
  for (std::size_t width = 0; width < Context::kWidths; ++width) {
    context_.bases[width][static_cast<int>(Base::kFrame)] = activation.frame;
    context_.bases[width][static_cast<int>(Base::kConstants)] = constants + kPart[width];
    context_.bases[width][static_cast<int>(Base::kSpecials)] = specials + kPart[width];
    context_.bases[width][static_cast<int>(Base::kScratch)] = scratch_;
  }
}

bool Runner::pick() {
  forced_ = false;
  rounds_ = 0;
  context_.strong_access = false;
  for (;;) {
    pop_finished();
    if (top_ == nullptr) return false;
    if (pick_runnable()) return true;
    if (resting_ != 0) {
      resting_ = 0;
      warp_.yield();  // all of the warp waits for something
      continue;
    }
    return pick_parked();
  }
}

bool Runner::pick_runnable() noexcept {
  for (Activation* activation = top_; activation != nullptr; activation = activation->below) {
    const Mask candidates = activation->lanes & ~resting_ & ~parked_;
    if (candidates == 0) continue;
    choose(*activation, candidates);
    return true;
  }
  return false;
}

bool Runner::pick_parked() noexcept {
  for (Activation* activation = top_; activation != nullptr; activation = activation->below) {
    if ((activation->lanes & parked_) == 0) continue;
    choose(*activation, activation->lanes & parked_);
    forced_ = true;
    return true;
  }
  return false;
}

void Runner::choose(Activation& activation, Mask candidates) noexcept {
  use(activation);
  step_ = lowest(activation.steps, candidates);
  group_ = lanes_at(activation.steps, candidates, step_);
  const Mask others = candidates & ~group_;
  join_ = others == 0 ? kNoJoin : lowest(activation.steps, others);
  alone_ = (context_.live & ~parked_ & ~group_) == 0;
}

Mask Runner::guard_of(const Step& s) const noexcept {
  if (s.guard == ir::kNone) return group_;
  Mask value = 0;
  std::memcpy(&value, now_->frame + s.guard, sizeof value);
  return group_ & (s.guard_negated ? ~value : value);
}

void Runner::execute() {
  const Step* steps = now_->program->steps.data();
  context_.active = group_;
  for (;;) {
    const Step& s = steps[step_];
    if (s.kind == StepKind::kPlain) {
      context_.mask = guard_of(s);
      if (context_.mask != 0) s.run(context_, s);
      ++step_;
    } else if (!step_control(s)) {
      return;
    }
  }
}

bool Runner::step_control(const Step& s) {
  switch (s.kind) {
    case StepKind::kBlockEnd:
      return next_block(step_ + 1);
    case StepKind::kBranch:
      return branch(s);
    case StepKind::kBranchIndexed:
      return branch_indexed(s);
    case StepKind::kCall:
      return call(s);
    case StepKind::kReturn:
      return finish_lanes(s, now_->caller == nullptr);
    case StepKind::kExit:
      return finish_lanes(s, true);
    case StepKind::kBarrier:
      return barrier(s);
    case StepKind::kWarpSync:
      return warp_sync(s);
    case StepKind::kNative:
      return enter_native(s);
    case StepKind::kPlain:
      break;
  }
  return true;
}

void Runner::leave(std::uint32_t step) noexcept {
  for (Mask left = group_; left != 0; left &= left - 1)
    now_->steps[std::countr_zero(left)] = step;
}

void Runner::split(Mask taken, std::uint32_t target, std::uint32_t otherwise) noexcept {
  leave(otherwise);
  for (Mask left = taken; left != 0; left &= left - 1)
    now_->steps[std::countr_zero(left)] = target;
}

bool Runner::next_block(std::uint32_t step) noexcept {
  step_ = step;
  if (step < join_) return true;
  leave(step);
  return false;
}

bool Runner::branch(const Step& s) {
  const Mask taken = guard_of(s);
  if (taken == 0) {
    ++step_;  // kBlockEnd follows
    return true;
  }
  const bool back = s.target <= step_;
  if (taken != group_) {
    split(taken, s.target, step_ + 1);
    if (back && warp_.stopping()) warp_.yield();
    if (back && ++rounds_ >= (context_.strong_access ? kRoundsWaiting : kRoundsAnyway))
      resting_ |= taken;
    return false;
  }
  return back ? jump_back(s.target) : next_block(s.target);
}

// Lanes that loop let others run now and then, as they may wait for what those will write.
bool Runner::jump_back(std::uint32_t target) {
  if (warp_.stopping()) warp_.yield();
  if (++rounds_ >= (context_.strong_access ? kRoundsWaiting : kRoundsAnyway)) {
    rounds_ = 0;
    if (alone_) {
      if (context_.strong_access) warp_.yield();
      context_.strong_access = false;
    } else {
      resting_ |= group_;
      leave(target);
      return false;
    }
  }
  return next_block(target);
}

bool Runner::branch_indexed(const Step& s) {
  const Mask lanes = guard_of(s);
  if (lanes == 0) {
    ++step_;
    return true;
  }
  const ir::Function& function = *now_->program->function;
  const ir::Operand& table = function.operands_of(*s.source)[1];
  const auto* index = context_.at<std::uint32_t>(s.slot(0));
  leave(step_ + 1);
  bool back = false;
  for (Mask left = lanes; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    if (index[lane] >= table.count)
      warp_.fault(machine::FaultKind::kIllegalInstruction, lane, 0, s.source->place,
                  "brx.idx with an index outside of its list");
    const ir::BlockId block = function.tables[table.first + index[lane]];
    now_->steps[lane] = now_->program->first_steps[block];
    back = back || now_->steps[lane] <= step_;
  }
  if (back && warp_.stopping()) warp_.yield();
  return false;
}

// Lanes return to their caller, or leave the kernel.
bool Runner::finish_lanes(const Step& s, bool exits) {
  const Mask lanes = guard_of(s);
  leave(step_ + 1);
  if (exits) {
    for (Activation* a = top_; a != nullptr; a = a->below) {
      a->lanes &= ~lanes;
      a->members &= ~lanes;
    }
    context_.live &= ~lanes;
    parked_ = 0;  // who waited for these lanes looks again
  } else if (lanes != 0) {
    copy_results(*now_, lanes);
    for (Mask left = context_.allocates ? lanes : 0; left != 0; left &= left - 1)
      context_.taken[std::countr_zero(left)] =
          now_->taken == nullptr ? 0 : now_->taken[std::countr_zero(left)];
    now_->lanes &= ~lanes;
    now_->members &= ~lanes;
    now_->caller->lanes |= lanes;
  }
  return false;
}

bool Runner::warp_sync(const Step& s) {
  Mask lanes = guard_of(s);
  if (lanes == 0) {
    ++step_;
    return true;
  }
  const int which = static_cast<int>(s.target);  // the operand that names the lanes
  Mask wanted = s.has(which) ? context_.at<Mask>(s.slot(which))[std::countr_zero(lanes)] : 0;
  wanted &= context_.live;
  lanes |= lanes_at(now_->steps, now_->lanes & parked_, step_);
  if ((wanted & ~lanes) != 0 && !forced_) {
    split(lanes & group_, step_, step_ + 1);
    parked_ |= lanes;
    return false;
  }
  const bool grown = (lanes & ~group_) != 0;
  parked_ &= ~lanes;
  context_.mask = lanes;
  s.run(context_, s);
  if (!grown && !forced_) {
    ++step_;
    return true;
  }
  group_ |= lanes;
  leave(step_ + 1);
  return false;
}

}  // namespace longwire::softcuda::interp
