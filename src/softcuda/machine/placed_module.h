// PlacedModule: a module whose globals and constants stand in device memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "softcuda/machine/grid.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::machine {

class PlacedModule final : public LoadedModule {
 public:
  // All of them outlive it. kLimit: there is not so much memory.
  static base::Result<std::unique_ptr<PlacedModule>> place(const ir::Module& module, Memory& memory,
                                                           std::span<Backend* const> backends);
  ~PlacedModule() override;

  const ir::Module& module() const noexcept override { return module_; }
  std::uint64_t address_of(ir::VariableId variable) const noexcept override;
  const WarpNeeds& needs(ir::FunctionId kernel) const noexcept { return needs_[kernel]; }

 private:
  PlacedModule(const ir::Module& module, Memory& memory, std::span<Backend* const> backends);
  void fill() const noexcept;
  void relocate(const ir::Variable& variable, std::byte* place) const noexcept;

  const ir::Module& module_;
  Memory& memory_;
  std::vector<Backend*> backends_;
  std::uint64_t globals_ = 0, constants_ = 0;  // 0: there are none
  std::vector<WarpNeeds> needs_;
};

}  // namespace longwire::softcuda::machine
