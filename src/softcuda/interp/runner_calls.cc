// Calls: a function's frame, its parameters and results.
#include <algorithm>
#include <cstring>

#include "softcuda/interp/runner.h"

namespace longwire::softcuda::interp {
namespace {

constexpr std::size_t kMaxExternalArguments = 8;

// Where a lane's value of a register stands in a frame. Predicates are copied otherwise.
std::byte* register_at(const ir::Function& function, ir::RegisterId id, std::byte* frame,
                       int lane) {
  const ir::Register& reg = function.registers[id];
  return frame + reg.offset + static_cast<std::size_t>(lane) * (reg.bits / 8);
}

std::size_t register_bytes(const ir::Function& function, ir::RegisterId id) {
  return function.registers[id].bits / 8;
}

std::span<const ir::Operand> arguments_of(const ir::Function& function, const Step& s,
                                          int operand) {
  const auto operands = function.operands_of(*s.source);
  if (static_cast<std::size_t>(operand) >= operands.size()) return {};
  const ir::Operand& list = operands[operand];
  if (list.kind != ir::OperandKind::kArguments) return {};
  return {function.elements.data() + list.first, list.count};
}

}  // namespace

bool Runner::call(const Step& s) {
  Mask lanes = guard_of(s);
  if (lanes == 0) {
    ++step_;
    return true;
  }
  const ir::Operand& callee = now_->program->function->operands_of(*s.source)[0];
  ir::FunctionId id = callee.id;
  Mask later = 0;  // lanes that call another function from here
  if (callee.kind != ir::OperandKind::kCallee) {
    const auto* addresses = context_.at<std::uint64_t>(s.slot(0));
    const int first = std::countr_zero(lanes);
    for (int i = 0; i < kLanes; ++i)
      if ((lanes >> i & 1) != 0 && addresses[i] != addresses[first]) later |= Mask{1} << i;
    id = machine::function_at(addresses[first], programs_.functions.size());
    lanes &= ~later;
    if (id == ir::kNone || (programs_.functions[id].function == nullptr &&
                            !warp_.module().module().functions[id].external))
      warp_.fault(machine::FaultKind::kIllegalInstruction, first, addresses[first], s.source->place,
                  "a call of what is no function");
  }
  split(later, step_, step_ + 1);
  const ir::Function& function = warp_.module().module().functions[id];
  if (function.external)
    call_external(s, function, lanes);
  else
    call_function(s, programs_.functions[id], lanes);
  return false;
}

void Runner::call_function(const Step& s, const Program& callee, Mask lanes) {
  const auto given = arguments_of(*now_->program->function, s, 2);
  const auto taken = arguments_of(*now_->program->function, s, 1);
  if (given.size() != callee.function->parameters.size() ||
      taken.size() > callee.function->results.size())
    warp_.fault(machine::FaultKind::kIllegalInstruction, std::countr_zero(lanes), 0,
                s.source->place, "a call with other parameters than the function has");
  Activation* activation = push(callee, lanes, s.source->place);
  activation->caller = now_;
  activation->call = &s;
  copy_arguments(s, *activation, lanes);
  now_->lanes &= ~lanes;
}

void Runner::copy_arguments(const Step& s, Activation& to, Mask lanes) {
  const ir::Function& caller = *now_->program->function;
  const ir::Function& callee = *to.program->function;
  const auto given = arguments_of(caller, s, 2);
  for (std::size_t n = 0; n < given.size(); ++n) {
    const ir::Parameter& parameter = callee.parameters[n];
    const ir::Operand& operand = given[n];
    const Slot& slot = s.slot(2, static_cast<int>(n));
    if (slot.bytes == 0 && operand.kind == ir::OperandKind::kRegister) {
      std::memcpy(to.frame + callee.registers[parameter.reg].offset, context_.at<Mask>(slot),
                  sizeof(Mask));
      continue;
    }
    for (Mask left = lanes; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      const bool in_register = parameter.reg != ir::kNone;
      std::byte* place = in_register ? register_at(callee, parameter.reg, to.frame, lane)
                                     : local_frame(to, lane) + parameter.offset;
      std::size_t bytes = in_register ? register_bytes(callee, parameter.reg) : parameter.bytes;
      const std::byte* value = nullptr;
      if (operand.kind == ir::OperandKind::kAddress) {
        value = local_frame(*now_, lane) + operand.bits;
        bytes = std::min<std::size_t>(bytes, operand.count);
      } else {
        const std::size_t width = slot.base == Base::kConstants ? 8 : slot.bytes;
        value = context_.at<std::byte>(slot);
        if (width == 8)
          value = reinterpret_cast<const std::byte*>(context_.at<std::uint64_t>(slot));
        value += static_cast<std::size_t>(lane) * width;
        bytes = std::min(bytes, width);
      }
      std::memcpy(place, value, bytes);
    }
  }
}

void Runner::copy_results(const Activation& from, Mask lanes) {
  const ir::Function& callee = *from.program->function;
  const ir::Function& caller = *from.caller->program->function;
  const auto taken = arguments_of(caller, *from.call, 1);
  for (std::size_t n = 0; n < taken.size(); ++n) {
    const ir::Parameter& result = callee.results[n];
    const ir::Operand& operand = taken[n];
    const bool to_register = operand.kind == ir::OperandKind::kRegister;
    if (to_register && caller.registers[operand.reg].bits == 1) {
      Mask value = 0, old = 0;
      std::byte* place = from.caller->frame + caller.registers[operand.reg].offset;
      std::memcpy(&value, from.frame + callee.registers[result.reg].offset, sizeof value);
      std::memcpy(&old, place, sizeof old);
      value = (old & ~lanes) | (value & lanes);
      std::memcpy(place, &value, sizeof value);
      continue;
    }
    for (Mask left = lanes; left != 0; left &= left - 1) {
      const int lane = std::countr_zero(left);
      const bool in_register = result.reg != ir::kNone;
      const std::byte* value = in_register ? register_at(callee, result.reg, from.frame, lane)
                                           : local_frame(from, lane) + result.offset;
      const std::size_t bytes = in_register ? register_bytes(callee, result.reg) : result.bytes;
      if (to_register)
        std::memcpy(register_at(caller, operand.reg, from.caller->frame, lane), value,
                    std::min(bytes, register_bytes(caller, operand.reg)));
      else if (operand.kind == ir::OperandKind::kAddress)
        std::memcpy(local_frame(*from.caller, lane) + operand.bits, value,
                    std::min<std::size_t>(bytes, operand.count));
    }
  }
}

void Runner::call_external(const Step& s, const ir::Function& function, Mask lanes) {
  const ir::Function& caller = *now_->program->function;
  const auto given = arguments_of(caller, s, 2);
  const auto taken = arguments_of(caller, s, 1);
  for (Mask left = lanes; left != 0; left &= left - 1) {
    const int lane = std::countr_zero(left);
    std::uint64_t values[kMaxExternalArguments] = {};
    const std::size_t count = std::min(given.size(), kMaxExternalArguments);
    for (std::size_t n = 0; n < count; ++n) {
      const Slot& slot = s.slot(2, static_cast<int>(n));
      if (given[n].kind == ir::OperandKind::kAddress)
        std::memcpy(&values[n], local_frame(*now_, lane) + given[n].bits,
                    std::min<std::size_t>(given[n].count, sizeof values[n]));
      else if (given[n].kind == ir::OperandKind::kRegister)
        std::memcpy(&values[n], register_at(caller, given[n].reg, now_->frame, lane),
                    std::min<std::size_t>(slot.bytes, sizeof values[n]));
      else
        values[n] = context_.at<std::uint64_t>(slot)[lane];
    }
    std::uint64_t result = 0;
    if (!warp_.call_external(function, lane, {values, count}, result, s.source->place))
      warp_.fault(machine::FaultKind::kIllegalInstruction, lane, 0, s.source->place,
                  "a call of a function that the machine does not have");
    if (taken.empty()) continue;
    if (taken[0].kind == ir::OperandKind::kAddress)
      std::memcpy(local_frame(*now_, lane) + taken[0].bits, &result,
                  std::min<std::size_t>(taken[0].count, sizeof result));
    else if (taken[0].kind == ir::OperandKind::kRegister)
      std::memcpy(register_at(caller, taken[0].reg, now_->frame, lane), &result,
                  std::min(register_bytes(caller, taken[0].reg), sizeof result));
  }
}

}  // namespace longwire::softcuda::interp
