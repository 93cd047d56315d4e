// Barriers: the 16 barriers of a block. Only the thread that runs the block comes here.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "softcuda/ir/ir.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {

// One warp's coming to a barrier.
struct Arrival {
  std::uint32_t threads = 0;  // that take part; 0: all of the block
  Mask mask = 0;
  Mask predicate = 0;
  ir::Mode mode = ir::Mode::kSync;
};

class Barriers {
 public:
  // `warps` run in the block from now on.
  void reset(std::uint32_t warps) noexcept;

  // False: `threads` is not what the others said.
  bool arrive(std::uint32_t id, std::uint32_t warp, const Arrival& arrival) noexcept;
  // A warp has exited: nobody waits for it any more.
  void exit() noexcept { --running_; }

  struct Release {
    std::uint32_t id = 0;
    std::uint32_t warps = 0;  // bit i: warp i goes on
    std::uint32_t count = 0;  // of predicates that were true
    bool all = false;
    bool reduces = false;  // somebody wants to know
  };
  // The warps that waited at `id`, when all have come; the barrier is then as new.
  bool take_release(std::uint32_t id, Release& release) noexcept;

  // Whether a warp that has come to its cluster's barrier must wait for others; it then does.
  bool waits_for_cluster(std::uint32_t warp) noexcept;

  // Bit i: some have come to barrier i.
  std::uint32_t in_use() const noexcept { return used_; }
  std::uint32_t arrived_threads(std::uint32_t id) const noexcept { return barriers_[id].arrived; }
  std::uint32_t needed_threads(std::uint32_t id) const noexcept;

 private:
  struct Barrier {
    std::uint32_t threads = 0;
    std::uint32_t arrived = 0;
    std::uint32_t waiting = 0;
    std::uint32_t count = 0;
    bool all = true;
    bool reduces = false;
  };
  std::array<Barrier, kAllBarriers> barriers_{};
  // How often the cluster's barrier ended, and each warp came to it.
  bool clustered_ = false;  // somebody came there
  std::uint32_t cluster_ended_ = 0;
  std::array<std::uint32_t, kMaxThreadsPerBlock / ir::kWarpSize> cluster_arrived_{};
  std::uint32_t running_ = 0;
  std::uint32_t used_ = 0;
};

inline bool Barriers::arrive(std::uint32_t id, std::uint32_t warp,
                             const Arrival& arrival) noexcept {
  Barrier& barrier = barriers_[id];
  if (barrier.arrived != 0 && barrier.threads != arrival.threads) return false;
  used_ |= 1U << id;
  if (id == kClusterArrive) {
    clustered_ = true;
    ++cluster_arrived_[warp];
  }
  barrier.threads = arrival.threads;
  barrier.arrived += ir::kWarpSize;
  const Mask yes = arrival.predicate & arrival.mask;
  if (yes != 0) barrier.count += static_cast<std::uint32_t>(std::popcount(yes));
  barrier.all = barrier.all && yes == arrival.mask;
  barrier.reduces =
      barrier.reduces || (arrival.mode != ir::Mode::kSync && arrival.mode != ir::Mode::kArrive);
  if (arrival.mode != ir::Mode::kArrive) barrier.waiting |= 1U << warp;
  return true;
}

inline std::uint32_t Barriers::needed_threads(std::uint32_t id) const noexcept {
  const std::uint32_t said = barriers_[id].threads;
  return said != 0 ? said : running_ * ir::kWarpSize;
}

inline bool Barriers::take_release(std::uint32_t id, Release& release) noexcept {
  Barrier& barrier = barriers_[id];
  if (barrier.arrived == 0 || barrier.arrived < needed_threads(id)) return false;
  if (id == kClusterArrive) ++cluster_ended_;
  release = {id, barrier.waiting, barrier.count, barrier.all, barrier.reduces};
  barrier = Barrier{};
  used_ &= ~(1U << id);
  return true;
}

}  // namespace longwire::softcuda::machine
