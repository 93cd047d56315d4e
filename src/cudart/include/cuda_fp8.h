/* Numbers of eight bits: __nv_fp8_e4m3 and __nv_fp8_e5m2, pairs and fours of them, and their
   conversions, for host and device alike: the CUDA Math API, "FP8 Intrinsics". To the nearest, ties
   to even. */
#ifndef LONGWIRE_CUDA_FP8_H
#define LONGWIRE_CUDA_FP8_H
#define __CUDA_FP8_H__ /* what programs ask for */

#include "cuda_bf16.h"
#include "cuda_fp16.h"

typedef unsigned char __nv_fp8_storage_t;
typedef unsigned short __nv_fp8x2_storage_t;
typedef unsigned int __nv_fp8x4_storage_t;
/* What a number beyond the largest becomes: infinity, or NaN in E4M3; the largest. */
typedef enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE } __nv_saturation_t;
typedef enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 } __nv_fp8_interpretation_t;

/* The nearest in `kind`. float holds all of them, and more than twice their digits: what a double
   adds beyond it does not matter but at ties, see lw_round_to_odd(). */
LW_ANY __nv_fp8_storage_t __nv_cvt_float_to_fp8(float value, __nv_saturation_t saturate,
                                                __nv_fp8_interpretation_t kind) {
  const int digits = kind == __NV_E4M3 ? 3 : 2;
  const int least = kind == __NV_E4M3 ? -6 : -14; /* exponent of the least normal number */
  const unsigned int largest = kind == __NV_E4M3 ? 0x7e : 0x7b;
  const unsigned int overflow = saturate == __NV_SATFINITE ? largest
                                : kind == __NV_E4M3        ? 0x7f
                                                           : 0x7c;
  const unsigned int bits = __builtin_bit_cast(unsigned int, value);
  const unsigned int sign = bits >> 24 & 0x80, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7f;
  if (magnitude == 0x7f800000) return static_cast<__nv_fp8_storage_t>(sign | overflow);
  int exponent = static_cast<int>(magnitude >> 23) - 127;
  if (exponent < least - digits - 1) return static_cast<__nv_fp8_storage_t>(sign);
  /* Units of the last digit that stays: below `least` they do not get smaller. */
  unsigned int fraction = (magnitude & 0x7fffff) | 0x800000;
  const int dropped = 23 - digits + (exponent < least ? least - exponent : 0);
  const unsigned int half = 1u << (dropped - 1), rest = fraction & ((1u << dropped) - 1);
  fraction >>= dropped;
  if (rest > half || (rest == half && (fraction & 1) != 0)) ++fraction;
  /* A carry out of the fraction raises the exponent by itself. */
  if (exponent < least) exponent = least;
  const unsigned int made = (static_cast<unsigned int>(exponent - least) << digits) + fraction;
  return static_cast<__nv_fp8_storage_t>(sign | (made > largest ? overflow : made));
}

LW_ANY __nv_fp8_storage_t __nv_cvt_double_to_fp8(double value, __nv_saturation_t saturate,
                                                 __nv_fp8_interpretation_t kind) {
  return __nv_cvt_float_to_fp8(lw_round_to_odd(value), saturate, kind);
}
LW_ANY __nv_fp8_storage_t __nv_cvt_halfraw_to_fp8(__half_raw value, __nv_saturation_t saturate,
                                                  __nv_fp8_interpretation_t kind) {
  return __nv_cvt_float_to_fp8(__ushort_as_half(value.x), saturate, kind);
}
LW_ANY __nv_fp8_storage_t __nv_cvt_bfloat16raw_to_fp8(__nv_bfloat16_raw value,
                                                      __nv_saturation_t saturate,
                                                      __nv_fp8_interpretation_t kind) {
  return __nv_cvt_float_to_fp8(__ushort_as_bfloat16(value.x), saturate, kind);
}
LW_ANY __nv_fp8x2_storage_t lw_fp8_pair(__nv_fp8_storage_t low, __nv_fp8_storage_t high) {
  return static_cast<__nv_fp8x2_storage_t>(low | high << 8);
}
LW_ANY __nv_fp8x2_storage_t __nv_cvt_float2_to_fp8x2(float2 value, __nv_saturation_t saturate,
                                                     __nv_fp8_interpretation_t kind) {
  return lw_fp8_pair(__nv_cvt_float_to_fp8(value.x, saturate, kind),
                     __nv_cvt_float_to_fp8(value.y, saturate, kind));
}
LW_ANY __nv_fp8x2_storage_t __nv_cvt_double2_to_fp8x2(double2 value, __nv_saturation_t saturate,
                                                      __nv_fp8_interpretation_t kind) {
  return lw_fp8_pair(__nv_cvt_double_to_fp8(value.x, saturate, kind),
                     __nv_cvt_double_to_fp8(value.y, saturate, kind));
}
LW_ANY __nv_fp8x2_storage_t __nv_cvt_halfraw2_to_fp8x2(__half2_raw value,
                                                       __nv_saturation_t saturate,
                                                       __nv_fp8_interpretation_t kind) {
  return __nv_cvt_float2_to_fp8x2(make_float2(__ushort_as_half(value.x), __ushort_as_half(value.y)),
                                  saturate, kind);
}

/* Exact: half has the exponents of E5M2 and more digits than either. */
LW_ANY __half_raw __nv_cvt_fp8_to_halfraw(__nv_fp8_storage_t value,
                                          __nv_fp8_interpretation_t kind) {
  __half_raw made;
  made.x = static_cast<unsigned short>(value << 8);
  if (kind == __NV_E5M2) return made;
  const unsigned int magnitude = value & 0x7f;
  if (magnitude == 0x7f) {
    made.x = 0x7fff;
    return made;
  }
  /* The fields as a half's, whose exponent counts from 8 further down. */
  const float scaled = __ushort_as_half(static_cast<unsigned short>(magnitude << 7));
  const unsigned short bits = __half_as_ushort(__half(scaled * 256));
  made.x = static_cast<unsigned short>(bits | (value & 0x80) << 8);
  return made;
}
LW_ANY __half2_raw __nv_cvt_fp8x2_to_halfraw2(__nv_fp8x2_storage_t value,
                                              __nv_fp8_interpretation_t kind) {
  __half2_raw made;
  made.x = __nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(value & 0xff), kind).x;
  made.y = __nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(value >> 8), kind).x;
  return made;
}
LW_ANY float lw_fp8_to_float(__nv_fp8_storage_t value, __nv_fp8_interpretation_t kind) {
  return __ushort_as_half(__nv_cvt_fp8_to_halfraw(value, kind).x);
}

#define LW_FP8_FROM(type, from)                 \
  __host__ __device__ explicit type(from value) \
      : __x(__nv_cvt_float_to_fp8(static_cast<float>(value), __NV_SATFINITE, lw_kind)) {}
#define LW_FP8_TYPES(type, type2, type4, kind)                                                  \
  struct type {                                                                                 \
    static constexpr __nv_fp8_interpretation_t lw_kind = kind;                                  \
    __nv_fp8_storage_t __x;                                                                     \
    type() = default;                                                                           \
    LW_FP8_FROM(type, __half)                                                                   \
    LW_FP8_FROM(type, __nv_bfloat16)                                                            \
    LW_FP8_FROM(type, float)                                                                    \
    LW_FP8_FROM(type, int)                                                                      \
    LW_FP8_FROM(type, unsigned int)                                                             \
    __host__ __device__ explicit type(double value)                                             \
        : __x(__nv_cvt_double_to_fp8(value, __NV_SATFINITE, kind)) {}                           \
    __host__ __device__ explicit operator float() const { return lw_fp8_to_float(__x, kind); }  \
    __host__ __device__ explicit operator double() const { return float(*this); }               \
    __host__ __device__ explicit operator __half() const { return float(*this); }               \
    __host__ __device__ explicit operator __nv_bfloat16() const { return float(*this); }        \
    __host__ __device__ explicit operator bool() const { return (__x & 0x7f) != 0; }            \
  };                                                                                            \
  struct type2 {                                                                                \
    __nv_fp8x2_storage_t __x;                                                                   \
    type2() = default;                                                                          \
    __host__ __device__ explicit type2(float2 value)                                            \
        : __x(__nv_cvt_float2_to_fp8x2(value, __NV_SATFINITE, kind)) {}                         \
    __host__ __device__ explicit type2(double2 value)                                           \
        : __x(__nv_cvt_double2_to_fp8x2(value, __NV_SATFINITE, kind)) {}                        \
    __host__ __device__ explicit type2(__half2 value) : type2(make_float2(value.x, value.y)) {} \
    __host__ __device__ explicit type2(__nv_bfloat162 value)                                    \
        : type2(make_float2(value.x, value.y)) {}                                               \
    __host__ __device__ explicit operator float2() const {                                      \
      return make_float2(lw_fp8_to_float(static_cast<__nv_fp8_storage_t>(__x & 0xff), kind),    \
                         lw_fp8_to_float(static_cast<__nv_fp8_storage_t>(__x >> 8), kind));     \
    }                                                                                           \
    __host__ __device__ explicit operator __half2() const {                                     \
      return __float22half2_rn(float2(*this));                                                  \
    }                                                                                           \
  };                                                                                            \
  struct type4 {                                                                                \
    __nv_fp8x4_storage_t __x;                                                                   \
    type4() = default;                                                                          \
    __host__ __device__ explicit type4(float4 value)                                            \
        : __x(type2(make_float2(value.x, value.y)).__x |                                        \
              static_cast<unsigned int>(type2(make_float2(value.z, value.w)).__x) << 16) {}     \
    __host__ __device__ type4(__half2 low, __half2 high)                                        \
        : __x(type2(low).__x | static_cast<unsigned int>(type2(high).__x) << 16) {}             \
    __host__ __device__ type4(__nv_bfloat162 low, __nv_bfloat162 high)                          \
        : __x(type2(low).__x | static_cast<unsigned int>(type2(high).__x) << 16) {}             \
    __host__ __device__ explicit operator float4() const {                                      \
      type2 low, high;                                                                          \
      low.__x = static_cast<__nv_fp8x2_storage_t>(__x & 0xffff);                                \
      high.__x = static_cast<__nv_fp8x2_storage_t>(__x >> 16);                                  \
      const float2 first = float2(low), second = float2(high);                                  \
      return make_float4(first.x, first.y, second.x, second.y);                                 \
    }                                                                                           \
  };
LW_FP8_TYPES(__nv_fp8_e4m3, __nv_fp8x2_e4m3, __nv_fp8x4_e4m3, __NV_E4M3)
LW_FP8_TYPES(__nv_fp8_e5m2, __nv_fp8x2_e5m2, __nv_fp8x4_e5m2, __NV_E5M2)
#undef LW_FP8_TYPES
#undef LW_FP8_FROM

#endif
