/* CUDA's overloads of its own functions for other types. */
#pragma once
#include "define.h"

LW_DEVICE float rsqrt(float a) { return rsqrtf(a); }
LW_DEVICE float rcbrt(float a) { return rcbrtf(a); }
LW_DEVICE float sinpi(float a) { return sinpif(a); }
LW_DEVICE float cospi(float a) { return cospif(a); }
LW_DEVICE void sincospi(float a, float* s, float* c) { sincospif(a, s, c); }
LW_DEVICE void sincos(float a, float* s, float* c) { sincosf(a, s, c); }
LW_DEVICE float normcdf(float a) { return normcdff(a); }
LW_DEVICE float normcdfinv(float a) { return normcdfinvf(a); }
LW_DEVICE float erfinv(float a) { return erfinvf(a); }
LW_DEVICE float erfcinv(float a) { return erfcinvf(a); }
LW_DEVICE float erfcx(float a) { return erfcxf(a); }
LW_DEVICE float exp10(float a) { return exp10f(a); }

/* The C library's of float under the names of double, which clang's headers only declare. */
#define LW_FLOAT_UNARY(type, name, of_float) \
  LW_DEVICE type name(float a) { return of_float(a); }
#define LW_FLOAT_BINARY(name, of_float) \
  LW_DEVICE float name(float a, float b) { return of_float(a, b); }
LW_FLOAT_UNARY(float, acosh, acoshf)
LW_FLOAT_UNARY(float, asinh, asinhf)
LW_FLOAT_UNARY(float, atanh, atanhf)
LW_FLOAT_UNARY(float, cbrt, cbrtf)
LW_FLOAT_UNARY(float, erf, erff)
LW_FLOAT_UNARY(float, erfc, erfcf)
LW_FLOAT_UNARY(float, exp2, exp2f)
LW_FLOAT_UNARY(float, expm1, expm1f)
LW_FLOAT_UNARY(float, lgamma, lgammaf)
LW_FLOAT_UNARY(float, log1p, log1pf)
LW_FLOAT_UNARY(float, log2, log2f)
LW_FLOAT_UNARY(float, logb, logbf)
LW_FLOAT_UNARY(float, nearbyint, nearbyintf)
LW_FLOAT_UNARY(float, rint, rintf)
LW_FLOAT_UNARY(float, round, roundf)
LW_FLOAT_UNARY(float, tgamma, tgammaf)
LW_FLOAT_UNARY(float, trunc, truncf)
LW_FLOAT_UNARY(int, ilogb, ilogbf)
LW_FLOAT_UNARY(long, lrint, lrintf)
LW_FLOAT_UNARY(long, lround, lroundf)
LW_FLOAT_UNARY(long long, llrint, llrintf)
LW_FLOAT_UNARY(long long, llround, llroundf)
LW_FLOAT_BINARY(copysign, copysignf)
LW_FLOAT_BINARY(fdim, fdimf)
LW_FLOAT_BINARY(fmax, fmaxf)
LW_FLOAT_BINARY(fmin, fminf)
LW_FLOAT_BINARY(hypot, hypotf)
LW_FLOAT_BINARY(nextafter, nextafterf)
LW_FLOAT_BINARY(remainder, remainderf)
#undef LW_FLOAT_UNARY
#undef LW_FLOAT_BINARY
LW_DEVICE float fma(float a, float b, float c) { return fmaf(a, b, c); }
LW_DEVICE float remquo(float a, float b, int* quotient) { return remquof(a, b, quotient); }
LW_DEVICE float scalbn(float a, int by) { return scalbnf(a, by); }
LW_DEVICE float scalbln(float a, long by) { return scalblnf(a, by); }
LW_DEVICE double nan(const char* tag) {
  return __nv_nan(reinterpret_cast<const signed char*>(tag));
}
LW_DEVICE float nanf(const char* tag) {
  return __nv_nanf(reinterpret_cast<const signed char*>(tag));
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
LW_DEVICE int __reduce_add_sync(unsigned int mask, int value) {
  return __nvvm_redux_sync_add(value, static_cast<int>(mask));
}
#endif

/* min() and max() of CUDA are global, for device and host; clang has min(int, int) of the device.
 */
#define LW_EXTREMES(where, type)                                         \
  static inline where type min(type a, type b) { return a < b ? a : b; } \
  static inline where type max(type a, type b) { return a > b ? a : b; }
#define LW_MIXED_EXTREMES(where, left, right, type)         \
  static inline where type min(left a, right b) {           \
    return min(static_cast<type>(a), static_cast<type>(b)); \
  }                                                         \
  static inline where type max(left a, right b) {           \
    return max(static_cast<type>(a), static_cast<type>(b)); \
  }
#define LW_ALL_EXTREMES(where)                                                        \
  LW_EXTREMES(where, unsigned int)                                                    \
  LW_EXTREMES(where, long)                                                            \
  LW_EXTREMES(where, unsigned long)                                                   \
  LW_EXTREMES(where, long long)                                                       \
  LW_EXTREMES(where, unsigned long long)                                              \
  static inline where float min(float a, float b) { return __builtin_fminf(a, b); }   \
  static inline where float max(float a, float b) { return __builtin_fmaxf(a, b); }   \
  static inline where double min(double a, double b) { return __builtin_fmin(a, b); } \
  static inline where double max(double a, double b) { return __builtin_fmax(a, b); } \
  LW_MIXED_EXTREMES(where, int, unsigned int, unsigned int)                           \
  LW_MIXED_EXTREMES(where, unsigned int, int, unsigned int)                           \
  LW_MIXED_EXTREMES(where, long long, unsigned long long, unsigned long long)         \
  LW_MIXED_EXTREMES(where, unsigned long long, long long, unsigned long long)         \
  LW_MIXED_EXTREMES(where, float, double, double)                                     \
  LW_MIXED_EXTREMES(where, double, float, double)
LW_ALL_EXTREMES(__device__)
LW_EXTREMES(__host__, int)
LW_ALL_EXTREMES(__host__)
#undef LW_ALL_EXTREMES
#undef LW_MIXED_EXTREMES
#undef LW_EXTREMES
