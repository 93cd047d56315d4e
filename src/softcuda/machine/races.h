// Races: finds accesses of two warps of a block to the same byte of shared memory, one of them a
// write, that no barrier orders (vector clocks: FastTrack, with every reader kept). Atomics do not
// race with each other, and order what stands before and after them: races that only luck or an
// unlocked lock orders may be missed, but what is reported is one.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "softcuda/machine/region.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {

class Races {
 public:
  // A new block. False: there is no memory to watch its shared memory with.
  bool reset(std::uint32_t shared_bytes) noexcept;

  void arrive(std::uint32_t warp, std::uint32_t barrier) noexcept;
  // All have come, and these go on (bit i: warp i), each when its turn comes: what one of them does
  // before that is not ordered before what the others do then.
  void release(std::uint32_t warps, std::uint32_t barrier) noexcept;
  // What it races with, or nothing. REQUIRES: inside the block's shared memory.
  std::string access(std::uint32_t warp, std::uint32_t offset, std::uint32_t bytes, Access access);

 private:
  static constexpr std::uint32_t kWarps = kMaxThreadsPerBlock / ir::kWarpSize;
  using Clock = std::array<std::uint32_t, kWarps>;
  struct Cell {  // of one byte; clock 0: never
    Clock reads;
    std::uint32_t write_clock;
    std::uint16_t writer;
    bool atomic;  // the write was
  };

  static void join(Clock& into, const Clock& from) noexcept;
  bool unordered(std::uint32_t warp, std::uint32_t other, std::uint32_t clock) const noexcept {
    return other != warp && clock > warps_[warp][other];
  }
  std::string conflict(std::uint32_t warp, std::uint32_t offset, Access access) const;

  std::array<Clock, kWarps> warps_{};
  std::array<Clock, kAllBarriers> barriers_{};
  Clock atomics_{};
  Region cells_;
};

}  // namespace longwire::softcuda::machine
