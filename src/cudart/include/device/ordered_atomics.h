/* __nv_atomic_load() and its like, with an order and a scope: the Programming Guide, "Atomic
   Functions". Of numbers of 4 and 8 bytes. The order is made by fences, and every scope is the
   whole machine, which holds for the narrower ones too. */
#pragma once
#include "define.h"

enum {
  __NV_ATOMIC_RELAXED,
  __NV_ATOMIC_CONSUME,
  __NV_ATOMIC_ACQUIRE,
  __NV_ATOMIC_RELEASE,
  __NV_ATOMIC_ACQ_REL,
  __NV_ATOMIC_SEQ_CST
};
enum {
  __NV_THREAD_SCOPE_THREAD,
  __NV_THREAD_SCOPE_BLOCK,
  __NV_THREAD_SCOPE_CLUSTER,
  __NV_THREAD_SCOPE_DEVICE,
  __NV_THREAD_SCOPE_SYSTEM
};

LW_DEVICE void __nv_atomic_thread_fence(int order, int = __NV_THREAD_SCOPE_SYSTEM) {
  if (order != __NV_ATOMIC_RELAXED) __threadfence_system();
}
/* What comes before stays before; what comes after stays after. */
LW_DEVICE void lw_fence_before(int order) {
  if (order >= __NV_ATOMIC_RELEASE) __threadfence_system();
}
LW_DEVICE void lw_fence_after(int order) {
  if (order != __NV_ATOMIC_RELAXED && order != __NV_ATOMIC_RELEASE) __threadfence_system();
}

#define LW_ORDERED   \
  template <class T> \
  LW_DEVICE
LW_ORDERED T __nv_atomic_load_n(const T* at, int order, int = __NV_THREAD_SCOPE_SYSTEM) {
  if (order == __NV_ATOMIC_SEQ_CST) __threadfence_system();
  const T value = *static_cast<const volatile T*>(at);
  lw_fence_after(order);
  return value;
}
LW_ORDERED void __nv_atomic_load(const T* at, T* value, int order,
                                 int scope = __NV_THREAD_SCOPE_SYSTEM) {
  *value = __nv_atomic_load_n(at, order, scope);
}
LW_ORDERED void __nv_atomic_store_n(T* at, T value, int order, int = __NV_THREAD_SCOPE_SYSTEM) {
  lw_fence_before(order);
  *static_cast<volatile T*>(at) = value;
  if (order == __NV_ATOMIC_SEQ_CST) __threadfence_system();
}
LW_ORDERED void __nv_atomic_store(T* at, T* value, int order,
                                  int scope = __NV_THREAD_SCOPE_SYSTEM) {
  __nv_atomic_store_n(at, *value, order, scope);
}

/* The second forms return nothing. T is deduced of the address alone. */
template <class T>
struct lw_same {
  typedef T type;
};
#define LW_ORDERED_ATOMIC(fetch, plain, expression)                        \
  LW_ORDERED T fetch(T* at, typename lw_same<T>::type value, int order,    \
                     int = __NV_THREAD_SCOPE_SYSTEM) {                     \
    lw_fence_before(order);                                                \
    const T old = expression;                                              \
    lw_fence_after(order);                                                 \
    return old;                                                            \
  }                                                                        \
  LW_ORDERED void plain(T* at, typename lw_same<T>::type value, int order, \
                        int scope = __NV_THREAD_SCOPE_SYSTEM) {            \
    fetch(at, value, order, scope);                                        \
  }
LW_ORDERED_ATOMIC(__nv_atomic_fetch_add, __nv_atomic_add, atomicAdd_system(at, value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_sub, __nv_atomic_sub, atomicAdd_system(at, T(0) - value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_and, __nv_atomic_and, atomicAnd_system(at, value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_or, __nv_atomic_or, atomicOr_system(at, value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_xor, __nv_atomic_xor, atomicXor_system(at, value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_min, __nv_atomic_min, atomicMin_system(at, value))
LW_ORDERED_ATOMIC(__nv_atomic_fetch_max, __nv_atomic_max, atomicMax_system(at, value))
#undef LW_ORDERED_ATOMIC

/* The word that holds a T. */
template <unsigned long long kBytes>
struct lw_word;
template <>
struct lw_word<4> {
  typedef unsigned int type;
};
template <>
struct lw_word<8> {
  typedef unsigned long long type;
};
LW_ORDERED T __nv_atomic_exchange_n(T* at, typename lw_same<T>::type value, int order,
                                    int = __NV_THREAD_SCOPE_SYSTEM) {
  typedef typename lw_word<sizeof(T)>::type word;
  lw_fence_before(order);
  const word old = atomicExch_system(reinterpret_cast<word*>(at), __builtin_bit_cast(word, value));
  lw_fence_after(order);
  return __builtin_bit_cast(T, old);
}
LW_ORDERED void __nv_atomic_exchange(T* at, T* value, T* old, int order,
                                     int scope = __NV_THREAD_SCOPE_SYSTEM) {
  *old = __nv_atomic_exchange_n(at, *value, order, scope);
}
/* True: `value` is there; else *expected is what was. It never fails for nothing. */
LW_ORDERED bool __nv_atomic_compare_exchange_n(T* at, T* expected, typename lw_same<T>::type value,
                                               bool, int success, int failure,
                                               int = __NV_THREAD_SCOPE_SYSTEM) {
  typedef typename lw_word<sizeof(T)>::type word;
  const word wanted = __builtin_bit_cast(word, *expected);
  lw_fence_before(success);
  const word old =
      atomicCAS_system(reinterpret_cast<word*>(at), wanted, __builtin_bit_cast(word, value));
  lw_fence_after(old == wanted ? success : failure);
  *expected = __builtin_bit_cast(T, old);
  return old == wanted;
}
LW_ORDERED bool __nv_atomic_compare_exchange(T* at, T* expected, T* value, bool weak, int success,
                                             int failure, int scope = __NV_THREAD_SCOPE_SYSTEM) {
  return __nv_atomic_compare_exchange_n(at, expected, *value, weak, success, failure, scope);
}
#undef LW_ORDERED
