// Floating-point instructions of one lane, rounded to nearest; other roundings are the same
// functions under another rounding mode of the host. PTX ISA 8.8, "Floating Point Instructions".
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "softcuda/interp/functions.h"
#include "softcuda/interp/half.h"

namespace longwire::softcuda::interp::floating {

inline constexpr std::uint32_t kNaN32 = 0x7fff'ffff;
inline constexpr std::uint64_t kNaN64 = 0xfff8'0000'0000'0000;
inline constexpr std::uint64_t kNaNGross = 0x7fff'ffff'0000'0000;
inline constexpr std::uint64_t kQuiet64 = 0x0008'0000'0000'0000;

// Single-precision instructions give one NaN; double-precision ones keep what an operand had.
inline float canonical(float v) { return v == v ? v : std::bit_cast<float>(kNaN32); }
inline double canonical(double v) { return v; }
inline float flush(float v) { return flushed(v); }
inline double flush(double v) { return v; }
// .sat: to [0, 1], and NaN to 0.
template <class T>
T saturate(T v) {
  return v > 0 ? (v < 1 ? v : T{1}) : T{0};
}

// Which NaN an operation of doubles gives, as processors and compilers differ: the first operand's
// that is one, made quiet, else kNaN64.
inline double nan_of() { return std::bit_cast<double>(kNaN64); }
template <class... T>
double nan_of(double first, T... others) {
  const double quiet = std::bit_cast<double>(std::bit_cast<std::uint64_t>(first) | kQuiet64);
  return first != first ? quiet : nan_of(others...);
}
template <class... T>
float settled(float v, T...) {
  return v;
}
template <class... T>
double settled(double v, T... operands) {
  return v == v ? v : nan_of(operands...);
}

template <class T>
T add(T a, T b) {
  return settled(a + b, a, b);
}
template <class T>
T sub(T a, T b) {
  return settled(a - b, a, b);
}
template <class T>
T mul(T a, T b) {
  return settled(a * b, a, b);
}
template <class T>
T div(T a, T b) {
  return settled(a / b, a, b);
}
template <class T>
T rcp(T a) {
  return settled(T{1} / a, a);
}
template <class T>
T sqrt(T a) {
  return settled(std::sqrt(a), a);
}

template <class T>
bool negative(T v) {
  return std::signbit(v);
}
// The other operand where one is NaN; -0 is less than +0.
template <class T>
T min(T a, T b) {
  if (a != a) return canonical(b);
  if (b != b) return a;
  if (a == b) return negative(a) ? a : b;
  return a < b ? a : b;
}
template <class T>
T max(T a, T b) {
  if (a != a) return canonical(b);
  if (b != b) return a;
  if (a == b) return negative(a) ? b : a;
  return a < b ? b : a;
}
template <class T>
T min_nan(T a, T b) {
  return a != a || b != b ? canonical(a + b) : min(a, b);
}
template <class T>
T max_nan(T a, T b) {
  return a != a || b != b ? canonical(a + b) : max(a, b);
}
// .xorsign.abs: of the magnitudes, with the product of the signs.
template <float (*F)(float, float)>
float with_xor_sign(float a, float b) {
  const float magnitude = F(std::fabs(a), std::fabs(b));
  if (magnitude != magnitude) return magnitude;
  return negative(a) != negative(b) ? -magnitude : magnitude;
}

// Approximate ones: better than their documented error.
inline float rsqrt(float a) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); }
inline double rsqrt(double a) { return settled(1.0 / std::sqrt(a), a); }
// For functions.h: the host's arithmetic.
struct HostArithmetic {
  using Real = double;
  using Bits = std::uint64_t;
  using Condition = bool;
  static Real number(double v) { return v; }
  static Bits word(std::uint64_t v) { return v; }
  static Real add(Real a, Real b) { return a + b; }
  static Real sub(Real a, Real b) { return a - b; }
  static Real mul(Real a, Real b) { return a * b; }
  static Real div(Real a, Real b) { return a / b; }
  static Condition less(Real a, Real b) { return a < b; }
  static Condition less_or_equal(Real a, Real b) { return a <= b; }
  static Condition equal(Real a, Real b) { return a == b; }
  static Condition same(Bits a, Bits b) { return a == b; }
  static Real choose(Condition c, Real a, Real b) { return c ? a : b; }
  static Bits bits_of(Real v) { return std::bit_cast<Bits>(v); }
  static Real real_of(Bits v) { return std::bit_cast<Real>(v); }
  static Bits plus(Bits a, Bits b) { return a + b; }
  static Bits common(Bits a, Bits b) { return a & b; }
  static Bits differing(Bits a, Bits b) { return a ^ b; }
  static Bits shift_left(Bits v, int n) { return v << n; }
  static Bits shift_right(Bits v, int n) { return v >> n; }
};
inline float lg2(float a) {
  return static_cast<float>(functions::lg2(HostArithmetic{}, static_cast<double>(a)));
}
inline float ex2(float a) {
  return static_cast<float>(functions::ex2(HostArithmetic{}, static_cast<double>(a)));
}
// Of what is near (functions::kFar), and of all.
inline float sin_near(float a) {
  return static_cast<float>(functions::sin(HostArithmetic{}, static_cast<double>(a)));
}
inline float cos_near(float a) {
  return static_cast<float>(functions::cos(HostArithmetic{}, static_cast<double>(a)));
}
inline float sin(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
inline float cos(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
inline float tanh(float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); }
// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 read the upper half of a number, and give one.
inline double upper_half(double v) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(v) & 0xffff'ffff'0000'0000);
}
inline double flushed_double(double v) {
  return std::fabs(v) < 0x1p-1022 ? std::copysign(0.0, v) : v;
}
inline double gross(double v) {  // of a result
  return v == v ? flushed_double(upper_half(v)) : std::bit_cast<double>(kNaNGross);
}
inline double rcp_gross(double a) { return gross(1.0 / flushed_double(upper_half(a))); }
inline double rsqrt_gross(double a) {
  return gross(1.0 / std::sqrt(flushed_double(upper_half(a))));
}
// div.approx: as a * (1 / b), whose reciprocal is flushed.
inline constexpr float kMostDivisor = 0x1p126F;
inline float div_fast(float a, float b) {
  const float size = std::fabs(b);
  const bool beyond = size > kMostDivisor && size < std::bit_cast<float>(0x7f80'0000);
  return beyond ? a * std::copysign(0.0F, b) : a / b;
}

}  // namespace longwire::softcuda::interp::floating
