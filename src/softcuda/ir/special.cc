// mov, branches and cp.async: operands that the table cannot say.
#include "softcuda/ir/layout.h"
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

namespace {

constexpr std::size_t kMaxTargets = 0xffff;

// Of the elements that a mov packs or unpacks.
Type part_type(int bits) {
  switch (bits) {
    case 8:
      return Type::kB8;
    case 16:
      return Type::kB16;
    case 32:
      return Type::kB32;
    default:
      return Type::kB64;
  }
}

}  // namespace

Operand FunctionLowering::mov_vector(const ptx::Operand& from, Type type, bool written) {
  const auto parts = elements_of(from);
  const auto count = static_cast<int>(parts.size());
  if ((count != 2 && count != 4 && count != 8) || bits_of(type) / count < 8) {
    fail(from.at, std::string("this vector does not fit an operand of type .") + name_of(type));
    return {};
  }
  const Type part = part_type(bits_of(type) / count);
  Slot slot;
  slot.may_be_sink = true;
  slot.relaxed = false;
  std::vector<Operand> elements;
  elements.reserve(parts.size());
  for (const auto& element : parts) {
    elements.push_back(written ? destination(element, slot, part) : source(element, slot, part));
  }
  return keep_elements(elements, Kind::kVector);
}

Operand FunctionLowering::mov_source(const ptx::Operand& from, Type type, Space& space) {
  if (from.kind == Written::kConstant) return constant(from, type);
  if (from.kind != Written::kName || from.negated) {
    fail(from.at, "a register, a name or a constant is wanted here");
    return {};
  }
  if (find_register(from.name) != kNone) return named_source(from, {}, type);
  Operand made;
  Type special_type = type;
  if (special_register(from, made, special_type)) {
    // %tid and so on were of 16 bits once, and are still read so.
    const bool fits = bits_of(type) == bits_of(special_type) || bits_of(type) == 16;
    if (!fits) fail(from.at, quoted(from.name) + " is of type ." + name_of(special_type));
    return made;
  }
  if (!address_of(from, made, space)) {
    fail(from.at, "unknown name " + quoted(from.name));
    return {};
  }
  const bool wide = space == Space::kGlobal || made.kind == Kind::kFunction;
  if (bits_of(type) != 64 && (bits_of(type) != 32 || wide)) {
    fail(from.at, std::string("an address does not fit an operand of type .") + name_of(type));
  }
  return made;
}

void FunctionLowering::mov(const ptx::Statement& statement, const Opcode& opcode) {
  if (statement.operands.size() != 2) {
    return fail(statement.at, quoted(statement.name) + " takes 2 operands");
  }
  Instruction made = begin(statement, opcode);
  const auto& to = statement.operands[0];
  const auto& from = statement.operands[1];
  const bool unpacks = elements_of(to).size() > 1 || to.kind == Written::kVector;
  const bool packs = elements_of(from).size() > 1 || from.kind == Written::kVector;
  if (unpacks && packs) return fail(statement.at, "only one operand may be a vector");
  Space space = Space::kGeneric;
  const Operand destination_operand =
      unpacks ? mov_vector(to, made.type, true) : destination(to, {}, made.type);
  const Operand source_operand =
      packs ? mov_vector(from, made.type, false) : mov_source(from, made.type, space);
  made.modifiers.space = space;
  const Operand operands[] = {destination_operand, source_operand};
  commit(made, operands);
}

void FunctionLowering::branch(const ptx::Statement& statement, const Opcode& opcode) {
  const bool fits = statement.operands.size() == 1 && statement.operands[0].kind == Written::kName;
  if (!fits) return fail(statement.at, "bra takes one label");
  const Instruction made = begin(statement, opcode);
  Operand target;
  target.kind = Kind::kBlock;
  target.id = label_index(statement.operands[0].name, statement.operands[0].at);
  commit(made, std::span(&target, 1));
}

void FunctionLowering::branch_indexed(const ptx::Statement& statement, const Opcode& opcode) {
  if (statement.operands.size() != 2) {
    return fail(statement.at, "brx.idx takes an index and a list of labels");
  }
  const Instruction made = begin(statement, opcode);
  const auto& list = statement.operands[1];
  const auto found = local_.find(list.name);
  const bool is_list = list.kind == Written::kName && found.symbol != nullptr &&
                       found.symbol->kind == Symbol::Kind::kBranchTargets;
  if (!is_list) return fail(list.at, "brx.idx takes the name of .branchtargets");
  const auto& labels = branch_targets_[found.symbol->id];
  if (labels.empty() || labels.size() > kMaxTargets) {
    return fail(list.at, ".branchtargets must have 1 to 65535 labels");
  }
  branch_target_uses_ += labels.size();
  if (branch_target_uses_ > kMaxBranchTargets) {
    return context_.errors.fail(context_.source, statement.at, "too many targets of brx.idx",
                                base::ErrorCode::kLimit);
  }
  Operand targets;
  targets.kind = Kind::kBlocks;
  targets.first = static_cast<std::uint32_t>(out_.tables.size());
  targets.count = static_cast<std::uint16_t>(labels.size());
  out_.tables.insert(out_.tables.end(), labels.begin(), labels.end());
  const Operand operands[] = {source(statement.operands[0], {}, Type::kU32), targets};
  commit(made, operands);
}

// [dst], [src], size {, src-size or ignore-src} {, cache-policy}
void FunctionLowering::cp_async(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool policy = statement.name.find("cache_hint") != std::string_view::npos;
  const std::size_t most = policy ? 5 : 4;
  if (from.size() < 3 || from.size() > most || from[2].kind != Written::kConstant) {
    return fail(statement.at, "cp.async takes [dst], [src], a constant size and a source size");
  }
  Instruction made = begin(statement, opcode);
  const auto size = from[2].constant.bits;
  const bool ca = statement.name.find(".ca.") != std::string_view::npos;
  if (size != 16 && !(ca && (size == 4 || size == 8))) {
    return fail(from[2].at, "cp.async copies 4, 8 or 16 bytes, .cg 16 only");
  }
  operands_.push_back(address(from[0]));
  const auto to_space = named_space_;
  named_space_.reset();
  operands_.push_back(address(from[1]));
  if ((to_space && *to_space != Space::kShared) ||
      (named_space_ && *named_space_ != Space::kGlobal)) {
    return fail(statement.at, "cp.async copies from .global to .shared");
  }
  operands_.push_back(constant(from[2], Type::kU32));
  const std::size_t extra = from.size() - (policy ? 1 : 0);
  if (extra > 3) {
    const auto reg = from[3].kind == Written::kName ? find_register(from[3].name) : kNone;
    const bool predicate = reg != kNone && register_types_[reg] == Type::kPred;
    Slot slot;
    slot.negatable = predicate;
    operands_.push_back(source(from[3], slot, predicate ? Type::kPred : Type::kU32));
  }
  commit(made, operands_);
}

}  // namespace longwire::softcuda::ir
