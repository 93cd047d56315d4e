// ReadOrder: keeps what a program sees in the order of a queue while bytes of its reads are still
// on their way. The node calls a read done when it has read; its bytes come beside the command
// stream and may be overtaken there by the completions of later commands, and by the reply to a
// Finish. So on the client a later event completes, and clFinish and blocking calls return, only
// when the bytes of the reads before are here. Costs one atomic load where no read is under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Event;

// One per queue. Any thread.
class ReadOrder {
 public:
  ReadOrder();
  ~ReadOrder();
  // A read (or a command that waits for one of another queue), before it is sent.
  std::uint64_t begin();
  // Its bytes are here, or will never be. The caller notifies the pump afterwards.
  void end(std::uint64_t number) noexcept;

  // `event` completes only after everything that is under way now. Before its command is sent.
  void put_behind(Event& event);
  bool empty() const noexcept { return count_.load(std::memory_order_acquire) == 0; }

  // Everything up to and with that number has ended.
  bool ended(std::uint64_t number) const noexcept {
    return ended_through_.load(std::memory_order_acquire) >= number;
  }
  std::uint64_t latest() const noexcept { return latest_.load(std::memory_order_acquire); }

 private:
  struct Entry {
    bool done = false;
    std::vector<Ref<Event>> followers;  // each has a hold that the entry drops
  };
  std::mutex mutex_;
  std::deque<Entry> entries_;  // numbers ended_through_ + 1, + 2, …
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> latest_{0};
  std::atomic<std::uint64_t> ended_through_{0};
};

}  // namespace longwire::client::opencl
