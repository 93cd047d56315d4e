// Arithmetic of images, free of objects: element sizes, extents, pitches, regions. OpenCL 3.0,
// section 5.3.
#pragma once

#include <cstddef>
#include <optional>

#include <CL/cl.h>

#include "client/opencl/transfer_rows.h"

namespace longwire::client::opencl {

// Bytes of one element; 0 where the order and the type do not go together (table of image channel
// orders and types).
std::size_t element_bytes(const cl_image_format& format) noexcept;

bool is_image_type(cl_mem_object_type type) noexcept;
bool is_image_array(cl_mem_object_type type) noexcept;
bool has_height(cl_mem_object_type type) noexcept;

// What sizes and pitches become that leave 64 bits: larger than anything.
inline constexpr std::size_t kAbsurdBytes = ~std::size_t{0};

struct ImageShape {
  cl_mem_object_type type = CL_MEM_OBJECT_IMAGE2D;
  std::size_t width = 0;   // elements
  std::size_t height = 0;  // 0 where the type has none, as clGetImageInfo reports it
  std::size_t depth = 0;
  std::size_t array_size = 0;
  std::size_t element = 0;  // bytes

  // The box that regions lie in, in the API's order: a 1D array's second axis and a 2D array's
  // third are the array's index; axes that the type does not have are 1.
  Extent3 box() const noexcept;
  bool has_slices() const noexcept;  // 3D, 2D arrays and 1D arrays have a slice pitch
  // What a zero pitch stands for. `rows`: of each slice.
  std::size_t tight_row_pitch() const noexcept;
  std::size_t tight_slice_pitch(std::size_t row_pitch) const noexcept;
  // Bytes from the first to past the last element, with those pitches; kAbsurdBytes at most.
  std::size_t bytes(std::size_t row_pitch, std::size_t slice_pitch) const noexcept;
  // CL_INVALID_VALUE where the region is empty, outside, or extends in an axis that the type lacks.
  cl_int check_region(const Extent3& origin, const Extent3& region) const noexcept;
  // Offset of an element, with those pitches.
  std::size_t offset_of(const Extent3& at, std::size_t row_pitch,
                        std::size_t slice_pitch) const noexcept;
  // `region` of this image as rows of host memory that begin at `first`.
  Rows rows_of(const Extent3& region, std::byte* first, std::size_t row_pitch,
               std::size_t slice_pitch) const noexcept;
  // Host pitches of a read or write as the program gave them, zeros filled in; nothing where they
  // are too small (CL_INVALID_VALUE). A slice pitch means nothing for types without slices.
  struct Pitches {
    std::size_t row;
    std::size_t slice;
  };
  std::optional<Pitches> host_pitches(const Extent3& region, std::size_t row_pitch,
                                      std::size_t slice_pitch) const noexcept;
};

}  // namespace longwire::client::opencl
