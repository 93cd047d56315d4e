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

  // How it runs: this block of the grid alone, or it and then others, until none is left, its warps
  // on a fiber each or all on one (Code::in_turn()).
  enum class Way : std::uint8_t { kOne, kSideBySide, kInTurn };
  // False: there is no memory for its stacks.
  bool begin(Grid& grid, Dim3 index, Way way);

  enum class Round : std::uint8_t { kProgress, kSpinning, kDone };
  // Runs every warp that can until it waits, yields or ends; if it is `alone` on its core, so often
  // as they get on. A block none of whose warps can run fails its grid. REQUIRES: begin().
  Round run_round(bool alone);
  // Prints what its kernel printed. The block may begin again.
  void finish();

  // --- for its warps ---
  Grid& grid() const noexcept { return *grid_; }
  const Services& services() const noexcept { return services_; }
  const BlockState& state() const noexcept { return state_; }
  Barriers& barriers() noexcept { return barriers_; }
  Races* races() const noexcept { return races_.get(); }
  bool is_ready(std::uint32_t warp) const noexcept { return (ready_ >> warp & 1) != 0; }
  void wait(std::uint32_t warp) noexcept { ready_ &= ~(1U << warp); }
  void release(const Barriers::Release& release);  // those warps go on, with the result
  // Comes back when the warp, which is not ready, has become so and it is its turn.
  void pass_on(WarpFiber& warp) noexcept;
  void print(std::string_view text);
  // The warp has ended, and goes on in the grid's next block; false: there is none.
  bool next_block(std::uint32_t warp);

 private:
  bool prepare(Grid& grid, Dim3 index);
  std::uint32_t threads() const noexcept { return state_.size.x * state_.size.y * state_.size.z; }
  WarpFiber& warp_at(std::uint32_t number);
  bool place_warps();
  bool place_in_turn();
  void begin_warps() noexcept;
  void warp_ended(std::uint32_t warp);
  bool next_in_turn();
  bool next_side_by_side(std::uint32_t warp);
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
  std::uint32_t ready_ = 0;    // bit i: warp i can run
  std::uint32_t current_ = 0;  // that runs, or ran last
  Way way_ = Way::kOne;
  bool alone_ = false;
  std::string printed_;
  std::unique_ptr<Races> races_;
};

}  // namespace longwire::softcuda::machine
