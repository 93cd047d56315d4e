// FreeRanges: which parts of an address range are free. First fit.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace longwire::softcuda::machine {

class FreeRanges {
 public:
  FreeRanges(std::uint64_t begin, std::uint64_t bytes) { free_.emplace(begin, bytes); }

  // REQUIRES: alignment is a power of two.
  std::optional<std::uint64_t> take(std::uint64_t bytes, std::uint64_t alignment) {
    for (auto range = free_.begin(); range != free_.end(); ++range) {
      const std::uint64_t begin = (range->first + alignment - 1) & ~(alignment - 1);
      const std::uint64_t end = range->first + range->second;
      if (begin < range->first || begin > end || end - begin < bytes) continue;
      const std::uint64_t first = range->first;
      free_.erase(range);
      if (begin > first) free_.emplace(first, begin - first);
      if (end > begin + bytes) free_.emplace(begin + bytes, end - begin - bytes);
      return begin;
    }
    return std::nullopt;
  }

  // Exactly these addresses; false: not all of them are free.
  bool take_at(std::uint64_t begin, std::uint64_t bytes) {
    auto next = free_.upper_bound(begin);
    if (next == free_.begin()) return false;
    const auto range = std::prev(next);
    const std::uint64_t first = range->first, end = first + range->second;
    if (begin > end || bytes > end - begin) return false;
    free_.erase(range);
    if (begin > first) free_.emplace(first, begin - first);
    if (end > begin + bytes) free_.emplace(begin + bytes, end - begin - bytes);
    return true;
  }

  void give(std::uint64_t begin, std::uint64_t bytes) {
    auto next = free_.upper_bound(begin);
    if (next != free_.end() && begin + bytes == next->first) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == begin) {
        before->second += bytes;
        return;
      }
    }
    free_.emplace(begin, bytes);
  }

 private:
  std::map<std::uint64_t, std::uint64_t> free_;  // begin to bytes; none touches another
};

}  // namespace longwire::softcuda::machine
