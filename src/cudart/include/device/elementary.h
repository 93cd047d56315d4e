/* exp, log, pow and the hyperbolic functions, in double. A few units in the last place: argument
   reduction with constants of two words, then Taylor series. */
#pragma once
#include "polynomial.h"

#define LW_LN2_HI 0x1.62e42fefa39efp-1
#define LW_LN2_LO 0x1.abc9e3b39803fp-56
#define LW_LOG2_E 0x1.71547652b82fep+0

/* e^r - 1 for |r| <= 0.35 */
LW_DEVICE double lw_expm1_small(double r) {
  const double tail =
      lw_polynomial(r, 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320,
                    1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800.);
  return lw_fma(r * r, tail, r);
}

/* e^(x + low), where low is small beside x */
LW_DEVICE double lw_exp(double x, double low) {
  if (x != x) return x;
  if (x > 709.79) return __builtin_inf();
  if (x < -745.2) return 0;
  const double k = __builtin_rint(x * LW_LOG2_E);
  const double r = lw_fma(-k, LW_LN2_LO, lw_fma(-k, LW_LN2_HI, x)) + low;
  return lw_scale(1 + lw_expm1_small(r), static_cast<int>(k));
}

LW_C_LARGE double __nv_exp(double x) { return lw_exp(x, 0); }
LW_C_LARGE double __nv_exp2(double x) {
  if (!(x < 1025)) return x != x ? x : __builtin_inf();
  if (x < -1080) return 0;
  const double k = __builtin_rint(x);
  return lw_scale(1 + lw_expm1_small((x - k) * LW_LN2_HI), static_cast<int>(k));
}
LW_C_LARGE double __nv_exp10(double x) {
  if (!(x < 309)) return x != x ? x : __builtin_inf();
  if (x < -324.5) return 0;
  const double k = __builtin_rint(x * 0x1.a934f0979a371p+1);
  const double r = lw_fma(-k, -0x1.9dc1da994fd21p-59, lw_fma(-k, 0x1.34413509f79ffp-2, x));
  const double scaled = lw_fma(r, 0x1.26bb1bbb55516p+1, r * -0x1.f48ad494ea3e9p-53);
  return lw_scale(1 + lw_expm1_small(scaled), static_cast<int>(k));
}
LW_C_LARGE double __nv_expm1(double x) {
  if (x != x) return x;
  if (__builtin_fabs(x) < 0.35) return lw_expm1_small(x);
  if (x > 709.79) return __builtin_inf();
  if (x < -40) return -1;
  return lw_exp(x, 0) - 1;
}

/* x as m 2^k with m in [2/3, 4/3); x is positive and finite */
struct LwSplit {
  double m;
  int k;
};
LW_DEVICE LwSplit lw_split(double x) {
  int k = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    k = -54;
  }
  const long long bits = __builtin_bit_cast(long long, x);
  k += static_cast<int>(bits >> 52) - 1023;
  double m = __builtin_bit_cast(double, (bits & 0xfffffffffffffLL) | 0x3ff0000000000000LL);
  if (m >= 4. / 3) {
    m *= 0.5;
    ++k;
  }
  return {m, k};
}

/* log(1 + f) / 2 - s, where s = f / (2 + f): s^3/3 + s^5/5 + … */
LW_DEVICE double lw_log_tail(double s) {
  const double z = s * s;
  return s * z *
         lw_polynomial(z, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15, 1. / 17,
                       1. / 19, 1. / 21, 1. / 23);
}
/* log(1 + f) for -1/3 <= f <= 1/3 */
LW_DEVICE double lw_log1p_small(double f) {
  const double s = f / (2 + f);
  /* 2 s = f - f s, without the division's error */
  return f - (s * f - 2 * lw_log_tail(s));
}

/* What log, log2 and log10 answer where there is no logarithm; 0 means that there is one. */
LW_DEVICE bool lw_log_special(double x, double& answer) {
  if (x > 0 && x < __builtin_inf()) return false;
  answer = x == 0 ? -__builtin_inf() : x > 0 ? x : __builtin_nan("");
  return true;
}

LW_C_LARGE double __nv_log(double x) {
  double answer;
  if (lw_log_special(x, answer)) return answer;
  const LwSplit part = lw_split(x);
  const double k = part.k;
  return lw_fma(k, LW_LN2_HI, lw_fma(k, LW_LN2_LO, lw_log1p_small(part.m - 1)));
}
LW_C_LARGE double __nv_log2(double x) {
  double answer;
  if (lw_log_special(x, answer)) return answer;
  const LwSplit part = lw_split(x);
  const double low = lw_log1p_small(part.m - 1);
  return part.k + lw_fma(low, LW_LOG2_E, low * 0x1.777d0ffda0d24p-56);
}
LW_C_LARGE double __nv_log10(double x) {
  double answer;
  if (lw_log_special(x, answer)) return answer;
  const LwSplit part = lw_split(x);
  const double low = lw_log1p_small(part.m - 1), k = part.k;
  const double rest = lw_fma(k, -0x1.9dc1da994fd21p-59, low * 0x1.bcb7b1526e50ep-2);
  return lw_fma(k, 0x1.34413509f79ffp-2, rest);
}
LW_C_LARGE double __nv_log1p(double x) {
  if (__builtin_fabs(x) < 1. / 3) return x == 0 ? x : lw_log1p_small(x);
  const double u = 1 + x;
  if (!(u > 0 && u < __builtin_inf())) return __nv_log(u);
  const double lost = x >= 1 ? 1 - (u - x) : x - (u - 1);
  return __nv_log(u) + lost / u;
}
LW_C_LARGE double __nv_logb(double x) {
  if (x != x) return x;
  if (x == 0) return -__builtin_inf();
  x = __builtin_fabs(x);
  if (x == __builtin_inf()) return x;
  const LwSplit part = lw_split(x);
  return part.m < 1 ? part.k - 1 : part.k;
}
LW_C_LARGE int __nv_ilogb(double x) {
  if (x == 0 || x != x) return -2147483647 - 1;
  if (__builtin_fabs(x) == __builtin_inf()) return 2147483647;
  return static_cast<int>(__nv_logb(x));
}

/* log x in two words */
LW_DEVICE LwPair lw_log_pair(double x) {
  const LwSplit part = lw_split(x);
  const double f = part.m - 1, k = part.k;
  const LwPair divisor = lw_sum(2, f);
  const double s = f / divisor.hi;
  const double s_low = (lw_fma(-s, divisor.hi, f) - s * divisor.lo) / divisor.hi;
  const LwPair whole = lw_sum(lw_product(k, LW_LN2_HI), 2 * s);
  const double product_low = lw_fma(k, LW_LN2_HI, -lw_product(k, LW_LN2_HI));
  const double rest = 2 * (s_low + lw_log_tail(s)) + lw_fma(k, LW_LN2_LO, product_low);
  return lw_sum(whole.hi, whole.lo + rest);
}

/* pow's answers of C99, Annex F; false where there is something to compute. */
LW_DEVICE bool lw_pow_special(double x, double y, bool odd, double& answer) {
  const double inf = __builtin_inf();
  if (y == 0 || x == 1) return answer = 1, true;
  if (x != x || y != y) return answer = x + y, true;
  const double size = __builtin_fabs(x);
  if (__builtin_fabs(y) == inf) {
    if (size == 1)
      answer = 1;
    else
      answer = (size > 1) == (y > 0) ? inf : 0;
    return true;
  }
  if (size == 0 || size == inf) {
    answer = (size == 0) == (y > 0) ? 0 : inf;
    if (odd) answer = __builtin_copysign(answer, x);
    return true;
  }
  if (x < 0 && __builtin_trunc(y) != y) return answer = __builtin_nan(""), true;
  return false;
}
LW_DEVICE bool lw_is_odd(double y) {
  const double half = y * 0.5;
  return __builtin_trunc(y) == y && __builtin_trunc(half) != half;
}
LW_C_LARGE double __nv_pow(double x, double y) {
  const bool odd = lw_is_odd(y);
  double answer;
  if (lw_pow_special(x, y, odd, answer)) return answer;
  const LwPair log = lw_log_pair(__builtin_fabs(x));
  const double product = lw_product(y, log.hi);
  const double low = lw_fma(y, log.hi, -product) + y * log.lo;
  const double power = lw_exp(product, __builtin_fabs(product) < 1e4 ? low : 0);
  return x < 0 && odd ? -power : power;
}
LW_C_LARGE double __nv_powi(double x, int n) { return __nv_pow(x, n); }

LW_C_LARGE double __nv_cbrt(double x) {
  const double size = __builtin_fabs(x);
  if (size == 0 || !(size < __builtin_inf())) return x;
  double root = lw_exp(__nv_log(size) / 3, 0);
  root = root - (root - size / (root * root)) / 3;
  return __builtin_copysign(root, x);
}
LW_C_LARGE double __nv_rcbrt(double x) { return 1 / __nv_cbrt(x); }

LW_C_LARGE double __nv_sinh(double x) {
  const double size = __builtin_fabs(x);
  if (size > 40) {
    const double half = lw_exp(size * 0.5, 0);
    return __builtin_copysign(0.5 * half * half, x);
  }
  const double e = __nv_expm1(size);
  return __builtin_copysign(0.5 * (e + e / (e + 1)), x);
}
LW_C_LARGE double __nv_cosh(double x) {
  const double size = __builtin_fabs(x);
  const double half = lw_exp(size * 0.5, 0);
  if (size > 40) return 0.5 * half * half;
  const double e = half * half;
  return 0.5 * (e + 1 / e);
}
LW_C_LARGE double __nv_tanh(double x) {
  const double size = __builtin_fabs(x);
  if (size > 22) return __builtin_copysign(1, x);
  const double e = __nv_expm1(2 * size);
  return __builtin_copysign(e / (e + 2), x);
}
LW_C_LARGE double __nv_asinh(double x) {
  const double size = __builtin_fabs(x);
  if (size > 0x1p28) return __builtin_copysign(__nv_log(size) + LW_LN2_HI, x);
  const double square = size * size;
  return __builtin_copysign(__nv_log1p(size + square / (1 + __nv_sqrt(square + 1))), x);
}
LW_C_LARGE double __nv_acosh(double x) {
  if (x > 0x1p28) return __nv_log(x) + LW_LN2_HI;
  if (!(x >= 1)) return __builtin_nan("");
  const double t = x - 1;
  return __nv_log1p(t + __nv_sqrt(2 * t + t * t));
}
LW_C_LARGE double __nv_atanh(double x) {
  const double size = __builtin_fabs(x);
  return __builtin_copysign(0.5 * __nv_log1p(2 * size / (1 - size)), x);
}
