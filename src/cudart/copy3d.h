// Copies of two and three dimensions, as the driver wants them.
#pragma once

#include "cudart/driver_table.h"

namespace longwire::cudart {

// One end of a copy; x in bytes.
struct Place {
  CUmemorytype type = CU_MEMORYTYPE_UNIFIED;
  void* pointer = nullptr;
  cudaArray_t array = nullptr;
  std::size_t x = 0, y = 0, z = 0;
  std::size_t pitch = 0, height = 0;
};

// What `kind` says of a pointer at either end.
CUmemorytype type_from(cudaMemcpyKind kind) noexcept;
CUmemorytype type_to(cudaMemcpyKind kind) noexcept;

CUDA_MEMCPY3D make_copy(const Place& from, const Place& to, std::size_t width, std::size_t height,
                        std::size_t depth) noexcept;

// The driver's form of cudaMemcpy3D's argument, checked.
cudaError_t make_copy(const DriverTable& cu, const cudaMemcpy3DParms& asked, CUDA_MEMCPY3D& copy);

// The other way round, for what make_copy() has made.
cudaError_t to_runtime(const DriverTable& cu, const CUDA_MEMCPY3D& copy, cudaMemcpy3DParms& asked);

// Waits for it. Where the calling function's form means the thread's own stream, in that.
CUresult run_copy(const DriverTable& cu, const CUDA_MEMCPY3D& copy);

cudaError_t element_bytes(const DriverTable& cu, cudaArray_const_t array, std::size_t& bytes);

inline CUarray array_of(cudaArray_const_t array) noexcept {
  return reinterpret_cast<CUarray>(const_cast<cudaArray_t>(array));
}

}  // namespace longwire::cudart
