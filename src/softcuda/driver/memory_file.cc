#include "softcuda/driver/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_limit.h"
#include "base/random.h"

namespace longwire::softcuda::driver {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
static_assert(sizeof(FileTrailer) == 40 && sizeof(FileTrailer) <= kFilePage);

}  // namespace

MemoryFile::~MemoryFile() { ::close(fd_); }

std::uint64_t whole_pages(std::uint64_t bytes) noexcept {
  return (bytes + kFilePage - 1) / kFilePage * kFilePage;
}

std::shared_ptr<MemoryFile> make_memory_file(std::uint64_t bytes) {
  if (!base::file_may_have(bytes)) return nullptr;
  const int fd = ::memfd_create("longwire-soft-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return nullptr;
  auto file = std::make_shared<MemoryFile>(fd);
  return ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? file : nullptr;
}

std::shared_ptr<MemoryFile> make_exported_file(FileTrailer& trailer) {
  base::SystemRandom().fill(trailer.secret);
  const std::uint64_t bytes = whole_pages(trailer.bytes);
  auto file = make_memory_file(bytes + kFilePage);
  if (file == nullptr || ::pwrite(file->fd(), &trailer, sizeof trailer,
                                  static_cast<off_t>(bytes)) != ssize_t{sizeof trailer})
    return nullptr;
  return ::fcntl(file->fd(), F_ADD_SEALS, kSeals) == 0 ? file : nullptr;
}

bool read_trailer(int fd, const std::array<char, 8>& magic, FileTrailer& trailer) {
  struct stat status {};
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(fd, &status) != 0) return false;
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes <= kFilePage || bytes > kMaxFileBytes) return false;
  if (::pread(fd, &trailer, sizeof trailer, status.st_size - off_t{kFilePage}) !=
      ssize_t{sizeof trailer})
    return false;
  return trailer.magic == magic && trailer.bytes > 0 && trailer.bytes <= bytes - kFilePage &&
         whole_pages(trailer.bytes) == bytes - kFilePage;
}

}  // namespace longwire::softcuda::driver
