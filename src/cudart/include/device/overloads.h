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
