#include "softcuda/machine/placed_module.h"

#include <algorithm>
#include <cstring>

namespace longwire::softcuda::machine {
namespace {

bool is_placed(const ir::Variable& variable) {
  return variable.space == ir::Space::kGlobal || variable.space == ir::Space::kConst;
}

}  // namespace

PlacedModule::PlacedModule(const ir::Module& module, Memory& memory,
                           std::span<Backend* const> backends)
    : module_(module),
      memory_(memory),
      backends_(backends.begin(), backends.end()),
      needs_(needs_of(module)) {}

PlacedModule::~PlacedModule() {
  for (Backend* backend : backends_)
    backend->forget(*this);
  for (std::uint64_t address : {globals_, constants_})
    if (address != 0) static_cast<void>(memory_.release(address).ok());
}

base::Result<std::unique_ptr<PlacedModule>> PlacedModule::place(
    const ir::Module& module, Memory& memory, std::span<Backend* const> backends) {
  std::unique_ptr<PlacedModule> placed(new PlacedModule(module, memory, backends));
  if (module.global_bytes != 0) {
    LW_ASSIGN(placed->globals_, memory.allocate(module.global_bytes, MemoryKind::kModule));
  }
  if (module.const_bytes != 0) {
    LW_ASSIGN(placed->constants_, memory.allocate(module.const_bytes, MemoryKind::kModule));
  }
  placed->fill();
  return placed;
}

std::uint64_t PlacedModule::address_of(ir::VariableId id) const noexcept {
  const ir::Variable& variable = module_.variables[id];
  return (variable.space == ir::Space::kConst ? constants_ : globals_) + variable.offset;
}

void PlacedModule::fill() const noexcept {
  for (ir::VariableId id = 0; id < module_.variables.size(); ++id) {
    const ir::Variable& variable = module_.variables[id];
    if (!is_placed(variable) || variable.initial.empty()) continue;
    auto* place = reinterpret_cast<std::byte*>(address_of(id));
    std::memcpy(place, variable.initial.data(), variable.initial.size());
    relocate(variable, place);
  }
}

// Addresses of variables and functions in the initial bytes. What is in shared memory has an
// offset there for an address.
void PlacedModule::relocate(const ir::Variable& variable, std::byte* place) const noexcept {
  for (const ir::Variable::Relocation& relocation : variable.relocations) {
    std::uint64_t value = 0;
    if (relocation.function)
      value = address_of_function(relocation.id);
    else if (is_placed(module_.variables[relocation.id]))
      value = address_of(relocation.id);
    else
      value = module_.variables[relocation.id].offset;
    value += static_cast<std::uint64_t>(relocation.addend);
    value >>= relocation.shift;
    std::memcpy(place + relocation.at, &value, std::min<std::size_t>(relocation.bytes, 8));
  }
}

}  // namespace longwire::softcuda::machine
