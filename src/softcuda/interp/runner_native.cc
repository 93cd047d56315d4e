// Compiled code: what it sees of the warp, and how it comes back.
#include "softcuda/interp/runner_native.h"

#include <bit>
#include <new>
#include <type_traits>

#include "softcuda/interp/runner.h"
#include "softcuda/interp/specials.h"

namespace longwire::softcuda::interp {
namespace {

constexpr std::uint32_t kNoJoin = ~std::uint32_t{0};

void fill_block_values(NativeState& state) noexcept {
  std::size_t n = 0;
  for (const SpecialUse& use : state.programs->specials)
    state.values[n++] = is_clock(use.special) ? 0 : warp_value(use.special, *state.warp);
}

}  // namespace

std::uint32_t rows_of(const machine::Dim3& block) noexcept {
  if (block.x % kLanes == 0 || (block.y == 1 && block.z == 1)) return kLanes;
  return block.x == kLanes / 2 || block.x == kLanes / 4 ? block.x : 0;
}

void begin_block(NativeState& state, const KernelPrograms& programs, machine::Warp& warp) noexcept {
  const machine::BlockState& block = warp.block();
  state.programs = &programs;
  state.warp = &warp;
  state.specials = warp.frames().data();
  state.constants = programs.constants.data();
  state.memory_base = block.memory.base;
  state.memory_bytes = block.careful ? 0 : block.memory.bytes;
  state.granules = block.memory.granules;
  state.shared = block.shared;
  state.shared_bytes = block.careful ? 0 : block.shared_bytes;
  state.parameters = block.parameters;
  state.parameter_bytes = block.parameter_bytes;
  state.local = warp.local(0);
  state.local_stride = warp.local_stride();
  state.stopping = warp.stopping_flag();
  state.rows = rows_of(block.size);
  fill_block_values(state);
}

void begin_warp(NativeState& state) noexcept {
  const machine::Warp& warp = *state.warp;
  const std::uint32_t step = state.rows == 0 ? 1 : state.rows;
  for (std::uint32_t lane = 0; lane < kLanes; lane += step) {
    const machine::Dim3 at = warp.thread(static_cast<int>(lane));
    state.tid[0][lane] = at.x;
    state.tid[1][lane] = at.y;
    state.tid[2][lane] = at.z;
  }
  std::size_t n = 0;
  for (const SpecialUse& use : state.programs->specials) {
    if (use.special == ir::Special::kWarpid) state.values[n] = warp.number();
    ++n;
  }
}

// Runs a warp in a kernel's code; whatever that leaves undone, a Runner does.
void run_native(NativeState& state) {
  const KernelPrograms& programs = *state.programs;
  const Program& kernel = programs.functions[programs.kernel];
  state.frame = Runner::kernel_frame(state);
  state.local_base = 0;
  state.join = kNoJoin;
  state.rounds = state.strong = state.apart = 0;
  state.live = state.warp->lanes();
  state.parked = 0;
  state.context = nullptr;
  state.runner = nullptr;
  const std::uint32_t step = kernel.native(state, kStart, state.live);
  const Step& s = kernel.steps[step];
  if (s.guard == ir::kNone && (s.kind == StepKind::kExit || s.kind == StepKind::kReturn)) return;
  if (state.runner == nullptr) Runner::start(state);
  state.runner->go_on(step);
}

// --- Runner ---

std::byte* Runner::kernel_frame(const NativeState& state) noexcept {
  return state.warp->frames().data() + frame_aligned(state.programs->specials.size() * kPoolBytes) +
         frame_aligned(sizeof(Activation));
}

void Runner::start(NativeState& state) noexcept {
  static_assert(std::is_trivially_destructible_v<Runner>);
  const KernelPrograms& programs = *state.programs;
  auto* runner = new (state.runner_place) Runner(programs, *state.warp, &state);
  Activation* kernel = runner->push(programs.functions[programs.kernel], state.live, {}, false);
  runner->use(*kernel);
  runner->group_ = runner->context_.active = state.live;
  runner->join_ = kNoJoin;
  state.context = &runner->context_;
  state.runner = runner;
}

void Runner::go_on(std::uint32_t step) {
  leave(step);
  part();
  while (pick())
    execute();
}

// Lanes that the code has left elsewhere; false: there are none.
bool Runner::part() noexcept {
  const std::uint32_t count = native_->apart;
  for (std::uint32_t n = 0; n < count; ++n)
    for (Mask left = native_->apart_lanes[n]; left != 0; left &= left - 1)
      now_->steps[std::countr_zero(left)] = native_->apart_steps[n];
  native_->apart = 0;
  return count != 0;
}

bool Runner::enter_native(const Step& s) {
  const NativeRun run = now_->program->native;
  if (run == nullptr) {
    ++step_;
    return true;
  }
  NativeState& state = *native_;
  state.frame = now_->frame;
  state.local_base = now_->local_base;
  state.join = join_;
  state.rounds = rounds_;
  state.live = context_.live;
  state.parked = forced_ ? kAllLanes : parked_;
  state.strong = context_.strong_access ? 1 : 0;
  state.apart = 0;
  const std::uint32_t step = run(state, s.target, group_);
  rounds_ = state.rounds;
  context_.strong_access = context_.strong_access || state.strong != 0;
  if (step == kNotEntered) {
    ++step_;
    return true;
  }
  if (part()) return false;
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
