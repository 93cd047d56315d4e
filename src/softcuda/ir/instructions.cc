// Instructions whose operands the table describes (forms.cc).
#include <algorithm>

#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {
namespace {

using ptx::quoted;

bool leaves(Op op) {
  return op == Op::kBra || op == Op::kBrxIdx || op == Op::kRet || op == Op::kExit ||
         op == Op::kTrap;
}

// Operands of the text that `slots` want: "d|p" is one.
struct Wanted {
  std::size_t least = 0;
  std::size_t most = 0;
};

Wanted wanted_by(std::span<const Slot> slots) {
  Wanted wanted;
  for (const auto& slot : slots) {
    if (slot.second_of_pair) continue;
    ++wanted.most;
    if (!slot.optional) ++wanted.least;
  }
  return wanted;
}

}  // namespace

void FunctionLowering::instruction(const ptx::Statement& statement) {
  const Opcode& opcode = context_.opcodes.decode(statement.name);
  if (opcode.form == nullptr) {
    return unsupported(statement.at, opcode.error + " " + quoted(statement.name));
  }
  check_is_old(statement, opcode);
  if (opcode.form->special) {
    special(statement, opcode);
  } else {
    from_slots(statement, opcode);
  }
  if (leaves(opcode.op)) begin_block();
}

// shfl and vote without .sync went with PTX 6.4, for sm_70 and later.
void FunctionLowering::check_is_old(const ptx::Statement& statement, const Opcode& opcode) {
  constexpr std::uint32_t kLastVersion = 63, kLastTarget = 69;
  if (opcode.op != Op::kShfl && opcode.op != Op::kVote) return;
  const bool masked = statement.name.find(".sync") != std::string_view::npos;
  const bool old = context_.source.version <= kLastVersion || context_.source.target <= kLastTarget;
  if (masked || old) return;
  unsupported(statement.at,
              quoted(statement.name) + " lacks .sync: it went with PTX 6.4 for sm_70 and later");
}

void FunctionLowering::special(const ptx::Statement& statement, const Opcode& opcode) {
  if (opcode.op >= Op::kVadd && opcode.op <= Op::kVmad) return video(statement, opcode);
  switch (opcode.op) {
    case Op::kMov:
      return mov(statement, opcode);
    case Op::kBra:
      return branch(statement, opcode);
    case Op::kBrxIdx:
      return branch_indexed(statement, opcode);
    case Op::kCall:
      return call(statement, opcode);
    case Op::kCpAsync:
      return cp_async(statement, opcode);
    case Op::kMma:
    case Op::kWmmaMma:
      return mma(statement, opcode);
    case Op::kWmmaLoad:
    case Op::kWmmaStore:
      return wmma_memory(statement, opcode);
    case Op::kTex:
    case Op::kTld4:
      return texture(statement, opcode);
    case Op::kSuld:
    case Op::kSust:
      return surface(statement, opcode);
    case Op::kTxq:
    case Op::kSuq:
      return query(statement, opcode);
    case Op::kCpBulk:
    case Op::kCpReduceBulk:
      return bulk_copy(statement, opcode);
    case Op::kSt:
    case Op::kRed:
      return told_access(statement, opcode);
    case Op::kStBulk:
      return bulk_store(statement, opcode);
    case Op::kSetmaxnreg:
      return register_hint(statement, opcode);
    default:
      return unsupported(statement.at, "unsupported " + quoted(statement.name));
  }
}

Instruction FunctionLowering::begin(const ptx::Statement& statement, const Opcode& opcode) {
  Instruction made;
  made.op = opcode.op;
  made.type = opcode.types[0];
  made.type2 = opcode.types[1];
  made.type3 = opcode.types[2];
  made.type4 = opcode.types[3];
  made.modifiers = opcode.modifiers;
  made.place = place_of(statement.at);
  set_guard(statement, made);
  operands_.clear();
  named_space_.reset();
  return made;
}

void FunctionLowering::set_guard(const ptx::Statement& statement, Instruction& instruction) {
  if (statement.guard.empty()) return;
  const auto reg = find_register(statement.guard);
  if (reg == kNone || register_types_[reg] != Type::kPred) {
    return fail(statement.at, quoted(statement.guard) + " is not a predicate");
  }
  instruction.guard = reg;
  instruction.guard_negated = statement.guard_negated;
}

void FunctionLowering::commit(Instruction instruction, std::span<const Operand> operands) {
  instruction.first_operand = static_cast<std::uint32_t>(out_.operands.size());
  instruction.operand_count = static_cast<std::uint16_t>(operands.size());
  out_.operands.insert(out_.operands.end(), operands.begin(), operands.end());
  out_.instructions.push_back(instruction);
}

void FunctionLowering::from_slots(const ptx::Statement& statement, const Opcode& opcode) {
  const std::span<const Slot> slots = opcode.form->slots;
  const auto [least, most] = wanted_by(slots);
  const auto given = statement.operands.size();
  if (given < least || given > most) {
    return fail(statement.at, quoted(statement.name) + " has " + std::to_string(given) +
                                  " operands; it takes " + std::to_string(least) +
                                  (most == least ? "" : " to " + std::to_string(most)));
  }
  Instruction made = begin(statement, opcode);
  vector_length_ = opcode.op == Op::kLdmatrix || opcode.op == Op::kStmatrix
                       ? opcode.modifiers.shape.count
                       : opcode.modifiers.vector;
  auto optional = given - least;
  std::size_t next = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const bool paired = i + 1 < slots.size() && slots[i + 1].second_of_pair;
    if (slots[i].optional && optional == 0) {
      if (!slots[i].dropped) operands_.emplace_back();
      continue;
    }
    if (slots[i].optional) --optional;
    const ptx::Operand& from = statement.operands[next++];
    const bool is_pair = from.kind == ptx::Operand::Kind::kPair;
    if (is_pair && !paired) return fail(from.at, "'|' has no meaning here");
    const Operand first =
        operand(is_pair ? from.parts[0] : from, slots[i], opcode.type_of(slots[i].type));
    if (!slots[i].dropped) operands_.push_back(first);
    if (!paired) continue;
    ++i;
    operands_.push_back(is_pair ? operand(from.parts[1], slots[i], opcode.type_of(slots[i].type))
                                : Operand{});
  }
  // Of three or of two: what is written says which.
  const bool either = made.op == Op::kMin || made.op == Op::kMax;
  if (either && operands_.back().kind == Kind::kNothing) operands_.pop_back();
  check_memory_space(statement, made);
  commit(made, operands_);
}

// The space that the opcode says against that of the variable which the address names.
void FunctionLowering::check_memory_space(const ptx::Statement& statement, Instruction& made) {
  const auto address = std::find_if(operands_.begin(), operands_.end(),
                                    [](const auto& o) { return o.kind == Kind::kAddress; });
  if (address == operands_.end()) return;
  Space& space = made.modifiers.space;
  if (space == Space::kParam && !named_space_) {
    // In a function .param is the function's own; of the kernel's it must say ::entry.
    const bool entry = statement.name.find("param::entry") != std::string_view::npos;
    if (!out_.kernel && !entry) space = Space::kLocal;
  }
  if (named_space_) {
    const bool own_parameter = space == Space::kParam && address_is_parameter_;
    if (space != Space::kGeneric && space != *named_space_ && !own_parameter) {
      return fail(statement.at, "the variable is not in the space of " + quoted(statement.name));
    }
    space = *named_space_;
  }
  const bool wide_only = space == Space::kGeneric || space == Space::kGlobal;
  if (wide_only && address->reg != kNone && out_.registers[address->reg].bits != 64) {
    fail(statement.at, "an address must be in a register of 64 bits");
  }
}

}  // namespace longwire::softcuda::ir
