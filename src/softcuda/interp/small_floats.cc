#include "softcuda/interp/small_floats.h"

#include <cmath>

#include "softcuda/interp/half.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Rounding;
using ir::Type;
using std::uint16_t, std::uint32_t;

constexpr uint32_t kMaxExponent = 0xff;  // of ue8m0: a NaN

const SmallFloat* format_of(Type type) {
  switch (type) {
    case Type::kE2M1x2:
    case Type::kE2M1x4:
      return &kE2M1;
    case Type::kE2M3x2:
    case Type::kE2M3x4:
      return &kE2M3;
    case Type::kE3M2x2:
    case Type::kE3M2x4:
      return &kE3M2;
    case Type::kE4M3x4:
      return &kE4M3;
    case Type::kE5M2x4:
      return &kE5M2;
    case Type::kF16x2:
      return &kHalf;
    case Type::kBF16x2:
      return &kBrain;
    default:
      return nullptr;
  }
}

// A number in units of the last place of its format: the units, and what is left of one.
struct Units {
  uint32_t bits;  // of the format, rounded towards zero
  double rest;
};
Units units_of(double magnitude, const SmallFloat& format) {
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
  const int least = 1 - format.bias;
  const int of = exponent - 1 < least || magnitude == 0 ? least : exponent - 1;
  const double units = std::ldexp(magnitude, format.mantissa - of);
  const double whole = std::floor(units);
  const auto above = static_cast<uint32_t>(of - least) << format.mantissa;
  return {above + static_cast<uint32_t>(whole), units - whole};
}

template <class RoundsUp>
uint32_t rounded(double value, const SmallFloat& format, RoundsUp rounds_up) {
  if (value != value) return format.nan;
  const uint32_t sign = std::signbit(value) ? 1U << (format.bits - 1) : 0;
  const double magnitude = std::fabs(value);
  if (magnitude >= std::ldexp(1.0, 128)) return sign | format.most;  // also infinity
  const Units units = units_of(magnitude, format);
  return sign | std::min(format.most, units.bits + (rounds_up(units) ? 1 : 0));
}

double without_negative(double value, bool relu) { return relu && value < 0 ? 0.0 : value; }

// d = {a, b}, a in the upper half of it.
void from_two(Context& c, const Step& s) {
  const auto *a = c.at<float>(s.slot(1)), *b = c.at<float>(s.slot(2));
  auto* d = c.at<uint16_t>(s.slot(0));
  const SmallFloat& format = *format_of(s.source->type);
  const bool relu = s.source->modifiers.relu;
  const int shift = format.bits == 4 ? 4 : 8;
  each_active(c, [&](int i) {
    d[i] = static_cast<uint16_t>(small_of(without_negative(a[i], relu), format) << shift |
                                 small_of(without_negative(b[i], relu), format));
  });
}

void to_halves(Context& c, const Step& s) {
  const auto* a = c.at<uint16_t>(s.slot(1));
  auto* d = c.at<uint32_t>(s.slot(0));
  const SmallFloat& format = *format_of(s.source->type2);
  const bool relu = s.source->modifiers.relu;
  const int shift = format.bits == 4 ? 4 : 8;
  const uint32_t mask = (1U << format.bits) - 1;
  auto half = [&](uint32_t bits) -> uint32_t {
    const uint16_t h = f16_of(double_of_small(bits & mask, format));
    return relu && (h & 0x8000) != 0 ? 0 : h;
  };
  each_active(c,
              [&](int i) { d[i] = half(a[i]) | half(static_cast<uint32_t>(a[i]) >> shift) << 16; });
}

// --- .rs: which bits are for which number ---

// Halves: 13 bits for f16, 16 for bf16, from the half of `random` that is the result's.
void two_at_random(Context& c, const Step& s) {
  const auto *a = c.at<float>(s.slot(1)), *b = c.at<float>(s.slot(2));
  const auto* random = c.at<uint32_t>(s.slot(3));
  auto* d = c.at<uint32_t>(s.slot(0));
  const ir::Modifiers& m = s.source->modifiers;
  const SmallFloat& format = *format_of(s.source->type);
  const int bits = 23 - format.mantissa;
  const uint32_t infinity = format.most + 1;
  auto half = [&](float value, uint32_t bits_of_it) -> uint32_t {
    const double kept = without_negative(value, m.relu);
    SmallFloat to = format;
    if (!m.saturate) to.most = infinity;
    return small_of(kept, to, bits_of_it & ((1U << bits) - 1), bits);
  };
  each_active(c, [&](int i) { d[i] = half(a[i], random[i] >> 16) << 16 | half(b[i], random[i]); });
}

// Of four numbers the first two have the upper half of the random bits, the others the lower; of
// e2m1 the upper and the lower bytes of both halves.
void four_at_random(Context& c, const Step& s) {
  const float* values[4];
  for (int n = 0; n < 4; ++n)
    values[n] = c.at<float>(s.slot(1, n));
  const auto* random = c.at<uint32_t>(s.slot(2));
  const SmallFloat& format = *format_of(s.source->type);
  const bool relu = s.source->modifiers.relu, narrow = format.bits == 4;
  const int shift = narrow ? 4 : 8;
  auto bits_for = [&](uint32_t r, int n) {
    const bool upper = n < 2;
    if (!narrow) return upper ? r >> 16 : r & 0xffff;
    return upper ? (r >> 16 & 0xff00) | (r >> 8 & 0xff) : (r >> 8 & 0xff00) | (r & 0xff);
  };
  each_active(c, [&](int i) {
    uint32_t result = 0;
    for (int n = 0; n < 4; ++n)
      result = result << shift |
               small_of(without_negative(values[n][i], relu), format, bits_for(random[i], n), 16);
    put(c, s.slot(0), i, result);
  });
}

// --- ue8m0: powers of two ---

template <bool kBrains>
void to_exponents(Context& c, const Step& s) {
  auto* d = c.at<uint16_t>(s.slot(0));
  const ir::Modifiers& m = s.source->modifiers;
  const bool upwards = m.rounding == Rounding::kUp;
  each_active(c, [&](int i) {
    float a = 0, b = 0;
    if constexpr (kBrains) {
      const uint32_t both = c.at<uint32_t>(s.slot(1))[i];
      a = float_of_bf16(static_cast<uint16_t>(both >> 16));
      b = float_of_bf16(static_cast<uint16_t>(both));
    } else {
      a = c.at<float>(s.slot(1))[i];
      b = c.at<float>(s.slot(2))[i];
    }
    d[i] = static_cast<uint16_t>(ue8m0_of(a, upwards, m.saturate) << 8 |
                                 ue8m0_of(b, upwards, m.saturate));
  });
}

void from_exponents(Context& c, const Step& s) {
  const auto* a = c.at<uint16_t>(s.slot(1));
  auto* d = c.at<uint32_t>(s.slot(0));
  auto brain = [](uint32_t bits) -> uint32_t {
    return bits == kMaxExponent ? 0x7fff : bf16_of(float_of_ue8m0(bits));
  };
  each_active(c, [&](int i) {
    d[i] = brain(static_cast<uint32_t>(a[i]) >> 8) << 16 | brain(a[i] & 0xffU);
  });
}

}  // namespace

uint32_t small_of(double value, const SmallFloat& format) noexcept {
  return rounded(value, format, [](const Units& units) {
    return units.rest > 0.5 || (units.rest == 0.5 && (units.bits & 1) != 0);
  });
}
uint32_t small_of(double value, const SmallFloat& format, uint32_t random,
                  int random_bits) noexcept {
  return rounded(value, format, [=](const Units& units) {
    return units.rest + std::ldexp(static_cast<double>(random), -random_bits) >= 1;
  });
}
double double_of_small(uint32_t bits, const SmallFloat& format) noexcept {
  const uint32_t magnitude = bits & ((1U << (format.bits - 1)) - 1);
  const auto exponent = static_cast<int>(magnitude >> format.mantissa);
  const uint32_t fraction = magnitude & ((1U << format.mantissa) - 1);
  const uint32_t units = exponent == 0 ? fraction : fraction | 1U << format.mantissa;
  const int of = (exponent == 0 ? 1 : exponent) - format.bias - format.mantissa;
  const double value = std::ldexp(static_cast<double>(units), of);
  return magnitude == bits ? value : -value;
}

uint32_t ue8m0_of(float value, bool upwards, bool finite) noexcept {
  const uint32_t magnitude = std::bit_cast<uint32_t>(value) & 0x7fff'ffff;
  uint32_t exponent = magnitude >> 23;
  if (magnitude > 0x7f80'0000) return kMaxExponent;
  // 2^-127 is 0, and subnormal in f32.
  const bool between = exponent == 0 ? magnitude > 0x0040'0000 : (magnitude & 0x7f'ffff) != 0;
  if (upwards && between) ++exponent;
  return finite ? std::min(exponent, kMaxExponent - 1) : exponent;
}
float float_of_ue8m0(uint32_t bits) noexcept {
  return std::ldexp(1.0F, static_cast<int>(bits) - 127);
}

Handler select_small(const ir::Instruction& i) {
  const bool random = i.modifiers.rounding == Rounding::kStochastic;
  if (i.type == Type::kUE8M0x2)
    return i.type2 == Type::kF32 ? &to_exponents<false> : &to_exponents<true>;
  if (i.type2 == Type::kUE8M0x2) return &from_exponents;
  if (random) return i.modifiers.vector == 4 ? &four_at_random : &two_at_random;
  if (i.type >= Type::kE2M1x2 && i.type <= Type::kE3M2x2) return &from_two;
  if (i.type2 >= Type::kE2M1x2 && i.type2 <= Type::kE3M2x2) return &to_halves;
  return nullptr;
}

}  // namespace longwire::softcuda::interp
