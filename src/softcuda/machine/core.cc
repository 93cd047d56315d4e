#include "softcuda/machine/core.h"

#include <sched.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "softcuda/machine/floating_modes.h"

namespace longwire::softcuda::machine {

void Core::work(Grid& grid) {
  const FloatingModes modes;
  const std::size_t most =
      grid.launch().cooperative ? std::numeric_limits<std::size_t>::max() : kMaxResidentBlocks;
  std::size_t wanted = 1;
  for (;;) {
    while (resident_.size() < wanted && grid.blocks_left())
      admit(grid);
    if (resident_.empty() || grid.stopping()) break;
    if (run_round(grid)) {
      wanted = std::max<std::size_t>(1, resident_.size());
    } else {
      if (wanted < most) wanted = resident_.size() + 1;
      ::sched_yield();
    }
  }
  for (auto& block : resident_) {
    block->finish();
    idle_.push_back(std::move(block));
  }
  resident_.clear();
}

std::unique_ptr<Block> Core::take_block() {
  if (idle_.empty()) return std::make_unique<Block>(services_, number_);
  auto block = std::move(idle_.back());
  idle_.pop_back();
  return block;
}

Block::Way Core::way_of(const Grid& grid, const Services& services) noexcept {
  if (grid.launch().cooperative || services.options.check_races || services.options.check_memory)
    return Block::Way::kOne;
  if (grid.code().in_turn()) return Block::Way::kInTurn;
  // Both of two runs are to see the same in local memory.
  return grid.replay != nullptr ? Block::Way::kOne : Block::Way::kSideBySide;
}

void Core::admit(Grid& grid) {
  const auto index = grid.take_block();
  if (!index) return;
  auto block = take_block();
  if (!block->begin(grid, *index, way_of(grid, services_)))
    grid.fail({FaultKind::kStackOverflow,
               "kernel " + grid.kernel().name + ": no memory for the stacks of a block"});
  resident_.push_back(std::move(block));
}

bool Core::run_round(Grid& grid) {
  bool progress = false;
  for (std::size_t i = 0; i < resident_.size() && !grid.stopping();) {
    const Block::Round round = resident_[i]->run_round(resident_.size() == 1);
    progress = progress || round != Block::Round::kSpinning;
    if (round != Block::Round::kDone) {
      ++i;
      continue;
    }
    resident_[i]->finish();
    idle_.push_back(std::move(resident_[i]));
    resident_[i] = std::move(resident_.back());
    resident_.pop_back();
  }
  return progress;
}

}  // namespace longwire::softcuda::machine
