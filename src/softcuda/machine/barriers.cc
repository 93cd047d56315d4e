#include "softcuda/machine/barriers.h"

namespace longwire::softcuda::machine {

void Barriers::reset(std::uint32_t warps) noexcept {
  for (std::uint32_t left = used_; left != 0; left &= left - 1)
    barriers_[static_cast<std::size_t>(std::countr_zero(left))] = Barrier{};
  used_ = 0;
  running_ = warps;
  if (!clustered_) return;
  clustered_ = false;
  cluster_ended_ = 0;
  cluster_arrived_.fill(0);
}

bool Barriers::waits_for_cluster(std::uint32_t warp) noexcept {
  if (cluster_ended_ >= cluster_arrived_[warp]) return false;
  barriers_[kClusterArrive].waiting |= 1U << warp;
  return true;
}

}  // namespace longwire::softcuda::machine
