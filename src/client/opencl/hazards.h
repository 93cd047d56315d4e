// PendingReads: host memory that non-blocking reads (and maps) under way will fill. A write whose
// source overlaps one of them must not take its bytes before they are there. Reads that come after
// the write do not concern it: on the device they are ordered behind it, or not at all.
// docs/ARCHITECTURE.md, decision 4.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <vector>

namespace longwire::client::opencl {

class Node;

class PendingReads {
 public:
  struct Entry {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::uint64_t number;  // in the order of add()
    Node* node;            // whose pump brings the bytes
  };
  using Ticket = std::list<Entry>::iterator;

  Ticket add(std::span<const std::byte> destination, Node& node);
  // The bytes are there, or will never be: runs what when_read() was given. Whoever waits must be
  // notified by the caller.
  void remove(Ticket ticket) noexcept;

  bool empty() const noexcept { return count_.load(std::memory_order_acquire) == 0; }
  // A read under way will write into `source`. One atomic load when no read is under way.
  bool overlaps(std::span<const std::byte> source) const noexcept;

  // Returns when none of the reads that are under way now overlaps `source` any more, or when the
  // session of one is lost.
  void wait_for(std::span<const std::byte> source) const noexcept;
  // As wait_for(), without waiting: calls `then` once, on the thread that brings the last bytes, or
  // at once. `then` must not block.
  void when_read(std::span<const std::byte> source, std::function<void()> then);

 private:
  struct Range {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::uint64_t before;  // reads of a lower number
  };
  struct Waiter {
    Range range;
    std::function<void()> then;
  };
  Range now(std::span<const std::byte> source) const noexcept;
  // REQUIRES: mutex_. The node of a read that overlaps, or null.
  Node* reader_of(const Range& range) const noexcept;

  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::uint64_t next_ = 0;
  std::list<Entry> entries_;
  std::vector<Waiter> waiters_;
};

}  // namespace longwire::client::opencl
