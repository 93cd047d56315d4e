// Where objects that a program holds handles of live, so that any word a program passes as a handle
// can be judged without touching what it points to: null, a number, memory that is no object,
// another driver's object, an object that is gone.
//
// Memory is never given back to the system. A slot that was an object's stays readable and keeps
// its dispatch pointer, so that a released handle survives the ICD loader's look at it and is
// refused by us; it becomes another object only after kQuarantine later ones of its size are gone.
//
// A program that releases an object in one thread while another thread passes it to a call gets
// either answer; it has no right to either (OpenCL 3.0, appendix A.2).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace longwire::client::opencl {

class ObjectMemory {
 public:
  static constexpr std::size_t kGrain = 64;  // slots begin at, and have, multiples of this
  static constexpr std::size_t kLargestSlot = 4096;
  static constexpr std::size_t kQuarantine = 128;  // slots of one size
  // Regions double from the first; of address space, that is: pages come when they are touched.
  static constexpr std::size_t kFirstRegion = std::size_t{4} << 20;
  static constexpr std::size_t kSmallestRegion = std::size_t{64} << 10;
  static constexpr std::size_t kMaxRegions = 24;

  constexpr ObjectMemory() = default;
  ObjectMemory(const ObjectMemory&) = delete;

  // nullptr where the system has no memory. REQUIRES: size <= kLargestSlot.
  void* allocate(std::size_t size) noexcept;
  void free(void* slot, std::size_t size) noexcept;

  // Whether a live object begins at that address. No lock; any address may be asked about.
  bool is_live(std::uintptr_t address) const noexcept {
    const auto [word, bit] = mark_of(address);
    return word != nullptr && (word->load(std::memory_order_acquire) & bit) != 0;
  }
  // REQUIRES: from allocate(), not freed since.
  void set_live(const void* slot, bool live) noexcept;

  // For pthread_atfork.
  std::mutex& mutex() noexcept { return mutex_; }

 private:
  using Marks = std::atomic<std::uint64_t>;
  struct Region {
    std::atomic<std::uintptr_t> begin{0};  // written last; 0: not there yet
    std::size_t size = 0;
    Marks* marks = nullptr;  // one bit for each kGrain bytes
  };
  struct Free {
    Free* next;  // where the object had its vtable: the dispatch pointer behind it stays
  };
  struct Queue {
    Free* first = nullptr;
    Free* last = nullptr;
    std::size_t count = 0;
  };
  struct Mark {
    Marks* word;
    std::uint64_t bit;
  };

  Mark mark_of(std::uintptr_t address) const noexcept {
    for (const Region& region : regions_) {
      const std::uintptr_t begin = region.begin.load(std::memory_order_acquire);
      if (begin == 0) break;
      const std::size_t offset = address - begin;
      if (offset >= region.size) continue;
      if (offset % kGrain != 0) break;
      const std::size_t index = offset / kGrain;
      return {&region.marks[index / 64], std::uint64_t{1} << (index % 64)};
    }
    return {nullptr, 0};
  }
  void* carve(std::size_t size) noexcept;
  bool add_region() noexcept;

  std::mutex mutex_;  // of all below but for reading regions_
  std::array<Region, kMaxRegions> regions_;
  std::size_t region_count_ = 0;
  std::uintptr_t unused_ = 0;  // of the last region: from here to unused_end_
  std::uintptr_t unused_end_ = 0;
  std::array<Queue, kLargestSlot / kGrain> freed_;  // by size, oldest first
};

// The process's. Handles of all runtimes of a process (tests make several) are judged together.
extern constinit ObjectMemory g_object_memory;

}  // namespace longwire::client::opencl
