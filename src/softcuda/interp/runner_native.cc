// Compiled code: what it sees of the warp, and how it comes back.
#include "softcuda/interp/runner.h"

namespace longwire::softcuda::interp {

void Runner::prepare_native() noexcept {
  const machine::BlockState& block = warp_.block();
  native_.specials = warp_.frames().data();
  native_.constants = programs_.constants.data();
  native_.memory_base = block.memory.base;
  native_.memory_bytes = block.careful ? 0 : block.memory.bytes;
  native_.granules = block.memory.granules;
  native_.shared = block.shared;
  native_.shared_bytes = block.careful ? 0 : block.shared_bytes;
  native_.parameters = block.parameters;
  native_.parameter_bytes = block.parameter_bytes;
  native_.local = warp_.local(0);
  native_.local_stride = warp_.local_stride();
  native_.stopping = warp_.stopping_flag();
  native_.context = &context_;
  native_.runner = this;
}

bool Runner::enter_native(const Step& s) {
  const NativeRun run = now_->program->native;
  if (run == nullptr) {
    ++step_;
    return true;
  }
  native_.frame = now_->frame;
  native_.local_base = now_->local_base;
  native_.join = join_;
  native_.rounds = rounds_;
  native_.live = context_.live;
  native_.parked = forced_ ? kAllLanes : parked_;
  native_.strong = context_.strong_access ? 1 : 0;
  const std::uint32_t step = run(native_, s.target, group_);
  rounds_ = native_.rounds;
  context_.strong_access = context_.strong_access || native_.strong != 0;
  if (step == kNotEntered) {
    ++step_;
    return true;
  }
  if (now_->program->steps[step].kind == StepKind::kNative) return next_block(step);
  step_ = step;
  return true;
}

bool Runner::native_barrier(const Step& s) {
  if (group_ != context_.live || forced_) return false;
  step_ = static_cast<std::uint32_t>(&s - now_->program->steps.data());
  return barrier(s);
}

}  // namespace longwire::softcuda::interp
