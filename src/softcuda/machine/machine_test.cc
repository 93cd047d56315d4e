// Grids over threads, with code that is C++.
#include "softcuda/machine/machine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "softcuda/machine/backend.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {
namespace {

using Body = std::function<void(Warp&)>;

class BodyCode final : public Code {
 public:
  explicit BodyCode(Body body) : body_(std::move(body)) {}
  void run(Warp& warp) const override { body_(warp); }

 private:
  const Body body_;
};

class BodyBackend final : public Backend {
 public:
  explicit BodyBackend(Body body) : code_(std::make_shared<BodyCode>(std::move(body))) {}
  const char* name() const noexcept override { return "C++"; }
  base::Status check(const ir::Module&) const override { return {}; }
  base::Result<std::shared_ptr<const Code>> prepare(const LoadedModule&, ir::FunctionId) override {
    return std::shared_ptr<const Code>(code_);
  }
  void forget(const LoadedModule&) noexcept override {}

 private:
  const std::shared_ptr<BodyCode> code_;
};

// The thread that launches has no block left, and another thread's never ends.
TEST(Machine, TheWatchdogSeesAGridThatOnlyHelpersRun) {
  std::atomic<bool> helped{false};
  const auto launching = std::this_thread::get_id();
  MachineOptions options;
  options.threads = 2;
  options.memory_bytes = std::uint64_t{16} << 20;
  options.watchdog_ns = 50'000'000;
  auto machine = Machine::create(options, std::make_unique<BodyBackend>([&](Warp& warp) {
                                   if (std::this_thread::get_id() != launching) {
                                     helped = true;
                                     for (;;)
                                       warp.yield();
                                   }
                                   while (!helped && !warp.stopping())
                                     std::this_thread::yield();
                                 }));
  ASSERT_TRUE(machine.ok()) << machine.error().message();
  ir::Module module;
  ir::Function& kernel = module.functions.emplace_back();
  kernel.name = "waits";
  kernel.kernel = true;
  const auto loaded = (*machine)->load(module);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  Launch launch;
  launch.module = loaded->get();
  launch.grid = {2};
  const auto fault = (*machine)->run(launch);
  ASSERT_TRUE(fault.ok()) << fault.error().message();
  ASSERT_TRUE(fault->has_value());
  EXPECT_EQ((*fault)->kind, FaultKind::kTimeout);
}

}  // namespace
}  // namespace longwire::softcuda::machine
