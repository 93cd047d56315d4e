/* Copies to shared memory that go on while the thread does: the Programming Guide, "Pipeline
   Primitives". */
#ifndef LONGWIRE_CUDA_PIPELINE_H
#define LONGWIRE_CUDA_PIPELINE_H

#include "device_builtins.h"

#if defined(__CUDA__) && defined(__clang__)

/* Of 4, 8 or 16 bytes, aligned so; the last `zeros` bytes are zeroed instead. */
static inline __attribute__((device, always_inline)) void __pipeline_memcpy_async(
    void* shared, const void* global, size_t bytes, size_t zeros = 0) {
  const unsigned int to = static_cast<unsigned int>(__cvta_generic_to_shared(shared));
  const size_t from = __cvta_generic_to_global(global);
  const unsigned int copied = static_cast<unsigned int>(bytes - zeros);
#define LW_COPY(size)                                                         \
  __asm__ __volatile__("cp.async.ca.shared.global [%0], [%1], " #size ", %2;" \
                       :                                                      \
                       : "r"(to), "l"(from), "r"(copied)                      \
                       : "memory")
  if (bytes == 4)
    LW_COPY(4);
  else if (bytes == 8)
    LW_COPY(8);
  else if (bytes == 16)
    LW_COPY(16);
  else
    __trap();
#undef LW_COPY
}
static inline __attribute__((device, always_inline)) void __pipeline_commit() {
  __asm__ __volatile__("cp.async.commit_group;" ::: "memory");
}
/* All but the last `prior` commits are done. The instruction wants a constant. */
static inline __attribute__((device, always_inline)) void __pipeline_wait_prior(
    unsigned int prior) {
#define LW_WAIT(n)                                                    \
  case n:                                                             \
    __asm__ __volatile__("cp.async.wait_group " #n ";" ::: "memory"); \
    break
  switch (prior) {
    LW_WAIT(1);
    LW_WAIT(2);
    LW_WAIT(3);
    LW_WAIT(4);
    LW_WAIT(5);
    LW_WAIT(6);
    LW_WAIT(7);
    default:
      __asm__ __volatile__("cp.async.wait_group 0;" ::: "memory"); /* more than was asked */
  }
#undef LW_WAIT
}

#endif
#endif
