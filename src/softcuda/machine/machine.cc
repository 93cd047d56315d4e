#include "softcuda/machine/machine.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "softcuda/machine/core.h"
#include "softcuda/machine/placed_module.h"
#include "softcuda/machine/run_twice.h"
#include "softcuda/machine/texture.h"

namespace longwire::softcuda::machine {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint32_t kMaxThreads = 1024;
constexpr std::uint32_t kSharedBytesPerCore = 228 << 10;  // for occupancy: what large devices have

Error refused(std::string what) { return {ErrorCode::kInvalidArgument, std::move(what)}; }

// Device memory of one cooperative grid.
class Workspace {
 public:
  explicit Workspace(Memory& memory) : memory_(memory) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    if (address_ != 0) (void)memory_.release(address_);
  }
  base::Result<std::uint64_t> take() {
    LW_ASSIGN(address_, memory_.allocate(kWorkspaceBytes, MemoryKind::kModule));
    std::memset(reinterpret_cast<void*>(address_), 0, kWorkspaceBytes);
    return address_;
  }

 private:
  Memory& memory_;
  std::uint64_t address_ = 0;
};

class PooledMachine final : public Machine {
 public:
  PooledMachine(const MachineOptions& options, std::unique_ptr<Memory> memory,
                std::unique_ptr<Backend> backend, std::unique_ptr<Backend> second)
      : memory_(std::move(memory)),
        backend_(std::move(backend)),
        second_(std::move(second)),
        stack_bytes_(options.stack_bytes_per_thread) {
    services_.memory = memory_.get();
    services_.output = &output_;
    services_.options = options;
    services_.cores = options.threads;
    for (std::uint32_t i = 1; i < options.threads; ++i) {
      auto thread = base::try_start_thread("softcuda", [this] { help(); });
      if (thread.joinable()) pool_.push_back(std::move(thread));
    }
    if (options.watchdog_ns != 0)
      watchdog_ = base::try_start_thread("softcuda-dog", [this] { watch(); });
  }

  ~PooledMachine() override {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    work_.notify_all();
    watch_.notify_all();
    for (std::thread& thread : pool_)
      thread.join();
    if (watchdog_.joinable()) watchdog_.join();
  }

  Memory& memory() noexcept override { return *memory_; }
  Textures& textures() noexcept override { return textures_; }
  void set_printf_sink(std::function<void(std::string_view)> sink) override {
    output_.set_sink(std::move(sink));
  }
  base::Result<std::unique_ptr<LoadedModule>> load(const ir::Module& module) override {
    std::vector<Backend*> backends{backend_.get()};
    if (second_ != nullptr) backends.push_back(second_.get());
    for (const Backend* backend : backends)
      LW_TRY(backend->check(module));
    LW_ASSIGN(auto placed, PlacedModule::place(module, *memory_, backends));
    return std::unique_ptr<LoadedModule>(std::move(placed));
  }
  base::Status prepare(const LoadedModule& module, ir::FunctionId kernel) override {
    LW_ASSIGN(auto code, backend_->prepare(module, kernel));
    code->make_ready(module, {ir::kWarpSize, 1, 1});
    if (second_ == nullptr) return {};
    LW_ASSIGN(code, second_->prepare(module, kernel));
    code->make_ready(module, {ir::kWarpSize, 1, 1});
    return {};
  }
  std::uint32_t threads() const noexcept override { return services_.options.threads; }
  void set_stack_bytes(std::uint32_t bytes) noexcept override { stack_bytes_.store(bytes); }

  std::uint32_t resident_blocks(std::uint32_t threads_per_block,
                                std::uint32_t shared_bytes) const noexcept override {
    if (threads_per_block == 0 || threads_per_block > kMaxThreadsPerBlock ||
        shared_bytes > services_.options.shared_bytes_per_block)
      return 0;
    const std::uint32_t rounded =
        (threads_per_block + ir::kWarpSize - 1) / ir::kWarpSize * ir::kWarpSize;
    std::uint32_t blocks = std::min(kMaxResidentBlocks, kMaxResidentThreads / rounded);
    if (shared_bytes != 0)
      blocks = std::min(blocks, std::max(kSharedBytesPerCore / shared_bytes, 1U));
    return blocks;
  }

  base::Result<std::optional<Fault>> run(const Launch& launch) override {
    LW_TRY(check(launch));
    const std::uint64_t id = next_grid_.fetch_add(1);
    if (second_ == nullptr) return run_with(*backend_, launch, id, nullptr);
    std::unique_lock lock(quiet_);
    auto run = [&](Backend& backend) {
      return [&, id](Replay& replay) { return run_with(backend, launch, id, &replay); };
    };
    return run_twice(*memory_, launch, {backend_->name(), run(*backend_)},
                     {second_->name(), run(*second_)});
  }

  std::shared_lock<std::shared_mutex> hold_memory() override {
    if (second_ == nullptr) return {};
    return std::shared_lock(quiet_);
  }

  void stop() noexcept override {
    std::lock_guard lock(mutex_);
    for (Grid* grid : grids_)
      grid->fail({FaultKind::kTimeout, "the machine was stopped"});
  }

 private:
  base::Status check(const Launch& launch) const;
  base::Result<std::optional<Fault>> run_with(Backend& backend, const Launch& launch,
                                              std::uint64_t id, Replay* replay);
  std::uint32_t with_stack(std::uint32_t local_bytes) const noexcept {
    const std::uint32_t stack = std::min(stack_bytes_.load(), kMaxLocalBytes);
    return std::min(kMaxLocalBytes, (local_bytes + stack + 63) / 64 * 64);
  }
  std::unique_ptr<Core> take_core();
  void begin(Grid& grid);
  void end(Grid& grid, std::unique_ptr<Core> core);
  Grid* grid_to_help() const;
  void help();
  void watch();

  std::unique_ptr<Memory> memory_;
  std::unique_ptr<Backend> backend_, second_;
  std::shared_mutex quiet_;  // alone: a grid that runs twice
  Output output_;
  Services services_;
  std::atomic<std::uint32_t> stack_bytes_;
  std::atomic<std::uint64_t> next_grid_{1};

  Textures textures_;

  std::mutex mutex_;
  std::condition_variable work_, helped_, watch_;
  std::vector<Grid*> grids_;                  // running
  std::vector<std::unique_ptr<Core>> cores_;  // that nobody uses
  std::uint32_t core_count_ = 0;
  std::uint32_t idle_helpers_ = 0;
  bool ending_ = false;
  std::vector<std::thread> pool_;
  std::thread watchdog_;
};

base::Result<std::optional<Fault>> PooledMachine::run_with(Backend& backend, const Launch& launch,
                                                           std::uint64_t id, Replay* replay) {
  LW_ASSIGN(auto code, backend.prepare(*launch.module, launch.kernel));
  code->make_ready(*launch.module, launch.block);
  WarpNeeds needs = static_cast<const PlacedModule*>(launch.module)->needs(launch.kernel);
  if (needs.takes_stack) needs.local_bytes_per_thread = with_stack(needs.local_bytes_per_thread);
  Grid grid(launch, std::move(code), needs, id);
  grid.textures = textures_.snapshot();
  grid.replay = replay;
  Workspace workspace(*memory_);
  if (launch.cooperative) {
    LW_ASSIGN(grid.workspace, workspace.take());
  }
  begin(grid);
  auto core = take_core();
  core->work(grid);
  end(grid, std::move(core));
  return grid.take_fault();
}

base::Status PooledMachine::check(const Launch& launch) const {
  const auto& functions = launch.module->module().functions;
  if (launch.kernel >= functions.size() || !functions[launch.kernel].kernel)
    return refused("no such kernel");
  const Dim3 &grid = launch.grid, &block = launch.block;
  const bool empty =
      grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0;
  if (empty || grid.x > kMaxGridX || grid.y > kMaxGridYZ || grid.z > kMaxGridYZ)
    return refused("a grid of no or too many blocks");
  if (block.x > kMaxThreadsPerBlock || block.y > kMaxThreadsPerBlock || block.z > kMaxBlockZ ||
      block.x * block.y * block.z > kMaxThreadsPerBlock)
    return refused("a block of too many threads");
  const ir::Function& kernel = functions[launch.kernel];
  const std::uint64_t shared = shared_bytes_of(kernel, launch.dynamic_shared_bytes);
  if (shared > services_.options.shared_bytes_per_block) return refused("too much shared memory");
  if (launch.parameters.size() < kernel.parameter_bytes) return refused("too few parameters");
  if (!launch.cooperative) return {};
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  const std::uint32_t threads = block.x * block.y * block.z;
  if (blocks > std::uint64_t{resident_blocks(threads, static_cast<std::uint32_t>(shared))} *
                   services_.options.threads)
    return Error(ErrorCode::kLimit, "a cooperative grid of more blocks than can run at once");
  return {};
}

std::unique_ptr<Core> PooledMachine::take_core() {
  std::lock_guard lock(mutex_);
  if (cores_.empty())
    return std::make_unique<Core>(services_, core_count_++ % services_.options.threads);
  auto core = std::move(cores_.back());
  cores_.pop_back();
  return core;
}

void PooledMachine::begin(Grid& grid) {
  std::uint64_t wanted = 0;
  {
    std::lock_guard lock(mutex_);
    if (services_.options.watchdog_ns != 0)
      grid.deadline_ns = base::monotonic_clock().now_ns() +
                         static_cast<base::Nanoseconds>(services_.options.watchdog_ns);
    grids_.push_back(&grid);
    wanted = std::min<std::uint64_t>(grid.blocks() - 1, idle_helpers_);
  }
  for (std::uint64_t i = 0; i < wanted; ++i)
    work_.notify_one();
  if (grid.deadline_ns != 0) watch_.notify_one();
}

void PooledMachine::end(Grid& grid, std::unique_ptr<Core> core) {
  std::unique_lock lock(mutex_);
  cores_.push_back(std::move(core));
  // Until then the watchdog and stop() have to see it.
  helped_.wait(lock, [&] { return grid.helpers == 0; });
  std::erase(grids_, &grid);
}

Grid* PooledMachine::grid_to_help() const {
  for (Grid* grid : grids_)
    if (grid->blocks_left()) return grid;
  return nullptr;
}

void PooledMachine::help() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    Grid* grid = grid_to_help();
    if (grid == nullptr) {
      ++idle_helpers_;
      work_.wait(lock);
      --idle_helpers_;
      continue;
    }
    ++grid->helpers;
    lock.unlock();
    auto core = take_core();
    core->work(*grid);
    lock.lock();
    cores_.push_back(std::move(core));
    if (--grid->helpers == 0) helped_.notify_all();
  }
}

void PooledMachine::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const base::Nanoseconds now = base::monotonic_clock().now_ns();
    base::Nanoseconds wait = base::kSecond;
    for (Grid* grid : grids_) {
      if (grid->deadline_ns == 0 || grid->stopping()) continue;
      if (grid->deadline_ns <= now)
        grid->fail({FaultKind::kTimeout, "kernel " + grid->kernel().name + " ran too long"});
      else
        wait = std::min(wait, grid->deadline_ns - now);
    }
    watch_.wait_for(lock, std::chrono::nanoseconds(wait));
  }
}

}  // namespace

base::Result<std::unique_ptr<Machine>> Machine::create(const MachineOptions& options,
                                                       std::unique_ptr<Backend> backend,
                                                       std::unique_ptr<Backend> second) {
  MachineOptions made = options;
  if (second != nullptr) made.threads = 1;  // one order of everything, the same in both runs
  if (made.threads == 0) made.threads = std::max(1U, std::thread::hardware_concurrency());
  made.threads = std::min(made.threads, kMaxThreads);
  LW_ASSIGN(auto memory, Memory::create(made.memory_bytes));
  return std::unique_ptr<Machine>(std::make_unique<PooledMachine>(
      made, std::move(memory), std::move(backend), std::move(second)));
}

}  // namespace longwire::softcuda::machine
