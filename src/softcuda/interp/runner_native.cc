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

bool is_of_block(ir::Special special) noexcept {
  return (special >= ir::Special::kCtaidX && special <= ir::Special::kCtaidZ) ||
         (special >= ir::Special::kClusteridX && special <= ir::Special::kClusteridZ);
}

void step(machine::Dim3& at, std::uint32_t by, const machine::Dim3& size) noexcept {
  at.x += by;
  if (at.x < size.x) return;
  at.x = 0;
  if (++at.y < size.y) return;
  at.y = 0;
  ++at.z;
}

// %tid from the first thread of the warp on, which becomes that of the next warp.
void fill_threads(NativeState& state) noexcept {
  const machine::Dim3& size = state.warp->block().size;
  const std::uint32_t by = state.rows == 0 ? 1 : state.rows;
  for (std::uint32_t lane = 0; lane < kLanes; lane += by) {
    state.tid[0][lane] = state.thread.x;
    state.tid[1][lane] = state.thread.y;
    state.tid[2][lane] = state.thread.z;
    step(state.thread, by, size);
  }
}

// As no Runner has to do with the warp yet.
void without_runner(NativeState& state) noexcept {
  state.frame = Runner::kernel_frame(state);
  state.local_base = 0;
  state.join = kNoJoin;
  state.parked = 0;
  state.context = nullptr;
  state.runner = nullptr;
}

}  // namespace

std::uint32_t rows_of(const machine::Dim3& block) noexcept {
  if (block.x % kLanes == 0 || (block.y == 1 && block.z == 1)) return kLanes;
  return block.x == kLanes / 2 || block.x == kLanes / 4 ? block.x : 0;
}

void begin_native(NativeState& state, const KernelPrograms& programs,
                  machine::Warp& warp) noexcept {
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
  std::size_t n = 0;
  state.number_at = kMaxNativeSpecials;
  for (const SpecialUse& use : programs.specials) {
    if (use.special == ir::Special::kWarpid) state.number_at = n;
    state.values[n++] = is_clock(use.special) ? 0 : warp_value(use.special, warp);
  }
  state.thread = warp.number() == 0 ? machine::Dim3{0, 0, 0} : warp.thread(0);
  state.ended = kNotEntered;
  without_runner(state);
  fill_threads(state);
}

void next_warp(NativeState& state) noexcept {
  if (state.number_at < kMaxNativeSpecials) state.values[state.number_at] = state.warp->number();
  fill_threads(state);
}

void next_block(NativeState& state, std::uint32_t number) noexcept {
  std::size_t n = 0;
  for (const SpecialUse& use : state.programs->specials) {
    if (is_of_block(use.special)) state.values[n] = warp_value(use.special, *state.warp);
    ++n;
  }
  if (number == state.warp->number()) return;
  state.thread = {0, 0, 0};
  next_warp(state);
}

// Runs a warp in a kernel's code; whatever that leaves undone, a Runner does.
void run_native(NativeState& state) {
  const KernelPrograms& programs = *state.programs;
  const Program& kernel = programs.functions[programs.kernel];
  state.rounds = state.strong = state.apart = 0;
  state.live = state.warp->lanes();
  const std::uint32_t step = kernel.native(state, kStart, state.live);
  if (step != state.ended) {
    const Step& s = kernel.steps[step];
    if (s.guard == ir::kNone && (s.kind == StepKind::kExit || s.kind == StepKind::kReturn)) {
      state.ended = step;
    } else {
      if (state.runner == nullptr) Runner::start(state);
      state.runner->go_on(step);
    }
  }
  if (state.runner != nullptr) without_runner(state);
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
  if (part() && warp_.stopping()) warp_.yield();
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
  resting_ |= native_->resting;
  native_->resting = 0;
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
  if (part()) {
    if (warp_.stopping()) warp_.yield();
    return false;
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
