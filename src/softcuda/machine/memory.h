// Memory: what one device has. Addresses are host addresses inside one large reservation, so that
// "is this device memory" is a comparison. Allocations are 256-byte aligned, zeroed when fresh, and
// never merge; what is not allocated is not accessible.
//
// Threads: every member may be called from any thread; accessible() takes no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"

namespace longwire::softcuda::machine {

inline constexpr std::uint64_t kAllocationAlignment = 256;

enum class MemoryKind : std::uint8_t { kDevice, kHost, kManaged, kRegistered, kModule };

struct Allocation {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;  // as asked for
  MemoryKind kind = MemoryKind::kDevice;
  std::uint64_t number = 0;  // counts allocations: the order of cuPointerGetAttribute's buffer id
};

class Memory {
 public:
  static base::Result<std::unique_ptr<Memory>> create(std::uint64_t bytes);
  virtual ~Memory() = default;

  // kLimit: not so much left. Host and managed memory count like device memory only if managed.
  virtual base::Result<std::uint64_t> allocate(std::uint64_t bytes, MemoryKind kind,
                                               std::uint64_t alignment = kAllocationAlignment) = 0;
  // kNotFound: no allocation begins there.
  virtual base::Status release(std::uint64_t address) = 0;
  // Memory of the program that kernels may use (cuMemHostRegister). kInvalidArgument: overlaps.
  virtual base::Status add_registered(std::uint64_t address, std::uint64_t bytes) = 0;
  virtual base::Status remove_registered(std::uint64_t address) = 0;

  virtual std::optional<Allocation> find(std::uint64_t address) const = 0;  // that contains it
  virtual std::optional<Allocation> nearest(std::uint64_t address) const = 0;
  // All of [address, address + bytes) lies in allocations, to the granularity of 256 bytes.
  virtual bool accessible(std::uint64_t address, std::uint64_t bytes) const noexcept = 0;

  virtual std::uint64_t total_bytes() const noexcept = 0;
  virtual std::uint64_t free_bytes() const noexcept = 0;
};

}  // namespace longwire::softcuda::machine
