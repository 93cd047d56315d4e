// What a link has done, counted where it does it. Written by the link, read by anybody at any time.
#pragma once

#include <atomic>
#include <cstdint>

namespace longwire::link {

// System calls and the bytes they moved (with TLS: those of the network). Calls that moved nothing
// count as well.
struct LinkCounters {
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> waits{0};  // poll
  std::atomic<std::uint64_t> wakes{0};  // of the descriptor that ends a poll: written, or read

  void count(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) noexcept {
    counter.fetch_add(amount, std::memory_order_relaxed);
  }
};

}  // namespace longwire::link
