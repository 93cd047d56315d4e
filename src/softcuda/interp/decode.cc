#include "softcuda/interp/decode.h"

#include <algorithm>
#include <cstring>

#include "softcuda/interp/select.h"
#include "softcuda/interp/specials.h"

namespace longwire::softcuda::interp {
namespace {

// Of a kWarpSync: which operand names the lanes.
std::uint32_t mask_operand(ir::Op op, ir::Mode mode) {
  switch (op) {
    case ir::Op::kBarWarp:
      return 0;
    case ir::Op::kShfl:
      return 5;
    case ir::Op::kMatch:
      return mode == ir::Mode::kAll ? 3 : 2;
    default:
      return 2;
  }
}

StepKind kind_of(const ir::Instruction& i) {
  switch (i.op) {
    case ir::Op::kBra:
      return StepKind::kBranch;
    case ir::Op::kBrxIdx:
      return StepKind::kBranchIndexed;
    case ir::Op::kCall:
      return StepKind::kCall;
    case ir::Op::kRet:
      return StepKind::kReturn;
    case ir::Op::kExit:
      return StepKind::kExit;
    case ir::Op::kBar:
    case ir::Op::kBarrier:
    case ir::Op::kBarrierCluster:
      return StepKind::kBarrier;
    case ir::Op::kBarWarp:
    case ir::Op::kShfl:
    case ir::Op::kVote:
      // Of old ISAs they have none, and are of whoever is there.
      return i.operand_count > mask_operand(i.op, i.modifiers.mode) ? StepKind::kWarpSync
                                                                    : StepKind::kPlain;
    case ir::Op::kMatch:
    case ir::Op::kRedux:
    case ir::Op::kElect:
      return StepKind::kWarpSync;
    default:
      return StepKind::kPlain;
  }
}

bool leaves_block(const ir::Instruction& i) {
  const bool terminator = i.op == ir::Op::kBra || i.op == ir::Op::kBrxIdx || i.op == ir::Op::kRet ||
                          i.op == ir::Op::kExit || i.op == ir::Op::kTrap;
  return terminator && i.guard == ir::kNone;
}

class Decoder {
 public:
  Decoder(const machine::LoadedModule& loaded, ir::FunctionId kernel, bool entries)
      : loaded_(loaded), module_(loaded.module()), entries_(entries) {
    programs_.kernel = kernel;
    programs_.functions.resize(module_.functions.size());
  }

  KernelPrograms decode() {
    constant(0);
    need(programs_.kernel);
    while (!wanted_.empty()) {
      const ir::FunctionId id = wanted_.back();
      wanted_.pop_back();
      decode_function(id);
    }
    return std::move(programs_);
  }

 private:
  void need(ir::FunctionId id) {
    Program& program = programs_.functions[id];
    if (program.function != nullptr) return;
    program.function = &module_.functions[id];
    wanted_.push_back(id);
  }

  void decode_function(ir::FunctionId id) {
    function_ = &module_.functions[id];
    program_ = &programs_.functions[id];
    starts_.clear();
    for (const ir::Block& block : function_->blocks) {
      program_->first_steps.push_back(static_cast<std::uint32_t>(program_->steps.size()));
      if (block.count != 0) add_entry();
      for (std::uint32_t n = block.first; n < block.first + block.count; ++n)
        decode_instruction(function_->instructions[n]);
      if (block.count == 0 || !leaves_block(function_->instructions[block.first + block.count - 1]))
        add_step(StepKind::kBlockEnd);
    }
    add_step(StepKind::kReturn);  // a function that runs over its end
    for (std::size_t n = 0; n < program_->steps.size(); ++n)
      finish_step(program_->steps[n], starts_[n]);
  }

  Step& add_step(StepKind kind) {
    program_->steps.emplace_back();
    program_->steps.back().kind = kind;
    starts_.push_back(program_->slots.size());
    return program_->steps.back();
  }

  void add_entry() {
    if (entries_) add_step(StepKind::kNative).target = program_->entries++;
  }

  void decode_instruction(const ir::Instruction& i) {
    const auto operands = function_->operands_of(i);
    // An indirect call may go to what only a table in memory names.
    if (i.op == ir::Op::kCall && operands[0].kind != ir::OperandKind::kCallee) need_all();
    for (const ir::Operand& operand : operands)
      if (operand.kind == ir::OperandKind::kSpecial && is_clock(operand.special)) refresh(operand);
    Step& step = add_step(kind_of(i));
    step.source = &i;
    step.run = select(i);
    if (step.kind == StepKind::kWarpSync) step.target = mask_operand(i.op, i.modifiers.mode);
    if (i.guard != ir::kNone) step.guard = function_->registers[i.guard].offset;
    step.guard_negated = i.guard_negated;
    step.operands = static_cast<std::uint8_t>(std::min(operands.size(), kMaxOperands));
    for (std::size_t n = 0; n < step.operands; ++n)
      decode_operand(step, n, operands[n], i);
    const StepKind kind = step.kind;
    const bool of_runner = kind == StepKind::kCall || kind == StepKind::kReturn ||
                           kind == StepKind::kExit || kind == StepKind::kBarrier;
    if (of_runner && !leaves_block(i)) add_entry();
  }

  // %clock and its like are read when the instruction runs.
  void refresh(const ir::Operand& operand) {
    Step& step = add_step(StepKind::kPlain);
    step.run = &refresh_clock;
    step.operands = 1;
    step.count[0] = 1;
    program_->slots.push_back(special(operand.special, 0));
    program_->slots.back().displacement = static_cast<std::int64_t>(operand.special);
  }

  void decode_operand(Step& step, std::size_t n, const ir::Operand& operand,
                      const ir::Instruction& i) {
    const std::size_t first = program_->slots.size();
    step.start[n] = static_cast<std::uint16_t>(first - starts_.back());
    switch (operand.kind) {
      case ir::OperandKind::kVector:
        for (std::uint32_t e = operand.first; e < operand.first + operand.count; ++e)
          program_->slots.push_back(slot_of(function_->elements[e], i));
        break;
      case ir::OperandKind::kArguments:
        decode_arguments(operand, i);
        break;
      case ir::OperandKind::kBlock:
        step.target = operand.id;  // a block; a step once all are known
        program_->slots.emplace_back();
        break;
      default:
        program_->slots.push_back(slot_of(operand, i));
        break;
    }
    step.count[n] = static_cast<std::uint16_t>(program_->slots.size() - first);
  }

  // Registers and constants have a slot each; .param variables stand in the ir only.
  void decode_arguments(const ir::Operand& operand, const ir::Instruction& i) {
    for (std::uint32_t e = operand.first; e < operand.first + operand.count; ++e)
      program_->slots.push_back(slot_of(function_->elements[e], i));
  }

  void finish_step(Step& step, std::size_t start) {
    step.slots = program_->slots.data() + start;
    if (step.kind == StepKind::kBranch) step.target = program_->first_steps[step.target];
  }

  Slot slot_of(const ir::Operand& operand, const ir::Instruction& i) {
    Slot slot;
    switch (operand.kind) {
      case ir::OperandKind::kRegister:
        slot = register_slot(operand.reg);
        break;
      case ir::OperandKind::kImmediate:
        slot = constant(operand.bits);
        break;
      case ir::OperandKind::kSpecial:
        slot = special(operand.special, i.op == ir::Op::kMov ? ir::bits_of(i.type) : 0);
        break;
      case ir::OperandKind::kAddress:
        slot = address(operand, i);
        break;
      case ir::OperandKind::kVariable:
        slot = variable(operand, i);
        break;
      case ir::OperandKind::kFunction:
        need_all();
        slot = constant(machine::address_of_function(operand.id));
        break;
      case ir::OperandKind::kCallee:
        callee(operand, i);
        break;
      default:
        return slot;
    }
    slot.present = true;
    slot.negated = operand.negated;
    return slot;
  }

  void callee(const ir::Operand& operand, const ir::Instruction& i) {
    const bool first = &function_->operands_of(i)[0] == &operand;
    if (first && operand.id < module_.functions.size()) need(operand.id);
  }

  // An address of a function may come from anywhere.
  void need_all() {
    for (ir::FunctionId id = 0; id < module_.functions.size(); ++id)
      if (!module_.functions[id].kernel && !module_.functions[id].external) need(id);
  }

  Slot register_slot(ir::RegisterId id) const {
    const ir::Register& reg = function_->registers[id];
    Slot slot;
    slot.base = Base::kFrame;
    slot.offset = reg.offset;
    slot.bytes = static_cast<std::uint8_t>(reg.bits / 8);
    return slot;
  }

  Slot constant(std::uint64_t bits) {
    auto [found, is_new] = constant_at_.try_emplace(bits, programs_.constants.size());
    if (is_new) {
      programs_.constants.resize(programs_.constants.size() + kPoolBytes);
      fill_pool(programs_.constants.data() + found->second, bits);
    }
    Slot slot;
    slot.base = Base::kConstants;
    slot.offset = static_cast<std::uint32_t>(found->second);
    slot.bytes = 8;
    return slot;
  }

  // bits: 0 where it is not known how wide it is read.
  Slot special(ir::Special special, int bits) {
    auto& uses = programs_.specials;
    auto found = std::find_if(uses.begin(), uses.end(),
                              [&](const SpecialUse& use) { return use.special == special; });
    if (found == uses.end()) found = uses.insert(uses.end(), SpecialUse{special});
    found->wide = found->wide || bits == 0 || bits == 64;
    found->middle = found->middle || bits == 0 || bits == 32;
    found->narrow = found->narrow || bits == 0 || bits == 16;
    Slot slot;
    slot.base = Base::kSpecials;
    slot.offset = static_cast<std::uint32_t>(found - uses.begin()) * kPoolBytes;
    slot.bytes = 8;
    return slot;
  }

  // Its number among those whose addresses are not the same everywhere.
  std::uint32_t use_of(ir::VariableId id) {
    if (module_.variables[id].space == ir::Space::kShared) return ir::kNone;
    auto [found, is_new] =
        variable_at_.try_emplace(id, static_cast<std::uint32_t>(programs_.variables.size()));
    if (is_new) programs_.variables.push_back(loaded_.address_of(id));
    return found->second;
  }

  // Of a variable of the module, in its own space.
  std::uint64_t address_of(ir::VariableId id) const {
    const ir::Variable& variable = module_.variables[id];
    if (variable.space != ir::Space::kShared) return loaded_.address_of(id);
    if (variable.bytes != 0) return variable.offset;
    return machine::dynamic_shared_offset(module_.functions[programs_.kernel]);
  }

  Slot address(const ir::Operand& operand, const ir::Instruction& i) {
    Slot slot = operand.reg == ir::kNone ? constant(0) : register_slot(operand.reg);
    slot.displacement = static_cast<std::int64_t>(operand.bits);
    if (operand.id == ir::kNone) {
      slot.in_frame = operand.reg == ir::kNone && i.modifiers.space == ir::Space::kLocal;
      return slot;
    }
    slot.displacement += static_cast<std::int64_t>(address_of(operand.id));
    slot.variable = use_of(operand.id);
    return slot;
  }

  Slot variable(const ir::Operand& operand, const ir::Instruction& i) {
    if (operand.id == ir::kNone) {
      Slot slot = constant(operand.bits);
      slot.in_frame = i.modifiers.space == ir::Space::kLocal;
      return slot;
    }
    Slot slot = constant(address_of(operand.id) + operand.bits);
    slot.variable = use_of(operand.id);
    return slot;
  }

  const machine::LoadedModule& loaded_;
  const ir::Module& module_;
  const bool entries_;
  KernelPrograms programs_;
  std::map<std::uint64_t, std::size_t> constant_at_;
  std::map<ir::VariableId, std::uint32_t> variable_at_;
  std::vector<ir::FunctionId> wanted_;
  const ir::Function* function_ = nullptr;
  Program* program_ = nullptr;
  std::vector<std::size_t> starts_;  // of each step's slots
};

}  // namespace

KernelPrograms decode(const machine::LoadedModule& module, ir::FunctionId kernel, bool entries) {
  return Decoder(module, kernel, entries).decode();
}

}  // namespace longwire::softcuda::interp
