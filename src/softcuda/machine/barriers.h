// Barriers: the 16 barriers of a block. Only the thread that runs the block comes here.
#pragma once

#include <array>
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
    std::uint32_t warps = 0;  // bit i: warp i goes on
    std::uint32_t count = 0;  // of predicates that were true
    bool all = false;
  };
  // The warps that waited at `id`, when all have come; the barrier is then as new.
  bool take_release(std::uint32_t id, Release& release) noexcept;

  bool in_use(std::uint32_t id) const noexcept { return barriers_[id].arrived != 0; }
  std::uint32_t arrived_threads(std::uint32_t id) const noexcept { return barriers_[id].arrived; }
  std::uint32_t needed_threads(std::uint32_t id) const noexcept;

 private:
  struct Barrier {
    std::uint32_t threads = 0;
    std::uint32_t arrived = 0;
    std::uint32_t waiting = 0;
    std::uint32_t count = 0;
    bool all = true;
  };
  std::array<Barrier, kBarriers> barriers_{};
  std::uint32_t running_ = 0;
};

}  // namespace longwire::softcuda::machine
