// WarpFiber: a warp on a stack of its own.
#pragma once

#include <cstdint>

#include "softcuda/machine/block.h"
#include "softcuda/machine/fiber.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {

class WarpFiber final : public Warp {
 public:
  WarpFiber(Block& block, std::uint32_t number);

  // False: there is no memory for it.
  bool begin(Mask lanes, std::uint32_t warps);
  // Runs it, and the same warp of the blocks that come after it.
  bool begin_side_by_side(Mask lanes, std::uint32_t warps);
  // Runs all warps of the block, and of the blocks that come after it.
  bool begin_in_turn(std::uint32_t warps, std::uint32_t threads);

  bool waiting() const noexcept { return state_ == State::kWaiting; }
  // Runs it until it, or one that it passed the thread to, waits, yields or ends.
  void resume() noexcept {
    yielded_ = false;
    fiber_.resume();
  }
  // The other goes on in its place, until it is this one's turn again.
  void pass_to(WarpFiber& other) noexcept { fiber_.pass_to(other.fiber_); }
  void suspend() noexcept { fiber_.suspend(); }
  // It came back as it yielded, so it only spins.
  bool yielded() const noexcept { return yielded_; }
  bool ended() const noexcept { return fiber_.ended(); }
  void set_result(const Barriers::Release& release) noexcept { released_ = release; }
  std::uint32_t waits_at() const noexcept { return barrier_; }
  const ir::Place& waits_in() const noexcept { return place_; }

  std::byte* at(ir::Space space, int lane, std::uint64_t address, std::uint32_t bytes,
                Access access, const ir::Place& place) override;
  std::uint32_t barrier(std::uint32_t id, std::uint32_t threads, Mask mask, ir::Mode mode,
                        Mask predicate, const ir::Place& place) override;
  void yield() noexcept override;
  bool next_block() override;
  bool call_external(const ir::Function& function, int lane,
                     std::span<const std::uint64_t> arguments, std::uint64_t& result,
                     const ir::Place& place) override;
  [[noreturn]] void fault(FaultKind kind, int lane, std::uint64_t address, const ir::Place& place,
                          const char* detail) override;

 private:
  enum class State : std::uint8_t { kReady, kWaiting, kEnded };

  static void body(void* self);
  static void body_of_all(void* self);
  bool prepare(std::uint32_t warps);
  std::byte* generic_at(int lane, std::uint64_t address, std::uint32_t bytes, Access access);
  std::byte* global_at(std::uint64_t address, std::uint32_t bytes) const;
  std::byte* shared_at(std::uint64_t offset, std::uint32_t bytes, int lane, Access access,
                       const ir::Place& place);
  bool fails_by_race(std::uint64_t offset, std::uint32_t bytes, int lane, Access access,
                     const ir::Place& place);
  std::byte* place_of(ir::Space space, int lane, std::uint64_t address, std::uint32_t bytes,
                      Access access, const ir::Place& place);
  std::uint32_t wait_for_cluster(const ir::Place& place);
  std::uint32_t result_of(ir::Mode mode, const Barriers::Release& release) const noexcept;

  Block& owner_;
  const std::uint32_t own_number_;  // with which it begins a block
  Mask first_lanes_ = 0;            // of that warp
  Fiber fiber_;
  Region local_region_, frame_region_;
  State state_ = State::kEnded;
  bool yielded_ = false;
  std::uint32_t barrier_ = 0;
  Barriers::Release released_;
  ir::Place place_;
};

}  // namespace longwire::softcuda::machine
