// Warp: 32 lanes of a block as a back end sees them. Lane i of a mask is bit i.
//
// A member that ends in a fault does not return: the fiber is left behind and the grid ends with
// that fault. So code between two calls of it must own nothing that needs a destructor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "softcuda/ir/ir.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::machine {

using Mask = std::uint32_t;

// What all lanes of all warps of a block share. Plain data, also for generated code.
struct BlockState {
  std::byte* shared = nullptr;  // static part first, then the dynamic part
  std::uint32_t shared_bytes = 0;
  const std::byte* parameters = nullptr;
  std::uint32_t parameter_bytes = 0;
  Dim3 index, grid_size, size;
  std::uint32_t dynamic_shared_bytes = 0;
  std::uint64_t grid_id = 0;
  std::uint32_t core = 0;  // %smid
};

class Warp {
 public:
  virtual ~Warp() = default;

  const BlockState& block() const noexcept { return *block_; }
  std::uint32_t number() const noexcept { return number_; }  // %warpid
  Mask lanes() const noexcept { return lanes_; }             // that exist at the start
  Dim3 thread(int lane) const noexcept;                      // %tid
  const LoadedModule& module() const noexcept { return *module_; }
  // Local memory of a lane: `bytes` from here, growing upwards with calls.
  std::byte* local(int lane) const noexcept { return local_ + lane * local_stride_; }
  std::uint64_t local_stride() const noexcept { return local_stride_; }
  // Registers of called functions live here, as a stack.
  std::byte* take_frame(std::uint32_t bytes);  // zeroed; a fault (kStackOverflow) where it is full
  void drop_frame(std::uint32_t bytes) noexcept;

  // --- memory: for every lane of `mask`; the place is for the fault's message ---
  // A lane's generic address as a pointer, checked for bounds and alignment.
  virtual std::byte* at(ir::Space space, int lane, std::uint64_t address, std::uint32_t bytes,
                        bool writes, const ir::Place& place) = 0;

  // --- the other warps of the block ---
  // bar.sync, bar.red and so on: `threads` is how many take part (0: all of the block), `mask`
  // those of this warp that have come. Comes back when all are there; kRed: with the result of them
  // all.
  virtual std::uint32_t barrier(std::uint32_t id, std::uint32_t threads, Mask mask, ir::Mode mode,
                                Mask predicate, const ir::Place& place) = 0;
  virtual void yield() noexcept = 0;  // lets other warps and grids run: for loops that spin
  virtual bool stopping() const noexcept = 0;  // looked at by every backward branch

  // Functions that the machine provides, on behalf of a lane; false: there is no such function.
  virtual bool call_external(const ir::Function& function, int lane,
                             std::span<const std::uint64_t> arguments, std::uint64_t& result,
                             const ir::Place& place) = 0;

  [[noreturn]] virtual void fault(FaultKind kind, int lane, std::uint64_t address,
                                  const ir::Place& place, const char* detail) = 0;

 protected:
  const BlockState* block_ = nullptr;
  const LoadedModule* module_ = nullptr;
  std::uint32_t number_ = 0;
  Mask lanes_ = 0;
  std::byte* local_ = nullptr;
  std::uint64_t local_stride_ = 0;
};

}  // namespace longwire::softcuda::machine
