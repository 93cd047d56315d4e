/* Addresses and the state spaces that they lie in. */
#pragma once
#include "define.h"

LW_DEVICE unsigned int __isGlobal(const void* p) { return __nvvm_isspacep_global(p); }
LW_DEVICE unsigned int __isShared(const void* p) { return __nvvm_isspacep_shared(p); }
LW_DEVICE unsigned int __isConstant(const void* p) { return __nvvm_isspacep_const(p); }
LW_DEVICE unsigned int __isLocal(const void* p) { return __nvvm_isspacep_local(p); }

/* The numbers are those of LLVM's NVPTX back end. */
#define LW_CVTA(space, number)                                      \
  LW_DEVICE size_t __cvta_generic_to_##space(const void* p) {       \
    return (size_t)(void __attribute__((address_space(number)))*)p; \
  }                                                                 \
  LW_DEVICE void* __cvta_##space##_to_generic(size_t p) {           \
    return (void*)(void __attribute__((address_space(number)))*)p;  \
  }
LW_CVTA(global, 1)
LW_CVTA(shared, 3)
LW_CVTA(constant, 4)
LW_CVTA(local, 5)
#undef LW_CVTA
