// How often this thread has asked for memory with `new`: replaces the global operator.
#pragma once

#include <cstdint>

namespace longwire::inproc {

std::uint64_t thread_allocations() noexcept;

}  // namespace longwire::inproc
