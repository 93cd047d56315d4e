/* sin, cos, tan and their inverses, in double. */
#pragma once
#include "polynomial.h"

#define LW_PI 0x1.921fb54442d18p+1
#define LW_PI_2 0x1.921fb54442d18p+0
#define LW_PI_2_LOW 0x1.1a62633145c07p-54
#define LW_PI_2_LOWEST -0x1.f1976b7ed8fbcp-110

/* x less a multiple of pi/2, in [-pi/4, pi/4]; and which multiple, modulo 4 */
struct LwAngle {
  double r, low;
  int quadrant;
};

/* 2/pi, 64 bits a word */
static const __device__ unsigned long long lw_two_over_pi[20] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
    0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

LW_DEVICE unsigned long long lw_two_over_pi_bits(int from) {
  if (from < 0) return lw_two_over_pi[0] >> -from;
  const int word = from >> 6, bit = from & 63;
  const unsigned long long high = lw_two_over_pi[word];
  return bit == 0 ? high : high << bit | lw_two_over_pi[word + 1] >> (64 - bit);
}

/* Payne and Hanek's: of x 2/pi only the bits that matter modulo 4. REQUIRES: 2^30 <= x < inf */
LW_C_LARGE LwAngle lw_reduce_large(double x) {
  const long long bits = __builtin_bit_cast(long long, x);
  const int exponent = static_cast<int>(bits >> 52) - 1023 - 52;  // x = mantissa 2^exponent
  const unsigned long long mantissa = (bits & 0xfffffffffffffLL) | 0x10000000000000LL;
  const int from = exponent - 2;
  // The product modulo 2^192 is x 2/pi modulo 4, times 2^190.
  unsigned __int128 sum =
      static_cast<unsigned __int128>(mantissa) * lw_two_over_pi_bits(from + 128);
  const unsigned long long low = static_cast<unsigned long long>(sum);
  sum = static_cast<unsigned __int128>(mantissa) * lw_two_over_pi_bits(from + 64) + (sum >> 64);
  unsigned long long middle = static_cast<unsigned long long>(sum);
  unsigned long long high =
      mantissa * lw_two_over_pi_bits(from) + static_cast<unsigned long long>(sum >> 64);
  int quadrant = static_cast<int>(high >> 62);
  high = high << 2 | middle >> 62;
  middle = middle << 2 | low >> 62;
  const bool negative = high >> 63 != 0;
  if (negative) {
    ++quadrant;
    high = ~high;
    middle = ~middle;
  }
  const int zeros = high == 0 ? 64 : __builtin_clzll(high);
  const unsigned long long leading = zeros == 0    ? high
                                     : zeros == 64 ? middle
                                                   : high << zeros | middle >> (64 - zeros);
  const double fraction = static_cast<double>(leading) * lw_power_of_two(-64 - zeros);
  const double r = fraction * LW_PI_2;
  return {negative ? -r : r, 0, quadrant & 3};
}

LW_DEVICE LwAngle lw_reduce_small(double x) {
  const double k = __builtin_rint(x * 0x1.45f306dc9c883p-1);
  const double first = lw_fma(-k, LW_PI_2, x);  // exact
  const double r = lw_fma(-k, LW_PI_2_LOW, first);
  const double low = lw_fma(-k, LW_PI_2_LOWEST, lw_fma(-k, LW_PI_2_LOW, first - r));
  return {r, low, static_cast<int>(static_cast<long long>(k) & 3)};
}
LW_DEVICE LwAngle lw_reduce(double x) {
  const double size = __builtin_fabs(x);
  if (size < 0x1p30) return lw_reduce_small(x);
  if (!(size < __builtin_inf())) return {__builtin_nan(""), 0, 0};
  const LwAngle angle = lw_reduce_large(size);
  return x < 0 ? LwAngle{-angle.r, 0, -angle.quadrant & 3} : angle;
}

/* For |r| <= pi/4, where r + low is meant. */
LW_DEVICE double lw_sin_small(double r, double low) {
  const double z = r * r;
  const double tail = lw_polynomial(z, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800,
                                    1. / 6227020800., -1. / 1307674368000., 1. / 355687428096000.);
  return r + lw_fma(r * z, tail, low * (1 - 0.5 * z));
}
LW_DEVICE double lw_cos_small(double r, double low) {
  const double z = r * r;
  const double tail =
      lw_polynomial(z, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600.,
                    -1. / 87178291200., 1. / 20922789888000., -1. / 6402373705728000.);
  const double half = 0.5 * z, whole = 1 - half;
  return whole + (((1 - whole) - half) + lw_fma(z * z, tail, -r * low));
}
LW_DEVICE double lw_sin_of(const LwAngle& angle) {
  const double value =
      angle.quadrant & 1 ? lw_cos_small(angle.r, angle.low) : lw_sin_small(angle.r, angle.low);
  return angle.quadrant & 2 ? -value : value;
}

LW_C_LARGE double __nv_sin(double x) { return x == 0 ? x : lw_sin_of(lw_reduce(x)); }
LW_C_LARGE double __nv_cos(double x) {
  LwAngle angle = lw_reduce(x);
  ++angle.quadrant;
  return lw_sin_of(angle);
}
LW_C_LARGE void __nv_sincos(double x, double* s, double* c) {
  LwAngle angle = lw_reduce(x);
  *s = x == 0 ? x : lw_sin_of(angle);
  ++angle.quadrant;
  *c = lw_sin_of(angle);
}
LW_C_LARGE double __nv_tan(double x) {
  if (x == 0) return x;
  const LwAngle angle = lw_reduce(x);
  const double s = lw_sin_small(angle.r, angle.low), c = lw_cos_small(angle.r, angle.low);
  return angle.quadrant & 1 ? -c / s : s / c;
}

/* x pi, without rounding where x is large */
LW_DEVICE LwAngle lw_reduce_pi(double x) {
  const double twice = __builtin_rint(2 * x);
  const double rest = lw_fma(-0.5, twice, x);
  const double r = rest * LW_PI;
  const double quarter = twice - 4 * __builtin_floor(twice * 0.25);
  return {r, lw_fma(rest, LW_PI, -r) + rest * (2 * LW_PI_2_LOW), static_cast<int>(quarter)};
}
LW_C_LARGE double __nv_sinpi(double x) {
  if (!(__builtin_fabs(x) < __builtin_inf())) return __builtin_nan("");
  return __builtin_trunc(x) == x ? __builtin_copysign(0, x) : lw_sin_of(lw_reduce_pi(x));
}
LW_C_LARGE double __nv_cospi(double x) {
  if (!(__builtin_fabs(x) < 0x1p53))
    return __builtin_fabs(x) < __builtin_inf() ? 1 : __builtin_nan("");
  LwAngle angle = lw_reduce_pi(x);
  ++angle.quadrant;
  return __builtin_fabs(angle.r) < 1e-300 && !(angle.quadrant & 1) ? 0 : lw_sin_of(angle);
}
LW_C_LARGE void __nv_sincospi(double x, double* s, double* c) {
  *s = __nv_sinpi(x);
  *c = __nv_cospi(x);
}

/* atan x for 0 <= x <= 1: from the nearest quarter on */
LW_DEVICE double lw_atan_unit(double x) {
  const int nearest = static_cast<int>(__builtin_rint(4 * x));
  const double c = 0.25 * nearest;
  const double known = nearest == 0   ? 0
                       : nearest == 1 ? 0x1.f5b75f92c80ddp-3
                       : nearest == 2 ? 0x1.dac670561bb4fp-2
                       : nearest == 3 ? 0x1.4978fa3269ee1p-1
                                      : 0x1.921fb54442d18p-1;
  const double known_low = nearest == 0   ? 0
                           : nearest == 1 ? 0x1.8ab6e3cf7afbdp-57
                           : nearest == 2 ? 0x1.a2b7f222f65e2p-56
                           : nearest == 3 ? 0x1.2419a87f2a458p-56
                                          : 0x1.1a62633145c07p-55;
  const double t = (x - c) / lw_fma(x, c, 1.0), z = t * t;
  const double tail = lw_polynomial(z, -1. / 3, 1. / 5, -1. / 7, 1. / 9, -1. / 11, 1. / 13,
                                    -1. / 15, 1. / 17, -1. / 19);
  return known + (lw_fma(t * z, tail, known_low) + t);
}
LW_C_LARGE double __nv_atan(double x) {
  if (x != x) return x;
  const double size = __builtin_fabs(x);
  const double angle =
      size <= 1 ? lw_atan_unit(size) : LW_PI_2 - (lw_atan_unit(1 / size) - LW_PI_2_LOW);
  return __builtin_copysign(angle, x);
}
LW_C_LARGE double __nv_atan2(double y, double x) {
  if (x != x || y != y) return x + y;
  const double ax = __builtin_fabs(x), ay = __builtin_fabs(y), inf = __builtin_inf();
  const bool steep = ay > ax;
  double least = steep ? ax : ay, most = steep ? ay : ax;
  if (most == inf) {
    least = least == inf ? 1 : 0;
    most = 1;
  }
  double angle = most == 0 ? 0 : lw_atan_unit(least / most);
  if (steep) angle = LW_PI_2 - (angle - LW_PI_2_LOW);
  if (__builtin_signbit(x)) angle = LW_PI - (angle - 2 * LW_PI_2_LOW);
  return __builtin_copysign(angle, y);
}
LW_C_LARGE double __nv_asin(double x) { return __nv_atan2(x, __nv_sqrt((1 - x) * (1 + x))); }
LW_C_LARGE double __nv_acos(double x) { return __nv_atan2(__nv_sqrt((1 - x) * (1 + x)), x); }
