// Warp: 32 lanes of a block as a back end sees them. Lane i of a mask is bit i.
//
// A member that ends in a fault does not return: the fiber is left behind and the grid ends with
// that fault; yield() of a grid that is stopping does not return either, and barrier() may not.
// So code that calls them must own nothing that needs a destructor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "softcuda/ir/ir.h"
#include "softcuda/machine/machine.h"
#include "softcuda/machine/texture.h"

namespace longwire::softcuda::machine {

using Mask = std::uint32_t;

enum class Access : std::uint8_t { kRead, kWrite, kAtomic };

// What all lanes of all warps of a block share. Plain data, also for generated code.
struct BlockState {
  std::byte* shared = nullptr;  // static part first, then the dynamic part
  std::uint32_t shared_bytes = 0;
  const std::byte* parameters = nullptr;
  std::uint32_t parameter_bytes = 0;
  Dim3 index, grid_size, size;
  std::uint32_t dynamic_shared_bytes = 0;
  std::uint64_t grid_id = 0;
  std::uint64_t workspace = 0;  // of a cooperative grid: kWorkspaceBytes of device memory
  std::uint32_t core = 0;       // %smid
  std::uint32_t cores = 1;      // %nsmid
  MemoryView memory;
  const TextureTable* textures = nullptr;
  // Not null: clocks count how often they are read, so that two runs see the same.
  std::uint64_t* clock = nullptr;
  // Every access goes through Warp::at(): memory is checked exactly, or races are looked for.
  bool careful = false;
};

class Warp {
 public:
  virtual ~Warp() = default;

  const BlockState& block() const noexcept { return *block_; }
  std::uint32_t number() const noexcept { return number_; }  // %warpid
  std::uint32_t warps() const noexcept { return warps_; }    // %nwarpid
  Mask lanes() const noexcept { return lanes_; }             // that exist at the start
  Dim3 thread(int lane) const noexcept;                      // %tid
  // Becomes the block's next warp, where all run in turn; false: that was its last.
  bool next() noexcept;
  // Then becomes the warp that it began with of another block of the grid, when all warps of this
  // one have ended; false: there is none left. May not return, as a barrier.
  virtual bool next_block() = 0;
  const LoadedModule& module() const noexcept { return *module_; }
  ir::FunctionId kernel() const noexcept { return kernel_; }
  // Local memory of a lane: all of local_stride() bytes, from which a kernel's and then its
  // callees' frames are taken from the bottom upwards.
  std::byte* local(int lane) const noexcept { return local_ + lane * local_stride_; }
  std::uint64_t local_stride() const noexcept { return local_stride_; }
  // Where the registers of all active functions live, as a stack that the back end keeps: 64-byte
  // aligned, not zeroed.
  std::span<std::byte> frames() const noexcept { return frames_; }

  // --- memory ---
  // A lane's address in `space` (see ir::Operand) as a pointer, checked for bounds and alignment.
  // Back ends may look at block().memory first where block().careful is not set.
  virtual std::byte* at(ir::Space space, int lane, std::uint64_t address, std::uint32_t bytes,
                        Access access, const ir::Place& place) = 0;

  // --- the other warps of the block ---
  // bar.sync, bar.red and so on: `threads` is how many take part (0: all of the block), `mask`
  // those of this warp that have come. Comes back when all are there; kRed: with the result of them
  // all (popc: their number, and, or: 0 or 1). A warp counts as 32 threads, as the ISA has it.
  virtual std::uint32_t barrier(std::uint32_t id, std::uint32_t threads, Mask mask, ir::Mode mode,
                                Mask predicate, const ir::Place& place) = 0;
  // Lets other warps, blocks and grids run: for loops that spin.
  virtual void yield() noexcept = 0;
  // Looked at by every backward branch, which then calls yield().
  bool stopping() const noexcept { return stopping_->load(std::memory_order_relaxed); }
  const std::atomic<bool>* stopping_flag() const noexcept { return stopping_; }

  // Functions that the machine provides, on behalf of a lane; false: there is no such function.
  virtual bool call_external(const ir::Function& function, int lane,
                             std::span<const std::uint64_t> arguments, std::uint64_t& result,
                             const ir::Place& place) = 0;

  [[noreturn]] virtual void fault(FaultKind kind, int lane, std::uint64_t address,
                                  const ir::Place& place, const char* detail) = 0;

 protected:
  const BlockState* block_ = nullptr;
  const LoadedModule* module_ = nullptr;
  const std::atomic<bool>* stopping_ = nullptr;
  ir::FunctionId kernel_ = 0;
  std::uint32_t number_ = 0;
  std::uint32_t last_ = 0;  // number that this becomes in a block
  std::uint32_t warps_ = 0;
  Mask lanes_ = 0;
  std::byte* local_ = nullptr;
  std::uint64_t local_stride_ = 0;
  std::span<std::byte> frames_;
};

// The lanes of a warp in a block of so many threads.
constexpr Mask lanes_of(std::uint32_t number, std::uint32_t threads) noexcept {
  const std::uint32_t left = threads - number * ir::kWarpSize;
  return left >= ir::kWarpSize ? ~Mask{0} : ~Mask{0} >> (ir::kWarpSize - left);
}

inline bool Warp::next() noexcept {
  if (number_ == last_) return false;
  ++number_;
  lanes_ = lanes_of(number_, block_->size.x * block_->size.y * block_->size.z);
  return true;
}

inline Dim3 Warp::thread(int lane) const noexcept {
  const Dim3& size = block_->size;
  const std::uint32_t flat = number_ * ir::kWarpSize + static_cast<std::uint32_t>(lane);
  if (flat < size.x) return {flat, 0, 0};
  return {flat % size.x, flat / size.x % size.y, flat / size.x / size.y};
}

}  // namespace longwire::softcuda::machine
