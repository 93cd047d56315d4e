// %tid.x and its like, by name.
#pragma once

#include <optional>
#include <string_view>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

struct SpecialRegister {
  Special special = Special::kTidX;
  Type type = Type::kU32;
  bool either = false;  // may be read with 32 or 64 bits
};

std::optional<SpecialRegister> find_special(std::string_view name);
const char* name_of(Special special) noexcept;

}  // namespace longwire::softcuda::ir
