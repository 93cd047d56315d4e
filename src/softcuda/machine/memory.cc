#include "softcuda/machine/memory.h"

#include <sys/mman.h>
#include <unistd.h>

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
// Addresses for mappings: much more than there is memory, as programs reserve what they may need
// one day.
constexpr std::uint64_t kMappingBytes = std::uint64_t{256} << 30;
constexpr std::uint64_t kMaxDeviceBytes = std::uint64_t{1} << 40;

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

void* system_range(std::uint64_t bytes, int protection) {
  void* place =
      ::mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return place == MAP_FAILED ? nullptr : place;
}

// Of the reservation, in this order.
struct Parts {
  std::uint64_t device = 0, host = 0, mappings = 0;
  std::uint64_t all() const noexcept { return device + host + mappings; }
};

class HostBackedMemory final : public Memory {
 public:
  HostBackedMemory(std::byte* base, const Parts& parts, std::atomic<std::uint64_t>* granules)
      : granules_(granules),
        total_(parts.device),
        device_free_(address_of(base), parts.device),
        host_free_(address_of(base) + parts.device, parts.host),
        mapping_free_(address_of(base) + parts.device + parts.host, parts.mappings),
        committed_((parts.device + parts.host) / kCommitStep) {
    view_.base = address_of(base);
    view_.bytes = parts.all();
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
    const std::uint64_t step = std::max(alignment, kAllocationAlignment);
    const std::uint64_t rounded = round_up(bytes, step);
    std::lock_guard lock(mutex_);
    const bool host = kind == MemoryKind::kHost;
    // What is taken and stands elsewhere leaves addresses free, but no memory.
    if (!host && rounded > total_ - used_) return out_of_memory(bytes);
    FreeRanges& free = host ? host_free_ : device_free_;
    auto address = free.take(rounded, step);
    if (!address) return out_of_memory(bytes);
    if (!commit(*address, rounded)) {
      free.give(*address, rounded);
      return out_of_memory(bytes);
    }
    if (!host) used_ += rounded;
    allocations_[*address] = {*address, bytes, kind, ++number_, rounded};
    mark(*address, bytes, true);
    return *address;
  }

  base::Status release(std::uint64_t address) override {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end() || found->second.kind == MemoryKind::kRegistered ||
        found->second.kind == MemoryKind::kMapped)
      return Error(ErrorCode::kNotFound, "no allocation begins there");
    const Allocation gone = found->second;
    const bool host = gone.kind == MemoryKind::kHost;
    mark(address, gone.bytes, false);
    if (gone.shared)
      replace(address, gone.taken, PROT_READ | PROT_WRITE);
    else
      clear(address, gone.taken);
    allocations_.erase(found);
    if (!host) used_ -= gone.taken;
    (host ? host_free_ : device_free_).give(address, gone.taken);
    return {};
  }

  base::Status share(std::uint64_t address, int fd) override {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end() || found->second.taken == 0 ||
        (address | found->second.taken) % kPage != 0)
      return Error(ErrorCode::kNotFound, "no allocation of whole pages begins there");
    LW_TRY(copy_to_file(address, found->second.taken, fd));
    LW_TRY(map(address, found->second.taken, fd, 0));
    found->second.shared = true;
    return {};
  }

  base::Status add_registered(std::uint64_t address, std::uint64_t bytes) override {
    if (address == 0 || bytes == 0 || address + bytes < address)
      return Error(ErrorCode::kInvalidArgument, "no such memory");
    std::lock_guard lock(mutex_);
    return insert_registered(address, bytes);
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

  base::Result<std::uint64_t> reserve(std::uint64_t bytes, std::uint64_t alignment,
                                      std::uint64_t wanted) override {
    if (bytes == 0) return Error(ErrorCode::kInvalidArgument, "a reservation of no bytes");
    if (bytes > view_.bytes) return out_of_addresses(bytes);
    std::lock_guard lock(mutex_);
    if (wanted % std::max(alignment, kMappingAlignment) == 0 &&
        mapping_free_.take_at(wanted, bytes))
      return wanted;
    auto address = mapping_free_.take(bytes, std::max(alignment, kMappingAlignment));
    return address ? base::Result<std::uint64_t>(*address) : out_of_addresses(bytes);
  }

  void release_reserved(std::uint64_t address, std::uint64_t bytes) noexcept override {
    replace(address, bytes, PROT_NONE);
    std::lock_guard lock(mutex_);
    mapping_free_.give(address, bytes);
  }

  base::Status map(std::uint64_t address, std::uint64_t bytes, int fd,
                   std::uint64_t offset) override {
    void* place = ::mmap(reinterpret_cast<void*>(address), bytes, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, static_cast<off_t>(offset));
    if (place == MAP_FAILED) return Error::from_errno(ErrorCode::kLimit, "map memory", errno);
    return {};
  }

  void unmap(std::uint64_t address, std::uint64_t bytes) noexcept override {
    forbid(address);
    replace(address, bytes, PROT_READ | PROT_WRITE);
  }

  base::Status allow(std::uint64_t address, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    if (allocations_.count(address) != 0) return {};
    if (!inside_view(address)) return insert_registered(address, bytes);
    allocations_[address] = {address, bytes, MemoryKind::kMapped, ++number_};
    mark(address, bytes, true);
    return {};
  }

  void forbid(std::uint64_t address) noexcept override {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end()) return;
    if (found->second.kind == MemoryKind::kRegistered)
      registered_.erase(registered_before(address));
    else
      mark(address, found->second.bytes, false);
    allocations_.erase(found);
  }

  base::Status take(std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    if (bytes > total_ - used_) return out_of_memory(bytes);
    used_ += bytes;
    return {};
  }
  void give_back(std::uint64_t bytes) noexcept override {
    std::lock_guard lock(mutex_);
    used_ -= bytes;
  }

  std::vector<Allocation> allocations() const override {
    std::lock_guard lock(mutex_);
    std::vector<Allocation> all;
    for (const auto& [address, allocation] : allocations_)
      all.push_back(allocation);
    return all;
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
  // REQUIRES: the lock.
  base::Status insert_registered(std::uint64_t address, std::uint64_t bytes) {
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

  bool inside_view(std::uint64_t address) const noexcept {
    return address - view_.base < view_.bytes;
  }
  // Pages of zeros stay holes of the file: what nobody has written to takes no memory.
  static base::Status copy_to_file(std::uint64_t address, std::uint64_t bytes, int fd) {
    auto is_zero = [&](std::uint64_t offset) {
      const auto* page = reinterpret_cast<const std::byte*>(address + offset);
      return page[0] == std::byte{0} && std::memcmp(page, page + 1, kPage - 1) == 0;
    };
    for (std::uint64_t begin = 0, end = 0; begin < bytes; begin = end) {
      for (end = begin; end < bytes && !is_zero(end);)
        end += kPage;
      for (std::uint64_t at = begin; at < end;) {
        const ssize_t done = ::pwrite(fd, reinterpret_cast<const void*>(address + at), end - at,
                                      static_cast<off_t>(at));
        if (done <= 0) return Error::from_errno(ErrorCode::kLimit, "copy memory", errno);
        at += static_cast<std::uint64_t>(done);
      }
      while (end < bytes && is_zero(end))
        end += kPage;
    }
    return {};
  }

  // Nothing stands there any more. In one step, as others may look at it just now.
  static void replace(std::uint64_t address, std::uint64_t bytes, int protection) noexcept {
    (void)::mmap(reinterpret_cast<void*>(address), bytes, protection,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  }

  static std::uint64_t address_of(const void* place) {
    return reinterpret_cast<std::uint64_t>(place);
  }
  static std::uint64_t end_of(const Allocation& allocation) {
    return allocation.address + allocation.bytes;
  }
  static Error out_of_memory(std::uint64_t bytes) {
    return {ErrorCode::kLimit, "no " + std::to_string(bytes) + " bytes of device memory left"};
  }

  static Error out_of_addresses(std::uint64_t bytes) {
    return {ErrorCode::kLimit, "no " + std::to_string(bytes) + " addresses for mappings left"};
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

  // To the end of the last granule.
  void mark(std::uint64_t address, std::uint64_t bytes, bool allocated) {
    std::uint64_t index = (address - view_.base) >> MemoryView::kGranuleShift;
    const std::uint64_t end =
        index + (round_up(bytes, kAllocationAlignment) >> MemoryView::kGranuleShift);
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
  FreeRanges device_free_, host_free_, mapping_free_;
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
  // Where the process may not have so large a range, it gets less of what is not the device's.
  const Parts tries[] = {{device_bytes, kHostBytes, kMappingBytes},
                         {device_bytes, kHostBytes, device_bytes},
                         {device_bytes, device_bytes, device_bytes},
                         {device_bytes, device_bytes, 0}};
  for (const Parts& parts : tries) {
    void* base = system_range(parts.all(), PROT_NONE);
    if (base == nullptr) continue;
    void* granules =
        system_range(HostBackedMemory::granule_bytes(parts.all()), PROT_READ | PROT_WRITE);
    if (granules != nullptr)
      return std::unique_ptr<Memory>(
          std::make_unique<HostBackedMemory>(static_cast<std::byte*>(base), parts,
                                             static_cast<std::atomic<std::uint64_t>*>(granules)));
    ::munmap(base, parts.all());
  }
  return Error::from_errno(ErrorCode::kLimit, "reserve device memory", errno);
}

}  // namespace longwire::softcuda::machine
