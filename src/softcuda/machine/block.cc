#include "softcuda/machine/block.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "softcuda/machine/fault_text.h"
#include "softcuda/machine/races.h"
#include "softcuda/machine/run_twice.h"
#include "softcuda/machine/warp_fiber.h"

namespace longwire::softcuda::machine {
namespace {

// What a block that prints without end may hold back before it is printed.
constexpr std::size_t kMaxPrinted = 1 << 20;
constexpr std::uint64_t kHashFactor = 0x100000001b3;  // FNV

static_assert(kMaxThreadsPerBlock / ir::kWarpSize <= 32);  // as bits
constexpr std::uint32_t warps_below(std::uint32_t count) noexcept {
  return static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1);
}

}  // namespace

Block::Block(const Services& services, std::uint32_t core) : services_(services) {
  state_.core = core;
  state_.cores = services.cores;
  state_.memory = services.memory->view();
  state_.careful = services.options.check_memory || services.options.check_races;
  if (services.options.check_races) races_ = std::make_unique<Races>();
}

Block::~Block() = default;

bool Block::begin(Grid& grid, Dim3 index, Way way) {
  way_ = way;
  if (!prepare(grid, index) || !(way == Way::kInTurn ? place_in_turn() : place_warps()))
    return false;
  begin_warps();
  return true;
}

void Block::begin_warps() noexcept {
  running_ = warp_count_;
  ready_ = warps_below(warp_count_);
  barriers_.reset(warp_count_);
}

bool Block::next_block(std::uint32_t warp) {
  return way_ == Way::kInTurn ? next_in_turn() : next_side_by_side(warp);
}

bool Block::next_side_by_side(std::uint32_t warp) {
  if (running_ > 1) {
    warp_ended(warp);
    pass_on(*warps_[warp]);
    return true;  // the last one has begun another block
  }
  const auto index = grid_->take_block();
  if (!index) return false;
  state_.index = *index;
  begin_warps();
  if (!printed_.empty()) finish();
  if (Fiber::kPasses && warp != 0) {  // the first begins
    current_ = 0;
    warps_[warp]->pass_to(*warps_[0]);
  }
  return true;
}

bool Block::next_in_turn() {
  if (grid_->stopping()) return false;
  if (++in_turn_.first < in_turn_.end) {
    grid_->step(state_.index);
  } else {
    in_turn_ = grid_->take_blocks(services_.cores);
    if (in_turn_.first == in_turn_.end) return false;
    state_.index = in_turn_.index;
  }
  if (!printed_.empty()) finish();
  return true;
}

bool Block::prepare(Grid& grid, Dim3 index) {
  const Launch& launch = grid.launch();
  grid_ = &grid;
  state_.shared_bytes =
      static_cast<std::uint32_t>(shared_bytes_of(grid.kernel(), launch.dynamic_shared_bytes));
  state_.dynamic_shared_bytes = launch.dynamic_shared_bytes;
  state_.parameters = grid.parameters().data();
  state_.parameter_bytes = static_cast<std::uint32_t>(grid.parameters().size());
  state_.index = index;
  state_.grid_size = launch.grid;
  state_.size = launch.block;
  state_.grid_id = grid.id();
  state_.workspace = grid.workspace;
  state_.textures = grid.textures.get();
  if (state_.shared_bytes != 0 && !shared_.ensure(services_.options.shared_bytes_per_block))
    return false;
  state_.shared = shared_.data();
  state_.clock = grid.replay == nullptr ? nullptr : &grid.replay->clock;
  // What an earlier block left there is not the same in both runs.
  if (grid.replay != nullptr) std::fill_n(state_.shared, state_.shared_bytes, std::byte{0});
  return !races_ || races_->reset(state_.shared_bytes);
}

WarpFiber& Block::warp_at(std::uint32_t number) {
  while (warps_.size() <= number)
    warps_.push_back(std::make_unique<WarpFiber>(*this, static_cast<std::uint32_t>(warps_.size())));
  return *warps_[number];
}

bool Block::place_warps() {
  warp_count_ = (threads() + ir::kWarpSize - 1) / ir::kWarpSize;
  for (std::uint32_t i = 0; i < warp_count_; ++i) {
    WarpFiber& warp = warp_at(i);
    const Mask lanes = lanes_of(i, threads());
    if (!(way_ == Way::kOne ? warp.begin(lanes, warp_count_)
                            : warp.begin_side_by_side(lanes, warp_count_)))
      return false;
  }
  return true;
}

bool Block::place_in_turn() {
  in_turn_ = {};
  warp_count_ = 1;
  return warp_at(0).begin_in_turn((threads() + ir::kWarpSize - 1) / ir::kWarpSize, threads());
}

Block::Round Block::run_round(bool alone) {
  bool progress = false;
  alone_ = alone;
  const bool any = ready_ != 0;
  for (std::uint32_t left = ready_; left != 0; left = ready_ & ~warps_below(current_ + 1)) {
    const auto first = current_ = static_cast<std::uint32_t>(std::countr_zero(left));
    warps_[first]->resume();
    // Another may be the one that comes back; then others got on.
    const WarpFiber& back = *warps_[current_];
    progress = progress || current_ != first || !back.yielded();
    if (back.ended()) warp_ended(current_);
    if (grid_->stopping()) return Round::kProgress;
  }
  if (running_ == 0) return Round::kDone;
  if (!any) report_deadlock();
  return progress ? Round::kProgress : Round::kSpinning;
}

void Block::pass_on(WarpFiber& warp) noexcept {
  std::uint32_t others = ready_ & ~warps_below(current_ + 1);
  if (others == 0 && alone_) others = ready_;
  if (!Fiber::kPasses || others == 0) return warp.suspend();
  current_ = static_cast<std::uint32_t>(std::countr_zero(others));
  warp.pass_to(*warps_[current_]);
}

void Block::release(const Barriers::Release& release) {
  ready_ |= release.warps;
  if (races_ != nullptr) races_->release(release.warps, release.id);
  if (!release.reduces) return;
  for (std::uint32_t left = release.warps; left != 0; left &= left - 1)
    warps_[static_cast<std::size_t>(std::countr_zero(left))]->set_result(release);
}

void Block::warp_ended(std::uint32_t warp) {
  wait(warp);
  --running_;
  barriers_.exit();
  Barriers::Release released;
  for (std::uint32_t left = barriers_.in_use(); left != 0; left &= left - 1)
    if (barriers_.take_release(static_cast<std::uint32_t>(std::countr_zero(left)), released))
      release(released);
}

void Block::report_deadlock() {
  const WarpFiber* waiting = nullptr;
  for (std::uint32_t i = 0; i < warp_count_ && waiting == nullptr; ++i)
    if (warps_[i]->waiting()) waiting = warps_[i].get();
  LW_CHECK(waiting != nullptr);  // who is neither ready nor at a barrier has ended
  std::string text = describe_place(*waiting, -1, waiting->waits_in()) + "barrier " +
                     std::to_string(waiting->waits_at()) + " cannot end: ";
  const std::uint32_t id = waiting->waits_at();
  text += std::to_string(barriers_.arrived_threads(id)) + " of " +
          std::to_string(barriers_.needed_threads(id)) + " threads have come, no other can run";
  grid_->fail({FaultKind::kIllegalInstruction, std::move(text)});
}

void Block::print(std::string_view text) {
  printed_ += text;
  if (printed_.size() > kMaxPrinted) finish();
}

void Block::finish() {
  if (Replay* replay = grid_->replay) {
    for (const char each : printed_)
      replay->printed = (replay->printed ^ static_cast<unsigned char>(each)) * kHashFactor;
    if (replay->silent) printed_.clear();
  }
  services_.output->write(printed_);
  printed_.clear();
}

}  // namespace longwire::softcuda::machine
