#include "client/opencl/image_layout.h"

#include <initializer_list>

namespace longwire::client::opencl {
namespace {

std::size_t channels_of(cl_channel_order order) noexcept {
  switch (order) {
    case CL_R:
    case CL_A:
    case CL_Rx:
    case CL_INTENSITY:
    case CL_LUMINANCE:
    case CL_DEPTH:
      return 1;
    case CL_RG:
    case CL_RA:
    case CL_RGx:
      return 2;
    case CL_RGB:
    case CL_RGBx:
    case CL_sRGB:
    case CL_sRGBx:
      return 3;
    case CL_RGBA:
    case CL_BGRA:
    case CL_ARGB:
    case CL_ABGR:
    case CL_sRGBA:
    case CL_sBGRA:
      return 4;
    default:
      return 0;
  }
}

// Bytes of one channel; 0 for unknown and for packed types.
std::size_t channel_bytes(cl_channel_type type) noexcept {
  switch (type) {
    case CL_SNORM_INT8:
    case CL_UNORM_INT8:
    case CL_SIGNED_INT8:
    case CL_UNSIGNED_INT8:
      return 1;
    case CL_SNORM_INT16:
    case CL_UNORM_INT16:
    case CL_SIGNED_INT16:
    case CL_UNSIGNED_INT16:
    case CL_HALF_FLOAT:
      return 2;
    case CL_UNORM_INT24:  // in the lower bits of 32
    case CL_SIGNED_INT32:
    case CL_UNSIGNED_INT32:
    case CL_FLOAT:
      return 4;
    default:
      return 0;
  }
}

// Bytes of an element whose channels share a word; 0 for other types.
std::size_t packed_bytes(const cl_image_format& format) noexcept {
  const bool rgb = format.image_channel_order == CL_RGB || format.image_channel_order == CL_RGBx;
  switch (format.image_channel_data_type) {
    case CL_UNORM_SHORT_565:
    case CL_UNORM_SHORT_555:
      return rgb ? 2 : 0;
    case CL_UNORM_INT_101010:
      return rgb ? 4 : 0;
    case CL_UNORM_INT_101010_2:
      return format.image_channel_order == CL_RGBA ? 4 : 0;
    default:
      return 0;
  }
}

bool any_of(cl_channel_type type, std::initializer_list<cl_channel_type> types) {
  for (const auto one : types) {
    if (one == type) return true;
  }
  return false;
}

// Orders that only some types go with.
bool order_allows(cl_channel_order order, cl_channel_type type) noexcept {
  switch (order) {
    case CL_INTENSITY:
    case CL_LUMINANCE:
      return any_of(type, {CL_UNORM_INT8, CL_UNORM_INT16, CL_SNORM_INT8, CL_SNORM_INT16,
                           CL_HALF_FLOAT, CL_FLOAT});
    case CL_RGB:
    case CL_RGBx:
      return false;  // packed types only
    case CL_ARGB:
    case CL_BGRA:
    case CL_ABGR:
      return any_of(type, {CL_UNORM_INT8, CL_SNORM_INT8, CL_SIGNED_INT8, CL_UNSIGNED_INT8});
    case CL_DEPTH:
      return any_of(type, {CL_UNORM_INT16, CL_FLOAT});
    case CL_sRGB:
    case CL_sRGBx:
    case CL_sRGBA:
    case CL_sBGRA:
      return type == CL_UNORM_INT8;
    default:
      return true;
  }
}

std::size_t times(std::size_t a, std::size_t b) noexcept {
  std::size_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kAbsurdBytes : product;
}

}  // namespace

std::size_t element_bytes(const cl_image_format& format) noexcept {
  if (const std::size_t packed = packed_bytes(format); packed != 0) return packed;
  const auto type = format.image_channel_data_type;
  if (!order_allows(format.image_channel_order, type)) return 0;
  return channels_of(format.image_channel_order) * channel_bytes(type);
}

bool is_image_type(cl_mem_object_type type) noexcept {
  switch (type) {
    case CL_MEM_OBJECT_IMAGE1D:
    case CL_MEM_OBJECT_IMAGE1D_BUFFER:
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
    case CL_MEM_OBJECT_IMAGE2D:
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
    case CL_MEM_OBJECT_IMAGE3D:
      return true;
    default:
      return false;
  }
}

bool is_image_array(cl_mem_object_type type) noexcept {
  return type == CL_MEM_OBJECT_IMAGE1D_ARRAY || type == CL_MEM_OBJECT_IMAGE2D_ARRAY;
}

bool has_height(cl_mem_object_type type) noexcept {
  return type == CL_MEM_OBJECT_IMAGE2D || type == CL_MEM_OBJECT_IMAGE2D_ARRAY ||
         type == CL_MEM_OBJECT_IMAGE3D;
}

Extent3 ImageShape::box() const noexcept {
  switch (type) {
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      return {width, array_size, 1};
    case CL_MEM_OBJECT_IMAGE2D:
      return {width, height, 1};
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      return {width, height, array_size};
    case CL_MEM_OBJECT_IMAGE3D:
      return {width, height, depth};
    default:
      return {width, 1, 1};
  }
}

bool ImageShape::has_slices() const noexcept {
  return type == CL_MEM_OBJECT_IMAGE3D || type == CL_MEM_OBJECT_IMAGE2D_ARRAY ||
         type == CL_MEM_OBJECT_IMAGE1D_ARRAY;
}

std::size_t ImageShape::tight_row_pitch() const noexcept { return times(width, element); }

std::size_t ImageShape::tight_slice_pitch(std::size_t row_pitch) const noexcept {
  if (!has_slices()) return 0;
  return type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? row_pitch : times(row_pitch, height);
}

std::size_t ImageShape::bytes(std::size_t row_pitch, std::size_t slice_pitch) const noexcept {
  switch (type) {
    case CL_MEM_OBJECT_IMAGE3D:
      return times(slice_pitch, depth);
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      return times(slice_pitch, array_size);
    case CL_MEM_OBJECT_IMAGE2D:
      return times(row_pitch, height);
    default:
      return row_pitch;
  }
}

cl_int ImageShape::check_region(const Extent3& origin, const Extent3& region) const noexcept {
  const Extent3 limit = box();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool inside = region[axis] != 0 && origin[axis] < limit[axis] &&
                        region[axis] <= limit[axis] - origin[axis];
    if (!inside) return CL_INVALID_VALUE;
  }
  return CL_SUCCESS;
}

std::size_t ImageShape::offset_of(const Extent3& at, std::size_t row_pitch,
                                  std::size_t slice_pitch) const noexcept {
  if (type == CL_MEM_OBJECT_IMAGE1D_ARRAY) return at[0] * element + at[1] * slice_pitch;
  return at[0] * element + at[1] * row_pitch + at[2] * slice_pitch;
}

Rows ImageShape::rows_of(const Extent3& region, std::byte* first, std::size_t row_pitch,
                         std::size_t slice_pitch) const noexcept {
  const std::size_t row_bytes = region[0] * element;
  if (type == CL_MEM_OBJECT_IMAGE1D_ARRAY)
    return {first, row_bytes, region[1], 1, slice_pitch, slice_pitch * region[1]};
  return {first, row_bytes, region[1], region[2], row_pitch, slice_pitch};
}

std::optional<ImageShape::Pitches> ImageShape::host_pitches(
    const Extent3& region, std::size_t row_pitch, std::size_t slice_pitch) const noexcept {
  const std::size_t row_bytes = region[0] * element;
  if (row_pitch == 0) row_pitch = row_bytes;
  if (row_pitch < row_bytes) return std::nullopt;
  if (!has_slices()) return Pitches{row_pitch, row_pitch * region[1]};
  const std::size_t least =
      type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? row_pitch : times(row_pitch, region[1]);
  if (slice_pitch == 0) slice_pitch = least;
  if (slice_pitch < least) return std::nullopt;
  return Pitches{row_pitch, slice_pitch};
}

}  // namespace longwire::client::opencl
