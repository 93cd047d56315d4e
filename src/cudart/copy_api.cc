// Copies of one dimension, to and from symbols and other devices; memsets.
#include "cudart/code.h"
#include "cudart/context.h"

using namespace longwire::cudart;
using longwire::cudaapi::PerThreadStream;

namespace {

CUresult copy_async(const DriverTable& cu, void* to, const void* from, std::size_t bytes,
                    cudaMemcpyKind kind, CUstream stream) {
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return cu.cuMemcpyHtoDAsync_v2(address_of(to), from, bytes, stream);
    case cudaMemcpyDeviceToHost:
      return cu.cuMemcpyDtoHAsync_v2(to, address_of(from), bytes, stream);
    case cudaMemcpyDeviceToDevice:
      return cu.cuMemcpyDtoDAsync_v2(address_of(to), address_of(from), bytes, stream);
    default:
      return cu.cuMemcpyAsync(address_of(to), address_of(from), bytes, stream);
  }
}

CUresult copy_in_legacy_stream(const DriverTable& cu, void* to, const void* from, std::size_t bytes,
                               cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return cu.cuMemcpyHtoD_v2(address_of(to), from, bytes);
    case cudaMemcpyDeviceToHost:
      return cu.cuMemcpyDtoH_v2(to, address_of(from), bytes);
    case cudaMemcpyDeviceToDevice:
      return cu.cuMemcpyDtoD_v2(address_of(to), address_of(from), bytes);
    default:
      return cu.cuMemcpy(address_of(to), address_of(from), bytes);
  }
}

CUresult copy(const DriverTable& cu, void* to, const void* from, std::size_t bytes,
              cudaMemcpyKind kind) {
  if (!PerThreadStream::active()) return copy_in_legacy_stream(cu, to, from, bytes, kind);
  const CUresult result = copy_async(cu, to, from, bytes, kind, CU_STREAM_PER_THREAD);
  return result != CUDA_SUCCESS ? result : cu.cuStreamSynchronize(CU_STREAM_PER_THREAD);
}

// Runs `body(cu)` for a copy that has something to do.
template <class Body>
cudaError_t copying(cudaMemcpyKind kind, const void* to, const void* from, std::size_t bytes,
                    Body&& body) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault)
      return cudaErrorInvalidMemcpyDirection;
    if (bytes == 0) return cudaSuccess;
    if (to == nullptr || from == nullptr) return cudaErrorInvalidValue;
    return to_runtime(body(cu));
  });
}

// A part of a symbol.
cudaError_t find_part(const DriverTable& cu, const void* symbol, std::size_t offset,
                      std::size_t count, void*& place) {
  CUdeviceptr address = 0;
  std::size_t bytes = 0;
  const cudaError_t error = find_symbol(cu, symbol, address, bytes);
  if (error != cudaSuccess) return error;
  if (offset > bytes || count > bytes - offset) return cudaErrorInvalidValue;
  place = pointer_to(address + offset);
  return cudaSuccess;
}

bool is_to_symbol(cudaMemcpyKind kind) {
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}

bool is_from_symbol(cudaMemcpyKind kind) {
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice ||
         kind == cudaMemcpyDefault;
}

}  // namespace

extern "C" {

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return copying(kind, to, from, bytes,
                 [&](const DriverTable& cu) { return copy(cu, to, from, bytes, kind); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return copying(kind, to, from, bytes, [&](const DriverTable& cu) {
    return copy_async(cu, to, from, bytes, kind, to_driver(stream));
  });
}

cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, std::size_t bytes,
                               std::size_t offset, cudaMemcpyKind kind) {
  if (!is_to_symbol(kind)) return remember(cudaErrorInvalidMemcpyDirection);
  return copying(kind, symbol, from, bytes, [&](const DriverTable& cu) -> cudaError_t {
    void* to = nullptr;
    const cudaError_t error = find_part(cu, symbol, offset, bytes, to);
    return error != cudaSuccess ? error : to_runtime(copy(cu, to, from, bytes, kind));
  });
}

cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, std::size_t bytes,
                                    std::size_t offset, cudaMemcpyKind kind, cudaStream_t stream) {
  if (!is_to_symbol(kind)) return remember(cudaErrorInvalidMemcpyDirection);
  return copying(kind, symbol, from, bytes, [&](const DriverTable& cu) -> cudaError_t {
    void* to = nullptr;
    const cudaError_t error = find_part(cu, symbol, offset, bytes, to);
    if (error != cudaSuccess) return error;
    return to_runtime(copy_async(cu, to, from, bytes, kind, to_driver(stream)));
  });
}

cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, std::size_t bytes,
                                 std::size_t offset, cudaMemcpyKind kind) {
  if (!is_from_symbol(kind)) return remember(cudaErrorInvalidMemcpyDirection);
  return copying(kind, to, symbol, bytes, [&](const DriverTable& cu) -> cudaError_t {
    void* from = nullptr;
    const cudaError_t error = find_part(cu, symbol, offset, bytes, from);
    return error != cudaSuccess ? error : to_runtime(copy(cu, to, from, bytes, kind));
  });
}

cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, std::size_t bytes,
                                      std::size_t offset, cudaMemcpyKind kind,
                                      cudaStream_t stream) {
  if (!is_from_symbol(kind)) return remember(cudaErrorInvalidMemcpyDirection);
  return copying(kind, to, symbol, bytes, [&](const DriverTable& cu) -> cudaError_t {
    void* from = nullptr;
    const cudaError_t error = find_part(cu, symbol, offset, bytes, from);
    if (error != cudaSuccess) return error;
    return to_runtime(copy_async(cu, to, from, bytes, kind, to_driver(stream)));
  });
}

cudaError_t cudaGetSymbolAddress(void** pointer, const void* symbol) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    return find_part(cu, symbol, 0, 0, *pointer);
  });
}

cudaError_t cudaGetSymbolSize(std::size_t* bytes, const void* symbol) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUdeviceptr address = 0;
    return bytes == nullptr ? cudaErrorInvalidValue : find_symbol(cu, symbol, address, *bytes);
  });
}

cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device,
                           std::size_t bytes) {
  const cudaError_t error = cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, nullptr);
  return error != cudaSuccess ? error : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device,
                                std::size_t bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUcontext to_context = nullptr;
    CUcontext from_context = nullptr;
    cudaError_t error = primary_context(cu, to_device, to_context);
    if (error == cudaSuccess) error = primary_context(cu, from_device, from_context);
    if (error != cudaSuccess || bytes == 0) return error;
    return to_runtime(cu.cuMemcpyPeerAsync(address_of(to), to_context, address_of(from),
                                           from_context, bytes, to_driver(stream)));
  });
}

// A memset of the device does not wait for its end, as cudaMemset() does not.
cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
  return cudaMemsetAsync(pointer, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (bytes == 0) return CUDA_SUCCESS;
    return cu.cuMemsetD8Async(address_of(pointer), static_cast<unsigned char>(value), bytes,
                              to_driver(stream));
  });
}

cudaError_t cudaMemset2D(void* pointer, std::size_t pitch, int value, std::size_t width,
                         std::size_t height) {
  return cudaMemset2DAsync(pointer, pitch, value, width, height, nullptr);
}

cudaError_t cudaMemset2DAsync(void* pointer, std::size_t pitch, int value, std::size_t width,
                              std::size_t height, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (width == 0 || height == 0) return CUDA_SUCCESS;
    return cu.cuMemsetD2D8Async(address_of(pointer), pitch, static_cast<unsigned char>(value),
                                width, height, to_driver(stream));
  });
}

cudaError_t cudaMemset3D(cudaPitchedPtr pointer, int value, cudaExtent extent) {
  return cudaMemset3DAsync(pointer, value, extent, nullptr);
}

// Slices follow each other without a gap where the memory is as high as what is set; else one
// after the other.
cudaError_t cudaMemset3DAsync(cudaPitchedPtr pointer, int value, cudaExtent extent,
                              cudaStream_t stream) {
  std::size_t slice = 0;
  std::size_t rows = 0;
  if (extent.height > pointer.ysize ||
      __builtin_mul_overflow(pointer.pitch, pointer.ysize, &slice) ||
      __builtin_mul_overflow(extent.height, extent.depth, &rows))
    return remember(cudaErrorInvalidValue);
  if (extent.height == pointer.ysize)
    return cudaMemset2DAsync(pointer.ptr, pointer.pitch, value, extent.width, rows, stream);
  for (std::size_t z = 0; z < extent.depth; ++z) {
    const cudaError_t error =
        cudaMemset2DAsync(static_cast<char*>(pointer.ptr) + z * slice, pointer.pitch, value,
                          extent.width, extent.height, stream);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

}  // extern "C"
