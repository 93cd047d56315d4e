// ex2, lg2, sin and cos of floats, in double and without a branch: once for the interpreter's lanes
// and once for what emits code, which so do the same operations in the same order and give the same
// bits. Errors are below 2^-30, so of a float they are those of its rounding.
//
// M is what does arithmetic: Real (a double), Bits (its 64 bits), Condition.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace longwire::softcuda::interp::functions {

// Adding it leaves a whole number in the low bits of the sum; taking it away again, that number.
inline constexpr double kWhole = 0x1.8p52;
// From here on sin and cos need more of pi than they have.
inline constexpr double kFar = 0x1p20;

// Highest power first.
template <class M>
typename M::Real polynomial(const M& m, typename M::Real x, std::initializer_list<double> terms) {
  auto each = terms.begin();
  typename M::Real sum = m.number(*each);
  while (++each != terms.end())
    sum = m.add(m.mul(sum, x), m.number(*each));
  return sum;
}

// 2^x is 2^n * 2^r, r from -1/2 to 1/2; n goes into the exponent.
template <class M>
typename M::Real ex2(const M& m, typename M::Real x) {
  constexpr double kLeast = -160, kMost = 130;  // beyond, floats are 0 and infinite
  auto inside = m.choose(m.less(x, m.number(kLeast)), m.number(kLeast), x);
  inside = m.choose(m.less(m.number(kMost), inside), m.number(kMost), inside);
  const auto shifted = m.add(inside, m.number(kWhole));
  const auto r = m.sub(inside, m.sub(shifted, m.number(kWhole)));
  const auto power = polynomial(  // ln(2)^k / k!
      m, r,
      {0x1.62c0223a5c824p-20, 0x1.ffcbfc588b0c7p-17, 0x1.430912f86c787p-13, 0x1.5d87fe78a6731p-10,
       0x1.3b2ab6fba4e77p-7, 0x1.c6b08d704a0c0p-5, 0x1.ebfbdff82c58fp-3, 0x1.62e42fefa39efp-1, 1});
  const auto exponent = m.shift_left(m.bits_of(shifted), 52);
  return m.choose(m.equal(x, x), m.real_of(m.plus(m.bits_of(power), exponent)), x);
}

// x is 2^n * f, f from sqrt(1/2) to sqrt(2); log(f) is 2 atanh(s), s = (f - 1) / (f + 1).
template <class M>
typename M::Real lg2(const M& m, typename M::Real x) {
  constexpr std::uint64_t kRoot = 0x3fe6'a09e'667f'3bcd, kOne = 0x3ff0'0000'0000'0000;
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
  constexpr double kInfinity = __builtin_huge_val();
  const auto moved = m.plus(m.bits_of(x), m.word(kOne - kRoot));
  const auto f = m.real_of(m.plus(m.common(moved, m.word(kMantissa)), m.word(kRoot)));
  // In the low bits of 2^52, so that it need not be converted.
  const auto exponent = m.plus(m.shift_right(moved, 52), m.word(0x4330'0000'0000'0000));
  const auto n = m.sub(m.real_of(exponent), m.number(0x1p52 + 1023));
  const auto s = m.div(m.sub(f, m.number(1)), m.add(f, m.number(1)));
  const auto series =
      polynomial(m, m.mul(s, s), {1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1});
  const auto log = m.mul(m.mul(s, series), m.number(0x1.71547652b82fep+1));  // 2 / ln(2)
  auto result = m.choose(m.equal(x, m.number(kInfinity)), x, m.add(n, log));
  result = m.choose(m.equal(x, m.number(0)), m.number(-kInfinity), result);
  // What is below 0, or not a number: not a number.
  const auto none = m.sub(m.number(kInfinity), m.number(kInfinity));
  return m.choose(m.less_or_equal(m.number(0), x), result, none);
}

// Of |x| below kFar: x is n * pi/2 + r. n shifted by one is the cosine.
template <class M>
typename M::Real circular(const M& m, typename M::Real x, std::uint64_t quarter) {
  const auto shifted = m.add(m.mul(x, m.number(0x1.45f306dc9c883p-1)), m.number(kWhole));
  const auto n = m.sub(shifted, m.number(kWhole));
  // pi/2 in two parts, the first of 33 bits: its product is exact.
  const auto near = m.sub(x, m.mul(n, m.number(0x1.921fb544p+0)));
  const auto r = m.sub(near, m.mul(n, m.number(0x1.0b4611a626331p-34)));
  const auto z = m.mul(r, r);
  const auto sine = m.mul(
      r, polynomial(m, z, {-1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1}));
  const auto cosine = polynomial(
      m, z, {1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5, 1});
  const auto which = m.plus(m.bits_of(shifted), m.word(quarter));
  const auto odd = m.common(which, m.word(1));
  const auto value = m.choose(m.same(odd, m.word(0)), sine, cosine);
  const auto sign = m.shift_left(m.shift_right(which, 1), 63);
  return m.real_of(m.differing(m.bits_of(value), sign));
}

template <class M>
typename M::Real sin(const M& m, typename M::Real x) {
  return circular(m, x, 0);
}
template <class M>
typename M::Real cos(const M& m, typename M::Real x) {
  return circular(m, x, 1);
}

}  // namespace longwire::softcuda::interp::functions
