// MirroredBuffer: memory of which every byte is seen twice, `size()` apart, so that any range that
// starts in the first half and is at most size() long is contiguous. What makes a ring of frames
// need no special case at its end.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace longwire::session {

class MirroredBuffer {
 public:
  // `bytes` is rounded up to a power of two of at least a page; touched pages alone cost memory.
  static base::Result<MirroredBuffer> create(std::size_t bytes);
  MirroredBuffer() = default;
  MirroredBuffer(MirroredBuffer&& other) noexcept;
  MirroredBuffer& operator=(MirroredBuffer&& other) noexcept;
  ~MirroredBuffer();

  std::size_t size() const noexcept { return size_; }
  // [offset, offset + bytes) of an endless stream laid around the ring. REQUIRES: bytes <= size().
  std::span<std::byte> at(std::uint64_t offset, std::size_t bytes) const noexcept {
    return {base_ + (offset & (size_ - 1)), bytes};
  }

 private:
  MirroredBuffer(std::byte* base, std::size_t size);
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  int process_ = 0;  // whose memory it is: a forked child has other things at the same place
};

}  // namespace longwire::session
