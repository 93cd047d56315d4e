// Grid: one launch under way. Threads: take_block(), take_blocks() and fail() from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "softcuda/machine/backend.h"
#include "softcuda/machine/machine.h"
#include "softcuda/machine/output.h"
#include "softcuda/machine/texture.h"

namespace longwire::softcuda::machine {

struct Replay;

// What of the machine a running block uses.
struct Services {
  Memory* memory = nullptr;
  Output* output = nullptr;
  MachineOptions options;
  std::uint32_t cores = 1;
};

// How much memory a warp of a kernel needs.
struct WarpNeeds {
  std::uint32_t local_bytes_per_thread = 0;
  std::size_t frame_bytes = 0;
  bool takes_stack = false;  // recursive: stack_bytes_per_thread comes on top
};
// Of each function of a module; those that are no kernels have none.
std::vector<WarpNeeds> needs_of(const ir::Module& module);

class Grid {
 public:
  Grid(const Launch& launch, std::shared_ptr<const Code> code, const WarpNeeds& needs,
       std::uint64_t id);

  const Launch& launch() const noexcept { return launch_; }
  const ir::Function& kernel() const noexcept {
    return launch_.module->module().functions[launch_.kernel];
  }
  const Code& code() const noexcept { return *code_; }
  const WarpNeeds& needs() const noexcept { return needs_; }
  const std::vector<std::byte>& parameters() const noexcept { return parameters_; }
  std::uint64_t id() const noexcept { return id_; }
  std::uint64_t blocks() const noexcept { return blocks_; }

  // The next block to run; nothing where all are taken, or the grid is stopping.
  std::optional<Dim3> take_block() noexcept;
  // The same of several: blocks [first, end), and where the first lies; as many as leave the other
  // threads their share. None: first == end.
  struct Blocks {
    std::uint64_t first = 0, end = 0;
    Dim3 index;
  };
  Blocks take_blocks(std::uint32_t cores) noexcept;
  // The block that follows one.
  void step(Dim3& index) const noexcept;
  bool blocks_left() const noexcept {
    return !stopping() && next_.load(std::memory_order_relaxed) < blocks_;
  }

  void fail(Fault fault);  // the first counts
  bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  const std::atomic<bool>& stopping_flag() const noexcept { return stopping_; }
  std::optional<Fault> take_fault();

  std::shared_ptr<const TextureTable> textures;  // shared with grids of the same time; set before
  std::uint64_t workspace = 0;                   // of a cooperative grid; set before it begins
  Replay* replay = nullptr;                      // where it runs twice; set before it begins
  base::Nanoseconds deadline_ns = 0;             // 0: none. Under the machine's lock
  std::uint32_t helpers = 0;  // threads of the pool at work on it. Under the machine's lock

 private:
  Dim3 index_of(std::uint64_t block) const noexcept;

  Launch launch_;
  std::shared_ptr<const Code> code_;  // with the back end's cache and other grids
  WarpNeeds needs_;
  std::vector<std::byte> parameters_;
  std::uint64_t id_;
  std::uint64_t blocks_;
  // Written by all threads, and what they read besides is not to wait for that.
  static constexpr std::size_t kCacheLine = 64;
  alignas(kCacheLine) std::atomic<std::uint64_t> next_{0};
  alignas(kCacheLine) std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::optional<Fault> fault_;
};

}  // namespace longwire::softcuda::machine
