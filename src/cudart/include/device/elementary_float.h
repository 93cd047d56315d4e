/* The functions of elementary.h and trigonometry.h for float. The frequent ones have code of their
   own; the others are computed in double and rounded. */
#pragma once
#include "elementary.h"
#include "trigonometry.h"

#define LW_LN2_HI_F 0x1.62e4p-1f
#define LW_LN2_LO_F 0x1.7f7d1cp-20f

LW_DEVICE float lw_power_of_two_f(int n) { return __builtin_bit_cast(float, (n + 127) << 23); }

/* e^x: 2^k e^r, by Taylor's series for |r| <= 0.35 */
LW_C float __nv_expf(float x) {
  const float bounded = __builtin_fminf(__builtin_fmaxf(x, -104.f), 89.f);
  const float k = __builtin_rintf(bounded * 0x1.715476p+0f);
  const float r = lw_fma(-k, LW_LN2_LO_F, lw_fma(-k, LW_LN2_HI_F, bounded));
  const float e =
      lw_polynomial(r, 1.f, 1.f, 1.f / 2, 1.f / 6, 1.f / 24, 1.f / 120, 1.f / 720, 1.f / 5040);
  const int n = static_cast<int>(k), half = n / 2;
  const float scaled = e * lw_power_of_two_f(half) * lw_power_of_two_f(n - half);
  return x != x ? x : scaled;
}
LW_C float __nv_exp2f(float x) { return __nvvm_ex2_approx_f(x); }
LW_C float __nv_logf(float x) {
  if (!(x > 0 && x < __builtin_inff())) {
    return x == 0 ? -__builtin_inff() : x > 0 ? x : __builtin_nanf("");
  }
  const bool tiny = x < 0x1p-126f;
  const float normal = tiny ? x * 0x1p24f : x;
  const int bits = __builtin_bit_cast(int, normal) - 0x3f2aaaab;  // from 2/3 on
  const float k = static_cast<float>((bits >> 23) - (tiny ? 24 : 0));
  const float f = __builtin_bit_cast(float, (bits & 0x7fffff) + 0x3f2aaaab) - 1;
  const float s = __nvvm_div_rn_f(f, 2 + f), z = s * s;
  const float tail = s * z * lw_polynomial(z, 1.f / 3, 1.f / 5, 1.f / 7, 1.f / 9, 1.f / 11);
  const float small = f - (s * f - 2 * tail);
  return lw_fma(k, LW_LN2_HI_F, lw_fma(k, LW_LN2_LO_F, small));
}

#define LW_BY_DOUBLE(name) \
  LW_C_LARGE float __nv_##name##f(float x) { return static_cast<float>(__nv_##name(x)); }
LW_BY_DOUBLE(acos)
LW_BY_DOUBLE(acosh)
LW_BY_DOUBLE(asin)
LW_BY_DOUBLE(asinh)
LW_BY_DOUBLE(atan)
LW_BY_DOUBLE(atanh)
LW_BY_DOUBLE(cbrt)
LW_BY_DOUBLE(cosh)
LW_BY_DOUBLE(cospi)
LW_BY_DOUBLE(exp10)
LW_BY_DOUBLE(expm1)
LW_BY_DOUBLE(log10)
LW_BY_DOUBLE(log1p)
LW_BY_DOUBLE(log2)
LW_BY_DOUBLE(logb)
LW_BY_DOUBLE(rcbrt)
LW_BY_DOUBLE(sinh)
LW_BY_DOUBLE(sinpi)
LW_BY_DOUBLE(tan)
LW_BY_DOUBLE(tanh)
#undef LW_BY_DOUBLE

LW_C_LARGE float __nv_powf(float x, float y) {
  const bool odd = lw_is_odd(y);
  double answer;
  if (lw_pow_special(x, y, odd, answer)) return static_cast<float>(answer);
  const double power = lw_exp(y * __nv_log(__builtin_fabs(static_cast<double>(x))), 0);
  return static_cast<float>(x < 0 && odd ? -power : power);
}
LW_C_LARGE float __nv_powif(float x, int n) { return static_cast<float>(__nv_pow(x, n)); }
LW_C_LARGE float __nv_atan2f(float y, float x) { return static_cast<float>(__nv_atan2(y, x)); }
LW_C_LARGE int __nv_ilogbf(float x) { return __nv_ilogb(x); }
LW_C_LARGE void __nv_sincospif(float x, float* s, float* c) {
  *s = static_cast<float>(__nv_sinpi(x));
  *c = static_cast<float>(__nv_cospi(x));
}

/* Series that suffice for float, in double after the reduction. */
LW_DEVICE float lw_sinf_of(const LwAngle& angle, int more) {
  const int quadrant = angle.quadrant + more;
  const double r = angle.r, z = r * r;
  const double s = r * lw_polynomial(z, 1., -1. / 6, 1. / 120, -1. / 5040, 1. / 362880);
  const double c = lw_polynomial(z, 1., -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800);
  const float value = static_cast<float>(quadrant & 1 ? c : s);
  return quadrant & 2 ? -value : value;
}
LW_C float __nv_sinf(float x) { return x == 0 ? x : lw_sinf_of(lw_reduce(x), 0); }
LW_C float __nv_cosf(float x) { return lw_sinf_of(lw_reduce(x), 1); }
LW_C void __nv_sincosf(float x, float* s, float* c) {
  const LwAngle angle = lw_reduce(x);
  *s = x == 0 ? x : lw_sinf_of(angle, 0);
  *c = lw_sinf_of(angle, 1);
}
