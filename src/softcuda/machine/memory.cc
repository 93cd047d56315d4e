#include "softcuda/machine/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "softcuda/machine/free_ranges.h"
#include "softcuda/machine/registered_ranges.h"

namespace longwire::softcuda::machine {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kPage = 4096;
// Made readable and writable so much at a time: a reservation costs nothing, a mapping little.
constexpr std::uint64_t kCommitStep = std::uint64_t{2} << 20;
// What is smaller is zeroed by hand when it is released, as giving pages back costs more.
constexpr std::uint64_t kZeroByHand = std::uint64_t{1} << 20;
// Host memory (cuMemHostAlloc) does not count as the device's, but has an end as well.
constexpr std::uint64_t kHostBytes = std::uint64_t{64} << 30;
constexpr std::uint64_t kMaxDeviceBytes = std::uint64_t{1} << 40;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

void* reserve(std::uint64_t bytes, int protection) {
  void* place =
      ::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return place == MAP_FAILED ? nullptr : place;
}

class HostBackedMemory final : public Memory {
 public:
  HostBackedMemory(std::byte* base, std::uint64_t device_bytes, std::uint64_t all_bytes,
                   std::atomic<std::uint64_t>* granules)
      : granules_(granules),
        total_(device_bytes),
        device_free_(address_of(base), device_bytes),
        host_free_(address_of(base) + device_bytes, all_bytes - device_bytes),
        committed_(all_bytes / kCommitStep) {
    view_.base = address_of(base);
    view_.bytes = all_bytes;
    view_.granules = granules;
  }
  ~HostBackedMemory() override {
    ::munmap(reinterpret_cast<void*>(view_.base), view_.bytes);
    ::munmap(granules_, granule_bytes(view_.bytes));
  }

  static std::uint64_t granule_bytes(std::uint64_t bytes) {
    return round_up((bytes >> MemoryView::kGranuleShift) / 8, kPage);
  }

  base::Result<std::uint64_t> allocate(std::uint64_t bytes, MemoryKind kind,
                                       std::uint64_t alignment) override {
    if (bytes == 0) return Error(ErrorCode::kInvalidArgument, "an allocation of no bytes");
    if (bytes > view_.bytes) return out_of_memory(bytes);
    const std::uint64_t rounded = round_up(bytes, kAllocationAlignment);
    std::lock_guard lock(mutex_);
    FreeRanges& free = kind == MemoryKind::kHost ? host_free_ : device_free_;
    auto address = free.take(rounded, std::max(alignment, kAllocationAlignment));
    if (!address) return out_of_memory(bytes);
    if (!commit(*address, rounded)) {
      free.give(*address, rounded);
      return out_of_memory(bytes);
    }
    if (kind != MemoryKind::kHost) used_ += rounded;
    allocations_[*address] = {*address, bytes, kind, ++number_};
    mark(*address, rounded, true);
    return *address;
  }

  base::Status release(std::uint64_t address) override {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end() || found->second.kind == MemoryKind::kRegistered)
      return Error(ErrorCode::kNotFound, "no allocation begins there");
    const std::uint64_t rounded = round_up(found->second.bytes, kAllocationAlignment);
    const bool host = found->second.kind == MemoryKind::kHost;
    mark(address, rounded, false);
    clear(address, rounded);
    allocations_.erase(found);
    if (!host) used_ -= rounded;
    (host ? host_free_ : device_free_).give(address, rounded);
    return {};
  }

  base::Status add_registered(std::uint64_t address, std::uint64_t bytes) override {
    if (address == 0 || bytes == 0 || address + bytes < address)
      return Error(ErrorCode::kInvalidArgument, "no such memory");
    std::lock_guard lock(mutex_);
    auto next = allocations_.lower_bound(address);
    const bool above = next != allocations_.end() && next->first < address + bytes;
    const bool below = next != allocations_.begin() && end_of(std::prev(next)->second) > address;
    if (above || below || (address < view_.base + view_.bytes && address + bytes > view_.base))
      return Error(ErrorCode::kInvalidArgument, "overlaps other memory of the device");
    if (!registered_.insert(registered_before(address), address, address + bytes))
      return Error(ErrorCode::kLimit, "too many registered ranges");
    allocations_[address] = {address, bytes, MemoryKind::kRegistered, ++number_};
    return {};
  }

  base::Status remove_registered(std::uint64_t address) override {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end() || found->second.kind != MemoryKind::kRegistered)
      return Error(ErrorCode::kNotFound, "no registered memory begins there");
    registered_.erase(registered_before(address));
    allocations_.erase(found);
    return {};
  }

  std::optional<Allocation> find(std::uint64_t address) const override {
    std::lock_guard lock(mutex_);
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin()) return std::nullopt;
    const Allocation& allocation = std::prev(next)->second;
    if (address >= end_of(allocation)) return std::nullopt;
    return allocation;
  }

  std::optional<Allocation> nearest(std::uint64_t address) const override {
    std::lock_guard lock(mutex_);
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin())
      return next == allocations_.end() ? std::nullopt : std::optional(next->second);
    const Allocation& below = std::prev(next)->second;
    if (next == allocations_.end() || address < end_of(below)) return below;
    return address - end_of(below) <= next->first - address ? below : next->second;
  }

  bool accessible(std::uint64_t address, std::uint64_t bytes) const noexcept override {
    if (bytes == 0) return true;
    return view_.covers(address, bytes) || registered_.covers(address, bytes);
  }
  const MemoryView& view() const noexcept override { return view_; }
  std::uint64_t total_bytes() const noexcept override { return total_; }
  std::uint64_t free_bytes() const noexcept override {
    std::lock_guard lock(mutex_);
    return total_ - used_;
  }

 private:
  static std::uint64_t address_of(const void* place) {
    return reinterpret_cast<std::uint64_t>(place);
  }
  static std::uint64_t end_of(const Allocation& allocation) {
    return allocation.address + allocation.bytes;
  }
  static Error out_of_memory(std::uint64_t bytes) {
    return {ErrorCode::kLimit, "no " + std::to_string(bytes) + " bytes of device memory left"};
  }

  std::size_t registered_before(std::uint64_t address) const {
    return std::count_if(allocations_.begin(), allocations_.lower_bound(address),
                         [](auto& entry) { return entry.second.kind == MemoryKind::kRegistered; });
  }

  bool commit(std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t first = (address - view_.base) / kCommitStep;
    const std::uint64_t last = (address - view_.base + bytes - 1) / kCommitStep;
    for (std::uint64_t step = first; step <= last; ++step) {
      if (committed_[step]) continue;
      void* place = reinterpret_cast<void*>(view_.base + step * kCommitStep);
      if (::mprotect(place, kCommitStep, PROT_READ | PROT_WRITE) != 0) return false;
      committed_[step] = true;
    }
    return true;
  }

  void mark(std::uint64_t address, std::uint64_t bytes, bool allocated) {
    std::uint64_t index = (address - view_.base) >> MemoryView::kGranuleShift;
    const std::uint64_t end = index + (bytes >> MemoryView::kGranuleShift);
    while (index < end) {
      const std::uint64_t shift = index % MemoryView::kWordBits;
      const std::uint64_t count = std::min(end - index, MemoryView::kWordBits - shift);
      const std::uint64_t bits = (~std::uint64_t{0} >> (MemoryView::kWordBits - count)) << shift;
      auto& word = granules_[index / MemoryView::kWordBits];
      if (allocated)
        word.fetch_or(bits);
      else
        word.fetch_and(~bits);
      index += count;
    }
  }

  // The next owner finds zeros. Whole pages go back to the system where that is worth a call.
  void clear(std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t end = address + bytes;
    const std::uint64_t first_page = round_up(address, kPage), last_page = end / kPage * kPage;
    auto zero = [](std::uint64_t from, std::uint64_t to) {
      std::memset(reinterpret_cast<void*>(from), 0, to - from);
    };
    const bool by_hand =
        bytes < kZeroByHand ||
        ::madvise(reinterpret_cast<void*>(first_page), last_page - first_page, MADV_DONTNEED) != 0;
    if (by_hand) return zero(address, end);
    zero(address, first_page);
    zero(last_page, end);
  }

  MemoryView view_;
  std::atomic<std::uint64_t>* granules_;
  const std::uint64_t total_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Allocation> allocations_;  // by address; registered ones too
  FreeRanges device_free_, host_free_;
  std::vector<bool> committed_;
  std::uint64_t used_ = 0;
  std::uint64_t number_ = 0;
  RegisteredRanges registered_;
};

}  // namespace

base::Result<std::unique_ptr<Memory>> Memory::create(std::uint64_t bytes) {
  if (bytes == 0 || bytes > kMaxDeviceBytes)
    return Error(ErrorCode::kInvalidArgument, "a device has between 1 byte and 1 TiB of memory");
  const std::uint64_t device_bytes = round_up(bytes, kCommitStep);
  // Where the process may not have so large a range, host memory gets as much as the device.
  for (std::uint64_t host_bytes : {kHostBytes, device_bytes}) {
    const std::uint64_t all = device_bytes + host_bytes;
    void* base = reserve(all, PROT_NONE);
    if (base == nullptr) continue;
    void* granules = reserve(HostBackedMemory::granule_bytes(all), PROT_READ | PROT_WRITE);
    if (granules != nullptr)
      return std::unique_ptr<Memory>(
          std::make_unique<HostBackedMemory>(static_cast<std::byte*>(base), device_bytes, all,
                                             static_cast<std::atomic<std::uint64_t>*>(granules)));
    ::munmap(base, all);
  }
  return Error::from_errno(ErrorCode::kLimit, "reserve device memory", errno);
}

}  // namespace longwire::softcuda::machine
