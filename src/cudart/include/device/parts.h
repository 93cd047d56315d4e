/* Numbers taken apart, remainders and lengths. */
#pragma once
#include "elementary.h"

LW_C_LARGE double __nv_ldexp(double a, int n) { return lw_scale(a, n); }
LW_C_LARGE double __nv_scalbn(double a, int n) { return lw_scale(a, n); }
LW_C_LARGE float __nv_ldexpf(float a, int n) { return static_cast<float>(lw_scale(a, n)); }
LW_C_LARGE float __nv_scalbnf(float a, int n) { return static_cast<float>(lw_scale(a, n)); }

LW_C_LARGE double __nv_frexp(double a, int* exponent) {
  *exponent = 0;
  const double size = __builtin_fabs(a);
  if (!(size > 0 && size < __builtin_inf())) return a;
  LwSplit part = lw_split(size);
  *exponent = part.m < 1 ? part.k : part.k + 1;
  return __builtin_copysign(part.m < 1 ? part.m : part.m * 0.5, a);
}
LW_C_LARGE float __nv_frexpf(float a, int* exponent) {
  return static_cast<float>(__nv_frexp(a, exponent));
}
LW_C_LARGE double __nv_modf(double a, double* whole) {
  *whole = __builtin_trunc(a);
  const double rest = __builtin_fabs(a) == __builtin_inf() ? 0 : a - *whole;
  return __builtin_copysign(rest, a);
}
LW_C_LARGE float __nv_modff(float a, float* whole) {
  *whole = __builtin_truncf(a);
  const float rest = __builtin_fabsf(a) == __builtin_inff() ? 0 : a - *whole;
  return __builtin_copysignf(rest, a);
}
LW_C_LARGE double __nv_nextafter(double a, double b) {
  if (a != a || b != b) return a + b;
  if (a == b) return b;
  if (a == 0) return __builtin_copysign(__builtin_bit_cast(double, 1LL), b);
  const long long bits = __builtin_bit_cast(long long, a);
  return __builtin_bit_cast(double, (a < b) == (a > 0) ? bits + 1 : bits - 1);
}
LW_C_LARGE float __nv_nextafterf(float a, float b) {
  if (a != a || b != b) return a + b;
  if (a == b) return b;
  if (a == 0) return __builtin_copysignf(__builtin_bit_cast(float, 1), b);
  const int bits = __builtin_bit_cast(int, a);
  return __builtin_bit_cast(float, (a < b) == (a > 0) ? bits + 1 : bits - 1);
}

/* a modulo b exactly, by long division; the quotient's last bits. REQUIRES: a >= 0, b > 0, finite
 */
LW_DEVICE double lw_long_division(double a, double b, int& quotient) {
  quotient = 0;
  if (a < b) return a;
  int shift = static_cast<int>(__nv_logb(a) - __nv_logb(b));
  for (; shift >= 0; --shift) {
    const double multiple = lw_scale(b, shift);
    quotient = static_cast<int>(static_cast<unsigned>(quotient) << 1);
    if (a >= multiple) {
      a -= multiple;
      quotient |= 1;
    }
  }
  return a;
}
LW_C_LARGE double __nv_fmod(double a, double b) {
  const double left = __builtin_fabs(a), right = __builtin_fabs(b);
  if (!(left < __builtin_inf()) || !(right > 0)) return __builtin_nan("");
  if (right == __builtin_inf()) return a;
  int quotient;
  return __builtin_copysign(lw_long_division(left, right, quotient), a);
}
LW_C_LARGE float __nv_fmodf(float a, float b) { return static_cast<float>(__nv_fmod(a, b)); }
LW_C_LARGE double __nv_remquo(double a, double b, int* quotient) {
  const double left = __builtin_fabs(a), right = __builtin_fabs(b);
  *quotient = 0;
  if (!(left < __builtin_inf()) || !(right > 0)) return __builtin_nan("");
  if (right == __builtin_inf()) return a;
  int q;
  double rest = lw_long_division(left, right, q);
  if (rest > right - rest || (rest == right - rest && (q & 1))) {
    rest -= right;
    q = static_cast<int>(static_cast<unsigned>(q) + 1);
  }
  q &= 0x7fffffff;
  *quotient = __builtin_signbit(a) == __builtin_signbit(b) ? q : -q;
  return rest == 0 ? __builtin_copysign(0, a) : __builtin_signbit(a) ? -rest : rest;
}
LW_C_LARGE double __nv_remainder(double a, double b) {
  int quotient;
  return __nv_remquo(a, b, &quotient);
}
LW_C_LARGE float __nv_remquof(float a, float b, int* quotient) {
  return static_cast<float>(__nv_remquo(a, b, quotient));
}
LW_C_LARGE float __nv_remainderf(float a, float b) {
  return static_cast<float>(__nv_remainder(a, b));
}

/* Lengths, without overflow on the way. */
LW_DEVICE double lw_norm(int n, const double* a) {
  double most = 0;
  for (int i = 0; i < n; ++i) {
    const double size = __builtin_fabs(a[i]);
    if (size == __builtin_inf()) return size;
    most = size > most || size != size ? size : most;
  }
  if (most == 0 || most != most) return most;
  const int exponent = static_cast<int>(__nv_logb(most));
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double scaled = lw_scale(a[i], -exponent);
    sum = lw_fma(scaled, scaled, sum);
  }
  return lw_scale(__nv_sqrt(sum), exponent);
}
LW_DEVICE float lw_normf(int n, const float* a) {
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    if (__builtin_fabsf(a[i]) == __builtin_inff()) return __builtin_inff();
    sum = lw_fma(static_cast<double>(a[i]), static_cast<double>(a[i]), sum);
  }
  return static_cast<float>(__nv_sqrt(sum));
}
LW_C_LARGE double __nv_norm(int n, const double* a) { return lw_norm(n, a); }
LW_C_LARGE float __nv_normf(int n, const float* a) { return lw_normf(n, a); }
LW_C_LARGE double __nv_rnorm(int n, const double* a) { return 1 / lw_norm(n, a); }
LW_C_LARGE float __nv_rnormf(int n, const float* a) { return 1 / lw_normf(n, a); }

#define LW_NORMS(type, suffix)                                                                 \
  LW_C_LARGE type __nv_hypot##suffix(type a, type b) {                                         \
    const type all[] = {a, b};                                                                 \
    return lw_norm##suffix(2, all);                                                            \
  }                                                                                            \
  LW_C_LARGE type __nv_norm3d##suffix(type a, type b, type c) {                                \
    const type all[] = {a, b, c};                                                              \
    return lw_norm##suffix(3, all);                                                            \
  }                                                                                            \
  LW_C_LARGE type __nv_norm4d##suffix(type a, type b, type c, type d) {                        \
    const type all[] = {a, b, c, d};                                                           \
    return lw_norm##suffix(4, all);                                                            \
  }                                                                                            \
  LW_C_LARGE type __nv_rhypot##suffix(type a, type b) { return 1 / __nv_hypot##suffix(a, b); } \
  LW_C_LARGE type __nv_rnorm3d##suffix(type a, type b, type c) {                               \
    return 1 / __nv_norm3d##suffix(a, b, c);                                                   \
  }                                                                                            \
  LW_C_LARGE type __nv_rnorm4d##suffix(type a, type b, type c, type d) {                       \
    return 1 / __nv_norm4d##suffix(a, b, c, d);                                                \
  }
LW_NORMS(double, )
LW_NORMS(float, f)
#undef LW_NORMS
