// Files that are kept in memory alone, and how one process tells what another's is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace longwire::softcuda::driver {

// What stands behind an exported file's memory, for who maps it.
struct FileTrailer {
  std::array<char, 8> magic{};  // what the file is for
  std::uint64_t bytes = 0;      // before the trailer, as asked for: less than a page may be between
  std::int32_t location_type = 0;
  std::int32_t location_id = 0;
  std::array<std::byte, 16> secret{};  // no two files have the same
};
inline constexpr std::array<char, 8> kCreatedFile{'L', 'W', 'S', 'O', 'F', 'T', 'M', '2'};
inline constexpr std::array<char, 8> kIpcMemoryFile{'L', 'W', 'S', 'I', 'P', 'C', 'M', '1'};
inline constexpr std::array<char, 8> kIpcEventFile{'L', 'W', 'S', 'I', 'P', 'C', 'E', '1'};
inline constexpr std::uint64_t kFilePage = 4096;
inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{16} << 40;

// Closed with the last that uses it.
class MemoryFile {
 public:
  explicit MemoryFile(int fd) : fd_(fd) {}
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  const int fd_;
};

// Of zeros. nullptr: there is no room for another.
std::shared_ptr<MemoryFile> make_memory_file(std::uint64_t bytes);
// With a trailer, which gets its secret here; its size is fixed from now on.
std::shared_ptr<MemoryFile> make_exported_file(FileTrailer& trailer);
// False: it is no file of that kind, or one whose size may change, so that a mapping of it could
// lose its memory. What the trailer says of a location is not looked at.
bool read_trailer(int fd, const std::array<char, 8>& magic, FileTrailer& trailer);

std::uint64_t whole_pages(std::uint64_t bytes) noexcept;

}  // namespace longwire::softcuda::driver
