#include "softcuda/machine/barriers.h"

#include <bit>

namespace longwire::softcuda::machine {

void Barriers::reset(std::uint32_t warps) noexcept {
  barriers_.fill(Barrier{});
  running_ = warps;
}

bool Barriers::arrive(std::uint32_t id, std::uint32_t warp, const Arrival& arrival) noexcept {
  Barrier& barrier = barriers_[id];
  if (barrier.arrived != 0 && barrier.threads != arrival.threads) return false;
  barrier.threads = arrival.threads;
  barrier.arrived += ir::kWarpSize;
  barrier.count += static_cast<std::uint32_t>(std::popcount(arrival.predicate & arrival.mask));
  barrier.all = barrier.all && (arrival.predicate & arrival.mask) == arrival.mask;
  if (arrival.mode != ir::Mode::kArrive) barrier.waiting |= 1U << warp;
  return true;
}

std::uint32_t Barriers::needed_threads(std::uint32_t id) const noexcept {
  const std::uint32_t said = barriers_[id].threads;
  return said != 0 ? said : running_ * ir::kWarpSize;
}

bool Barriers::take_release(std::uint32_t id, Release& release) noexcept {
  Barrier& barrier = barriers_[id];
  if (barrier.arrived == 0 || barrier.arrived < needed_threads(id)) return false;
  release = {barrier.waiting, barrier.count, barrier.all};
  barrier = Barrier{};
  return true;
}

}  // namespace longwire::softcuda::machine
