#include "client/opencl/transfer_order.h"

#include <iterator>

#include "client/opencl/event.h"

namespace longwire::client::opencl {

ReadOrder::ReadOrder() = default;
ReadOrder::~ReadOrder() = default;

std::uint64_t ReadOrder::begin() {
  const std::lock_guard lock(mutex_);
  entries_.emplace_back();
  count_.store(entries_.size(), std::memory_order_release);
  return latest_.fetch_add(1, std::memory_order_release) + 1;
}

void ReadOrder::end(std::uint64_t number) noexcept {
  std::vector<Ref<Event>> free;
  {
    const std::lock_guard lock(mutex_);
    entries_[number - ended_through_ - 1].done = true;
    while (!entries_.empty() && entries_.front().done) {
      auto& followers = entries_.front().followers;
      free.insert(free.end(), std::make_move_iterator(followers.begin()),
                  std::make_move_iterator(followers.end()));
      entries_.pop_front();
      ended_through_.fetch_add(1, std::memory_order_release);
    }
    count_.store(entries_.size(), std::memory_order_release);
  }
  for (const Ref<Event>& event : free)
    event->drop_hold();
}

void ReadOrder::put_behind(Event& event) {
  if (empty()) return;
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return;
  event.hold();
  entries_.back().followers.push_back(Ref<Event>(&event));
}

}  // namespace longwire::client::opencl
