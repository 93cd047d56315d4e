#include "client/opencl/hazards.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client/opencl/node.h"

namespace longwire::client::opencl {

PendingReads::Ticket PendingReads::add(std::span<const std::byte> destination, Node& node) {
  const auto begin = reinterpret_cast<std::uintptr_t>(destination.data());
  const std::lock_guard lock(mutex_);
  const Ticket ticket =
      entries_.insert(entries_.end(), {begin, begin + destination.size(), next_++, &node});
  count_.fetch_add(1, std::memory_order_release);
  return ticket;
}

void PendingReads::remove(Ticket ticket) noexcept {
  std::vector<Waiter> due;
  {
    const std::lock_guard lock(mutex_);
    entries_.erase(ticket);
    count_.fetch_sub(1, std::memory_order_release);
    const auto first_due = std::stable_partition(
        waiters_.begin(), waiters_.end(),
        [this](const Waiter& waiter) { return reader_of(waiter.range) != nullptr; });
    std::move(first_due, waiters_.end(), std::back_inserter(due));
    waiters_.erase(first_due, waiters_.end());
  }
  for (const Waiter& waiter : due)
    waiter.then();
}

PendingReads::Range PendingReads::now(std::span<const std::byte> source) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(source.data());
  const std::lock_guard lock(mutex_);
  return {begin, begin + source.size(), next_};
}

Node* PendingReads::reader_of(const Range& range) const noexcept {
  for (const Entry& entry : entries_) {
    if (entry.number >= range.before) break;
    if (entry.begin < range.end && range.begin < entry.end) return entry.node;
  }
  return nullptr;
}

bool PendingReads::overlaps(std::span<const std::byte> source) const noexcept {
  if (empty()) return false;
  const Range range = now(source);
  const std::lock_guard lock(mutex_);
  return reader_of(range) != nullptr;
}

void PendingReads::wait_for(std::span<const std::byte> source) const noexcept {
  if (empty()) return;
  const Range range = now(source);
  const auto reader = [&] {
    const std::lock_guard lock(mutex_);
    return reader_of(range);
  };
  while (Node* const node = reader()) {
    if (node->wait_until([&] { return reader() != node; }) != CL_SUCCESS) return;
  }
}

void PendingReads::when_read(std::span<const std::byte> source, std::function<void()> then) {
  const Range range = now(source);
  {
    const std::lock_guard lock(mutex_);
    if (reader_of(range) != nullptr) {
      waiters_.push_back({range, std::move(then)});
      return;
    }
  }
  then();
}

}  // namespace longwire::client::opencl
