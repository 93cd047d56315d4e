#include "worker/core/block_pool.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"
#include "base/huge_pages.h"

namespace longwire::worker::core {
namespace {

std::size_t class_of(std::size_t capacity) {
  return std::bit_width(capacity) - std::bit_width(kLeastBlockBytes);
}

std::size_t capacity_for(std::size_t size) {
  if (size <= kLargestPooledBytes) return std::bit_ceil(std::max(size, kLeastBlockBytes));
  return (size + base::kHugePageBytes - 1) / base::kHugePageBytes * base::kHugePageBytes;
}

std::byte* allocate(std::size_t capacity) {
  const bool large = capacity >= base::kHugePageBytes;
  void* const memory = std::aligned_alloc(large ? base::kHugePageBytes : kBlockAlignment, capacity);
  if (memory != nullptr) base::prefer_huge_pages(memory, capacity);
  return static_cast<std::byte*>(memory);
}

}  // namespace

void Block::reset() noexcept {
  if (memory_ != nullptr) pool_->give_back(memory_, capacity_);
  memory_ = nullptr;
  size_ = capacity_ = 0;
}

BlockPool::~BlockPool() {
  for (auto& list : free_)
    for (std::byte* memory : list)
      std::free(memory);
}

Block BlockPool::acquire(std::size_t size) {
  if (size > limit_) return {};
  const std::size_t capacity = capacity_for(size);
  {
    const std::lock_guard lock(mutex_);
    if (out_ > limit_ || capacity > limit_ - out_) return {};
    out_ += capacity;
    if (capacity <= kLargestPooledBytes) {
      auto& list = free_[class_of(capacity)];
      if (!list.empty()) {
        std::byte* memory = list.back();
        list.pop_back();
        return {this, memory, size, capacity};
      }
    }
  }
  if (std::byte* const memory = allocate(capacity)) return {this, memory, size, capacity};
  const std::lock_guard lock(mutex_);
  out_ -= capacity;
  return {};
}

Block BlockPool::acquire_wait(std::size_t size) {
  for (;;) {
    if (Block block = acquire(size)) return block;
    std::unique_lock lock(mutex_);
    if (stopped_ || size > limit_) return {};
    const std::size_t out = out_;
    if (out == 0) return {};  // no memory at all: nothing to wait for
    room_.wait(lock, [&] { return stopped_ || out_ < out; });
  }
}

void BlockPool::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  room_.notify_all();
}

void BlockPool::give_back(std::byte* memory, std::size_t capacity) noexcept {
  {
    const std::lock_guard lock(mutex_);
    out_ -= capacity;
    room_.notify_all();
    if (capacity <= kLargestPooledBytes) {
      auto& list = free_[class_of(capacity)];
      if (list.size() < std::max<std::size_t>(kKeptBytesPerClass / capacity, 2) &&
          list.size() < 256) {
        list.push_back(memory);
        return;
      }
    }
  }
  std::free(memory);
}

std::size_t BlockPool::out_bytes() const {
  const std::lock_guard lock(mutex_);
  return out_;
}

}  // namespace longwire::worker::core
