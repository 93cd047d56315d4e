/* __half, __half2 and their functions, for host and device. */
#ifndef LONGWIRE_CUDA_FP16_H
#define LONGWIRE_CUDA_FP16_H
#define __CUDA_FP16_H__ /* what programs ask for */

#include "device_builtins.h"

#include "device/small_float.h"

#define __CUDA_FP16_TYPES_EXIST__

LW_SMALL_TYPES(__half, __half2, _Float16)
typedef __half half;
typedef __half2 half2;
typedef __half __nv_half;
typedef __half2 __nv_half2;

LW_SMALL_OPERATORS(__half, __half2, _Float16)
LW_SMALL_ARITHMETIC(__half, __half2, _Float16)

LW_ANY __half __float2half(float a) { return __half(a); }
LW_ANY __half __float2half_rn(float a) { return __half(a); }
LW_ANY __half __double2half(double a) { return __half(a); }
LW_ANY float __half2float(__half a) { return a; }
LW_ANY __half __ushort_as_half(unsigned short a) { return __builtin_bit_cast(__half, a); }
#define CUDART_INF_FP16 __ushort_as_half(0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half(0x7FFFU)
#define CUDART_MIN_DENORM_FP16 __ushort_as_half(0x0001U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(0x7BFFU)
#define CUDART_NEG_ZERO_FP16 __ushort_as_half(0x8000U)
#define CUDART_ZERO_FP16 __ushort_as_half(0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half(0x3C00U)
LW_ANY __half __short_as_half(short a) { return __builtin_bit_cast(__half, a); }
LW_ANY unsigned short __half_as_ushort(__half a) { return __builtin_bit_cast(unsigned short, a); }
LW_ANY short __half_as_short(__half a) { return __builtin_bit_cast(short, a); }
LW_SMALL_INTEGERS(__half, __half, half)

LW_ANY __half2 __floats2half2_rn(float a, float b) { return __half2{__half(a), __half(b)}; }
LW_ANY __half2 __float2half2_rn(float a) { return __floats2half2_rn(a, a); }
LW_ANY __half2 __float22half2_rn(float2 a) { return __floats2half2_rn(a.x, a.y); }
LW_ANY float2 __half22float2(__half2 a) { return make_float2(a.x, a.y); }
LW_ANY __half2 __halves2half2(__half a, __half b) { return __half2{a, b}; }
LW_ANY __half2 __half2half2(__half a) { return __half2{a, a}; }
LW_ANY __half2 make_half2(__half a, __half b) { return __half2{a, b}; }
LW_ANY __half __low2half(__half2 a) { return a.x; }
LW_ANY __half __high2half(__half2 a) { return a.y; }
LW_ANY __half2 __low2half2(__half2 a) { return __half2{a.x, a.x}; }
LW_ANY __half2 __high2half2(__half2 a) { return __half2{a.y, a.y}; }
LW_ANY __half2 __lows2half2(__half2 a, __half2 b) { return __half2{a.x, b.x}; }
LW_ANY __half2 __highs2half2(__half2 a, __half2 b) { return __half2{a.y, b.y}; }
LW_ANY __half2 __lowhigh2highlow(__half2 a) { return __half2{a.y, a.x}; }
LW_ANY float __low2float(__half2 a) { return a.x; }
LW_ANY float __high2float(__half2 a) { return a.y; }

#if defined(__CUDA__) && defined(__clang__)
#define LW_HALF_ROUNDED(mode, ptx)                                \
  LW_ONLY_DEVICE __half __float2half_##mode(float a) {            \
    unsigned short made;                                          \
    __asm__("cvt." ptx ".f16.f32 %0, %1;" : "=h"(made) : "f"(a)); \
    return __ushort_as_half(made);                                \
  }
LW_HALF_ROUNDED(rz, "rz")
LW_HALF_ROUNDED(rd, "rm")
LW_HALF_ROUNDED(ru, "rp")
#undef LW_HALF_ROUNDED
LW_SMALL_FUNCTIONS(__half, __half2)
LW_SMALL_SHUFFLES(__half, unsigned short)
LW_SMALL_SHUFFLES(__half2, unsigned int)
LW_SMALL_ATOMIC(__half, unsigned short, unsigned short, "h", "f16")
LW_SMALL_ATOMIC(__half2, unsigned int, unsigned int, "r", "f16x2")
#endif

#endif
