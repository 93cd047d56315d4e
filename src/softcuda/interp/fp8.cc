#include "softcuda/interp/fp8.h"

#include <cmath>

#include "softcuda/interp/half.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using std::uint16_t, std::uint32_t, std::uint8_t;

bool is_fp8(Type type) { return type == Type::kE4M3x2 || type == Type::kE5M2x2; }

template <bool kE4M3>
uint32_t narrow(double value, bool relu) {
  if (relu && value < 0) value = 0;
  return kE4M3 ? e4m3_of(value) : e5m2_of(value);
}

// d = {a, b}, a in the upper byte.
template <bool kE4M3>
void from_floats(Context& c, const Step& s) {
  const auto *a = c.at<float>(s.slot(1)), *b = c.at<float>(s.slot(2));
  auto* d = c.at<uint16_t>(s.slot(0));
  const bool relu = s.source->modifiers.relu;
  each_active(c, [&](int i) {
    d[i] = static_cast<uint16_t>(narrow<kE4M3>(a[i], relu) << 8 | narrow<kE4M3>(b[i], relu));
  });
}
template <bool kE4M3>
void from_halves(Context& c, const Step& s) {
  const auto* a = c.at<uint32_t>(s.slot(1));
  auto* d = c.at<uint16_t>(s.slot(0));
  const bool relu = s.source->modifiers.relu;
  each_active(c, [&](int i) {
    const double low = float_of_f16(static_cast<uint16_t>(a[i]));
    const double high = float_of_f16(static_cast<uint16_t>(a[i] >> 16));
    d[i] = static_cast<uint16_t>(narrow<kE4M3>(high, relu) << 8 | narrow<kE4M3>(low, relu));
  });
}
template <bool kE4M3>
void to_halves(Context& c, const Step& s) {
  const auto* a = c.at<uint16_t>(s.slot(1));
  auto* d = c.at<uint32_t>(s.slot(0));
  const bool relu = s.source->modifiers.relu;
  auto half = [relu](uint8_t bits) -> uint32_t {
    const uint16_t h = f16_of(kE4M3 ? float_of_e4m3(bits) : float_of_e5m2(bits));
    return relu && (h & 0x8000) != 0 ? 0 : h;
  };
  each_active(c, [&](int i) {
    d[i] = half(static_cast<uint8_t>(a[i])) | half(static_cast<uint8_t>(a[i] >> 8)) << 16;
  });
}

}  // namespace

uint8_t e4m3_of(double value) noexcept {
  constexpr uint32_t kMost = 0x7e;  // 448
  if (value != value) return 0x7f;
  const uint32_t sign = std::signbit(value) ? 0x80 : 0;
  if (value - value != 0) return static_cast<uint8_t>(sign | kMost);
  // Format<4, 3> keeps its largest exponent for infinities; here it has numbers.
  const auto magnitude = round_magnitude<Format<4, 3>>(value, ir::Rounding::kNearest);
  return static_cast<uint8_t>(sign | (magnitude > kMost ? kMost : magnitude));
}
uint8_t e5m2_of(double value) noexcept {
  return static_cast<uint8_t>(round_to<E5M2>(value, ir::Rounding::kNearest, true));
}
float float_of_e4m3(uint8_t bits) noexcept {
  const float sign = (bits & 0x80) != 0 ? -1.0F : 1.0F;
  const int exponent = bits >> 3 & 15, mantissa = bits & 7;
  if (exponent == 15 && mantissa == 7) return std::bit_cast<float>(0x7fff'ffffU);
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -9);
  return sign * std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
}
float float_of_e5m2(uint8_t bits) noexcept {
  return float_of_f16(static_cast<uint16_t>(bits << 8));
}

Handler select_fp8(const ir::Instruction& i) {
  const bool e4m3 = i.type == Type::kE4M3x2 || i.type2 == Type::kE4M3x2;
  if (is_fp8(i.type) && i.type2 == Type::kF32)
    return e4m3 ? &from_floats<true> : &from_floats<false>;
  if (is_fp8(i.type) && i.type2 == Type::kF16x2)
    return e4m3 ? &from_halves<true> : &from_halves<false>;
  if (i.type == Type::kF16x2 && is_fp8(i.type2)) return e4m3 ? &to_halves<true> : &to_halves<false>;
  return nullptr;
}

}  // namespace longwire::softcuda::interp
