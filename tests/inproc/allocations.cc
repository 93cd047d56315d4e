#include "allocations.h"

#include <cstdlib>
#include <new>

// ThreadSanitizer's runtime has operators of its own, which cannot be replaced.
#if defined(__SANITIZE_THREAD__)
#define LW_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LW_TSAN 1
#endif
#endif

namespace {
thread_local std::uint64_t t_allocations = 0;
}  // namespace

#ifndef LW_TSAN

namespace {

void* allocate(std::size_t bytes) noexcept {
  ++t_allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace

// The others (arrays, sized deletion) call these; aligned ones are not counted.
void* operator new(std::size_t bytes) {
  if (void* const memory = allocate(bytes)) return memory;
  std::abort();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif  // LW_TSAN

namespace longwire::inproc {

bool allocations_are_counted() noexcept {
#ifdef LW_TSAN
  return false;
#else
  return true;
#endif
}
std::uint64_t thread_allocations() noexcept { return t_allocations; }

}  // namespace longwire::inproc
