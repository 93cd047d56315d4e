// PendingReads: host memory that non-blocking reads (and maps) under way will fill. A write whose
// source overlaps one of them must not take its bytes before they are there.
// docs/ARCHITECTURE.md, decision 4.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <span>

namespace longwire::client::opencl {

class Node;

class PendingReads {
 public:
  struct Entry {
    std::uintptr_t begin;
    std::uintptr_t end;
    Node* node;  // whose pump brings the bytes
  };
  using Ticket = std::list<Entry>::iterator;

  Ticket add(std::span<const std::byte> destination, Node& node);
  // The bytes are there, or will never be. Whoever waits must be notified by the caller.
  void remove(Ticket ticket) noexcept;

  // The node of a read under way that will write into `source`, or null. One atomic load when no
  // read is under way.
  Node* overlapping(std::span<const std::byte> source) const noexcept;
  bool empty() const noexcept { return count_.load(std::memory_order_acquire) == 0; }

  // Returns when no pending read overlaps `source`, or when its session is lost.
  void wait_for(std::span<const std::byte> source) const noexcept;

 private:
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
};

}  // namespace longwire::client::opencl
