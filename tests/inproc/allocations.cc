#include "allocations.h"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t t_allocations = 0;

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

namespace longwire::inproc {

std::uint64_t thread_allocations() noexcept { return t_allocations; }

}  // namespace longwire::inproc
