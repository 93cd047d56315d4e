// Plain loads and stores of a kernel in the program's memory. Where kernels race in it (blocks of a
// search that mark the same node, say), that is the program's own affair: ThreadSanitizer does not
// look at these accesses, and at nothing else less for it.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LW_OF_PROGRAM __attribute__((no_sanitize("thread"), noinline))
#define LW_COPY(to, from, bytes) \
  __builtin_memcpy_inline(to, from, bytes)  // a call would be looked at
#endif
#endif
#if !defined(LW_OF_PROGRAM)
#define LW_OF_PROGRAM
#define LW_COPY(to, from, bytes) std::memcpy(to, from, bytes)
#endif

namespace longwire::softcuda::interp {

template <class T>
LW_OF_PROGRAM T load_plain(const std::byte* place) {
  T value;
  LW_COPY(&value, place, sizeof(T));
  return value;
}
template <class T>
LW_OF_PROGRAM void store_plain(std::byte* place, T value) {
  LW_COPY(place, &value, sizeof(T));
}

// Of all lanes, one after the other.
template <class T, int kCount>
LW_OF_PROGRAM void load_row(T* values, const std::byte* place) {
  LW_COPY(values, place, kCount * sizeof(T));
}
template <class T, int kCount>
LW_OF_PROGRAM void store_row(std::byte* place, const T* values) {
  LW_COPY(place, values, kCount * sizeof(T));
}

}  // namespace longwire::softcuda::interp

#undef LW_OF_PROGRAM
#undef LW_COPY
