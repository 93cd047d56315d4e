#include <algorithm>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

const Function* Module::find_kernel(std::string_view name) const {
  auto found = std::find_if(functions.begin(), functions.end(), [&](const Function& function) {
    return function.kernel && function.name == name;
  });
  return found == functions.end() ? nullptr : &*found;
}

const Variable* Module::find_variable(std::string_view name) const {
  auto found = std::find_if(variables.begin(), variables.end(), [&](const Variable& variable) {
    return variable.visible && variable.name == name;
  });
  return found == variables.end() ? nullptr : &*found;
}

}  // namespace longwire::softcuda::ir
