#include "softcuda/jit/jit.h"

#include <map>
#include <mutex>
#include <utility>

#include "softcuda/interp/interp.h"
#include "softcuda/interp/runner.h"
#include "softcuda/jit/compiler.h"

namespace longwire::softcuda::jit {
namespace {

class CompiledCode final : public machine::Code {
 public:
  explicit CompiledCode(interp::KernelPrograms programs) : programs_(std::move(programs)) {}

  // False: it is interpreted.
  bool compile(Compiler& compiler) {
    auto made = compiler.compile(programs_);
    if (!made.ok()) return false;
    module_ = std::move(made).value();
    return true;
  }
  Counts counts() const noexcept { return module_ == nullptr ? Counts{} : module_->counts; }

  void run(machine::Warp& warp) const override {
    interp::Runner runner(programs_, warp);
    runner.run();
  }

 private:
  interp::KernelPrograms programs_;
  std::unique_ptr<CompiledModule> module_;
};

class LlvmBackend final : public Jit {
 public:
  explicit LlvmBackend(std::unique_ptr<Compiler> compiler) : compiler_(std::move(compiler)) {}

  base::Status check(const ir::Module& module) const override {
    return interp::check_supported(module);
  }

  base::Result<std::shared_ptr<const machine::Code>> prepare(const machine::LoadedModule& module,
                                                             ir::FunctionId kernel) override {
    std::lock_guard lock(mutex_);
    auto& code = codes_[{&module, kernel}];
    if (code == nullptr) code = make(module, kernel);
    return std::shared_ptr<const machine::Code>(code);
  }

  void forget(const machine::LoadedModule& module) noexcept override {
    std::lock_guard lock(mutex_);
    auto first = codes_.lower_bound({&module, 0});
    auto last = first;
    while (last != codes_.end() && last->first.first == &module)
      ++last;
    codes_.erase(first, last);
  }

  Statistics statistics() const noexcept override {
    std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  std::shared_ptr<CompiledCode> make(const machine::LoadedModule& module, ir::FunctionId kernel) {
    auto code = std::make_shared<CompiledCode>(interp::decode(module, kernel, true));
    if (!code->compile(*compiler_)) {
      ++statistics_.refused;
      return code;
    }
    ++statistics_.kernels;
    statistics_.compiled += code->counts().compiled;
    statistics_.called += code->counts().called;
    return code;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<Compiler> compiler_;
  // Shared with the grids that run it.
  std::map<std::pair<const machine::LoadedModule*, ir::FunctionId>, std::shared_ptr<CompiledCode>>
      codes_;
  Statistics statistics_;
};

}  // namespace

base::Result<std::unique_ptr<Jit>> create() {
  LW_ASSIGN(std::unique_ptr<Compiler> compiler, Compiler::create());
  return std::unique_ptr<Jit>(std::make_unique<LlvmBackend>(std::move(compiler)));
}

}  // namespace longwire::softcuda::jit
