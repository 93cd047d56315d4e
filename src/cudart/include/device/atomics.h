/* atomicAdd() and its like: the Programming Guide, "Atomic Functions". */
#pragma once
#include "define.h"

#define LW_ATOMIC(name, type, builtin, carrier)                                              \
  LW_DEVICE type name(type* at, type value) {                                                \
    return static_cast<type>(                                                                \
        __nvvm_atom_##builtin(reinterpret_cast<carrier*>(at), static_cast<carrier>(value))); \
  }
/* For the device, the block (…_block) and the whole machine (…_system). */
#define LW_ATOMIC_SCOPES(name, type, operation, suffix, carrier)         \
  LW_ATOMIC(name, type, operation##_gen_##suffix, carrier)               \
  LW_ATOMIC(name##_block, type, cta_##operation##_gen_##suffix, carrier) \
  LW_ATOMIC(name##_system, type, sys_##operation##_gen_##suffix, carrier)
#define LW_ATOMIC_BITS(name, operation)                           \
  LW_ATOMIC_SCOPES(name, int, operation, i, int)                  \
  LW_ATOMIC_SCOPES(name, unsigned int, operation, i, int)         \
  LW_ATOMIC_SCOPES(name, long, operation, ll, long long)          \
  LW_ATOMIC_SCOPES(name, unsigned long, operation, ll, long long) \
  LW_ATOMIC_SCOPES(name, long long, operation, ll, long long)     \
  LW_ATOMIC_SCOPES(name, unsigned long long, operation, ll, long long)
#define LW_ATOMIC_ORDERED(name, operation)                                  \
  LW_ATOMIC_SCOPES(name, int, operation, i, int)                            \
  LW_ATOMIC_SCOPES(name, unsigned int, operation, ui, unsigned int)         \
  LW_ATOMIC_SCOPES(name, long, operation, ll, long long)                    \
  LW_ATOMIC_SCOPES(name, unsigned long, operation, ull, unsigned long long) \
  LW_ATOMIC_SCOPES(name, long long, operation, ll, long long)               \
  LW_ATOMIC_SCOPES(name, unsigned long long, operation, ull, unsigned long long)

LW_ATOMIC_BITS(atomicAdd, add)
LW_ATOMIC_BITS(atomicAnd, and)
LW_ATOMIC_BITS(atomicOr, or)
LW_ATOMIC_BITS(atomicXor, xor)
LW_ATOMIC_BITS(atomicExch, xchg)
LW_ATOMIC_ORDERED(atomicMin, min)
LW_ATOMIC_ORDERED(atomicMax, max)
LW_ATOMIC_SCOPES(atomicAdd, float, add, f, float)
LW_ATOMIC_SCOPES(atomicAdd, double, add, d, double)
LW_ATOMIC_SCOPES(atomicInc, unsigned int, inc, ui, unsigned int)
LW_ATOMIC_SCOPES(atomicDec, unsigned int, dec, ui, unsigned int)
#undef LW_ATOMIC_BITS
#undef LW_ATOMIC_ORDERED
#undef LW_ATOMIC_SCOPES
#undef LW_ATOMIC

#define LW_ATOMIC_CAS(name, type, builtin, carrier)                                \
  LW_DEVICE type name(type* at, type expected, type value) {                       \
    return static_cast<type>(__nvvm_atom_##builtin(reinterpret_cast<carrier*>(at), \
                                                   static_cast<carrier>(expected), \
                                                   static_cast<carrier>(value)));  \
  }
#define LW_ATOMIC_CAS_SCOPES(type, suffix, carrier)                   \
  LW_ATOMIC_CAS(atomicCAS, type, cas_gen_##suffix, carrier)           \
  LW_ATOMIC_CAS(atomicCAS_block, type, cta_cas_gen_##suffix, carrier) \
  LW_ATOMIC_CAS(atomicCAS_system, type, sys_cas_gen_##suffix, carrier)
LW_ATOMIC_CAS_SCOPES(int, i, int)
LW_ATOMIC_CAS_SCOPES(unsigned int, i, int)
LW_ATOMIC_CAS_SCOPES(long, ll, long long)
LW_ATOMIC_CAS_SCOPES(unsigned long, ll, long long)
LW_ATOMIC_CAS_SCOPES(long long, ll, long long)
LW_ATOMIC_CAS_SCOPES(unsigned long long, ll, long long)
#undef LW_ATOMIC_CAS_SCOPES
#undef LW_ATOMIC_CAS

LW_DEVICE unsigned short atomicCAS(unsigned short* at, unsigned short expected,
                                   unsigned short value) {
  unsigned short old;
  __asm__ __volatile__("atom.cas.b16 %0, [%1], %2, %3;"
                       : "=h"(old)
                       : "l"(at), "h"(expected), "h"(value)
                       : "memory");
  return old;
}
LW_DEVICE float atomicExch(float* at, float value) {
  return __builtin_bit_cast(
      float, __nvvm_atom_xchg_gen_i(reinterpret_cast<int*>(at), __builtin_bit_cast(int, value)));
}
LW_DEVICE int atomicSub(int* at, int value) { return atomicAdd(at, -value); }
LW_DEVICE unsigned int atomicSub(unsigned int* at, unsigned int value) {
  return atomicAdd(at, 0U - value);
}
