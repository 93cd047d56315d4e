// Core: what one thread needs to run blocks of a grid. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "softcuda/machine/block.h"
#include "softcuda/machine/grid.h"

namespace longwire::softcuda::machine {

// Blocks that one core holds at once where they wait for each other.
inline constexpr std::uint32_t kMaxResidentBlocks = 32;
inline constexpr std::uint32_t kMaxResidentThreads = 2048;

class Core {
 public:
  Core(const Services& services, std::uint32_t number) : services_(services), number_(number) {}

  // Takes blocks of the grid and runs them until none is left that nobody else runs. One at a time,
  // as long as its warps get on; another one when they only spin, as what they wait for may be a
  // block that has not begun.
  void work(Grid& grid);

 private:
  void admit(Grid& grid);
  static Block::Way way_of(const Grid& grid, const Services& services) noexcept;
  bool run_round(Grid& grid);  // false: all that is resident only spins
  std::unique_ptr<Block> take_block();

  const Services& services_;
  const std::uint32_t number_;
  std::vector<std::unique_ptr<Block>> resident_;
  std::vector<std::unique_ptr<Block>> idle_;
};

}  // namespace longwire::softcuda::machine
