#include "client/opencl/object_memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define LW_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LW_ASAN 1
#endif
#endif
#ifdef LW_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace longwire::client::opencl {

constinit ObjectMemory g_object_memory;

namespace {

// What a freed slot keeps: the link of its queue and the dispatch pointer.
[[maybe_unused]] constexpr std::size_t kKept = 2 * sizeof(void*);

// AddressSanitizer does not know this memory; so it finds our own use of freed objects all the
// same.
void hide(void* slot, std::size_t size) noexcept {
#ifdef LW_ASAN
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(slot) + kKept, size - kKept);
#else
  (void)slot, (void)size;
#endif
}
void show(void* slot, std::size_t size) noexcept {
#ifdef LW_ASAN
  ASAN_UNPOISON_MEMORY_REGION(slot, size);
#else
  (void)slot, (void)size;
#endif
}

std::size_t slot_size(std::size_t size) noexcept {
  constexpr std::size_t kGrain = ObjectMemory::kGrain;
  return (size + kGrain - 1) / kGrain * kGrain;
}

void* pages(std::size_t size) noexcept {
  void* const found = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return found == MAP_FAILED ? nullptr : found;
}

}  // namespace

void* ObjectMemory::allocate(std::size_t wanted) noexcept {
  const std::size_t size = slot_size(wanted);
  LW_CHECK(size <= kLargestSlot);
  const std::lock_guard lock(mutex_);
  Queue& freed = freed_[size / kGrain - 1];
  if (freed.count <= kQuarantine) {
    if (void* const fresh = carve(size)) return fresh;
    if (freed.count == 0) return nullptr;  // else there is no memory to be that careful
  }
  Free* const oldest = freed.first;
  freed.first = oldest->next;
  --freed.count;
  show(oldest, size);
  return oldest;
}

void ObjectMemory::free(void* slot, std::size_t wanted) noexcept {
  const std::size_t size = slot_size(wanted);
  set_live(slot, false);
  const std::lock_guard lock(mutex_);
  Queue& freed = freed_[size / kGrain - 1];
  auto* const link = static_cast<Free*>(slot);
  link->next = nullptr;
  (freed.count == 0 ? freed.first : freed.last->next) = link;
  freed.last = link;
  ++freed.count;
  hide(slot, size);
}

void ObjectMemory::set_live(const void* slot, bool live) noexcept {
  const auto [word, bit] = mark_of(reinterpret_cast<std::uintptr_t>(slot));
  LW_CHECK(word != nullptr);
  if (live) {
    word->fetch_or(bit, std::memory_order_release);
  } else {
    word->fetch_and(~bit, std::memory_order_release);
  }
}

void* ObjectMemory::carve(std::size_t size) noexcept {
  if (unused_end_ - unused_ < size && !add_region()) return nullptr;
  void* const slot = reinterpret_cast<void*>(unused_);
  unused_ += size;
  return slot;
}

bool ObjectMemory::add_region() noexcept {
  if (region_count_ == kMaxRegions) return false;
  Region& region = regions_[region_count_];
  for (std::size_t size = kFirstRegion << region_count_; size >= kSmallestRegion; size /= 2) {
    const std::size_t marks = size / kGrain / 8;
    void* const memory = pages(size + marks);
    if (memory == nullptr) continue;
    region.size = size;
    region.marks = reinterpret_cast<Marks*>(static_cast<std::byte*>(memory) + size);
    unused_ = reinterpret_cast<std::uintptr_t>(memory);
    unused_end_ = unused_ + size;
    region.begin.store(unused_, std::memory_order_release);
    ++region_count_;
    return true;
  }
  return false;
}

}  // namespace longwire::client::opencl
