// Operands: what names mean, whether registers have the width that the instruction wants.
#include <algorithm>

#include "softcuda/ir/layout.h"
#include "softcuda/ir/lower.h"
#include "softcuda/ir/special_registers.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

RegisterId FunctionLowering::find_register(std::string_view name) {
  const auto found = local_.find(name);
  if (found.range != nullptr) {
    RegisterId& reg = found.range->at(found.number);
    if (reg == kNone) reg = new_register(std::string(name), found.range->type);
    return reg;
  }
  if (found.symbol != nullptr) {
    return found.symbol->kind == Symbol::Kind::kRegister ? found.symbol->id : kNone;
  }
  // "v.x" of a vector
  if (name.size() < 3 || name[name.size() - 2] != '.') return kNone;
  const auto part = std::string_view("xyzwrgba").find(name.back());
  const auto vector = local_.find(name.substr(0, name.size() - 2));
  if (part == std::string_view::npos || vector.symbol == nullptr ||
      vector.symbol->kind != Symbol::Kind::kRegisterVector || part % 4 >= vector.symbol->width) {
    return kNone;
  }
  return vector.symbol->id + static_cast<RegisterId>(part % 4);
}

bool FunctionLowering::check_width(const ptx::Operand& from, RegisterId reg, Type type,
                                   bool relaxed) {
  const int has = register_types_[reg] == Type::kPred ? 1 : out_.registers[reg].bits;
  const int wants = type == Type::kPred ? 1 : register_bits(type);
  const bool predicate = has == 1 || wants == 1;
  if (has == wants || (relaxed && !predicate && has > wants)) return true;
  fail(from.at, "register " + quoted(from.name) + " of type ." + name_of(register_types_[reg]) +
                    " does not fit an operand of type ." + name_of(type));
  return false;
}

Operand FunctionLowering::operand(const ptx::Operand& from, const Slot& slot, Type type) {
  switch (slot.kind) {
    case Slot::Kind::kAddress:
      return address(from);
    case Slot::Kind::kConstant:
      if (from.kind == Written::kConstant) return constant(from, type);
      fail(from.at, "a constant is wanted here");
      return {};
    case Slot::Kind::kDestination:
    case Slot::Kind::kSource:
      break;
  }
  const bool written = slot.kind == Slot::Kind::kDestination;
  if (slot.must_be_vector || (slot.may_be_vector && vector_length_ > 1)) {
    return vector(from, slot, type, written);
  }
  return written ? destination(from, slot, type) : source(from, slot, type);
}

Operand FunctionLowering::destination(const ptx::Operand& from, const Slot& slot, Type type) {
  Operand made;
  if (from.kind == Written::kSink) {
    if (!slot.may_be_sink && !slot.second_of_pair && slot.type.fixed != Type::kPred) {
      fail(from.at, "'_' cannot stand here");
    }
    return made;
  }
  const auto reg = from.kind == Written::kName && !from.negated ? find_register(from.name) : kNone;
  if (reg == kNone || from.constant.bits != 0) {
    fail(from.at, from.kind == Written::kName ? quoted(from.name) + " is not a register"
                                              : "a register is wanted here");
    return made;
  }
  check_width(from, reg, type, slot.relaxed);
  made.kind = Kind::kRegister;
  made.reg = reg;
  return made;
}

Operand FunctionLowering::source(const ptx::Operand& from, const Slot& slot, Type type) {
  if (from.kind == Written::kConstant) return constant(from, type);
  if (from.kind == Written::kName) return named_source(from, slot, type);
  fail(from.at, "a register or a constant is wanted here");
  return {};
}

Operand FunctionLowering::constant(const ptx::Operand& from, Type type) {
  Operand made;
  made.kind = Kind::kImmediate;
  const auto bits = bits_as(from.constant, type);
  if (!bits) {
    fail(from.at, std::string("this constant does not fit an operand of type .") + name_of(type));
  }
  made.bits = bits.value_or(0);
  return made;
}

Operand FunctionLowering::named_source(const ptx::Operand& from, const Slot& slot, Type type) {
  Operand made;
  const auto reg = find_register(from.name);
  if (from.negated && !slot.negatable) fail(from.at, "'!' has no meaning here");
  if (reg != kNone) {
    if (from.constant.bits != 0) fail(from.at, "a register with an offset is no operand");
    check_width(from, reg, type, slot.relaxed);
    made.kind = Kind::kRegister;
    made.reg = reg;
    made.negated = from.negated;
    return made;
  }
  Type special_type = type;
  if (special_register(from, made, special_type)) {
    if (bits_of(type) < bits_of(special_type)) {
      fail(from.at, quoted(from.name) + " does not fit an operand of type ." + name_of(type));
    }
    const bool widens = bits_of(type) > bits_of(special_type) && !slot.relaxed;
    if (widens) fail(from.at, quoted(from.name) + " is narrower than ." + name_of(type));
    return through_mov(from, made, special_type, Space::kGeneric);
  }
  Space space = Space::kGeneric;
  if (address_of(from, made, space)) return through_mov(from, made, type, space);
  fail(from.at, "unknown name " + quoted(from.name));
  return {};
}

// Special registers and addresses are operands of mov only: everything else gets them by one.
Operand FunctionLowering::through_mov(const ptx::Operand& from, Operand value, Type type,
                                      Space space) {
  if (bits_of(type) != 32 && bits_of(type) != 64) {
    fail(from.at, quoted(from.name) + " does not fit an operand of type ." + name_of(type));
    return {};
  }
  Instruction mov;
  mov.op = Op::kMov;
  mov.type = bits_of(type) == 32 ? Type::kU32 : Type::kU64;
  mov.modifiers.space = space;
  mov.place = place_of(from.at);
  Operand made;
  made.kind = Kind::kRegister;
  made.reg = temporary(mov.type);
  const Operand operands[] = {made, value};
  commit(mov, operands);
  return made;
}

bool FunctionLowering::special_register(const ptx::Operand& from, Operand& operand,
                                        Type& type) const {
  const auto found = find_special(from.name);
  if (!found) return false;
  operand.kind = Kind::kSpecial;
  operand.special = found->special;
  if (bits_of(type) != 64 || !found->either) type = found->type;
  return true;
}

bool FunctionLowering::address_of(const ptx::Operand& from, Operand& operand, Space& space) {
  operand.kind = Kind::kVariable;
  operand.bits = from.constant.bits;
  named_parameter_ = false;
  const auto found = local_.find(from.name);
  if (found.symbol != nullptr) return symbol_address(*found.symbol, operand, space);
  const auto name = context_.names.find(from.name);
  if (name == context_.names.end()) return false;
  operand.id = name->second.id;
  if (name->second.kind == ModuleName::Kind::kVariable) {
    space = context_.module.variables[operand.id].space;
    if (space == Space::kShared) uses_.shared.push_back(operand.id);
    return true;
  }
  if (name->second.kind == ModuleName::Kind::kTexture) return false;
  operand.kind = Kind::kFunction;
  uses_.addresses.push_back(operand.id);
  return operand.bits == 0;
}

bool FunctionLowering::symbol_address(const Symbol& symbol, Operand& operand, Space& space) {
  switch (symbol.kind) {
    case Symbol::Kind::kFrame:
      space = Space::kLocal;
      operand.bits += symbol.id;
      named_parameter_ = symbol.parameter;
      return true;
    case Symbol::Kind::kKernelParameter:
      space = Space::kParam;
      operand.bits += symbol.id;
      named_parameter_ = true;
      return true;
    case Symbol::Kind::kVariable:
      operand.id = symbol.id;
      space = context_.module.variables[symbol.id].space;
      if (space == Space::kShared) uses_.shared.push_back(symbol.id);
      return true;
    default:
      return false;
  }
}

Operand FunctionLowering::address(const ptx::Operand& from) {
  Operand made;
  if (from.kind != Written::kAddress || !from.parts.empty()) {
    fail(from.at, "an address is wanted here: [register or variable + offset]");
    return made;
  }
  made.kind = Kind::kAddress;
  made.bits = from.constant.bits;
  if (from.name.empty()) return made;
  made.reg = find_register(from.name);
  if (made.reg != kNone) {
    const auto bits = out_.registers[made.reg].bits;
    if (bits != 32 && bits != 64) fail(from.at, quoted(from.name) + " cannot hold an address");
    return made;
  }
  Space space = Space::kGeneric;
  if (!address_of(from, made, space) || made.kind != Kind::kVariable) {
    fail(from.at, "unknown name " + quoted(from.name));
  }
  made.kind = Kind::kAddress;
  named_space_ = space;
  address_is_parameter_ = named_parameter_;
  return made;
}

// The elements of {...}, or those of a vector of registers that is named as a whole.
std::vector<ptx::Operand> FunctionLowering::elements_of(const ptx::Operand& from) {
  if (from.kind == Written::kVector) return {from.parts.begin(), from.parts.end()};
  const auto found = local_.find(from.name);
  const bool vector = from.kind == Written::kName && found.symbol != nullptr &&
                      found.symbol->kind == Symbol::Kind::kRegisterVector;
  if (!vector) return {from};
  std::vector<ptx::Operand> elements;
  static constexpr std::string_view kParts = "xyzw";
  for (std::size_t i = 0; i < found.symbol->width && i < kParts.size(); ++i) {
    std::string name(from.name);
    name += '.';
    name += kParts[i];
    ptx::Operand element = from;
    element.name = names_.emplace_back(std::move(name));
    elements.push_back(element);
  }
  return elements;
}

Operand FunctionLowering::keep_elements(std::span<const Operand> elements, OperandKind kind) {
  Operand made;
  made.kind = kind;
  made.first = static_cast<std::uint32_t>(out_.elements.size());
  made.count = static_cast<std::uint16_t>(elements.size());
  out_.elements.insert(out_.elements.end(), elements.begin(), elements.end());
  return made;
}

Operand FunctionLowering::vector(const ptx::Operand& from, const Slot& slot, Type type,
                                 bool written) {
  const auto parts = elements_of(from);
  if (parts.size() != vector_length_) {
    fail(from.at, "a vector of " + std::to_string(vector_length_) + " is wanted here");
    return {};
  }
  Slot element = slot;
  element.may_be_sink = true;
  std::vector<Operand> elements;
  elements.reserve(parts.size());
  for (const auto& part : parts) {
    elements.push_back(written ? destination(part, element, type) : source(part, element, type));
  }
  return keep_elements(elements, Kind::kVector);
}

}  // namespace longwire::softcuda::ir
