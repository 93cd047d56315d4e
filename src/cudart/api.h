// What every file of the runtime library sees: both APIs, and how a function runs and answers.
#pragma once

#include "cudaapi/entry_points.h"

#define LONGWIRE_CUDART_EXACT_NAMES  // who defines the functions wants no macros over their names
#pragma GCC visibility push(default)
#include "cuda_runtime_api.h"
#pragma GCC visibility pop

namespace longwire::cudart {

// Keeps an error for the calling thread's cudaGetLastError(); returns what it is given.
cudaError_t remember(cudaError_t error) noexcept;

// What a function without an implementation answers.
cudaError_t not_supported() noexcept;

// The runtime's numbers are the driver's.
inline cudaError_t to_runtime(CUresult result) noexcept { return static_cast<cudaError_t>(result); }
inline cudaError_t to_runtime(cudaError_t error) noexcept { return error; }

// 0 is the stream that the calling function's form means.
inline CUstream to_driver(cudaStream_t stream) noexcept {
  return stream == nullptr && cudaapi::PerThreadStream::active() ? CU_STREAM_PER_THREAD : stream;
}

inline CUdeviceptr address_of(const void* pointer) noexcept {
  return reinterpret_cast<CUdeviceptr>(pointer);
}
inline void* pointer_to(CUdeviceptr address) noexcept { return reinterpret_cast<void*>(address); }

}  // namespace longwire::cudart
