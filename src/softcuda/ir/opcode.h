// Opcodes as the text has them ("add.rn.ftz.f32") to what they mean.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "softcuda/ir/form.h"
#include "softcuda/ir/ir.h"

namespace longwire::softcuda::ir {

struct Opcode {
  const Form* form = nullptr;  // nullptr: `error` says why
  Op op = Op::kMov;
  Type types[4] = {Type::kNone, Type::kNone, Type::kNone, Type::kNone};
  Modifiers modifiers;  // with the instruction set's defaults
  std::string error;

  Type type_of(const TypeRef& ref) const noexcept;
};

// Decodes each different opcode of a text once; the texts must outlive it.
class Opcodes {
 public:
  const Opcode& decode(std::string_view text);

 private:
  std::unordered_map<std::string_view, Opcode> known_;
};

}  // namespace longwire::softcuda::ir
