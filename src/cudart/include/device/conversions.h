/* Between types, with the rounding in the name. */
#pragma once
#include "define.h"

#define LW_CONVERT(to, name, from, builtin) \
  LW_C to name(from a) { return builtin(a); }
#define LW_CONVERT_ALL(to, name, from, builtin) \
  LW_CONVERT(to, name##_rn, from, builtin##_rn) \
  LW_CONVERT(to, name##_rz, from, builtin##_rz) \
  LW_CONVERT(to, name##_rd, from, builtin##_rm) \
  LW_CONVERT(to, name##_ru, from, builtin##_rp)

LW_CONVERT_ALL(float, __nv_double2float, double, __nvvm_d2f)
LW_CONVERT_ALL(int, __nv_double2int, double, __nvvm_d2i)
LW_CONVERT_ALL(unsigned int, __nv_double2uint, double, __nvvm_d2ui)
LW_CONVERT_ALL(long long, __nv_double2ll, double, __nvvm_d2ll)
LW_CONVERT_ALL(unsigned long long, __nv_double2ull, double, __nvvm_d2ull)
LW_CONVERT_ALL(int, __nv_float2int, float, __nvvm_f2i)
LW_CONVERT_ALL(unsigned int, __nv_float2uint, float, __nvvm_f2ui)
LW_CONVERT_ALL(long long, __nv_float2ll, float, __nvvm_f2ll)
LW_CONVERT_ALL(unsigned long long, __nv_float2ull, float, __nvvm_f2ull)
LW_CONVERT_ALL(float, __nv_int2float, int, __nvvm_i2f)
LW_CONVERT_ALL(float, __nv_uint2float, unsigned int, __nvvm_ui2f)
LW_CONVERT_ALL(float, __nv_ll2float, long long, __nvvm_ll2f)
LW_CONVERT_ALL(float, __nv_ull2float, unsigned long long, __nvvm_ull2f)
LW_CONVERT_ALL(double, __nv_ll2double, long long, __nvvm_ll2d)
LW_CONVERT_ALL(double, __nv_ull2double, unsigned long long, __nvvm_ull2d)
#undef LW_CONVERT_ALL
#undef LW_CONVERT

LW_C double __nv_int2double_rn(int a) { return a; }
LW_C double __nv_uint2double_rn(unsigned int a) { return a; }

LW_C int __nv_float_as_int(float a) { return __builtin_bit_cast(int, a); }
LW_C unsigned int __nv_float_as_uint(float a) { return __builtin_bit_cast(unsigned int, a); }
LW_C float __nv_int_as_float(int a) { return __builtin_bit_cast(float, a); }
LW_C float __nv_uint_as_float(unsigned int a) { return __builtin_bit_cast(float, a); }
LW_C unsigned long long __nv_double_as_longlong(double a) {
  return __builtin_bit_cast(unsigned long long, a);
}
LW_C double __nv_longlong_as_double(long long a) { return __builtin_bit_cast(double, a); }
LW_C int __nv_double2hiint(double a) { return __builtin_bit_cast(long long, a) >> 32; }
LW_C int __nv_double2loint(double a) { return static_cast<int>(__builtin_bit_cast(long long, a)); }
LW_C double __nv_hiloint2double(int hi, int lo) {
  return __builtin_bit_cast(
      double,
      static_cast<long long>(static_cast<unsigned long long>(static_cast<unsigned>(hi)) << 32 |
                             static_cast<unsigned>(lo)));
}
LW_C unsigned short __nv_float2half_rn(float a) {
  unsigned short half;
  __asm__("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(a));
  return half;
}
LW_C float __nv_half2float(unsigned short a) {
  float value;
  __asm__("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(a));
  return value;
}
