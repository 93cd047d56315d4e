/* __nv_bfloat16, __nv_bfloat162 and their functions, for host and device. */
#ifndef LONGWIRE_CUDA_BF16_H
#define LONGWIRE_CUDA_BF16_H
#define __CUDA_BF16_H__ /* what programs ask for */

#include "device_builtins.h"

#include "device/small_float.h"
#if defined(__clang__) && !defined(__CUDA_ARCH__)
#include "runtime/round_to_bfloat16.h"
#endif

#define __CUDA_BF16_TYPES_EXIST__

LW_SMALL_TYPES(__nv_bfloat16, __nv_bfloat162, __bf16)
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

LW_SMALL_OPERATORS(__nv_bfloat16, __nv_bfloat162, __bf16)
LW_SMALL_ARITHMETIC(__nv_bfloat16, __nv_bfloat162, __bf16)

LW_ANY __nv_bfloat16 __float2bfloat16(float a) { return __nv_bfloat16(a); }
LW_ANY __nv_bfloat16 __float2bfloat16_rn(float a) { return __nv_bfloat16(a); }
LW_ANY __nv_bfloat16 __double2bfloat16(double a) { return __nv_bfloat16(a); }
LW_ANY float __bfloat162float(__nv_bfloat16 a) { return a; }
LW_SMALL_INTEGERS(__nv_bfloat16, __bfloat16, bfloat16)
LW_ANY __nv_bfloat16 __ushort_as_bfloat16(unsigned short a) {
  return __builtin_bit_cast(__nv_bfloat16, a);
}
#define CUDART_INF_BF16 __ushort_as_bfloat16(0x7F80U)
#define CUDART_NAN_BF16 __ushort_as_bfloat16(0x7FFFU)
#define CUDART_MIN_DENORM_BF16 __ushort_as_bfloat16(0x0001U)
#define CUDART_MAX_NORMAL_BF16 __ushort_as_bfloat16(0x7F7FU)
#define CUDART_NEG_ZERO_BF16 __ushort_as_bfloat16(0x8000U)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16(0x0000U)
#define CUDART_ONE_BF16 __ushort_as_bfloat16(0x3F80U)
LW_ANY unsigned short __bfloat16_as_ushort(__nv_bfloat16 a) {
  return __builtin_bit_cast(unsigned short, a);
}
LW_ANY __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return __nv_bfloat162{__nv_bfloat16(a), __nv_bfloat16(b)};
}
LW_ANY __nv_bfloat162 __float2bfloat162_rn(float a) { return __floats2bfloat162_rn(a, a); }
LW_ANY __nv_bfloat162 __float22bfloat162_rn(float2 a) { return __floats2bfloat162_rn(a.x, a.y); }
LW_ANY float2 __bfloat1622float2(__nv_bfloat162 a) { return make_float2(a.x, a.y); }
LW_ANY __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __nv_bfloat162{a, b};
}
LW_ANY __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return __nv_bfloat162{a, b};
}
LW_ANY __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) { return __nv_bfloat162{a, a}; }
LW_ANY __nv_bfloat16 __low2bfloat16(__nv_bfloat162 a) { return a.x; }
LW_ANY __nv_bfloat16 __high2bfloat16(__nv_bfloat162 a) { return a.y; }
LW_ANY float __low2float(__nv_bfloat162 a) { return a.x; }
LW_ANY float __high2float(__nv_bfloat162 a) { return a.y; }

#if defined(__CUDA__) && defined(__clang__)
LW_SMALL_FUNCTIONS(__nv_bfloat16, __nv_bfloat162)
LW_SMALL_SHUFFLES(__nv_bfloat16, unsigned short)
LW_SMALL_SHUFFLES(__nv_bfloat162, unsigned int)
#if __CUDA_ARCH__ >= 900
LW_SMALL_ATOMIC(__nv_bfloat16, unsigned short, unsigned short, "h", "bf16")
LW_SMALL_ATOMIC(__nv_bfloat162, unsigned int, unsigned int, "r", "bf16x2")
#else
LW_SMALL_ATOMIC_BY_EXCHANGE(__nv_bfloat16, unsigned short)
LW_SMALL_ATOMIC_BY_EXCHANGE(__nv_bfloat162, unsigned int)
#endif
#endif

#endif
