// What is compiled, and that it agrees with the interpreter.
#include <gmock/gmock.h>

#include <fstream>
#include <random>
#include <sstream>

#include "softcuda/interp/interp.h"
#include "softcuda/ir/link.h"
#include "softcuda/jit/jit.h"
#include "softcuda/machine/machine.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::jit {
namespace {

std::unique_ptr<const ir::Module> link_text(const std::string& text) {
  auto source = ptx::parse("test", text);
  EXPECT_TRUE(source.ok()) << source.error().message() << "\n" << text;
  if (!source.ok()) return nullptr;
  std::vector<std::unique_ptr<ptx::Source>> sources;
  sources.push_back(std::move(*source));
  auto linked = ir::link(sources);
  EXPECT_TRUE(linked.ok()) << linked.error().message() << "\n" << text;
  return linked.ok() ? std::move(*linked) : nullptr;
}
std::unique_ptr<const ir::Module> link_file(const std::string& name) {
  std::ifstream file(std::string(SOFTCUDA_TESTDATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return link_text(text.str());
}

// A machine with one back end.
struct Device {
  explicit Device(std::unique_ptr<machine::Backend> backend) {
    machine::MachineOptions options;
    options.threads = 1;
    options.memory_bytes = std::uint64_t{64} << 20;
    auto made = machine::Machine::create(options, std::move(backend));
    EXPECT_TRUE(made.ok());
    machine = std::move(*made);
  }
  void load(const ir::Module& module) {
    auto made = machine->load(module);
    ASSERT_TRUE(made.ok()) << made.error().message();
    loaded = std::move(*made);
  }
  std::unique_ptr<machine::Machine> machine;
  std::unique_ptr<machine::LoadedModule> loaded;
};

TEST(Jit, WhatCompilersMakeIsCompiled) {
  auto made = create();
  ASSERT_TRUE(made.ok()) << made.error().message();
  Jit& jit = **made;
  Device device(std::move(*made));
  const auto program = link_file("first.ptx");
  ASSERT_NE(program, nullptr);
  device.load(*program);
  for (const char* name : {"vectorAdd", "matmul"}) {
    const ir::Function* kernel = program->find_kernel(name);
    ASSERT_NE(kernel, nullptr);
    const auto id = static_cast<ir::FunctionId>(kernel - program->functions.data());
    EXPECT_TRUE(device.machine->prepare(*device.loaded, id).ok());
    EXPECT_EQ(jit.statistics().called, 0U) << name;
  }
  EXPECT_EQ(jit.statistics().kernels, 2U);
  EXPECT_EQ(jit.statistics().refused, 0U);
  EXPECT_GT(jit.statistics().compiled, 50U);
}

}  // namespace
}  // namespace longwire::softcuda::jit
