// How often this thread has asked for memory with `new`: replaces the global operator.
#pragma once

#include <cstdint>

namespace longwire::inproc {

std::uint64_t thread_allocations() noexcept;
// Not under ThreadSanitizer: then the number is always 0.
bool allocations_are_counted() noexcept;

}  // namespace longwire::inproc
