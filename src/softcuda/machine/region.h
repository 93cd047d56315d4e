// Region: zeroed memory from the system that is only taken when it is touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>

namespace longwire::softcuda::machine {

class Region {
 public:
  Region() = default;
  ~Region() { drop(); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // At least so many bytes; what stood there is lost where it grows. False: there is no memory.
  bool ensure(std::size_t bytes) noexcept {
    if (bytes <= bytes_) return true;
    drop();
    void* place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return false;
    place_ = static_cast<std::byte*>(place);
    bytes_ = bytes;
    return true;
  }
  std::byte* data() const noexcept { return place_; }
  std::span<std::byte> span() const noexcept { return {place_, bytes_}; }

 private:
  void drop() noexcept {
    if (place_ != nullptr) ::munmap(place_, bytes_);
    place_ = nullptr;
    bytes_ = 0;
  }

  std::byte* place_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace longwire::softcuda::machine
