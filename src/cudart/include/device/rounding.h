/* Arithmetic with a rounding of its own, and what one instruction does. */
#pragma once
#include "define.h"

/* rm and rp are the ISA's words for what CUDA calls rd and ru. */
#define LW_ONE(type, name, operation, suffix)                                 \
  LW_C type name##_rn(type a) { return __nvvm_##operation##_rn_##suffix(a); } \
  LW_C type name##_rz(type a) { return __nvvm_##operation##_rz_##suffix(a); } \
  LW_C type name##_rd(type a) { return __nvvm_##operation##_rm_##suffix(a); } \
  LW_C type name##_ru(type a) { return __nvvm_##operation##_rp_##suffix(a); }
#define LW_TWO(type, name, operation, suffix)                                            \
  LW_C type name##_rn(type a, type b) { return __nvvm_##operation##_rn_##suffix(a, b); } \
  LW_C type name##_rz(type a, type b) { return __nvvm_##operation##_rz_##suffix(a, b); } \
  LW_C type name##_rd(type a, type b) { return __nvvm_##operation##_rm_##suffix(a, b); } \
  LW_C type name##_ru(type a, type b) { return __nvvm_##operation##_rp_##suffix(a, b); }
#define LW_LESS(type, name, suffix)                                             \
  LW_C type name##_rn(type a, type b) { return __nvvm_add_rn_##suffix(a, -b); } \
  LW_C type name##_rz(type a, type b) { return __nvvm_add_rz_##suffix(a, -b); } \
  LW_C type name##_rd(type a, type b) { return __nvvm_add_rm_##suffix(a, -b); } \
  LW_C type name##_ru(type a, type b) { return __nvvm_add_rp_##suffix(a, -b); }
#define LW_FMA(type, name, suffix)                                                        \
  LW_C type name##_rn(type a, type b, type c) { return __nvvm_fma_rn_##suffix(a, b, c); } \
  LW_C type name##_rz(type a, type b, type c) { return __nvvm_fma_rz_##suffix(a, b, c); } \
  LW_C type name##_rd(type a, type b, type c) { return __nvvm_fma_rm_##suffix(a, b, c); } \
  LW_C type name##_ru(type a, type b, type c) { return __nvvm_fma_rp_##suffix(a, b, c); }

LW_TWO(float, __nv_fadd, add, f)
LW_TWO(float, __nv_fmul, mul, f)
LW_TWO(float, __nv_fdiv, div, f)
LW_TWO(double, __nv_dadd, add, d)
LW_TWO(double, __nv_dmul, mul, d)
LW_TWO(double, __nv_ddiv, div, d)
LW_LESS(float, __nv_fsub, f)
LW_LESS(double, __nv_dsub, d)
LW_ONE(float, __nv_frcp, rcp, f)
LW_ONE(float, __nv_fsqrt, sqrt, f)
LW_ONE(double, __nv_drcp, rcp, d)
LW_ONE(double, __nv_dsqrt, sqrt, d)
LW_FMA(float, __nv_fmaf, f)
LW_FMA(float, __nv_fmaf_ieee, f)
LW_FMA(double, __nv_fma, d)
#undef LW_ONE
#undef LW_TWO
#undef LW_LESS
#undef LW_FMA

LW_C float __nv_fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LW_C double __nv_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
LW_C float __nv_sqrtf(float a) { return __nvvm_sqrt_rn_f(a); }
LW_C double __nv_sqrt(double a) { return __nvvm_sqrt_rn_d(a); }
LW_C float __nv_rsqrtf(float a) { return __nvvm_rsqrt_approx_f(a); }
LW_C float __nv_frsqrt_rn(float a) {
  return static_cast<float>(1.0 / __nvvm_sqrt_rn_d(static_cast<double>(a)));
}
LW_C double __nv_rsqrt(double a) { return 1.0 / __nvvm_sqrt_rn_d(a); }
LW_C double __nv_rcp64h(double a) { return __nvvm_rcp_approx_ftz_d(a); }
LW_C float __nv_saturatef(float a) { return __nvvm_saturate_f(a); }

LW_C float __nv_fabsf(float a) { return __builtin_fabsf(a); }
LW_C double __nv_fabs(double a) { return __builtin_fabs(a); }
LW_C float __nv_copysignf(float a, float b) { return __builtin_copysignf(a, b); }
LW_C double __nv_copysign(double a, double b) { return __builtin_copysign(a, b); }
LW_C float __nv_fminf(float a, float b) { return __builtin_fminf(a, b); }
LW_C float __nv_fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
LW_C double __nv_fmin(double a, double b) { return __builtin_fmin(a, b); }
LW_C double __nv_fmax(double a, double b) { return __builtin_fmax(a, b); }
LW_C float __nv_floorf(float a) { return __builtin_floorf(a); }
LW_C double __nv_floor(double a) { return __builtin_floor(a); }
LW_C float __nv_ceilf(float a) { return __builtin_ceilf(a); }
LW_C double __nv_ceil(double a) { return __builtin_ceil(a); }
LW_C float __nv_truncf(float a) { return __builtin_truncf(a); }
LW_C double __nv_trunc(double a) { return __builtin_trunc(a); }
LW_C float __nv_rintf(float a) { return __builtin_rintf(a); }
LW_C double __nv_rint(double a) { return __builtin_rint(a); }
LW_C float __nv_nearbyintf(float a) { return __builtin_rintf(a); }
LW_C double __nv_nearbyint(double a) { return __builtin_rint(a); }
LW_C long long __nv_llrintf(float a) { return __nvvm_f2ll_rn(a); }
LW_C long long __nv_llrint(double a) { return __nvvm_d2ll_rn(a); }
/* Halves go away from zero. */
LW_C float __nv_roundf(float a) {
  const float whole = __builtin_truncf(a);
  return __builtin_copysignf(
      __builtin_fabsf(a - whole) >= 0.5f ? whole + __builtin_copysignf(1, a) : whole, a);
}
LW_C double __nv_round(double a) {
  const double whole = __builtin_trunc(a);
  return __builtin_copysign(
      __builtin_fabs(a - whole) >= 0.5 ? whole + __builtin_copysign(1, a) : whole, a);
}
LW_C long long __nv_llroundf(float a) { return __nvvm_f2ll_rz(__nv_roundf(a)); }
LW_C long long __nv_llround(double a) { return __nvvm_d2ll_rz(__nv_round(a)); }
LW_C float __nv_fdimf(float a, float b) { return a != a || b != b ? a + b : a > b ? a - b : 0; }
LW_C double __nv_fdim(double a, double b) { return a != a || b != b ? a + b : a > b ? a - b : 0; }

LW_C int __nv_isnanf(float a) { return a != a; }
LW_C int __nv_isnand(double a) { return a != a; }
LW_C int __nv_isinff(float a) { return __builtin_fabsf(a) == __builtin_inff(); }
LW_C int __nv_isinfd(double a) { return __builtin_fabs(a) == __builtin_inf(); }
LW_C int __nv_finitef(float a) { return __builtin_fabsf(a) < __builtin_inff(); }
LW_C int __nv_isfinited(double a) { return __builtin_fabs(a) < __builtin_inf(); }
LW_C int __nv_signbitf(float a) { return __builtin_bit_cast(int, a) < 0; }
LW_C int __nv_signbitd(double a) { return __builtin_bit_cast(long long, a) < 0; }
LW_C float __nv_nanf(const signed char*) { return __builtin_nanf(""); }
LW_C double __nv_nan(const signed char*) { return __builtin_nan(""); }

/* One approximate instruction each: PTX ISA, .approx. */
LW_C float __nv_fast_sinf(float a) { return __nvvm_sin_approx_f(a); }
LW_C float __nv_fast_cosf(float a) { return __nvvm_cos_approx_f(a); }
LW_C void __nv_fast_sincosf(float a, float* s, float* c) {
  *s = __nvvm_sin_approx_f(a);
  *c = __nvvm_cos_approx_f(a);
}
LW_C float __nv_fast_tanf(float a) {
  return __nvvm_div_approx_f(__nvvm_sin_approx_f(a), __nvvm_cos_approx_f(a));
}
LW_C float __nv_fast_expf(float a) { return __nvvm_ex2_approx_f(a * 0x1.715476p+0f); }
LW_C float __nv_fast_exp10f(float a) { return __nvvm_ex2_approx_f(a * 0x1.a934fp+1f); }
LW_C float __nv_fast_log2f(float a) { return __nvvm_lg2_approx_f(a); }
LW_C float __nv_fast_logf(float a) { return __nvvm_lg2_approx_f(a) * 0x1.62e43p-1f; }
LW_C float __nv_fast_log10f(float a) { return __nvvm_lg2_approx_f(a) * 0x1.344136p-2f; }
LW_C float __nv_fast_powf(float a, float b) {
  return __nvvm_ex2_approx_f(b * __nvvm_lg2_approx_f(a));
}
LW_C float __nv_fast_fdividef(float a, float b) { return __nvvm_div_approx_f(a, b); }
