/* What the functions of the mathematics library are made of. */
#pragma once
#include "define.h"

LW_DEVICE double lw_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
/* A product on its own, which the compiler does not join to a sum. */
LW_DEVICE double lw_product(double a, double b) { return __nvvm_mul_rn_d(a, b); }
LW_DEVICE float lw_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* c0 + c1 x + c2 x^2 + … */
template <class T>
LW_DEVICE T lw_polynomial(T, T c) {
  return c;
}
template <class T, class... Rest>
LW_DEVICE T lw_polynomial(T x, T c, Rest... rest) {
  return lw_fma(x, lw_polynomial(x, rest...), c);
}

/* A number as the sum of two, the second below the first's last bit. */
struct LwPair {
  double hi, lo;
};

/* REQUIRES: |a| >= |b|, or a == 0 */
LW_DEVICE LwPair lw_sum(double a, double b) {
  const double hi = a + b;
  return {hi, b - (hi - a)};
}

/* 2^n for -1022 <= n <= 1023. */
LW_DEVICE double lw_power_of_two(int n) {
  return __builtin_bit_cast(double, static_cast<long long>(n + 1023) << 52);
}
/* a 2^n, also where the result is subnormal: rounded once where a has few bits below it. */
LW_DEVICE double lw_scale(double a, int n) {
  n = n > 2200 ? 2200 : n < -2200 ? -2200 : n;
  const int third = n / 3;
  return a * lw_power_of_two(third) * lw_power_of_two(third) * lw_power_of_two(n - 2 * third);
}
