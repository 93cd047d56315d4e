// mma and wmma: how many registers each fragment has. PTX ISA, "Warp Level Matrix Instructions".
#include "softcuda/ir/lower.h"

namespace longwire::softcuda::ir {

using ptx::quoted;

namespace {

bool is_packed(Type type) { return bits_of(type) < 32 || type == Type::kTF32; }

// A matrix of mma over 32 lanes; small types are packed in registers of 32 bits.
std::size_t mma_registers(int rows, int columns, Type type, bool quads) {
  const int elements = rows * columns * (quads ? 4 : 1) / kWarpSize;
  return static_cast<std::size_t>(bits_of(type) < 32 ? elements * bits_of(type) / 32 : elements);
}

// wmma's fragments: f16 ones of A and B hold every element twice.
std::size_t wmma_registers(const MatrixShape& shape, Type type, Mode fragment) {
  if (fragment != Mode::kLeft && fragment != Mode::kRight) {
    return mma_registers(shape.m, shape.n, type, false);
  }
  if (type == Type::kF16) return 8;
  const int outer = fragment == Mode::kLeft ? shape.m : shape.n;
  return mma_registers(outer, shape.k, type, false);
}

}  // namespace

Operand FunctionLowering::fragment(const ptx::Operand& from, std::size_t registers, Type type,
                                   bool written) {
  const auto parts = elements_of(from);
  if (parts.size() != registers) {
    fail(from.at, "this fragment has " + std::to_string(registers) + " registers, not " +
                      std::to_string(parts.size()));
    return {};
  }
  const Type part = is_packed(type) ? Type::kB32 : type;
  std::vector<Operand> elements;
  elements.reserve(parts.size());
  for (const auto& element : parts) {
    elements.push_back(written ? destination(element, {}, part) : source(element, {}, part));
  }
  return keep_elements(elements, Kind::kVector);
}

void FunctionLowering::mma(const ptx::Statement& statement, const Opcode& opcode) {
  if (statement.operands.size() != 4) {
    return fail(statement.at, quoted(statement.name) + " takes 4 operands");
  }
  Instruction made = begin(statement, opcode);
  const auto& shape = made.modifiers.shape;
  const bool wide = opcode.op == Op::kWmmaMma;
  const bool quads = !wide && shape.m == 8 && shape.k == 4 && made.type2 == Type::kF16;
  const auto count = [&](Mode fragment, int rows, int columns, Type type) {
    return wide ? wmma_registers(shape, type, fragment) : mma_registers(rows, columns, type, quads);
  };
  const auto& from = statement.operands;
  operands_ = {
      fragment(from[0], count(Mode::kUp, shape.m, shape.n, made.type), made.type, true),
      fragment(from[1], count(Mode::kLeft, shape.m, shape.k, made.type2), made.type2, false),
      fragment(from[2], count(Mode::kRight, shape.k, shape.n, made.type3), made.type3, false),
      fragment(from[3], count(Mode::kUp, shape.m, shape.n, made.type4), made.type4, false)};
  commit(made, operands_);
}

// wmma.load: d, [a] {, stride}; wmma.store: [a], d {, stride}
void FunctionLowering::wmma_memory(const ptx::Statement& statement, const Opcode& opcode) {
  const auto& from = statement.operands;
  if (from.size() != 2 && from.size() != 3) {
    return fail(statement.at, quoted(statement.name) + " takes 2 or 3 operands");
  }
  Instruction made = begin(statement, opcode);
  const bool loads = opcode.op == Op::kWmmaLoad;
  const auto registers = wmma_registers(made.modifiers.shape, made.type, made.modifiers.mode);
  if (loads) operands_.push_back(fragment(from[0], registers, made.type, true));
  operands_.push_back(address(from[loads ? 1 : 0]));
  if (!loads) operands_.push_back(fragment(from[1], registers, made.type, false));
  operands_.push_back(from.size() == 3 ? source(from[2], {}, Type::kU32) : Operand{});
  check_memory_space(statement, made);
  commit(made, operands_);
}

}  // namespace longwire::softcuda::ir
