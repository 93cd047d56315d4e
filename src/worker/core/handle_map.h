// HandleMap: client-made handle → pointer. Open addressing with backward-shift deletion, so that
// programs that make and drop a million events neither allocate per event nor leave tombstones.
// Not thread-safe: it belongs to the dispatch thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "wire/frame.h"

namespace longwire::worker::core {

template <class T>
class HandleMap {
 public:
  HandleMap() : slots_(kLeastSlots) {}

  std::size_t size() const noexcept { return size_; }

  T* find(wire::Handle handle) const noexcept {
    if (handle == 0) return nullptr;
    for (std::size_t i = home(handle);; i = next(i)) {
      if (slots_[i].handle == handle) return slots_[i].value;
      if (slots_[i].handle == 0) return nullptr;
    }
  }

  // REQUIRES: handle != 0, and find(handle) == nullptr.
  void insert(wire::Handle handle, T* value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    place(handle, value);
    ++size_;
  }

  // Returns what was there, or nullptr.
  T* erase(wire::Handle handle) noexcept {
    if (handle == 0) return nullptr;
    std::size_t i = home(handle);
    while (slots_[i].handle != handle) {
      if (slots_[i].handle == 0) return nullptr;
      i = next(i);
    }
    T* const value = slots_[i].value;
    close_gap(i);
    --size_;
    return value;
  }

  template <class F>
  void for_each(F&& f) const {
    for (const Slot& slot : slots_)
      if (slot.handle != 0) f(slot.handle, slot.value);
  }

 private:
  static constexpr std::size_t kLeastSlots = 64;  // a power of two
  struct Slot {
    wire::Handle handle = 0;
    T* value = nullptr;
  };

  std::size_t home(wire::Handle handle) const noexcept {
    const std::uint64_t mixed = (handle ^ (handle >> 32)) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 20) & (slots_.size() - 1);
  }
  std::size_t next(std::size_t i) const noexcept { return (i + 1) & (slots_.size() - 1); }

  void place(wire::Handle handle, T* value) noexcept {
    std::size_t i = home(handle);
    while (slots_[i].handle != 0)
      i = next(i);
    slots_[i] = {handle, value};
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.handle != 0) place(slot.handle, slot.value);
  }
  // Moves back what a search would no longer find behind the empty slot.
  void close_gap(std::size_t gap) noexcept {
    for (std::size_t i = next(gap); slots_[i].handle != 0; i = next(i)) {
      const std::size_t wanted = home(slots_[i].handle);
      const std::size_t mask = slots_.size() - 1;
      if (((i - wanted) & mask) >= ((i - gap) & mask)) {
        slots_[gap] = slots_[i];
        gap = i;
      }
    }
    slots_[gap] = {};
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace longwire::worker::core
