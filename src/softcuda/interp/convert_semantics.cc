#include "softcuda/interp/convert_semantics.h"

#include <bit>
#include <cmath>
#include <limits>

#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/half.h"
#include "softcuda/interp/rounding.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Rounding;
using ir::Type;

// Integers in the range of what they came from, and one bit more: every 64-bit type is inside.
using Integer = __int128;

std::uint64_t truncated(std::uint64_t bits, int width) {
  return width >= 64 ? bits : bits & ((std::uint64_t{1} << width) - 1);
}

Integer integer_of(Type type, std::uint64_t bits) {
  const int width = ir::bits_of(type);
  const std::uint64_t low = truncated(bits, width);
  if (!ir::is_signed(type)) return static_cast<Integer>(low);
  return static_cast<Integer>(static_cast<std::int64_t>(low << (64 - width)) >> (64 - width));
}

std::uint64_t bits_of_integer(Type type, Integer value) {
  return static_cast<std::uint64_t>(integer_of(type, static_cast<std::uint64_t>(value)));
}

Integer least(Type type) {
  return ir::is_signed(type) ? -(Integer{1} << (ir::bits_of(type) - 1)) : Integer{0};
}
Integer most(Type type) {
  return (Integer{1} << (ir::bits_of(type) - (ir::is_signed(type) ? 1 : 0))) - 1;
}
Integer clamped(Type type, Integer value) {
  return value < least(type) ? least(type) : value > most(type) ? most(type) : value;
}

// Exact; a NaN stays one.
double double_of(Type type, std::uint64_t bits, bool ftz) {
  switch (type) {
    case Type::kF16:
      return float_of_f16(static_cast<std::uint16_t>(bits));
    case Type::kBF16:
      return float_of_bf16(static_cast<std::uint16_t>(bits));
    case Type::kF32: {
      const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      return ftz ? flushed(value) : value;
    }
    default:
      return std::bit_cast<double>(bits);
  }
}

bool is_integral(Rounding rounding) {
  return rounding == Rounding::kIntNearest || rounding == Rounding::kIntZero ||
         rounding == Rounding::kIntDown || rounding == Rounding::kIntUp;
}

double to_integral(double value, Rounding rounding) {
  if (value != value) return floating::nan_of(value);
  switch (rounding) {
    case Rounding::kIntZero:
      return std::trunc(value);
    case Rounding::kIntDown:
      return std::floor(value);
    case Rounding::kIntUp:
      return std::ceil(value);
    default:
      return std::nearbyint(value);
  }
}

// Where an integer has more bits than a double: to odd, so that rounding once more is right.
double odd_double_of(Integer value) {
  const bool negative = value < 0;
  auto magnitude = static_cast<std::uint64_t>(negative ? -value : value);
  double result = 0;
  if (magnitude >> 53 == 0) {
    result = static_cast<double>(magnitude);
  } else {
    const std::uint64_t lost = magnitude & 0x7ff;
    magnitude >>= 11;
    if (lost != 0) magnitude |= 1;
    result = static_cast<double>(magnitude) * 0x1p11;
  }
  return negative ? -result : result;
}

std::uint64_t f32_bits(double value, Rounding rounding) {
  return value != value ? floating::kNaN32 : round_to<Format<8, 23>>(value, rounding);
}

// A double that has all bits that matter, in the format of `type`.
std::uint64_t bits_of_double(const ir::Instruction& i, double value) {
  const ir::Modifiers& m = i.modifiers;
  const Rounding rounding = is_integral(m.rounding) ? Rounding::kNearest : m.rounding;
  const bool unit =
      m.saturate && (i.type == Type::kF32 || i.type == Type::kF64 || i.type == Type::kF16);
  if (unit) value = floating::saturate(value);
  if (m.relu && value < 0) value = 0;
  if (m.relu && value == 0) value = 0.0;
  const bool finite = m.saturate && !unit;
  switch (i.type) {
    case Type::kF16:
      return round_to<F16>(value, rounding, finite);
    case Type::kBF16:
      return round_to<BF16>(value, rounding, finite);
    case Type::kTF32:
      return std::uint64_t{round_to<TF32>(value, rounding, finite)} << 13;
    case Type::kF32: {
      const auto bits = static_cast<std::uint32_t>(f32_bits(value, rounding));
      return m.ftz ? std::bit_cast<std::uint32_t>(flushed(std::bit_cast<float>(bits))) : bits;
    }
    default:
      return std::bit_cast<std::uint64_t>(value);
  }
}

std::uint64_t integer_of_double(const ir::Instruction& i, double value) {
  const int width = ir::bits_of(i.type);
  if (value != value)
    return i.type2 == Type::kF64 || width == 64 ? bits_of_integer(i.type, Integer{1} << (width - 1))
                                                : 0;
  value = to_integral(value, i.modifiers.rounding);
  if (value >= 0x1p64) return bits_of_integer(i.type, most(i.type));
  if (value <= -0x1p64) return bits_of_integer(i.type, least(i.type));
  return bits_of_integer(i.type, clamped(i.type, static_cast<Integer>(value)));
}

// 64-bit integers to f64 with a rounding; to odd would be one bit short.
std::uint64_t f64_of_integer(Integer value, Rounding rounding) {
  RoundingScope scope(rounding);
  volatile double result = 0;
  if (value <= std::numeric_limits<std::int64_t>::max())
    result = static_cast<double>(static_cast<std::int64_t>(value));
  else
    result = std::fma(static_cast<double>(static_cast<std::uint64_t>(value) >> 32), 0x1p32,
                      static_cast<double>(static_cast<std::uint64_t>(value) & 0xffff'ffff));
  const double plain = result;
  return std::bit_cast<std::uint64_t>(plain);
}

}  // namespace

std::uint64_t convert(const ir::Instruction& i, std::uint64_t bits) noexcept {
  const bool from_float = ir::is_float(i.type2), to_float = ir::is_float(i.type);
  const ir::Modifiers& m = i.modifiers;
  if (!from_float && !to_float) {
    const Integer value = integer_of(i.type2, bits);
    return bits_of_integer(i.type, m.saturate ? clamped(i.type, value) : value);
  }
  if (!from_float) {
    const Integer value = integer_of(i.type2, bits);
    if (i.type == Type::kF64 && !m.saturate) return f64_of_integer(value, m.rounding);
    return bits_of_double(i, odd_double_of(value));
  }
  double value = double_of(i.type2, bits, m.ftz);
  if (!to_float) return integer_of_double(i, value);
  if (is_integral(m.rounding)) value = to_integral(value, m.rounding);
  return bits_of_double(i, value);
}

}  // namespace longwire::softcuda::interp
