// What every command checks about the memory objects it is given. Never waits.
#pragma once

#include <cstddef>

#include "client/opencl/enqueue.h"
#include "client/opencl/image.h"
#include "client/opencl/memory.h"
#include "client/opencl/transfer_rows.h"

namespace longwire::client::opencl {

// [offset, offset + size) lies within [0, total), without overflow.
constexpr bool in_bounds(std::size_t offset, std::size_t size, std::size_t total) noexcept {
  return offset <= total && size <= total - offset;
}

// CL_INVALID_MEM_OBJECT, CL_INVALID_CONTEXT, the object's own failure, or CL_SUCCESS with *memory.
cl_int use_memory(const EnqueueContext& at, cl_mem handle, Memory** memory) noexcept;
// As use_memory() for buffers only, with CL_MISALIGNED_SUB_BUFFER_OFFSET.
cl_int use_buffer(const EnqueueContext& at, cl_mem handle, Memory** buffer) noexcept;
// As use_memory() for images only, with CL_INVALID_OPERATION where the device has no images.
cl_int use_image(const EnqueueContext& at, cl_mem handle, Image** image) noexcept;

// A box of a buffer in bytes, rows, slices (clEnqueue*BufferRect).
struct BufferRect {
  Extent3 origin;
  Extent3 region;
  std::size_t row_pitch;
  std::size_t slice_pitch;

  // Zero pitches filled in. CL_INVALID_VALUE for null arrays, empty regions, pitches that are too
  // small or no multiples, and anything that overflows.
  static cl_int make(const std::size_t* origin, const std::size_t* region, std::size_t row_pitch,
                     std::size_t slice_pitch, BufferRect* rect) noexcept;
  std::size_t begin() const noexcept {
    return origin[2] * slice_pitch + origin[1] * row_pitch + origin[0];
  }
  std::size_t end() const noexcept {
    return begin() + (region[2] - 1) * slice_pitch + (region[1] - 1) * row_pitch + region[0];
  }
  // As rows of host memory whose box begins at `base`.
  Rows rows_at(const void* base) const noexcept;
};

// Whether two boxes with the same region and pitches share bytes: the test of the specification's
// appendix "CL_MEM_COPY_OVERLAP". `from` and `to`: bytes from the start of the same root.
bool rects_overlap(const BufferRect& from, const BufferRect& to, std::size_t from_base,
                   std::size_t to_base) noexcept;

// Whether two boxes of one image share elements.
bool boxes_overlap(const Extent3& a, const Extent3& b, const Extent3& region) noexcept;

}  // namespace longwire::client::opencl
