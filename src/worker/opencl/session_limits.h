// What one session may use of the node's devices, and in which state it gets their memory. Enforced
// where the command runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace longwire::worker::opencl {

// Whether new device memory is cleared before the session can read it: kAuto in contexts with a
// device that is not a CPU, as a CPU's memory is that of this process, fresh from the kernel.
enum class Scrub : std::uint8_t { kAuto, kAlways, kNever };

// Without a byte of what a creation waits for.
inline constexpr base::Nanoseconds kCreationStallSeconds = 300;

struct SessionLimits {
  std::uint64_t memory_bytes = 0;  // of all memory objects together; 0: what the devices have
  std::uint64_t handles = 0;       // objects at once; 0: kMaxObjects
  Scrub scrub = Scrub::kAuto;
  // That the session sees: its number among all of the node's, from 0, or its CL_DEVICE_NAME with
  // '-' for each character but letters, digits, '.', '_' and '-'. Empty: all.
  std::vector<std::string> devices = {};
  // A creation whose data does not come holds memory, and every command behind it.
  base::Nanoseconds creation_stall_ns = kCreationStallSeconds * base::kSecond;
};

// The memory of a session's objects. Any thread.
class MemoryQuota {
 public:
  explicit MemoryQuota(std::uint64_t bytes) : most_(bytes == 0 ? ~std::uint64_t{0} : bytes) {}
  MemoryQuota(const MemoryQuota&) = delete;
  MemoryQuota& operator=(const MemoryQuota&) = delete;

  bool take(std::uint64_t bytes) noexcept {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > most_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::uint64_t bytes) noexcept {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  bool limited() const noexcept { return most_ != ~std::uint64_t{0}; }
  // What a device of that much shows to the session.
  std::uint64_t shown(std::uint64_t bytes) const noexcept { return bytes < most_ ? bytes : most_; }

 private:
  const std::uint64_t most_;
  std::atomic<std::uint64_t> used_{0};
};

// A part of a quota, given back when it goes. Shares the quota: a vendor driver may say that memory
// is gone when the session is.
class Reservation {
 public:
  Reservation() = default;
  // Empty where the quota has no room: ok() tells.
  Reservation(std::shared_ptr<MemoryQuota> quota, std::uint64_t bytes) : bytes_(bytes) {
    if (quota->take(bytes)) quota_ = std::move(quota);
  }
  Reservation(Reservation&&) noexcept = default;
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(quota_, other.quota_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() {
    if (quota_ != nullptr) quota_->give_back(bytes_);
  }
  bool ok() const noexcept { return quota_ != nullptr; }

 private:
  std::shared_ptr<MemoryQuota> quota_;
  std::uint64_t bytes_ = 0;
};

}  // namespace longwire::worker::opencl
