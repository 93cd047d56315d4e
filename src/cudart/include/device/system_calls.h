/* What the device's driver provides: output, the heap, failed assertions, conditions of graphs. */
#pragma once

extern "C" {
__device__ int vprintf(const char*, const char*);
__device__ int printf(const char*, ...); /* clang makes vprintf of it */
__device__ void* malloc(size_t) __attribute__((nothrow)) __attribute__((malloc));
__device__ void free(void*) __attribute__((nothrow));
__device__ void __assertfail(const char* message, const char* file, unsigned line,
                             const char* function, size_t char_bytes);
__device__ void cudaGraphSetConditional(unsigned long long handle, unsigned value);
/* What <assert.h> of glibc calls. */
__device__ static inline void __assert_fail(const char* message, const char* file, unsigned line,
                                            const char* function) {
  __assertfail(message, file, line, function, sizeof(char));
}
}

namespace std {
__device__ static inline void* malloc(size_t bytes) { return ::malloc(bytes); }
__device__ static inline void free(void* memory) { ::free(memory); }
}  // namespace std
