// Object: what LLVM makes of a kernel (a relocatable ELF file for x86-64) brought into this
// process: placed, joined with what it names, and made executable. It reads what LLVM makes of our
// code and no more: no writable data, no thread-local storage, one table of symbols. Each number in
// the file is held against its limit, so that a file that is damaged, or none, is an error and
// nothing else. Whoever writes the file decides what is executed, of course: see code_cache.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace longwire::softcuda::jit {

inline constexpr std::size_t kMaxObjectBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxObjectSections = 256;
inline constexpr std::size_t kMaxObjectFunctions = 4096;  // that it calls by name

// What an object may name that is not in it.
struct ObjectNames {
  std::string_view table;                // data of this name, which is put beside the code
  std::span<const std::uint64_t> words;  // and what is in it
  // The address of a function; nullptr: there is none of that name.
  const void* (*function)(std::string_view name) = nullptr;
};

// Pages of this process, given back at the end.
class Pages {
 public:
  Pages() = default;
  Pages(Pages&& other) noexcept
      : place_(std::exchange(other.place_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(place_, other.place_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Pages();

  // Zeroed, to be written. kLimit: there is no memory.
  static base::Result<Pages> make(std::size_t bytes);
  static std::size_t page_bytes() noexcept;
  static std::size_t rounded(std::size_t bytes) noexcept {
    return (bytes + page_bytes() - 1) / page_bytes() * page_bytes();
  }
  // From now on the first `code` bytes are executable and nothing can be written. REQUIRES: a
  // multiple of a page. kPermissionDenied: the system does not let us.
  base::Status seal(std::size_t code);
  std::span<std::byte> all() const noexcept { return {place_, bytes_}; }

 private:
  std::byte* place_ = nullptr;
  std::size_t bytes_ = 0;
};

// The code lives as long as this.
class LoadedObject {
 public:
  // kInvalidArgument: it is not an object of ours. kLimit, kPermissionDenied: as Pages.
  static base::Result<LoadedObject> load(std::span<const std::byte> file, const ObjectNames& names);

  // A function in it; nullptr: there is none of that name.
  const void* function(std::string_view name) const noexcept;

 private:
  friend class ObjectLoader;
  Pages pages_;
  std::map<std::string, const void*, std::less<>> functions_;
};

}  // namespace longwire::softcuda::jit
