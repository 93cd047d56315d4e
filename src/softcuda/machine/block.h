// Block: one block of a grid in execution, and the memory for it, which the next block uses again.
// Only the thread that runs it comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "softcuda/machine/barriers.h"
#include "softcuda/machine/grid.h"
#include "softcuda/machine/region.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {

class WarpFiber;
class Races;

class Block {
 public:
  Block(const Services& services, std::uint32_t core);
  ~Block();

  // False: there is no memory for its stacks.
  bool begin(Grid& grid, Dim3 index);
  // Runs this block of the grid and then others, until none is left: see Code::in_turn().
  bool begin_in_turn(Grid& grid, Dim3 index);

  enum class Round : std::uint8_t { kProgress, kSpinning, kDone };
  // Runs every warp that can until it waits, yields or ends. A block none of whose warps can run
  // fails its grid. REQUIRES: begin().
  Round run_round();
  // Prints what its kernel printed. The block may begin again.
  void finish();

  // --- for its warps ---
  Grid& grid() const noexcept { return *grid_; }
  const Services& services() const noexcept { return services_; }
  const BlockState& state() const noexcept { return state_; }
  Barriers& barriers() noexcept { return barriers_; }
  Races* races() const noexcept { return races_.get(); }
  void release(const Barriers::Release& release);  // those warps go on, with the result
  void print(std::string_view text);
  void warp_ended();
  bool next_in_turn();  // becomes the grid's next block; false: there is none

 private:
  bool prepare(Grid& grid, Dim3 index);
  std::uint32_t threads() const noexcept { return state_.size.x * state_.size.y * state_.size.z; }
  WarpFiber& warp_at(std::uint32_t number);
  bool place_warps(std::uint32_t threads);
  void report_deadlock();

  const Services& services_;
  Grid* grid_ = nullptr;
  BlockState state_;
  Grid::Blocks in_turn_;  // taken, the one that runs and those that come then
  Barriers barriers_;
  Region shared_;
  std::vector<std::unique_ptr<WarpFiber>> warps_;  // as many as any block here had
  std::uint32_t warp_count_ = 0;                   // of this one
  std::uint32_t running_ = 0;
  std::string printed_;
  std::unique_ptr<Races> races_;
};

}  // namespace longwire::softcuda::machine
