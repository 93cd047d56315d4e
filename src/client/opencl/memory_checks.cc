#include "client/opencl/memory_checks.h"

#include <limits>

namespace longwire::client::opencl {
namespace {

// Sums and products that stay absurd instead of wrapping around.
struct Checked {
  bool overflowed = false;
  std::size_t mul(std::size_t a, std::size_t b) noexcept {
    std::size_t result = 0;
    overflowed |= __builtin_mul_overflow(a, b, &result);
    return result;
  }
  std::size_t add(std::size_t a, std::size_t b) noexcept {
    std::size_t result = 0;
    overflowed |= __builtin_add_overflow(a, b, &result);
    return result;
  }
};

bool fits(const BufferRect& rect) noexcept {
  Checked c;
  const std::size_t begin =
      c.add(c.add(c.mul(rect.origin[2], rect.slice_pitch), c.mul(rect.origin[1], rect.row_pitch)),
            rect.origin[0]);
  const std::size_t reach =
      c.add(c.add(c.mul(rect.region[2], rect.slice_pitch), c.mul(rect.region[1], rect.row_pitch)),
            rect.region[0]);
  (void)c.add(begin, reach);
  return !c.overflowed;
}

}  // namespace

cl_int use_memory(const EnqueueContext& at, cl_mem handle, Memory** memory) noexcept {
  Memory* const found = from_cl<Memory>(handle);
  if (found == nullptr) return CL_INVALID_MEM_OBJECT;
  if (&found->context() != &at.context) return CL_INVALID_CONTEXT;
  LW_CL_TRY(found->failure());
  *memory = found;
  return CL_SUCCESS;
}

cl_int use_buffer(const EnqueueContext& at, cl_mem handle, Memory** buffer) noexcept {
  LW_CL_TRY(use_memory(at, handle, buffer));
  if (!(*buffer)->is_buffer()) return CL_INVALID_MEM_OBJECT;
  return (*buffer)->check_alignment(at.device);
}

cl_int use_image(const EnqueueContext& at, cl_mem handle, Image** image) noexcept {
  Memory* memory = nullptr;
  LW_CL_TRY(use_memory(at, handle, &memory));
  *image = memory->as_image();
  if (*image == nullptr) return CL_INVALID_MEM_OBJECT;
  return at.device.image_support() ? CL_SUCCESS : CL_INVALID_OPERATION;
}

cl_int BufferRect::make(const std::size_t* origin, const std::size_t* region, std::size_t row_pitch,
                        std::size_t slice_pitch, BufferRect* rect) noexcept {
  if (origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  if (region[0] == 0 || region[1] == 0 || region[2] == 0) return CL_INVALID_VALUE;
  Checked c;
  if (row_pitch == 0) row_pitch = region[0];
  const std::size_t least_slice = c.mul(region[1], row_pitch);
  if (slice_pitch == 0) slice_pitch = least_slice;
  if (c.overflowed || row_pitch < region[0] || slice_pitch < least_slice ||
      slice_pitch % row_pitch != 0) {
    return CL_INVALID_VALUE;
  }
  *rect = {extent3(origin), extent3(region), row_pitch, slice_pitch};
  return fits(*rect) ? CL_SUCCESS : CL_INVALID_VALUE;
}

Rows BufferRect::rows_at(const void* base) const noexcept {
  std::byte* const first = const_cast<std::byte*>(static_cast<const std::byte*>(base)) + begin();
  return {first, region[0], region[1], region[2], row_pitch, slice_pitch};
}

bool rects_overlap(const BufferRect& from, const BufferRect& to, std::size_t from_base,
                   std::size_t to_base) noexcept {
  const std::size_t a_begin = from_base + from.begin();
  const std::size_t a_end = from_base + from.end();
  const std::size_t b_begin = to_base + to.begin();
  const std::size_t b_end = to_base + to.end();
  if (a_end <= b_begin || b_end <= a_begin) return false;

  // The spans interleave; the boxes are apart all the same where one fits in the gap that the other
  // leaves in each row, or in each slice.
  const auto fits_in_gap = [](std::size_t a, std::size_t b, std::size_t length, std::size_t pitch) {
    a %= pitch;
    b %= pitch;
    return (b >= a + length && b + length <= a + pitch) ||
           (a >= b + length && a + length <= b + pitch);
  };
  const std::size_t slice_bytes = (from.region[1] - 1) * from.row_pitch + from.region[0];
  return !fits_in_gap(a_begin, b_begin, from.region[0], from.row_pitch) &&
         !fits_in_gap(a_begin, b_begin, slice_bytes, from.slice_pitch);
}

bool boxes_overlap(const Extent3& a, const Extent3& b, const Extent3& region) noexcept {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (a[axis] + region[axis] <= b[axis] || b[axis] + region[axis] <= a[axis]) return false;
  }
  return true;
}

}  // namespace longwire::client::opencl
