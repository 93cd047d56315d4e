// A machine with one back end, and PTX on it.
#pragma once

#include <gmock/gmock.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "softcuda/ir/linked_text_test.h"
#include "softcuda/jit/jit.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::jit {

using testing::link_file;
using testing::link_text;

class Device {
 public:
  explicit Device(std::unique_ptr<machine::Backend> backend) {
    machine::MachineOptions options;
    options.threads = 1;
    options.memory_bytes = std::uint64_t{64} << 20;
    auto made = machine::Machine::create(options, std::move(backend));
    EXPECT_TRUE(made.ok());
    machine_ = std::move(*made);
  }

  machine::Machine& machine() { return *machine_; }
  const machine::LoadedModule& loaded() const { return *loaded_; }
  void load(const ir::Module& module) {
    loaded_.reset();
    auto made = machine_->load(module);
    ASSERT_TRUE(made.ok()) << made.error().message();
    loaded_ = std::move(*made);
  }
  ir::FunctionId kernel(const char* name) const {
    const ir::Module& module = loaded_->module();
    const ir::Function* found = module.find_kernel(name);
    EXPECT_NE(found, nullptr) << name;
    return static_cast<ir::FunctionId>(found - module.functions.data());
  }
  template <class T>
  T* allocate(std::size_t count) {
    auto address = machine_->memory().allocate(count * sizeof(T), machine::MemoryKind::kDevice);
    EXPECT_TRUE(address.ok());
    return reinterpret_cast<T*>(*address);
  }
  void release(const void* place) {
    EXPECT_TRUE(machine_->memory().release(reinterpret_cast<std::uint64_t>(place)).ok());
  }
  template <class... T>
  std::optional<machine::Fault> run(const char* name, machine::Dim3 grid, machine::Dim3 block,
                                    T... values) {
    std::vector<std::byte> bytes;
    auto add = [&](auto value) {
      constexpr std::size_t kAlignment = alignof(decltype(value));
      const std::size_t at = (bytes.size() + kAlignment - 1) / kAlignment * kAlignment;
      bytes.resize(at + sizeof value);
      std::memcpy(bytes.data() + at, &value, sizeof value);
    };
    (add(values), ...);
    machine::Launch launch;
    launch.module = loaded_.get();
    launch.kernel = kernel(name);
    launch.grid = grid;
    launch.block = block;
    launch.parameters = bytes;
    auto result = machine_->run(launch);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? std::move(*result) : std::nullopt;
  }

 private:
  std::unique_ptr<machine::Machine> machine_;
  std::unique_ptr<machine::LoadedModule> loaded_;
};

}  // namespace longwire::softcuda::jit
