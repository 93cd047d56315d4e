// Registers that hold results of f32 arithmetic and nothing else. Such a result has one NaN; the
// code keeps any, and makes it that one where the bits are of use rather than after each
// instruction.
#include <cstring>

#include "softcuda/interp/rounding.h"
#include "softcuda/jit/analysis.h"

namespace longwire::softcuda::jit {
namespace {

using interp::Base;
using ir::Op;

constexpr int kBits = 32;

bool is_arithmetic(const ir::Instruction& i) {
  const ir::Modifiers& m = i.modifiers;
  if (i.type != ir::Type::kF32 || interp::is_directed(m.rounding)) return false;
  switch (i.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
    case Op::kDiv:
    case Op::kFma:
    case Op::kMad:
    case Op::kRcp:
    case Op::kSqrt:
    case Op::kRsqrt:
      return true;
    case Op::kMin:
    case Op::kMax:
      return !m.nan && !m.xorsign_abs;
    default:
      return false;
  }
}

}  // namespace

// Whether an operand is the one NaN, if it is one, or may be made that.
bool Analysis::reads_number(const Slot& slot) const noexcept {
  if (slot.base == Base::kFrame)
    return !slot.negated && !slot.in_frame && numbers_[register_of(slot)];
  if (slot.base != Base::kConstants || slot.in_frame || slot.variable != ir::kNone) return false;
  float value = 0;
  std::memcpy(&value, programs_.constants.data() + slot.offset, sizeof value);
  return value == value;
}

bool Analysis::gives_number(const Step& s) const noexcept {
  if (s.kind != StepKind::kPlain || s.source == nullptr || s.count[0] != 1) return false;
  const ir::Instruction& i = *s.source;
  if (is_arithmetic(i)) return true;
  if (ir::bits_of(i.type) != kBits) return false;
  if (i.op == Op::kMov) return s.count[1] == 1 && reads_number(s.slot(1));
  return i.op == Op::kSelp && reads_number(s.slot(1)) && reads_number(s.slot(2));
}

void Analysis::find_numbers() {
  numbers_.assign(registers(), true);
  for (RegisterId id = 0; id < registers(); ++id)
    if (program_.function->registers[id].bits != kBits || blocks_[0].live_in[id])
      numbers_[id] = false;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Step& s : program_.steps) {
      if (gives_number(s)) continue;
      each_written(s, [&](RegisterId id) {
        changed = changed || numbers_[id];
        numbers_[id] = false;
      });
    }
  }
}

}  // namespace longwire::softcuda::jit
