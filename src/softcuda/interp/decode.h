// From the ir to programs.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "softcuda/interp/program.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::interp {

// All that a kernel may reach, by its number in the module; unreached functions have no steps.
struct KernelPrograms {
  std::vector<Program> functions;
  ir::FunctionId kernel = 0;
  std::vector<std::byte> constants;  // kPoolBytes each
  std::vector<SpecialUse> specials;  // the n-th stands at n * kPoolBytes
  // Addresses of the module's variables in global and const memory that are named, in the order of
  // Slot::variable: all that may differ between two processes that decode the same.
  std::vector<std::uint64_t> variables;
  // For code that is made of them: blocks whose rows_of() is this (runner_native.h).
  std::uint32_t rows = 0;
};

// `entries`: with kNative steps, where blocks begin and behind what the Runner must do.
KernelPrograms decode(const machine::LoadedModule& module, ir::FunctionId kernel,
                      bool entries = false);

}  // namespace longwire::softcuda::interp
