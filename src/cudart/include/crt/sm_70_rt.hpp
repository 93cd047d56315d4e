/* A name that clang's __clang_cuda_intrinsics.h includes: the overloads of __match_…_sync(). */
#ifndef LONGWIRE_SM_70_RT_HPP
#define LONGWIRE_SM_70_RT_HPP

#define LW_MATCH(type, width, carrier)                                                     \
  static inline __device__ unsigned int __match_any_sync(unsigned int mask, type value) {  \
    return __match##width##_any_sync(mask, __builtin_bit_cast(carrier, value));            \
  }                                                                                        \
  static inline __device__ unsigned int __match_all_sync(unsigned int mask, type value,    \
                                                         int* all) {                       \
    return __match##width##_all_sync(mask, __builtin_bit_cast(carrier, value), all);       \
  }
LW_MATCH(int, 32, unsigned int)
LW_MATCH(unsigned int, 32, unsigned int)
LW_MATCH(float, 32, unsigned int)
LW_MATCH(long, 64, unsigned long long)
LW_MATCH(unsigned long, 64, unsigned long long)
LW_MATCH(long long, 64, unsigned long long)
LW_MATCH(unsigned long long, 64, unsigned long long)
LW_MATCH(double, 64, unsigned long long)
#undef LW_MATCH

static inline __device__ void __nanosleep(unsigned int ns) { __nvvm_nanosleep(ns); }

#endif
