// Handles: what programs hold. A handle is a number that is never given twice, not an address, so
// that a destroyed or invented one is told from a living one without looking at memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace longwire::softcuda::driver {

// One sequence for all kinds, so that a stream's handle is no event's.
inline std::uintptr_t next_handle() noexcept {
  constexpr std::uintptr_t kFirst =
      0x5f00'0000'0000;  // far from small numbers: 1 and 2 are streams
  constexpr std::uintptr_t kStep = 16;
  static std::atomic<std::uintptr_t> next{kFirst};
  return next.fetch_add(kStep, std::memory_order_relaxed);
}

// Objects are shared by the table, by commands that wait in streams, and by calls in other threads.
template <class Handle, class T>
class Table {
 public:
  Handle add(std::shared_ptr<T> object) {
    const std::uintptr_t handle = next_handle();
    std::unique_lock lock(mutex_);
    objects_.emplace(handle, std::move(object));
    return reinterpret_cast<Handle>(handle);
  }
  std::shared_ptr<T> find(Handle handle) const {
    std::shared_lock lock(mutex_);
    auto found = objects_.find(reinterpret_cast<std::uintptr_t>(handle));
    return found == objects_.end() ? nullptr : found->second;
  }
  // nullptr: there is none (any more). Of two threads that remove one, one gets it.
  std::shared_ptr<T> remove(Handle handle) {
    std::unique_lock lock(mutex_);
    auto found = objects_.find(reinterpret_cast<std::uintptr_t>(handle));
    if (found == objects_.end()) return nullptr;
    std::shared_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }
  template <class Predicate>
  std::vector<Handle> handles_where(Predicate predicate) const {
    std::shared_lock lock(mutex_);
    std::vector<Handle> found;
    for (const auto& [handle, object] : objects_)
      if (predicate(*object)) found.push_back(reinterpret_cast<Handle>(handle));
    return found;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uintptr_t, std::shared_ptr<T>> objects_;
};

}  // namespace longwire::softcuda::driver
