/* Functions of the CUDA Math API that the C library lacks (older ones, where a version is named),
   on the host. */
#pragma once

#include <features.h>
#include <math.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 42)
#define LW_HAS_RSQRT
#endif
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 41)
#define LW_HAS_SINPI
#endif

#define LW_HOST static inline __attribute__((host))
#ifndef LW_HAS_RSQRT
#define LW_HOST_RSQRT(type, f) \
  LW_HOST type rsqrt##f(type a) { return 1 / sqrt##f(a); }
LW_HOST_RSQRT(float, f)
LW_HOST_RSQRT(double, )
#undef LW_HOST_RSQRT
#endif

#ifndef LW_HAS_SINPI
/* The remainder of 2 is exact, and so are zeros. */
#define LW_HOST_SINPI(type, f)                                                       \
  LW_HOST type sinpi##f(type a) {                                                    \
    const type rest = remainder##f(a, 2);                                            \
    if (rest == rint##f(rest)) return copysign##f(0, a);                             \
    const type nearest = rint##f(2 * rest); /* halves */                             \
    const type within = static_cast<type>(3.141592653589793) * (rest - nearest / 2); \
    const int quarter = static_cast<int>(nearest) & 3;                               \
    const type value = (quarter & 1) != 0 ? cos##f(within) : sin##f(within);         \
    return (quarter & 2) != 0 ? -value : value;                                      \
  }                                                                                  \
  LW_HOST type cospi##f(type a) {                                                    \
    const type half = static_cast<type>(0.5), rest = fabs##f(remainder##f(a, 2));    \
    return rest == half ? 0 : sinpi##f(half - rest);                                 \
  }
LW_HOST_SINPI(float, f)
LW_HOST_SINPI(double, )
#undef LW_HOST_SINPI
#endif

#define LW_HOST_MATH(type, f)                                           \
  LW_HOST type rcbrt##f(type a) { return 1 / cbrt##f(a); }              \
  LW_HOST void sincospi##f(type a, type* sine, type* cosine) {          \
    *sine = sinpi##f(a);                                                \
    *cosine = cospi##f(a);                                              \
  }                                                                     \
  LW_HOST type normcdf##f(type a) {                                     \
    const type half = static_cast<type>(0.5);                           \
    return half * erfc##f(-a * static_cast<type>(0.70710678118654752)); \
  }                                                                     \
  LW_HOST type norm3d##f(type a, type b, type c) { return hypot##f(hypot##f(a, b), c); }
LW_HOST_MATH(float, f)
LW_HOST_MATH(double, )
#undef LW_HOST_MATH
#undef LW_HAS_RSQRT
#undef LW_HAS_SINPI

LW_HOST float rsqrt(float a) { return rsqrtf(a); }
LW_HOST float rcbrt(float a) { return rcbrtf(a); }
LW_HOST float sinpi(float a) { return sinpif(a); }
LW_HOST float cospi(float a) { return cospif(a); }
LW_HOST float normcdf(float a) { return normcdff(a); }
#undef LW_HOST
