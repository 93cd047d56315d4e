#include "softcuda/interp/matrix_math.h"

#include <bit>
#include <cmath>

#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/fp8.h"
#include "softcuda/interp/half.h"
#include "softcuda/interp/integer_semantics.h"
#include "softcuda/interp/rounding.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using std::uint16_t, std::uint32_t, std::uint64_t;

double float_element(Type type, uint32_t bits) {
  switch (type) {
    case Type::kF16:
      return float_of_f16(static_cast<uint16_t>(bits));
    case Type::kBF16:
      return float_of_bf16(static_cast<uint16_t>(bits));
    case Type::kTF32:
      return std::bit_cast<float>(bits & 0xffff'e000);
    case Type::kE4M3:
      return float_of_e4m3(static_cast<std::uint8_t>(bits));
    case Type::kE5M2:
      return float_of_e5m2(static_cast<std::uint8_t>(bits));
    default:
      return std::bit_cast<float>(bits);
  }
}

std::int64_t integer_element(Type type, uint32_t bits) {
  const int width = ir::bits_of(type);
  const uint32_t up = bits << (32 - width);
  return ir::is_signed(type) ? static_cast<std::int32_t>(up) >> (32 - width)
                             : static_cast<std::int64_t>(up >> (32 - width));
}

double accumulator(Type type, uint64_t bits) {
  return type == Type::kF16 ? float_of_f16(static_cast<uint16_t>(bits))
                            : std::bit_cast<float>(static_cast<uint32_t>(bits));
}
uint64_t float_result(Type type, double sum) {
  if (type == Type::kF16) return f16_of(sum);
  return std::bit_cast<uint32_t>(floating::canonical(static_cast<float>(sum)));
}

uint64_t float_cell(const ir::Instruction& i, const Matrices& m, int row, int column) {
  double sum = accumulator(i.type4, m.c[row * m.columns + column]);
  for (int k = 0; k < m.depth; ++k)
    sum += float_element(i.type2, m.a[row * m.depth + k]) *
           float_element(i.type3, m.b[k * m.columns + column]);
  return float_result(i.type, sum);
}

uint64_t double_cell(const Matrices& m, int row, int column) {
  double sum = std::bit_cast<double>(m.c[row * m.columns + column]);
  for (int k = 0; k < m.depth; ++k)
    sum = std::fma(m.a64[row * m.depth + k], m.b64[k * m.columns + column], sum);
  return std::bit_cast<uint64_t>(sum);
}

uint64_t integer_cell(const ir::Instruction& i, const Matrices& m, int row, int column) {
  std::int64_t sum = static_cast<std::int32_t>(m.c[row * m.columns + column]);
  for (int k = 0; k < m.depth; ++k) {
    const uint32_t x = m.a[row * m.depth + k], y = m.b[k * m.columns + column];
    if (i.type2 == Type::kB1)
      sum += (i.modifiers.combine == ir::Combine::kAnd ? x & y : x ^ y) & 1;
    else
      sum += integer_element(i.type2, x) * integer_element(i.type3, y);
  }
  if (i.modifiers.saturate) sum = integer::saturated(sum);
  return static_cast<uint32_t>(sum);
}

}  // namespace

void multiply(const ir::Instruction& i, Matrices& m) noexcept {
  for (int row = 0; row < m.rows; ++row)
    for (int column = 0; column < m.columns; ++column) {
      uint64_t& cell = m.c[row * m.columns + column];
      if (i.type2 == Type::kF64)
        cell = double_cell(m, row, column);
      else if (ir::is_float(i.type2))
        cell = float_cell(i, m, row, column);
      else
        cell = integer_cell(i, m, row, column);
    }
}

}  // namespace longwire::softcuda::interp
