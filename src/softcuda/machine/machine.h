// Machine: one device made of this machine's cores. Runs grids of an ir kernel on a pool of
// threads: blocks are spread over the threads, the warps of a block are fibers of one thread (so a
// barrier is a switch of stacks, also inside called functions). Knows nothing of CUDA's driver API,
// nor of how a back end executes instructions.
//
// Device memory is host memory: a device address is the address itself.
//
// Threads: every member may be called from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>

#include "base/result.h"
#include "softcuda/ir/ir.h"
#include "softcuda/machine/memory.h"

namespace longwire::softcuda::machine {

class Backend;
class Textures;

inline constexpr std::uint32_t kMaxThreadsPerBlock = 1024;
inline constexpr std::uint32_t kMaxBlockZ = 64;
inline constexpr std::uint32_t kMaxGridX = 0x7fff'ffff;
inline constexpr std::uint32_t kMaxGridYZ = 65535;
inline constexpr std::uint32_t kBarriers = 16;  // of a block
// One more is its cluster's, which has no other block; who waits there does not come to it again.
inline constexpr std::uint32_t kClusterArrive = kBarriers, kClusterWait = kBarriers + 1;
inline constexpr std::uint32_t kAllBarriers = kBarriers + 1;
inline constexpr std::uint32_t kNoBarrier = ~std::uint32_t{0};
// Of local memory for each call beside the callee's own, so that every recursion ends.
inline constexpr std::uint32_t kCallBytes = 16;
inline constexpr std::uint32_t kMaxLocalBytes = 512 << 10;  // of a thread

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
};

enum class FaultKind : std::uint8_t {
  kIllegalAddress,
  kMisalignedAddress,
  kIllegalInstruction,  // a barrier that cannot end, a call of what is no function
  kTrap,
  kAssert,
  kTimeout,        // the watchdog, or stop()
  kStackOverflow,  // local memory of a thread is used up by calls
  kMemoryRace,     // only with race checking
  kMismatch,       // two back ends do not do the same
};

// The first of a grid; the others end with it.
struct Fault {
  FaultKind kind = FaultKind::kTrap;
  // For people: kernel, instruction with its line, block, thread, address, nearest allocation.
  std::string message;
};

struct MachineOptions {
  std::uint32_t threads = 0;  // 0: one per core
  std::uint64_t memory_bytes = std::uint64_t{4} << 30;
  std::uint32_t shared_bytes_per_block = 100 << 10;  // static and dynamic
  std::uint32_t stack_bytes_per_thread = 1024;       // local memory for recursion (cuCtxSetLimit)
  std::uint64_t watchdog_ns = 0;                     // 0: none
  bool check_memory = false;  // LONGWIRE_SOFT_MEMCHECK=1: every access against its allocation
  bool check_races = false;   // =race
  // What kernels' cudaGraphSetConditional(handle, value) does. False: there is no such handle.
  std::function<bool(std::uint64_t, std::uint32_t)> set_condition;
};

// What the blocks of a cooperative grid share beside their arguments, zeroed: %envreg1 and %envreg2
// have its address. The word at 4 is the counter of cooperative groups' barrier.
inline constexpr std::uint64_t kWorkspaceBytes = 256;

// What a function's address is: no memory, and told from other numbers.
inline constexpr std::uint64_t kFunctionAddresses = 0x4c57'0000'0000'0000;
inline constexpr std::uint64_t kFunctionAddressStep = 16;
constexpr std::uint64_t address_of_function(ir::FunctionId id) noexcept {
  return kFunctionAddresses + (std::uint64_t{id} + 1) * kFunctionAddressStep;
}
// kNone: that is no function's address.
constexpr ir::FunctionId function_at(std::uint64_t address, std::size_t functions) noexcept {
  const std::uint64_t offset = address - kFunctionAddresses;
  if (offset % kFunctionAddressStep != 0 || offset < kFunctionAddressStep) return ir::kNone;
  const std::uint64_t index = offset / kFunctionAddressStep - 1;
  return index < functions ? static_cast<ir::FunctionId>(index) : ir::kNone;
}

// Where the dynamic part of a block's shared memory begins: the front end has aligned it.
constexpr std::uint32_t dynamic_shared_offset(const ir::Function& kernel) noexcept {
  return kernel.static_shared_bytes;
}
// What a block of the kernel takes of shared memory.
constexpr std::uint64_t shared_bytes_of(const ir::Function& kernel,
                                        std::uint32_t dynamic_bytes) noexcept {
  return std::uint64_t{dynamic_shared_offset(kernel)} + dynamic_bytes;
}

// A module's globals and constants, placed in device memory, with their relocations done.
class LoadedModule {
 public:
  virtual ~LoadedModule() = default;
  virtual const ir::Module& module() const noexcept = 0;
  virtual std::uint64_t address_of(ir::VariableId variable) const noexcept = 0;  // global, const
};

struct Launch {
  const LoadedModule* module = nullptr;
  ir::FunctionId kernel = 0;
  Dim3 grid;
  Dim3 block;
  std::uint32_t dynamic_shared_bytes = 0;
  bool cooperative = false;  // all blocks run at the same time: refused where that cannot be
  std::span<const std::byte> parameters;  // Function::parameter_bytes
};

class Machine {
 public:
  // With a second back end every grid runs with both, one after the other on the same memory, and
  // what they write is compared: see run_twice.h.
  static base::Result<std::unique_ptr<Machine>> create(const MachineOptions& options,
                                                       std::unique_ptr<Backend> backend,
                                                       std::unique_ptr<Backend> second = nullptr);
  virtual ~Machine() = default;

  virtual Memory& memory() noexcept = 0;
  virtual Textures& textures() noexcept = 0;
  // Where kernels' printf goes; called between blocks, in order for each block. Default: stdout.
  virtual void set_printf_sink(std::function<void(std::string_view)> sink) = 0;

  // `module` outlives what is returned. kLimit: no memory for its globals. kUnsupported: the back
  // end does not have all of its instructions.
  virtual base::Result<std::unique_ptr<LoadedModule>> load(const ir::Module& module) = 0;
  // Makes the kernel ready (compiles it) ahead of its first run.
  virtual base::Status prepare(const LoadedModule& module, ir::FunctionId kernel) = 0;
  // Runs the grid to its end, on the calling thread and the pool. Several grids may run at once.
  // kInvalidArgument: sizes over what the machine has. kLimit: too large for a cooperative launch.
  virtual base::Result<std::optional<Fault>> run(const Launch& launch) = 0;
  // How many blocks of a kernel a core may hold at once: for occupancy and cooperative launches.
  virtual std::uint32_t resident_blocks(std::uint32_t threads_per_block,
                                        std::uint32_t shared_bytes) const noexcept = 0;
  virtual std::uint32_t threads() const noexcept = 0;
  // MachineOptions::stack_bytes_per_thread of grids that start from now on.
  virtual void set_stack_bytes(std::uint32_t bytes) noexcept = 0;
  virtual void stop() noexcept = 0;  // every grid ends with kTimeout, soon
  // Held by who writes device memory beside grids: where grids run twice, none of them is between
  // its two runs meanwhile. Else it costs nothing.
  virtual std::shared_lock<std::shared_mutex> hold_memory() = 0;
};

}  // namespace longwire::softcuda::machine
