// Staging memory: where bytes lie between the wire and the vendor driver. Blocks are kept for
// reuse, so that a small transfer allocates nothing; what is out at once is bounded.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace longwire::worker::core {

inline constexpr std::size_t kLeastBlockBytes = std::size_t{4} << 10;
inline constexpr std::size_t kLargestPooledBytes = std::size_t{8} << 20;
inline constexpr std::size_t kKeptBytesPerClass = std::size_t{32} << 20;
inline constexpr std::size_t kBlockAlignment = 4096;

class BlockPool;

// Owns one block; gives it back when destroyed. Outlived by its pool.
class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept { *this = std::move(other); }
  Block& operator=(Block&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Block() { reset(); }
  void reset() noexcept;

  explicit operator bool() const noexcept { return memory_ != nullptr; }
  std::byte* data() const noexcept { return memory_; }
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> bytes() const noexcept { return {memory_, size_}; }

 private:
  friend class BlockPool;
  Block(BlockPool* pool, std::byte* memory, std::size_t size, std::size_t capacity) noexcept
      : pool_(pool), memory_(memory), size_(size), capacity_(capacity) {}
  BlockPool* pool_ = nullptr;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Thread-safe.
class BlockPool {
 public:
  explicit BlockPool(std::size_t limit_bytes) noexcept : limit_(limit_bytes) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // Empty when the limit would be passed or there is no memory. size_bytes may be 0.
  Block acquire(std::size_t size_bytes);
  // Waits for room; empty once stop() was called, or when the size can never be had.
  Block acquire_wait(std::size_t size_bytes);
  // Ends every wait, now and later.
  void stop();
  std::size_t out_bytes() const;

 private:
  friend class Block;
  static constexpr std::size_t kClasses = 12;  // 4 KiB … 8 MiB
  void give_back(std::byte* memory, std::size_t capacity) noexcept;

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  bool stopped_ = false;
  std::size_t out_ = 0;
  std::array<std::vector<std::byte*>, kClasses> free_;
};

}  // namespace longwire::worker::core
