// Which function executes an instruction: one selector for each of op.h, in the file of its group.
// nullptr: the interpreter does not have it in this form.
#pragma once

#include <cstdint>

#include "softcuda/interp/program.h"
#include "softcuda/ir/op.h"

namespace longwire::softcuda::interp {

#define X(name, text) Handler select_##name(const ir::Instruction& i);
LW_SOFTCUDA_OPS(X)
#undef X

Handler select(const ir::Instruction& instruction);

// f(zero of the C++ type) for integer types of 16, 32 and 64 bits; .b types count as unsigned.
template <class F>
Handler for_integer(ir::Type type, F f) {
  switch (type) {
    case ir::Type::kB16:
    case ir::Type::kU16:
      return f(std::uint16_t{});
    case ir::Type::kB32:
    case ir::Type::kU32:
      return f(std::uint32_t{});
    case ir::Type::kB64:
    case ir::Type::kU64:
      return f(std::uint64_t{});
    case ir::Type::kS16:
      return f(std::int16_t{});
    case ir::Type::kS32:
      return f(std::int32_t{});
    case ir::Type::kS64:
      return f(std::int64_t{});
    default:
      return nullptr;
  }
}

}  // namespace longwire::softcuda::interp
