/* erf, the normal distribution, and gamma. The Bessel functions that CUDA has are missing. */
#pragma once
#include "elementary_float.h"

#define LW_SQRT_PI 0x1.c5bf891b4ef6bp+0
#define LW_SQRT_1_2 0x1.6a09e667f3bcdp-1

/* e^(x^2) erfc(x), x >= 0: (1 + 2 x) times it is smooth in t = (x - c) / (x + c), of which this is
   the polynomial through Chebyshev's nodes. */
LW_DEVICE double lw_erfcx(double x) {
  if (x > 1e15) return 1 / x / LW_SQRT_PI;
  const double t = (x - 3.75) / (x + 3.75);
  const double smooth = lw_polynomial(
      t, 0x1.3ccda0b5d5dc2p+0, -0x1.1f367683f89a5p-3, 0x1.d5f2948159e20p-9, 0x1.510169d096658p-4,
      -0x1.bda9309a28be0p-4, 0x1.7a14188a9ce86p-4, -0x1.e0d0fa6df428dp-5, 0x1.d0b0037d155f4p-6,
      -0x1.3f603c3682d81p-7, 0x1.cc3a0e7d99253p-10, 0x1.33fb27421f98cp-12, -0x1.303fa49e236d5p-12,
      0x1.b143d63ea931ep-15, 0x1.778b948121ce1p-16, -0x1.8002c11990e5bp-17, -0x1.0556aa18e657bp-20,
      0x1.d65081c59291dp-20, -0x1.eb7b41166a177p-25, -0x1.1636c8002e495p-22, 0x1.8fa2f9fdc0311p-26,
      0x1.4eb5efb28ed5dp-25, -0x1.01418b99efa2ep-28, -0x1.6b2228df54be4p-28, 0x1.55fb76b7dbdd0p-32,
      0x1.e7a100062f385p-32);
  return smooth / (1 + 2 * x);
}
LW_DEVICE double lw_exp_minus_square(double x) {
  const double square = lw_product(x, x);
  return lw_exp(-square, x < 30 ? -lw_fma(x, x, -square) : 0);
}
/* erf x for |x| <= 0.6: Taylor's series */
LW_DEVICE double lw_erf_small(double x) {
  const double z = x * x;
  return 2 / LW_SQRT_PI * x *
         lw_polynomial(z, 1., -1. / 3, 1. / 10, -1. / 42, 1. / 216, -1. / 1320, 1. / 9360,
                       -1. / 75600, 1. / 685440, -1. / 6894720, 1. / 76204800, -1. / 918086400,
                       1. / 11975040000., -1. / 168129561600., 1. / 2528170444800.);
}
LW_C_LARGE double __nv_erf(double x) {
  const double size = __builtin_fabs(x);
  if (size <= 0.6) return lw_erf_small(x);
  if (x != x) return x;
  if (size > 6) return __builtin_copysign(1, x);
  return __builtin_copysign(1 - lw_exp_minus_square(size) * lw_erfcx(size), x);
}
LW_C_LARGE double __nv_erfc(double x) {
  if (__builtin_fabs(x) <= 0.4) return 1 - lw_erf_small(x);
  if (x != x) return x;
  const double size = __builtin_fabs(x);
  const double tail = size > 28 ? 0 : lw_exp_minus_square(size) * lw_erfcx(size);
  return x < 0 ? 2 - tail : tail;
}
LW_C_LARGE double __nv_erfcx(double x) {
  if (x >= 0 || x != x) return x != x ? x : lw_erfcx(x);
  return x < -27 ? __builtin_inf() : 2 / lw_exp_minus_square(-x) - lw_erfcx(-x);
}
LW_C_LARGE float __nv_erff(float x) {
  const float size = __builtin_fabsf(x), z = size * size;
  const float near = lw_polynomial(z, 1.128379167f, -0.3761263890f, 0.1128379167f, -0.02686617064f,
                                   0.005223977625f, -0.0008548327f, 0.00012055333f);
  const float t = __nvvm_div_rn_f(size - 2, size + 2);
  const float smooth =
      lw_polynomial(t, 1.27697838f, -0.0927637598f, -0.166030391f, 0.164049395f, -0.0542201861f,
                    -0.00801863569f, 0.00872429454f, 0.0012166655f, -0.00146351167f,
                    -0.000357177892f, 0.000221105452f, 6.31001855e-05f, -2.01089312e-05f);
  const float far = 1 - __nv_expf(-z) * __nvvm_div_rn_f(smooth, 1 + 2 * size);
  const float value = size <= 0.6f ? size * near : size > 4 ? 1 : far;
  return x != x ? x : __builtin_copysignf(value, x);
}
LW_C_LARGE float __nv_erfcf(float x) { return static_cast<float>(__nv_erfc(x)); }
LW_C_LARGE float __nv_erfcxf(float x) { return static_cast<float>(__nv_erfcx(x)); }

/* Winitzki's estimate for erf z = y, bettered by Halley's iteration. `rest` is 1 - |y|. */
LW_DEVICE double lw_erfc_inverse(double rest) {
  if (rest == 0) return __builtin_inf();
  const double log = __nv_log(rest) + __nv_log1p(1 - rest);
  const double half = 2 / (LW_PI * 0.147) + 0.5 * log;
  double z = __nv_sqrt(__nv_sqrt(half * half - log / 0.147) - half);
  for (int i = 0; i < 3; ++i) {
    const double error = __nv_erfc(z) - rest;
    const double step = error / (-2 / LW_SQRT_PI * lw_exp_minus_square(z));
    z -= step / (1 + z * step);
  }
  return z;
}
LW_C_LARGE double __nv_erfcinv(double y) {
  if (!(y >= 0 && y <= 2)) return __builtin_nan("");
  return y <= 1 ? lw_erfc_inverse(y) : -lw_erfc_inverse(2 - y);
}
LW_C_LARGE double __nv_erfinv(double y) {
  const double size = __builtin_fabs(y);
  if (!(size <= 1)) return __builtin_nan("");
  if (size > 0.4) return __builtin_copysign(lw_erfc_inverse(1 - size), y);
  double z = y * (LW_SQRT_PI / 2);
  for (int i = 0; i < 4; ++i) {
    const double step = (lw_erf_small(z) - y) / (2 / LW_SQRT_PI * lw_exp_minus_square(z));
    z -= step / (1 + z * step);
  }
  return z;
}
LW_C_LARGE double __nv_normcdf(double x) {
  const double z = lw_product(-x, LW_SQRT_1_2);
  if (!(z > 1 && z < 28)) return 0.5 * __nv_erfc(z);
  const double low = lw_fma(-x, LW_SQRT_1_2, -z) + x * 0x1.bdd3413b26456p-55;
  return 0.5 * (__nv_erfc(z) - low * (2 / LW_SQRT_PI) * lw_exp_minus_square(z));
}
LW_C_LARGE double __nv_normcdfinv(double y) { return -2 * LW_SQRT_1_2 * __nv_erfcinv(2 * y); }
LW_C_LARGE float __nv_erfcinvf(float y) { return static_cast<float>(__nv_erfcinv(y)); }
LW_C_LARGE float __nv_erfinvf(float y) { return static_cast<float>(__nv_erfinv(y)); }
LW_C_LARGE float __nv_normcdff(float x) { return static_cast<float>(__nv_normcdf(x)); }
LW_C_LARGE float __nv_normcdfinvf(float y) { return static_cast<float>(__nv_normcdfinv(y)); }

/* log gamma x for x >= 10: Stirling's series */
LW_DEVICE double lw_stirling_tail(double x) {
  const double z = 1 / (x * x);
  return lw_polynomial(z, 1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360,
                       1. / 156, -3617. / 122400) /
         x;
}
LW_DEVICE double lw_stirling(double x) {
  return (x - 0.5) * __nv_log(x) - x + 0x1.d67f1c864beb5p-1 + lw_stirling_tail(x);
}
/* x (x + 1) … up to 10; x becomes the end. REQUIRES: x > 0 */
LW_DEVICE double lw_rising(double& x) {
  double product = 1;
  while (x < 10) {
    product *= x;
    x += 1;
  }
  return product;
}
LW_C_LARGE double __nv_lgamma(double x) {
  if (x != x) return x;
  const double size = __builtin_fabs(x);
  if (size == __builtin_inf()) return size;
  if (x <= 0 && __builtin_trunc(x) == x) return __builtin_inf();
  if (size < 1e-20) return -__nv_log(size);
  double from = size;
  const double product = lw_rising(from);
  const double positive = lw_stirling(from) - __nv_log(product);
  if (x > 0) return positive;
  return __nv_log(LW_PI / (size * __builtin_fabs(__nv_sinpi(x)))) - positive;
}
LW_C_LARGE double __nv_tgamma(double x) {
  if (x != x || x == __builtin_inf()) return x;
  if (x == 0) return __builtin_copysign(__builtin_inf(), x);
  if (x < 0 && __builtin_trunc(x) == x) return __builtin_nan("");
  double from = __builtin_fabs(x);
  if (from < 1e-20) return 1 / x;
  if (x < -184) return 0;
  if (x > 172) return __builtin_inf();
  const double product = lw_rising(from);
  const double root = __nv_pow(from, 0.5 * from - 0.25);  // the power itself may be too large
  const double rest = lw_exp(lw_stirling_tail(from) - from, 0) / product * 0x1.40d931ff62706p+1;
  const double positive = root * rest * root;
  return x > 0 ? positive : -LW_PI / (__builtin_fabs(x) * __nv_sinpi(-x) * positive);
}
LW_C_LARGE float __nv_lgammaf(float x) { return static_cast<float>(__nv_lgamma(x)); }
LW_C_LARGE float __nv_tgammaf(float x) { return static_cast<float>(__nv_tgamma(x)); }
