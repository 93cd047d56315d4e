// Copies of so many bytes to and from arrays, which go on at the next row's beginning. Deprecated:
// copies of two dimensions say what they mean.
#include <algorithm>
#include <limits>

#include "cudart/array_format.h"
#include "cudart/context.h"
#include "cudart/copy3d.h"

using namespace longwire::cudart;

namespace {

// Where one side goes on; plain memory is one row without an end.
struct Cursor {
  Place place;
  std::size_t row = std::numeric_limits<std::size_t>::max();

  std::size_t left_in_row() const { return row - place.x; }
  void advance(std::size_t bytes) {
    place.x += bytes;
    if (place.x < row) return;
    place.x = 0;
    ++place.y;
  }
};

Cursor at_pointer(const void* pointer, CUmemorytype type) {
  Cursor cursor;
  cursor.place.type = type;
  cursor.place.pointer = const_cast<void*>(pointer);
  return cursor;
}

Cursor in_array(cudaArray_const_t array, std::size_t x, std::size_t y) {
  Cursor cursor;
  cursor.place.type = CU_MEMORYTYPE_ARRAY;
  cursor.place.array = const_cast<cudaArray_t>(array);
  cursor.place.x = x;
  cursor.place.y = y;
  return cursor;
}

// Fails where there is no such place in it.
cudaError_t find_row(const DriverTable& cu, Cursor& cursor) {
  if (cursor.place.type != CU_MEMORYTYPE_ARRAY)
    return cursor.place.pointer == nullptr ? cudaErrorInvalidValue : cudaSuccess;
  CUDA_ARRAY3D_DESCRIPTOR description{};
  std::size_t element = 0;
  cudaError_t error = element_bytes(cu, cursor.place.array, element);
  if (error == cudaSuccess)
    error = to_runtime(cu.cuArray3DGetDescriptor_v2(&description, array_of(cursor.place.array)));
  cursor.row = description.Width * element;
  return error == cudaSuccess && cursor.place.x >= cursor.row ? cudaErrorInvalidValue : error;
}

template <class Run>
cudaError_t copy(Cursor from, Cursor to, std::size_t bytes, Run&& run) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (bytes == 0) return cudaSuccess;
    for (Cursor* each : {&from, &to})
      if (cudaError_t error = find_row(cu, *each); error != cudaSuccess) return error;
    while (bytes > 0) {
      const std::size_t piece = std::min({bytes, from.left_in_row(), to.left_in_row()});
      const CUresult result = run(cu, make_copy(from.place, to.place, piece, 1, 1));
      if (result != CUDA_SUCCESS) return to_runtime(result);
      from.advance(piece);
      to.advance(piece);
      bytes -= piece;
    }
    return cudaSuccess;
  });
}

auto in(cudaStream_t stream) {
  return [stream](const DriverTable& cu, const CUDA_MEMCPY3D& one) {
    return cu.cuMemcpy3DAsync_v2(&one, to_driver(stream));
  };
}

}  // namespace

extern "C" {

cudaError_t cudaMemcpyToArray(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                              std::size_t bytes, cudaMemcpyKind kind) {
  return copy(at_pointer(from, type_from(kind)), in_array(to, x, y), bytes, run_copy);
}
cudaError_t cudaMemcpyToArrayAsync(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                                   std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return copy(at_pointer(from, type_from(kind)), in_array(to, x, y), bytes, in(stream));
}

cudaError_t cudaMemcpyFromArray(void* to, cudaArray_const_t from, std::size_t x, std::size_t y,
                                std::size_t bytes, cudaMemcpyKind kind) {
  return copy(in_array(from, x, y), at_pointer(to, type_to(kind)), bytes, run_copy);
}
cudaError_t cudaMemcpyFromArrayAsync(void* to, cudaArray_const_t from, std::size_t x, std::size_t y,
                                     std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return copy(in_array(from, x, y), at_pointer(to, type_to(kind)), bytes, in(stream));
}

cudaError_t cudaMemcpyArrayToArray(cudaArray_t to, std::size_t to_x, std::size_t to_y,
                                   cudaArray_const_t from, std::size_t from_x, std::size_t from_y,
                                   std::size_t bytes, cudaMemcpyKind) {
  return copy(in_array(from, from_x, from_y), in_array(to, to_x, to_y), bytes, run_copy);
}

}  // extern "C"
