#include "softcuda/machine/warp_fiber.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "softcuda/machine/externals.h"
#include "softcuda/machine/fault_text.h"
#include "softcuda/machine/races.h"

namespace longwire::softcuda::machine {
namespace {

// Address space; taken as it is touched. Code of a back end calls back here with whole frames of 32
// lanes on it, and sanitizers make those larger.
constexpr std::size_t kStackBytes = std::size_t{512} << 10;

std::uint64_t address_of(const std::byte* place) { return reinterpret_cast<std::uint64_t>(place); }

// [address, address + bytes) lies in [begin, begin + size).
bool inside(std::uint64_t address, std::uint64_t bytes, std::uint64_t begin, std::uint64_t size) {
  const std::uint64_t offset = address - begin;
  return offset < size && bytes <= size - offset;
}

}  // namespace

void Code::run_all(Warp& warp) const {
  do
    run(warp);
  while (warp.next() || warp.next_block());
}

WarpFiber::WarpFiber(Block& block, std::uint32_t number)
    : owner_(block), own_number_(number), fiber_(kStackBytes) {}

bool WarpFiber::prepare(std::uint32_t warps) {
  const Grid& grid = owner_.grid();
  const std::uint64_t stride = grid.needs().local_bytes_per_thread;
  if (!fiber_.usable() || !local_region_.ensure(stride * ir::kWarpSize) ||
      !frame_region_.ensure(grid.needs().frame_bytes))
    return false;
  block_ = &owner_.state();
  module_ = grid.launch().module;
  kernel_ = grid.launch().kernel;
  stopping_ = &grid.stopping_flag();
  number_ = last_ = own_number_;
  warps_ = warps;
  local_ = local_region_.data();
  local_stride_ = stride;
  if (grid.replay != nullptr) std::fill_n(local_, stride * ir::kWarpSize, std::byte{0});
  frames_ = frame_region_.span();
  state_ = State::kReady;
  return true;
}

bool WarpFiber::begin(Mask lanes, std::uint32_t warps) {
  if (!prepare(warps)) return false;
  lanes_ = lanes;
  fiber_.start(&WarpFiber::body, this);
  return true;
}

bool WarpFiber::begin_side_by_side(Mask lanes, std::uint32_t warps) {
  if (!prepare(warps)) return false;
  lanes_ = first_lanes_ = lanes;
  fiber_.start(&WarpFiber::body_of_all, this);
  return true;
}

bool WarpFiber::begin_in_turn(std::uint32_t warps, std::uint32_t threads) {
  if (!prepare(warps)) return false;
  lanes_ = first_lanes_ = lanes_of(0, threads);
  last_ = warps - 1;
  fiber_.start(&WarpFiber::body_of_all, this);
  return true;
}

void WarpFiber::body(void* self) {
  auto& warp = *static_cast<WarpFiber*>(self);
  warp.owner_.grid().code().run(warp);
}

void WarpFiber::body_of_all(void* self) {
  auto& warp = *static_cast<WarpFiber*>(self);
  warp.owner_.grid().code().run_all(warp);
}

bool WarpFiber::next_block() {
  state_ = State::kEnded;
  if (!owner_.next_block(own_number_)) return false;
  state_ = State::kReady;
  number_ = own_number_;
  lanes_ = first_lanes_;
  return true;
}

void WarpFiber::yield() noexcept {
  if (stopping()) fiber_.end();
  yielded_ = true;
  fiber_.suspend();
}

std::uint32_t WarpFiber::result_of(ir::Mode mode, const Barriers::Release& release) const noexcept {
  switch (mode) {
    case ir::Mode::kRedPopc:
      return release.count;
    case ir::Mode::kRedAnd:
      return release.all ? 1 : 0;
    case ir::Mode::kRedOr:
      return release.count != 0 ? 1 : 0;
    default:
      return 0;
  }
}

std::uint32_t WarpFiber::barrier(std::uint32_t id, std::uint32_t threads, Mask mask, ir::Mode mode,
                                 Mask predicate, const ir::Place& place) {
  if (id == kClusterWait) return wait_for_cluster(place);
  if (id >= kAllBarriers) fault(FaultKind::kIllegalInstruction, -1, 0, place, "no such barrier");
  if (threads % ir::kWarpSize != 0 || threads > kMaxThreadsPerBlock)
    fault(FaultKind::kIllegalInstruction, -1, 0, place,
          "the number of threads at a barrier is no multiple of 32 up to 1024");
  Barriers& barriers = owner_.barriers();
  if (!barriers.arrive(id, number_, {threads, mask, predicate, mode}))
    fault(FaultKind::kIllegalInstruction, -1, 0, place,
          "warps disagree on the number of threads at a barrier");
  if (Races* races = owner_.races()) races->arrive(number_, id);
  place_ = place;
  barrier_ = id;
  if (mode != ir::Mode::kArrive) owner_.wait(number_);
  Barriers::Release release;
  if (barriers.take_release(id, release)) owner_.release(release);
  if (mode == ir::Mode::kArrive) return 0;
  if (!owner_.is_ready(number_)) {
    state_ = State::kWaiting;
    owner_.pass_on(*this);
    state_ = State::kReady;
  }
  return result_of(mode, released_);
}

std::uint32_t WarpFiber::wait_for_cluster(const ir::Place& place) {
  place_ = place;
  barrier_ = kClusterArrive;
  if (owner_.barriers().waits_for_cluster(number_)) {
    owner_.wait(number_);
    state_ = State::kWaiting;
    owner_.pass_on(*this);
    state_ = State::kReady;
  } else if (Races* races = owner_.races()) {
    races->release(1U << number_, kClusterArrive);
  }
  return 0;
}

std::byte* WarpFiber::at(ir::Space space, int lane, std::uint64_t address, std::uint32_t bytes,
                         Access access, const ir::Place& place) {
  if (std::has_single_bit(bytes) && address % bytes != 0)
    fault(FaultKind::kMisalignedAddress, lane, address, place, nullptr);
  std::byte* found = place_of(space, lane, address, bytes, access, place);
  if (found == nullptr) fault(FaultKind::kIllegalAddress, lane, address, place, nullptr);
  return found;
}

std::byte* WarpFiber::place_of(ir::Space space, int lane, std::uint64_t address,
                               std::uint32_t bytes, Access access, const ir::Place& place) {
  switch (space) {
    case ir::Space::kShared:
      return shared_at(address, bytes, lane, access, place);
    case ir::Space::kLocal:
      return inside(address, bytes, 0, local_stride_) ? local(lane) + address : nullptr;
    case ir::Space::kParam:
      if (access != Access::kRead || !inside(address, bytes, 0, block_->parameter_bytes))
        return nullptr;
      return const_cast<std::byte*>(block_->parameters) + address;
    case ir::Space::kConst:
      return access == Access::kRead ? global_at(address, bytes) : nullptr;
    case ir::Space::kGlobal:
      return global_at(address, bytes);
    case ir::Space::kGeneric:
      break;
  }
  if (inside(address, bytes, address_of(block_->shared), block_->shared_bytes))
    return shared_at(address - address_of(block_->shared), bytes, lane, access, place);
  return generic_at(lane, address, bytes, access);
}

std::byte* WarpFiber::generic_at(int lane, std::uint64_t address, std::uint32_t bytes,
                                 Access access) {
  const bool of_lane = inside(address, bytes, address_of(local(lane)), local_stride_);
  const bool parameter =
      access == Access::kRead &&
      inside(address, bytes, address_of(block_->parameters), block_->parameter_bytes);
  return of_lane || parameter ? reinterpret_cast<std::byte*>(address) : global_at(address, bytes);
}

std::byte* WarpFiber::global_at(std::uint64_t address, std::uint32_t bytes) const {
  const Memory& memory = *owner_.services().memory;
  if (!memory.accessible(address, bytes)) return nullptr;
  if (owner_.services().options.check_memory) {
    const auto allocation = memory.find(address);
    if (!allocation || !inside(address, bytes, allocation->address, allocation->bytes))
      return nullptr;
  }
  return reinterpret_cast<std::byte*>(address);
}

std::byte* WarpFiber::shared_at(std::uint64_t offset, std::uint32_t bytes, int lane, Access access,
                                const ir::Place& place) {
  if (!inside(offset, bytes, 0, block_->shared_bytes)) return nullptr;
  if (owner_.races() != nullptr && fails_by_race(offset, bytes, lane, access, place)) fiber_.end();
  return block_->shared + offset;
}

bool WarpFiber::fails_by_race(std::uint64_t offset, std::uint32_t bytes, int lane, Access access,
                              const ir::Place& place) {
  const std::string race =
      owner_.races()->access(number_, static_cast<std::uint32_t>(offset), bytes, access);
  if (race.empty()) return false;
  owner_.grid().fail({FaultKind::kMemoryRace, describe_place(*this, lane, place) + race});
  return true;
}

bool WarpFiber::call_external(const ir::Function& function, int lane,
                              std::span<const std::uint64_t> arguments, std::uint64_t& result,
                              const ir::Place& place) {
  return externals::call({*this, owner_, lane, place}, function.name, arguments, result);
}

void WarpFiber::fault(FaultKind kind, int lane, std::uint64_t address, const ir::Place& place,
                      const char* detail) {
  {
    std::string text = describe_place(*this, lane, place);
    const bool of_address =
        kind == FaultKind::kIllegalAddress || kind == FaultKind::kMisalignedAddress;
    if (of_address) text += describe_address(kind, address, *owner_.services().memory);
    if (of_address && detail != nullptr) text += ": ";
    if (detail != nullptr) text += detail;
    owner_.grid().fail({kind, std::move(text)});
  }
  fiber_.end();
}

}  // namespace longwire::softcuda::machine
