#include "client/opencl/hazards.h"

#include "client/opencl/node.h"

namespace longwire::client::opencl {

PendingReads::Ticket PendingReads::add(std::span<const std::byte> destination, Node& node) {
  const auto begin = reinterpret_cast<std::uintptr_t>(destination.data());
  const std::lock_guard lock(mutex_);
  const Ticket ticket = entries_.insert(entries_.end(), {begin, begin + destination.size(), &node});
  count_.fetch_add(1, std::memory_order_release);
  return ticket;
}

void PendingReads::remove(Ticket ticket) noexcept {
  const std::lock_guard lock(mutex_);
  entries_.erase(ticket);
  count_.fetch_sub(1, std::memory_order_release);
}

Node* PendingReads::overlapping(std::span<const std::byte> source) const noexcept {
  if (empty()) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(source.data());
  const auto end = begin + source.size();
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.begin < end && begin < entry.end) return entry.node;
  }
  return nullptr;
}

void PendingReads::wait_for(std::span<const std::byte> source) const noexcept {
  while (Node* node = overlapping(source)) {
    const auto gone = [&] { return overlapping(source) != node; };
    if (node->wait_until(gone) != CL_SUCCESS) return;
  }
}

}  // namespace longwire::client::opencl
