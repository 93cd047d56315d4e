// Memory: what one device has. Addresses are host addresses inside one large reservation, so that
// "is this device memory" is a comparison. Allocations are 256-byte aligned, zeroed, and never
// merge; what is not allocated is not accessible.
//
// Threads: every member may be called from any thread; accessible() takes no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"

namespace longwire::softcuda::machine {

inline constexpr std::uint64_t kAllocationAlignment = 256;
inline constexpr std::uint64_t kMappingAlignment = 4096;
// At most so many ranges of the program's memory at once.
inline constexpr std::size_t kMaxRegisteredRanges = 4096;

enum class MemoryKind : std::uint8_t {
  kDevice,
  kHost,
  kManaged,
  kRegistered,
  kModule,
  kHeap,    // malloc() in a kernel
  kMapped,  // a file's memory at reserved addresses
};

struct Allocation {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;  // as asked for
  MemoryKind kind = MemoryKind::kDevice;
  std::uint64_t number = 0;  // counts allocations: the order of cuPointerGetAttribute's buffer id
  std::uint64_t taken = 0;   // bytes that no other allocation has part of
  bool shared = false;       // a file's memory: share()
};

// What back ends look at before an access, without a call. Plain data, also for generated code:
// bit (address - base) / 256 of `granules` says whether those 256 bytes are allocated.
struct MemoryView {
  static constexpr int kGranuleShift = 8;
  static constexpr std::uint64_t kWordBits = 64;
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  const std::atomic<std::uint64_t>* granules = nullptr;

  bool granule(std::uint64_t index) const noexcept {
    return (granules[index / kWordBits].load(std::memory_order_relaxed) >> (index % kWordBits)) & 1;
  }
  // All of it is allocated device memory. REQUIRES: size > 0.
  bool covers(std::uint64_t address, std::uint64_t size) const noexcept {
    const std::uint64_t offset = address - base;
    if (offset >= bytes || size > bytes - offset) return false;
    const std::uint64_t last = (offset + size - 1) >> kGranuleShift;
    for (std::uint64_t index = offset >> kGranuleShift; index <= last; ++index)
      if (!granule(index)) return false;
    return true;
  }
};

class Memory {
 public:
  static base::Result<std::unique_ptr<Memory>> create(std::uint64_t bytes);
  virtual ~Memory() = default;

  // kLimit: not so much left. Host memory does not count as device memory. What is taken is a
  // multiple of the alignment.
  virtual base::Result<std::uint64_t> allocate(std::uint64_t bytes, MemoryKind kind,
                                               std::uint64_t alignment = kAllocationAlignment) = 0;
  // kNotFound: no allocation begins there.
  virtual base::Status release(std::uint64_t address) = 0;
  // Puts the file's memory, from its beginning, in the place of the allocation's, with all that
  // stands there: who maps the file has the same memory. REQUIRES: it was allocated with an
  // alignment of kMappingAlignment, and nobody writes to it meanwhile.
  virtual base::Status share(std::uint64_t address, int fd) = 0;
  // Memory of the program that kernels may use (cuMemHostRegister). kInvalidArgument: overlaps.
  virtual base::Status add_registered(std::uint64_t address, std::uint64_t bytes) = 0;
  virtual base::Status remove_registered(std::uint64_t address) = 0;

  // --- addresses apart from memory. REQUIRES: all are multiples of kMappingAlignment ---
  // Addresses for map(), at `wanted` where those are free. kLimit: not so many left.
  virtual base::Result<std::uint64_t> reserve(std::uint64_t bytes, std::uint64_t alignment,
                                              std::uint64_t wanted) = 0;
  // REQUIRES: reserve() gave them, and nothing is mapped there.
  virtual void release_reserved(std::uint64_t address, std::uint64_t bytes) noexcept = 0;
  // Part of a file at reserved addresses. Kernels may use it once it is allowed. After unmap() what
  // still looks at it finds zeros, not a fault of the process.
  virtual base::Status map(std::uint64_t address, std::uint64_t bytes, int fd,
                           std::uint64_t offset) = 0;
  virtual void unmap(std::uint64_t address, std::uint64_t bytes) noexcept = 0;
  // For a whole mapping. Of another machine's memory too, where it is a registered range.
  virtual base::Status allow(std::uint64_t address, std::uint64_t bytes) = 0;
  virtual void forbid(std::uint64_t address) noexcept = 0;
  // Counts as the device's memory what is elsewhere. kLimit: not so much left.
  virtual base::Status take(std::uint64_t bytes) = 0;
  virtual void give_back(std::uint64_t bytes) noexcept = 0;

  virtual std::vector<Allocation> allocations() const = 0;                  // all, by address
  virtual std::optional<Allocation> find(std::uint64_t address) const = 0;  // that contains it
  virtual std::optional<Allocation> nearest(std::uint64_t address) const = 0;
  // All of [address, address + bytes) lies in allocations, to the granularity of 256 bytes.
  virtual bool accessible(std::uint64_t address, std::uint64_t bytes) const noexcept = 0;
  virtual const MemoryView& view() const noexcept = 0;

  virtual std::uint64_t total_bytes() const noexcept = 0;
  virtual std::uint64_t free_bytes() const noexcept = 0;
};

}  // namespace longwire::softcuda::machine
