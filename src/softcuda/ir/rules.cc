#include "softcuda/ir/rules.h"

namespace longwire::softcuda::ir {
namespace {

bool is_bits(Type type) { return type >= Type::kB8 && type <= Type::kB128; }
bool is_integer(Type type) { return !is_float(type) && type != Type::kPred; }
bool rounds_to_integer(Rounding rounding) {
  return rounding >= Rounding::kIntNearest && rounding <= Rounding::kIntUp;
}

std::string check_comparison(const Opcode& opcode) {
  const Type type = opcode.op == Op::kSet ? opcode.types[1] : opcode.types[0];
  const Compare compare = opcode.modifiers.compare;
  const bool equality = compare == Compare::kEq || compare == Compare::kNe;
  const bool ordered = equality || (compare >= Compare::kLt && compare <= Compare::kGe);
  const bool for_unsigned = compare >= Compare::kLo && compare <= Compare::kHs;
  const bool fine = is_float(type)    ? !for_unsigned
                    : is_bits(type)   ? equality
                    : is_signed(type) ? ordered
                                      : ordered || for_unsigned;
  return fine ? "" : "this comparison does not fit the type of";
}

// PTX ISA, "cvt": which conversions must say how they round.
std::string check_conversion(Opcode& opcode) {
  Modifiers& modifiers = opcode.modifiers;
  const Type to = opcode.types[0];
  const Type from = opcode.types[1];
  const bool float_to_float = is_float(to) && is_float(from);
  const bool narrows = float_to_float && bits_of(to) < bits_of(from);
  const bool needs_float = narrows || (is_float(to) && is_integer(from));
  const bool needs_integer = is_integer(to) && is_float(from);
  const bool given = modifiers.rounding != Rounding::kNone;
  const bool integer = rounds_to_integer(modifiers.rounding);
  if ((needs_float || needs_integer) && !given) return "a rounding modifier is missing in";
  if (needs_float && integer && !float_to_float) return "rounding to integer does not fit";
  if (needs_integer && !integer)
    return "rounding to integer (.rni, .rzi, .rmi, .rpi) is missing in";
  if (is_integer(to) && is_integer(from) && given) return "integers are not rounded in";
  return "";
}

// PTX ISA, "cp.reduce.async.bulk": which operations each type has.
std::string check_reduction(const Opcode& opcode) {
  const Type type = opcode.types[0];
  const AtomicOp op = opcode.modifiers.atomic;
  const bool bitwise = op == AtomicOp::kAnd || op == AtomicOp::kOr || op == AtomicOp::kXor;
  const bool counts = op == AtomicOp::kInc || op == AtomicOp::kDec;
  const bool half = type == Type::kF16 || type == Type::kBF16;
  const bool fine = bitwise          ? !is_float(type)
                    : counts         ? type == Type::kU32
                    : is_bits(type)  ? false
                    : is_float(type) ? half || op == AtomicOp::kAdd
                                     : true;
  return fine ? "" : "this operation does not fit the type of";
}

// f16 .dtype.ctype of wmma.mma, and types of operands that the text leaves out.
void complete_matrix_types(Opcode& opcode) {
  if (opcode.op != Op::kWmmaMma || opcode.types[2] != Type::kNone) return;
  opcode.types[3] = opcode.types[1];
  opcode.types[1] = opcode.types[2] = Type::kF16;
}

// Four floats to one register: the forms of .x4.
bool takes_four(Type type) { return type >= Type::kE2M1x4 && type <= Type::kE5M2x4; }

std::string check_row_col(const Opcode& opcode) {
  const bool f16_m8n8k4 = opcode.types[1] == Type::kF16 && opcode.modifiers.shape.m == 8;
  const bool plain = !opcode.modifiers.shape.a_column && !opcode.modifiers.shape.b_row;
  return opcode.op != Op::kMma || f16_m8n8k4 || plain ? "" : "only .row.col is possible in";
}

void default_rounding(Opcode& opcode) {
  Modifiers& modifiers = opcode.modifiers;
  if (modifiers.rounding != Rounding::kNone || !is_float(opcode.types[0])) return;
  switch (opcode.op) {
    case Op::kAdd:
    case Op::kSub:
    case Op::kMul:
      modifiers.rounding = Rounding::kNearest;
      break;
    case Op::kAtom:
    case Op::kRed:
      if (modifiers.atomic == AtomicOp::kAdd) modifiers.rounding = Rounding::kNearest;
      break;
    default:
      break;
  }
}

// ld.relaxed and its like must say for whom; atomics are relaxed.gpu unless they say otherwise.
std::string memory_order(Opcode& opcode) {
  Modifiers& modifiers = opcode.modifiers;
  const bool memory = opcode.op == Op::kLd || opcode.op == Op::kSt;
  if (memory && modifiers.volatile_) {
    modifiers.order = Order::kRelaxed;
    modifiers.scope = Scope::kSys;
  }
  const bool ordered = modifiers.order != Order::kWeak;
  if (memory && ordered && modifiers.scope == Scope::kNone) return "a scope is missing in";
  if (memory && !ordered && modifiers.scope != Scope::kNone) {
    return "a scope is only for .relaxed, .acquire and .release:";
  }
  if (opcode.op == Op::kAtom || opcode.op == Op::kRed) {
    if (modifiers.order == Order::kWeak) modifiers.order = Order::kRelaxed;
    if (modifiers.scope == Scope::kNone) modifiers.scope = Scope::kGpu;
  }
  if (opcode.op == Op::kFence || opcode.op == Op::kMembar) {
    if (modifiers.order == Order::kWeak) {
      modifiers.order = opcode.op == Op::kMembar ? Order::kSc : Order::kAcqRel;
    }
    if (modifiers.scope == Scope::kNone) modifiers.scope = Scope::kSys;
  }
  return "";
}

}  // namespace

std::string finish(Opcode& opcode) {
  Modifiers& modifiers = opcode.modifiers;
  default_rounding(opcode);
  complete_matrix_types(opcode);
  if (opcode.op == Op::kCvta && modifiers.uniform) {
    modifiers.uniform = false;
    modifiers.to_space = modifiers.space;
    modifiers.space = Space::kGeneric;
  }
  modifiers.carry_in = opcode.op == Op::kAddc || opcode.op == Op::kSubc || opcode.op == Op::kMadc;
  if (opcode.op == Op::kCpAsync) {
    modifiers.space = Space::kGlobal;
    modifiers.to_space = Space::kShared;
  }
  if (opcode.op == Op::kCpBulk || opcode.op == Op::kCpReduceBulk) {
    const bool from_global = modifiers.space == Space::kGlobal && !modifiers.wrap;
    modifiers.to_space = modifiers.wrap ? Space::kGlobal : Space::kShared;
    modifiers.space = from_global ? Space::kGlobal : Space::kShared;
  }
  if (opcode.op == Op::kQueryCancel) modifiers.mode = Mode::kNone;
  switch (opcode.op) {
    case Op::kCpReduceBulk:
      return check_reduction(opcode);
    case Op::kSet:
    case Op::kSetp:
      return check_comparison(opcode);
    case Op::kCvt:
      if (takes_four(opcode.types[0])) modifiers.vector = 4;
      return check_conversion(opcode);
    case Op::kMma:
      return check_row_col(opcode);
    default:
      return memory_order(opcode);
  }
}

}  // namespace longwire::softcuda::ir
