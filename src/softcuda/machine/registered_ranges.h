// RegisteredRanges: memory of the program that kernels may use. Readers take no lock: they look
// again where a writer was at work (a sequence lock).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "softcuda/machine/memory.h"

namespace longwire::softcuda::machine {

class RegisteredRanges {
 public:
  // Any thread.
  bool covers(std::uint64_t address, std::uint64_t bytes) const noexcept {
    if (count_.load(std::memory_order_acquire) == 0) return false;
    for (;;) {
      const std::uint32_t before = sequence_.load();
      const bool inside = look(address, bytes);
      if (before % 2 == 0 && sequence_.load() == before) return inside;
    }
  }

  // One thread at a time. `index` is where it goes: ranges are sorted.
  bool insert(std::size_t index, std::uint64_t begin, std::uint64_t end) noexcept {
    const std::size_t count = count_.load();
    if (count == kMaxRegisteredRanges) return false;
    sequence_.fetch_add(1);
    for (std::size_t i = count; i > index; --i)
      copy(i - 1, i);
    begin_[index].store(begin);
    end_[index].store(end);
    count_.store(count + 1);
    sequence_.fetch_add(1);
    return true;
  }
  void erase(std::size_t index) noexcept {
    const std::size_t count = count_.load();
    sequence_.fetch_add(1);
    for (std::size_t i = index; i + 1 < count; ++i)
      copy(i + 1, i);
    count_.store(count - 1);
    sequence_.fetch_add(1);
  }

 private:
  bool look(std::uint64_t address, std::uint64_t bytes) const noexcept {
    std::size_t low = 0, high = count_.load();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (end_[middle].load() <= address)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == count_.load()) return false;
    const std::uint64_t begin = begin_[low].load(), end = end_[low].load();
    return begin <= address && address < end && bytes <= end - address;
  }
  void copy(std::size_t from, std::size_t to) noexcept {
    begin_[to].store(begin_[from].load());
    end_[to].store(end_[from].load());
  }

  std::array<std::atomic<std::uint64_t>, kMaxRegisteredRanges> begin_{}, end_{};
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint32_t> sequence_{0};
};

}  // namespace longwire::softcuda::machine
