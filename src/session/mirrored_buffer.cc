#include "session/mirrored_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "base/file_limit.h"
#include "base/unique_fd.h"

namespace longwire::session {

using base::Error;
using base::ErrorCode;

base::Result<MirroredBuffer> MirroredBuffer::create(std::size_t bytes) {
  const auto fail = [](const char* what) {
    return Error::from_errno(ErrorCode::kInternal, what, errno);
  };
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = std::bit_ceil(std::max(bytes, page));
  if (!base::file_may_have(size))
    return Error(ErrorCode::kLimit, "a buffer is larger than files may be (ulimit -f)");
  const base::UniqueFd memory(::memfd_create("longwire-ring", MFD_CLOEXEC));
  if (!memory.valid()) return fail("memfd_create");
  if (::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) return fail("ftruncate");
  void* base = ::mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return fail("mmap");
  MirroredBuffer buffer(static_cast<std::byte*>(base), size);
  for (std::byte* half : {buffer.base_, buffer.base_ + size}) {
    if (::mmap(half, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory.get(), 0) ==
        MAP_FAILED) {
      return fail("mmap");
    }
  }
  // Shared memory: a forked child of the program must not write into its parent's session.
  ::madvise(base, 2 * size, MADV_DONTFORK);
  return buffer;
}

MirroredBuffer::MirroredBuffer(std::byte* base, std::size_t size)
    : base_(base), size_(size), process_(::getpid()) {}

MirroredBuffer::MirroredBuffer(MirroredBuffer&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      process_(other.process_) {}

MirroredBuffer& MirroredBuffer::operator=(MirroredBuffer&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(process_, other.process_);
  return *this;
}

MirroredBuffer::~MirroredBuffer() {
  if (base_ != nullptr && process_ == ::getpid()) ::munmap(base_, 2 * size_);
}

}  // namespace longwire::session
