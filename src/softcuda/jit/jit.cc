#include "softcuda/jit/jit.h"

#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "softcuda/interp/interp.h"
#include "softcuda/interp/runner.h"
#include "softcuda/interp/runner_native.h"
#include "softcuda/jit/compiler.h"
#include "softcuda/machine/prepared_codes.h"

namespace longwire::softcuda::jit {
namespace {

// Reads what another warp may have written, or waits for it.
bool sees_others(const ir::Instruction& i) {
  const ir::Modifiers& m = i.modifiers;
  switch (i.op) {
    case ir::Op::kLd:
      return m.volatile_ || m.order != ir::Order::kWeak;
    case ir::Op::kAtom:
    case ir::Op::kNanosleep:
    case ir::Op::kMembar:
    case ir::Op::kFence:
      return true;
    default:
      return i.op >= ir::Op::kMbarrierInit && i.op <= ir::Op::kMbarrierTryWait;
  }
}

// Whether no warp can wait for another: it comes to no barrier, and no loop looks at what others
// write.
bool may_run_in_turn(const interp::KernelPrograms& programs) {
  for (const interp::Program& program : programs.functions) {
    bool loops = false, looks = false;
    for (std::size_t n = 0; n < program.steps.size(); ++n) {
      const Step& s = program.steps[n];
      if (s.kind == StepKind::kBarrier || s.kind == StepKind::kCall) return false;
      loops = loops || (s.kind == StepKind::kBranch && s.target <= n) ||
              s.kind == StepKind::kBranchIndexed;
      looks = looks || (s.source != nullptr && sees_others(*s.source));
    }
    if (loops && looks) return false;
  }
  return true;
}

// What a thread has found of allocated memory while it ran a grid. After that, memory may go.
struct FoundRanges {
  std::uint64_t grid = 0, code = 0;
  interp::NativeState::Range ranges[interp::kNativeRanges];
};

// A number that no other code of this process has, as an address may be another's later.
std::uint64_t next_code_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

interp::NativeState::Range* ranges_for(std::uint64_t grid, std::uint64_t code) {
  thread_local FoundRanges found;
  if (found.grid != grid || found.code != code) found = {grid, code, {}};
  return found.ranges;
}

class SharedStatistics {
 public:
  void add(const CompiledModule* made) {  // nullptr: refused
    std::lock_guard lock(mutex_);
    if (made == nullptr) {
      ++statistics_.refused;
      return;
    }
    ++(made->cached ? statistics_.cached : statistics_.kernels);
    statistics_.compiled += made->counts.compiled;
    statistics_.called += made->counts.called;
  }
  Statistics get() const {
    std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  mutable std::mutex mutex_;
  Statistics statistics_;
};

// A kernel, compiled for each kind of block that it was launched with (rows_of).
class CompiledCode final : public machine::Code {
 public:
  CompiledCode(std::shared_ptr<Compiler> compiler, std::shared_ptr<SharedStatistics> statistics,
               const machine::LoadedModule& module, ir::FunctionId kernel)
      : compiler_(std::move(compiler)),
        statistics_(std::move(statistics)),
        kernel_(kernel),
        interpreted_(interp::decode(module, kernel)),
        in_turn_(may_run_in_turn(interpreted_)) {}

  void make_ready(const machine::LoadedModule& module, const machine::Dim3& block) const override {
    const std::uint32_t rows = interp::rows_of(block);
    if (variants_[index_of(rows)].load(std::memory_order_acquire) != nullptr) return;
    std::lock_guard lock(mutex_);
    auto& place = made_[index_of(rows)];
    if (place != nullptr) return;
    place = std::make_unique<Variant>();
    place->programs = interp::decode(module, kernel_, true);
    place->programs.rows = rows;
    auto compiled = compiler_->compile(place->programs);
    if (compiled.ok()) place->module = std::move(compiled).value();
    statistics_->add(place->module.get());
    variants_[index_of(rows)].store(place.get(), std::memory_order_release);
  }

  void run(machine::Warp& warp) const override {
    Start start;
    begin(start, warp);
    run_warp(start, warp);
  }
  bool in_turn() const noexcept override { return in_turn_; }
  void run_all(machine::Warp& warp) const override {
    Start start;
    begin(start, warp);
    for (;;) {
      run_warp(start, warp);
      const std::uint32_t number = warp.number();
      if (warp.next())
        interp::next_warp(start.state);
      else if (!warp.next_block())
        return;
      else
        interp::next_block(start.state, number);
    }
  }

 private:
  static constexpr std::size_t kVariants = 4;
  struct Variant {
    interp::KernelPrograms programs;
    std::unique_ptr<CompiledModule> module;
  };
  struct Start {
    interp::NativeState state;
    alignas(interp::Runner) std::byte runner[sizeof(interp::Runner)];
    const interp::KernelPrograms* programs;
    Start() noexcept { state.runner_place = runner; }  // NOLINT: the rest is set where it is used
  };

  static std::size_t index_of(std::uint32_t rows) noexcept {
    return rows == interp::kLanes ? 3 : rows / 8;  // 0, 8, 16, 32
  }

  void begin(Start& start, machine::Warp& warp) const noexcept {
    const std::uint32_t rows = interp::rows_of(warp.block().size);
    const Variant* variant = variants_[index_of(rows)].load(std::memory_order_acquire);
    start.programs = variant == nullptr ? &interpreted_ : &variant->programs;
    start.state.ranges = ranges_for(warp.block().grid_id, number_);
    interp::begin_native(start.state, *start.programs, warp);
  }

  static void run_warp(Start& start, machine::Warp& warp) {
    const interp::KernelPrograms& programs = *start.programs;
    if (programs.functions[programs.kernel].native == nullptr) {
      interp::Runner(programs, warp, &start.state).run();
      return;
    }
    interp::run_native(start.state);
  }

  const std::shared_ptr<Compiler> compiler_;            // with the back end and other kernels
  const std::shared_ptr<SharedStatistics> statistics_;  // the same
  const ir::FunctionId kernel_;
  const std::uint64_t number_ = next_code_number();
  const interp::KernelPrograms interpreted_;
  const bool in_turn_;
  mutable std::mutex mutex_;
  mutable std::array<std::unique_ptr<Variant>, kVariants> made_;
  mutable std::array<std::atomic<const Variant*>, kVariants> variants_{};
};

class LlvmBackend final : public Jit {
 public:
  explicit LlvmBackend(std::unique_ptr<Compiler> compiler) : compiler_(std::move(compiler)) {}

  const char* name() const noexcept override { return "LLVM"; }
  base::Status check(const ir::Module& module) const override {
    return interp::check_supported(module);
  }

  base::Result<std::shared_ptr<const machine::Code>> prepare(const machine::LoadedModule& module,
                                                             ir::FunctionId kernel) override {
    return codes_.get(module, kernel, [&] {
      return std::make_shared<CompiledCode>(compiler_, statistics_, module, kernel);
    });
  }

  void forget(const machine::LoadedModule& module) noexcept override { codes_.forget(module); }

  Statistics statistics() const noexcept override { return statistics_->get(); }

 private:
  std::shared_ptr<Compiler> compiler_;
  std::shared_ptr<SharedStatistics> statistics_ = std::make_shared<SharedStatistics>();
  machine::PreparedCodes codes_;
};

}  // namespace

base::Result<std::unique_ptr<Jit>> create(const CacheOptions& cache,
                                          void (*complain)(const base::Error&)) {
  std::unique_ptr<CodeCache> opened;
  if (!cache.folder.empty()) {
    auto result = CodeCache::open(cache.folder, cache.most_bytes);
    if (result.ok())
      opened = std::move(result).value();
    else if (complain != nullptr)
      complain(result.error());
  }
  LW_ASSIGN(std::unique_ptr<Compiler> compiler, Compiler::create(std::move(opened)));
  return std::unique_ptr<Jit>(std::make_unique<LlvmBackend>(std::move(compiler)));
}

}  // namespace longwire::softcuda::jit
