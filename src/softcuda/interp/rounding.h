// Rounding modes: of the host's floating-point unit for a scope, and by hand to narrow formats.
#pragma once

#include <bit>
#include <cfenv>
#include <cstdint>

#include "softcuda/ir/type.h"

namespace longwire::softcuda::interp {

// REQUIRES: what is computed inside goes through memory before and after.
class RoundingScope {
 public:
  explicit RoundingScope(ir::Rounding rounding) noexcept : before_(std::fegetround()) {
    std::fesetround(host_mode(rounding));
  }
  ~RoundingScope() { std::fesetround(before_); }
  RoundingScope(const RoundingScope&) = delete;
  RoundingScope& operator=(const RoundingScope&) = delete;

 private:
  static int host_mode(ir::Rounding rounding) noexcept {
    switch (rounding) {
      case ir::Rounding::kZero:
      case ir::Rounding::kIntZero:
        return FE_TOWARDZERO;
      case ir::Rounding::kDown:
      case ir::Rounding::kIntDown:
        return FE_DOWNWARD;
      case ir::Rounding::kUp:
      case ir::Rounding::kIntUp:
        return FE_UPWARD;
      default:
        return FE_TONEAREST;
    }
  }
  const int before_;
};

inline bool is_directed(ir::Rounding rounding) noexcept {
  return rounding == ir::Rounding::kZero || rounding == ir::Rounding::kDown ||
         rounding == ir::Rounding::kUp;
}

// An IEEE format: sign, exponent, mantissa. Its NaN is all ones but the sign.
template <int kExponentBits, int kMantissaBits>
struct Format {
  static constexpr int kSignShift = kExponentBits + kMantissaBits;
  static constexpr int kLeastExponent = 2 - (1 << (kExponentBits - 1));  // of normal numbers
  static constexpr std::uint32_t kInfinity = ((1U << kExponentBits) - 1) << kMantissaBits;
  static constexpr std::uint32_t kNaN = kInfinity | ((1U << kMantissaBits) - 1);
  static constexpr int kMantissa = kMantissaBits;
};
using F16 = Format<5, 10>;
using BF16 = Format<8, 7>;
using TF32 = Format<8, 10>;
using E5M2 = Format<5, 2>;

// Whether a number that lies `rest` of `half` * 2 above `kept` is rounded away from zero.
inline bool rounds_up(ir::Rounding rounding, bool negative, std::uint64_t kept, std::uint64_t rest,
                      std::uint64_t half) noexcept {
  switch (rounding) {
    case ir::Rounding::kZero:
      return false;
    case ir::Rounding::kDown:
      return negative && rest != 0;
    case ir::Rounding::kUp:
      return !negative && rest != 0;
    case ir::Rounding::kNearestAway:
      return rest >= half;
    default:
      return rest > half || (rest == half && (kept & 1) != 0);
  }
}

// The magnitude of `value` as the bits of a format without its sign, not limited: what is over
// kInfinity overflowed. REQUIRES: finite.
template <class F>
std::uint64_t round_magnitude(double value, ir::Rounding rounding) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const bool negative = bits >> 63 != 0;
  const int biased = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const std::uint64_t significand = biased != 0 ? fraction | std::uint64_t{1} << 52 : fraction;
  const int exponent = biased != 0 ? biased - 1023 : -1022;
  const int least = exponent < F::kLeastExponent ? F::kLeastExponent : exponent;
  const int shift = 52 - F::kMantissa + (least - exponent);
  std::uint64_t kept = 0, rest = significand, half = ~std::uint64_t{0};
  if (shift < 63) {
    kept = significand >> shift;
    rest = significand & ((std::uint64_t{1} << shift) - 1);
    half = std::uint64_t{1} << (shift - 1);
  }
  if (rounds_up(rounding, negative, kept, rest, half)) ++kept;
  return (static_cast<std::uint64_t>(least - F::kLeastExponent) << F::kMantissa) + kept;
}

// To a narrow format; what overflows is infinite, or the largest number where the rounding says so
// or `finite` (.satfinite).
template <class F>
std::uint32_t round_to(double value, ir::Rounding rounding, bool finite = false) noexcept {
  const bool negative = std::bit_cast<std::uint64_t>(value) >> 63 != 0;
  const std::uint32_t sign = (negative ? 1U : 0U) << F::kSignShift;
  if (value != value) return F::kNaN;
  if (value - value != 0) return sign | (finite ? F::kInfinity - 1 : F::kInfinity);
  const std::uint64_t magnitude = round_magnitude<F>(value, rounding);
  if (magnitude < F::kInfinity) return sign | static_cast<std::uint32_t>(magnitude);
  const bool towards_zero = rounding == ir::Rounding::kZero ||
                            (rounding == ir::Rounding::kDown && !negative) ||
                            (rounding == ir::Rounding::kUp && negative);
  return sign | (finite || towards_zero ? F::kInfinity - 1 : F::kInfinity);
}

// a + b rounded to odd: rounding that to a format of at most 51 bits rounds the exact sum.
inline double add_to_odd(double a, double b) noexcept {
  const double sum = a + b;
  if (sum - sum != 0) return sum;
  const double b_part = sum - a;
  const double error = (a - (sum - b_part)) + (b - b_part);
  auto bits = std::bit_cast<std::uint64_t>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return std::bit_cast<double>((error > 0) == (sum > 0) ? bits + 1 : bits - 1);
}

inline std::uint16_t f16_of(double value, ir::Rounding rounding = ir::Rounding::kNearest) noexcept {
  return static_cast<std::uint16_t>(round_to<F16>(value, rounding));
}
inline std::uint16_t bf16_of(double value,
                             ir::Rounding rounding = ir::Rounding::kNearest) noexcept {
  return static_cast<std::uint16_t>(round_to<BF16>(value, rounding));
}

}  // namespace longwire::softcuda::interp
