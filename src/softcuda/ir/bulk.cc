// Copies of many bytes, and accesses that tell an mbarrier of their end: st.async, red.async,
// cp.async.bulk and its like. They are done at once here, and then tell it.
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;
using Written = ptx::Operand::Kind;

namespace {

constexpr std::uint32_t kResponseBytes = 16;  // of clusterlaunchcontrol.try_cancel
// PTX ISA, "setmaxnreg".
constexpr std::uint64_t kLeastRegisters = 24, kMostRegisters = 256, kRegisterStep = 8;

Operand immediate(std::uint64_t bits) {
  Operand made;
  made.kind = OperandKind::kImmediate;
  made.bits = bits;
  return made;
}

bool says(const ptx::Statement& statement, std::string_view modifier) {
  return statement.name.find(modifier) != std::string_view::npos;
}

}  // namespace

// One of several addresses of an instruction.
Operand FunctionLowering::address_in(const ptx::Operand& from, Space space) {
  named_space_.reset();
  const Operand made = address(from);
  if (named_space_ && *named_space_ != space)
    fail(from.at, "the variable is not in the space that the instruction says");
  const bool wide = space == Space::kGeneric || space == Space::kGlobal;
  if (wide && made.reg != kNone && out_.registers[made.reg].bits != 64)
    fail(from.at, "an address must be in a register of 64 bits");
  named_space_.reset();
  return made;
}

void FunctionLowering::complete(const Instruction& after, Operand barrier, Operand bytes,
                                Space space) {
  Instruction told;
  told.op = Op::kMbarrierCompleteTx;
  told.type = Type::kB64;
  told.modifiers.space = space;
  told.modifiers.order = Order::kRelaxed;
  told.modifiers.scope = Scope::kCluster;
  told.place = after.place;
  told.guard = after.guard;
  told.guard_negated = after.guard_negated;
  const Operand operands[] = {barrier, bytes};
  commit(told, operands);
}

// [dst], [src], size {, [mbarrier]} {, cache policy}
void FunctionLowering::bulk_copy(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool tells = says(statement, ".mbarrier::");
  const std::size_t wanted = 3 + (tells ? 1U : 0U) + (says(statement, ".L2::cache_hint") ? 1U : 0U);
  if (from.size() != wanted)
    return fail(statement.at,
                quoted(statement.name) + " takes " + std::to_string(wanted) + " operands");
  const Instruction made = begin(statement, opcode);
  operands_.push_back(address_in(from[0], made.modifiers.to_space));
  operands_.push_back(address_in(from[1], made.modifiers.space));
  const Operand size = source(from[2], {}, Type::kU32);
  operands_.push_back(size);
  Operand barrier;
  if (tells) barrier = address_in(from[3], Space::kShared);
  commit(made, operands_);
  if (tells) complete(made, barrier, size, Space::kShared);
}

// st.async and red.async: [a], b, [mbarrier]
void FunctionLowering::told_access(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  if (from.size() != 3) return fail(statement.at, quoted(statement.name) + " takes 3 operands");
  Instruction made = begin(statement, opcode);
  vector_length_ = made.modifiers.vector;
  const Space space = made.modifiers.space;
  if (made.op == Op::kSt) {
    made.modifiers.order = Order::kWeak;
    made.modifiers.scope = Scope::kNone;
  }
  const auto bytes = static_cast<std::uint64_t>(bits_of(made.type) / 8 * made.modifiers.vector);
  operands_.push_back(address_in(from[0], space));
  operands_.push_back(vector_length_ > 1 ? vector(from[1], {}, made.type, false)
                                         : source(from[1], {}, made.type));
  const Operand barrier = address_in(from[2], space);
  commit(made, operands_);
  complete(made, barrier, immediate(bytes), space);
}

// st.bulk: [a], size, 0. clusterlaunchcontrol.try_cancel: [response], [mbarrier]; the response says
// that nothing was cancelled, as the ISA lets it: zeros.
void FunctionLowering::bulk_store(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool cancels = statement.name.starts_with("clusterlaunchcontrol");
  if (from.size() != (cancels ? 2 : 3))
    return fail(statement.at,
                quoted(statement.name) + " takes " + (cancels ? "2" : "3") + " operands");
  const Instruction made = begin(statement, opcode);
  operands_.push_back(address_in(from[0], made.modifiers.space));
  if (cancels) {
    operands_.push_back(immediate(kResponseBytes));
    const Operand barrier = address_in(from[1], made.modifiers.space);
    commit(made, operands_);
    return complete(made, barrier, immediate(kResponseBytes), made.modifiers.space);
  }
  Slot size;
  size.relaxed = true;  // of 32 or 64 bits
  operands_.push_back(source(from[1], size, Type::kU32));
  if (from[2].kind != Written::kConstant || from[2].constant.bits != 0)
    fail(from[2].at, "st.bulk writes zeros: its last operand must be 0");
  commit(made, operands_);
}

void FunctionLowering::register_hint(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  const bool constant = from.size() == 1 && from[0].kind == Written::kConstant;
  const std::uint64_t count = constant ? from[0].constant.bits : 0;
  if (count < kLeastRegisters || count > kMostRegisters || count % kRegisterStep != 0)
    return fail(statement.at, "setmaxnreg takes a multiple of 8 from 24 to 256");
  commit(begin(statement, opcode), {});
}

}  // namespace longwire::softcuda::ir
