// call: arguments into the caller's frame or registers, as the callee's parameters are declared.
#include <algorithm>

#include "softcuda/ir/layout.h"
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

// (results), callee, (parameters), prototype: each list may be missing.
bool FunctionLowering::split_call(const ptx::Statement& statement, CallParts& parts) {
  auto rest = statement.operands;
  const auto take_list = [&](std::span<const ptx::Operand>& list) {
    if (rest.empty() || rest[0].kind != Written::kList) return;
    list = rest[0].parts;
    rest = rest.subspan(1);
  };
  take_list(parts.results);
  if (!rest.empty() && rest[0].kind == Written::kName) {
    parts.callee = &rest[0];
    rest = rest.subspan(1);
  }
  take_list(parts.parameters);
  if (!rest.empty() && rest[0].kind == Written::kName) {
    parts.prototype = &rest[0];
    rest = rest.subspan(1);
  }
  if (parts.callee != nullptr && rest.empty()) return true;
  fail(statement.at, "malformed call: (results), function, (parameters) is wanted");
  return false;
}

bool FunctionLowering::find_prototype(const CallParts& parts, Operand& prototype) {
  if (parts.prototype == nullptr) {
    fail(parts.callee->at, "an indirect call must name a prototype or its targets");
    return false;
  }
  const auto found = local_.find(parts.prototype->name);
  prototype.kind = Kind::kCallee;
  if (found.symbol != nullptr && found.symbol->kind == Symbol::Kind::kPrototype) {
    prototype.id = found.symbol->id;
    return true;
  }
  if (found.symbol != nullptr && found.symbol->kind == Symbol::Kind::kCallTargets &&
      !call_targets_[found.symbol->id].empty()) {
    // All targets have one signature: the first one's will do.
    const auto target = call_targets_[found.symbol->id].front();
    Function like = signature_like(target);
    prototype.id = static_cast<std::uint32_t>(context_.module.prototypes.size());
    context_.module.prototypes.push_back(std::move(like));
    return true;
  }
  fail(parts.prototype->at, "there is no prototype " + quoted(parts.prototype->name));
  return false;
}

Function FunctionLowering::signature_like(FunctionId id) const {
  const Function& from = context_.module.functions[id];
  Function made;
  made.parameters = from.parameters;
  made.results = from.results;
  made.parameter_bytes = from.parameter_bytes;
  return made;
}

bool FunctionLowering::find_callee(const CallParts& parts, Operand& callee, Operand& prototype) {
  const auto reg = find_register(parts.callee->name);
  if (reg != kNone) {
    if (register_bits(register_types_[reg]) != 64) {
      fail(parts.callee->at, "the address of a function is in a register of 64 bits");
      return false;
    }
    callee.kind = Kind::kRegister;
    callee.reg = reg;
    uses_.indirect = true;
    return find_prototype(parts, prototype);
  }
  const auto found = context_.names.find(parts.callee->name);
  if (found == context_.names.end() || found->second.kind != ModuleName::Kind::kFunction) {
    fail(parts.callee->at, "there is no function " + quoted(parts.callee->name));
    return false;
  }
  if (context_.module.functions[found->second.id].kernel) {
    fail(parts.callee->at, "a kernel cannot be called: " + quoted(parts.callee->name));
    return false;
  }
  callee.kind = Kind::kCallee;
  callee.id = found->second.id;
  uses_.calls.push_back(callee.id);
  return true;
}

void FunctionLowering::call(const ptx::Statement& statement, const Opcode& opcode) {
  CallParts parts;
  if (!split_call(statement, parts)) return;
  const Instruction made = begin(statement, opcode);
  Operand callee;
  Operand prototype;
  if (!find_callee(parts, callee, prototype)) return;
  const bool direct = callee.kind == Kind::kCallee;
  const Function& signature =
      direct ? context_.module.functions[callee.id] : context_.module.prototypes[prototype.id];
  after_.clear();
  const Operand results = arguments(statement, parts.results, signature.results, true);
  const Operand parameters = arguments(statement, parts.parameters, signature.parameters, false);
  std::vector<Operand> operands = {callee, results, parameters};
  if (!direct) operands.push_back(prototype);
  commit(made, operands);
  for (const auto& after : after_)
    commit(after.instruction, after.operands);
}

Operand FunctionLowering::arguments(const ptx::Statement& statement,
                                    std::span<const ptx::Operand> from,
                                    std::span<const Parameter> formal, bool results) {
  if (from.size() != formal.size()) {
    fail(statement.at, "the function has " + std::to_string(formal.size()) +
                           (results ? " results, the call " : " parameters, the call ") +
                           std::to_string(from.size()));
    return {};
  }
  std::vector<Operand> elements;
  elements.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    elements.push_back(results ? result(statement, from[i], formal[i])
                               : argument(statement, from[i], formal[i]));
  }
  return keep_elements(elements, Kind::kArguments);
}

// A .param variable of the caller that stands for `formal`; nullopt: `from` is none.
std::optional<Operand> FunctionLowering::frame_argument(const ptx::Operand& from,
                                                        const Parameter& formal) {
  if (from.kind != Written::kName) return std::nullopt;
  const auto found = local_.find(from.name);
  if (found.symbol == nullptr || found.symbol->kind != Symbol::Kind::kFrame) return std::nullopt;
  if (!found.symbol->parameter || found.symbol->bytes < formal.bytes) {
    fail(from.at, quoted(from.name) + " has " + std::to_string(found.symbol->bytes) +
                      " bytes, the function's parameter " + std::to_string(formal.bytes));
  }
  Operand made;
  made.kind = Kind::kAddress;
  made.bits = found.symbol->id + from.constant.bits;
  made.count = static_cast<std::uint16_t>(formal.bytes);
  return made;
}

Operand FunctionLowering::slot_for(const Parameter& formal, ptx::At at) {
  Operand made;
  made.kind = Kind::kAddress;
  made.bits = take_frame(formal.bytes, std::max<std::uint32_t>(formal.alignment, 1), at);
  made.count = static_cast<std::uint16_t>(formal.bytes);
  return made;
}

void FunctionLowering::make_access(const ptx::Statement& statement, Op op, Type type,
                                   const Operand& frame, After& access) {
  access.instruction.op = op;
  access.instruction.type = type;
  access.instruction.modifiers.space = Space::kLocal;
  access.instruction.place = place_of(statement.at);
  set_guard(statement, access.instruction);
  access.operands[op == Op::kLd ? 1 : 0] = frame;
  access.operands[op == Op::kLd ? 1 : 0].count = 0;
}

// .param parameters are given from .param variables and .reg ones from registers; what is mixed
// goes through a place of its own.
Operand FunctionLowering::argument(const ptx::Statement& statement, const ptx::Operand& from,
                                   const Parameter& formal) {
  const auto frame = frame_argument(from, formal);
  const bool in_register = formal.reg != kNone;
  if (frame && !in_register) return *frame;
  if (!frame && in_register) return source(from, {}, formal.type);
  After access;
  if (frame) {
    make_access(statement, Op::kLd, formal.type, *frame, access);
    Operand made;
    made.kind = Kind::kRegister;
    made.reg = temporary(formal.type);
    access.operands[0] = made;
    commit(access.instruction, access.operands);
    return made;
  }
  if (formal.type == Type::kNone) {
    fail(from.at, "a .param variable is wanted here");
    return {};
  }
  const Operand made = slot_for(formal, from.at);
  make_access(statement, Op::kSt, formal.type, made, access);
  access.operands[1] = source(from, {}, formal.type);
  commit(access.instruction, access.operands);
  return made;
}

Operand FunctionLowering::result(const ptx::Statement& statement, const ptx::Operand& from,
                                 const Parameter& formal) {
  Slot sink;
  sink.may_be_sink = true;
  const auto frame = frame_argument(from, formal);
  const bool in_register = formal.reg != kNone;
  if (frame && !in_register) return *frame;
  if (!frame && in_register) return destination(from, sink, formal.type);
  After access;
  if (frame) {
    Operand made;
    made.kind = Kind::kRegister;
    made.reg = temporary(formal.type);
    make_access(statement, Op::kSt, formal.type, *frame, access);
    access.operands[1] = made;
    after_.push_back(access);
    return made;
  }
  const Operand made = slot_for(formal, from.at);
  if (from.kind == Written::kSink) return made;
  if (formal.type == Type::kNone) {
    fail(from.at, "a .param variable is wanted here");
    return {};
  }
  make_access(statement, Op::kLd, formal.type, made, access);
  access.operands[0] = destination(from, {}, formal.type);
  after_.push_back(access);
  return made;
}

}  // namespace longwire::softcuda::ir
