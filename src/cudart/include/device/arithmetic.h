/* Integers and bits. */
#pragma once
#include "define.h"

LW_C int __nv_abs(int a) { return a < 0 ? -a : a; }
LW_C long long __nv_llabs(long long a) { return a < 0 ? -a : a; }
LW_C int __nv_min(int a, int b) { return a < b ? a : b; }
LW_C int __nv_max(int a, int b) { return a > b ? a : b; }
LW_C unsigned int __nv_umin(unsigned int a, unsigned int b) { return a < b ? a : b; }
LW_C unsigned int __nv_umax(unsigned int a, unsigned int b) { return a > b ? a : b; }
LW_C long long __nv_llmin(long long a, long long b) { return a < b ? a : b; }
LW_C long long __nv_llmax(long long a, long long b) { return a > b ? a : b; }
LW_C unsigned long long __nv_ullmin(unsigned long long a, unsigned long long b) {
  return a < b ? a : b;
}
LW_C unsigned long long __nv_ullmax(unsigned long long a, unsigned long long b) {
  return a > b ? a : b;
}

LW_C int __nv_brev(int a) { return __builtin_bitreverse32(a); }
LW_C long long __nv_brevll(long long a) { return __builtin_bitreverse64(a); }
LW_C int __nv_popc(unsigned int a) { return __builtin_popcount(a); }
LW_C int __nv_popcll(unsigned long long a) { return __builtin_popcountll(a); }
LW_C int __nv_clz(int a) { return a == 0 ? 32 : __builtin_clz(a); }
LW_C int __nv_clzll(long long a) { return a == 0 ? 64 : __builtin_clzll(a); }
LW_C int __nv_ffs(int a) { return __builtin_ffs(a); }
LW_C int __nv_ffsll(long long a) { return __builtin_ffsll(a); }
LW_C int __nv_byte_perm(int a, int b, int c) { return __nvvm_prmt(a, b, c); }

LW_C int __nv_mulhi(int a, int b) { return __nvvm_mulhi_i(a, b); }
LW_C unsigned int __nv_umulhi(unsigned int a, unsigned int b) { return __nvvm_mulhi_ui(a, b); }
LW_C long long __nv_mul64hi(long long a, long long b) { return __nvvm_mulhi_ll(a, b); }
LW_C unsigned long long __nv_umul64hi(unsigned long long a, unsigned long long b) {
  return __nvvm_mulhi_ull(a, b);
}
LW_C int __nv_mul24(int a, int b) { return __nvvm_mul24_i(a, b); }
LW_C unsigned int __nv_umul24(unsigned int a, unsigned int b) { return __nvvm_mul24_ui(a, b); }
LW_C int __nv_sad(int a, int b, int c) { return __nvvm_sad_i(a, b, c); }
LW_C unsigned int __nv_usad(unsigned int a, unsigned int b, unsigned int c) {
  return __nvvm_sad_ui(a, b, c);
}
/* Means without overflow; the r… round up. */
LW_C int __nv_hadd(int a, int b) { return (a & b) + ((a ^ b) >> 1); }
LW_C int __nv_rhadd(int a, int b) { return (a | b) - ((a ^ b) >> 1); }
LW_C int __nv_uhadd(unsigned int a, unsigned int b) { return (a & b) + ((a ^ b) >> 1); }
LW_C unsigned int __nv_urhadd(unsigned int a, unsigned int b) { return (a | b) - ((a ^ b) >> 1); }

/* PTX ISA, dp4a and dp2a: four bytes, or two halves and two bytes, multiplied and summed. */
#define LW_DP(name, ptx, type, left, right)                                                \
  LW_DEVICE type name(left a, right b, type c) {                                           \
    type d;                                                                                \
    __asm__(ptx " %0, %1, %2, %3;"                                                         \
            : "=r"(d)                                                                      \
            : "r"(*reinterpret_cast<int*>(&a)), "r"(*reinterpret_cast<int*>(&b)), "r"(c)); \
    return d;                                                                              \
  }
LW_DP(__dp4a, "dp4a.s32.s32", int, int, int)
LW_DP(__dp4a, "dp4a.u32.u32", unsigned int, unsigned int, unsigned int)
LW_DP(__dp4a, "dp4a.s32.s32", int, char4, char4)
LW_DP(__dp4a, "dp4a.u32.u32", unsigned int, uchar4, uchar4)
LW_DP(__dp2a_lo, "dp2a.lo.s32.s32", int, int, int)
LW_DP(__dp2a_lo, "dp2a.lo.u32.u32", unsigned int, unsigned int, unsigned int)
LW_DP(__dp2a_lo, "dp2a.lo.s32.s32", int, short2, char4)
LW_DP(__dp2a_lo, "dp2a.lo.u32.u32", unsigned int, ushort2, uchar4)
LW_DP(__dp2a_hi, "dp2a.hi.s32.s32", int, int, int)
LW_DP(__dp2a_hi, "dp2a.hi.u32.u32", unsigned int, unsigned int, unsigned int)
LW_DP(__dp2a_hi, "dp2a.hi.s32.s32", int, short2, char4)
LW_DP(__dp2a_hi, "dp2a.hi.u32.u32", unsigned int, ushort2, uchar4)
#undef LW_DP
