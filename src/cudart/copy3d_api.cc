#include "cudart/copy3d.h"

#include <cstring>

#include "cudart/array_format.h"
#include "cudart/context.h"

namespace longwire::cudart {

CUmemorytype type_from(cudaMemcpyKind kind) noexcept {
  switch (kind) {
    case cudaMemcpyHostToHost:
    case cudaMemcpyHostToDevice:
      return CU_MEMORYTYPE_HOST;
    case cudaMemcpyDeviceToHost:
    case cudaMemcpyDeviceToDevice:
      return CU_MEMORYTYPE_DEVICE;
    default:
      return CU_MEMORYTYPE_UNIFIED;
  }
}

CUmemorytype type_to(cudaMemcpyKind kind) noexcept {
  switch (kind) {
    case cudaMemcpyHostToHost:
    case cudaMemcpyDeviceToHost:
      return CU_MEMORYTYPE_HOST;
    case cudaMemcpyHostToDevice:
    case cudaMemcpyDeviceToDevice:
      return CU_MEMORYTYPE_DEVICE;
    default:
      return CU_MEMORYTYPE_UNIFIED;
  }
}

CUDA_MEMCPY3D make_copy(const Place& from, const Place& to, std::size_t width, std::size_t height,
                        std::size_t depth) noexcept {
  CUDA_MEMCPY3D copy{};
  copy.srcMemoryType = from.type;
  copy.srcHost = from.pointer;
  copy.srcDevice = address_of(from.pointer);
  copy.srcArray = array_of(from.array);
  copy.srcXInBytes = from.x;
  copy.srcY = from.y;
  copy.srcZ = from.z;
  copy.srcPitch = from.pitch;
  copy.srcHeight = from.height;
  copy.dstMemoryType = to.type;
  copy.dstHost = to.pointer;
  copy.dstDevice = address_of(to.pointer);
  copy.dstArray = array_of(to.array);
  copy.dstXInBytes = to.x;
  copy.dstY = to.y;
  copy.dstZ = to.z;
  copy.dstPitch = to.pitch;
  copy.dstHeight = to.height;
  copy.WidthInBytes = width;
  copy.Height = height;
  copy.Depth = depth;
  return copy;
}

cudaError_t element_bytes(const DriverTable& cu, cudaArray_const_t array, std::size_t& bytes) {
  CUDA_ARRAY3D_DESCRIPTOR description{};
  const CUresult result = cu.cuArray3DGetDescriptor_v2(&description, array_of(array));
  if (result != CUDA_SUCCESS) return to_runtime(result);
  bytes = bytes_of(description.Format) * description.NumChannels;
  return bytes == 0 ? cudaErrorInvalidChannelDescriptor : cudaSuccess;
}

namespace {

cudaMemcpyKind kind_of(CUmemorytype from, CUmemorytype to) noexcept {
  if (from == CU_MEMORYTYPE_UNIFIED || to == CU_MEMORYTYPE_UNIFIED) return cudaMemcpyDefault;
  if (from == CU_MEMORYTYPE_HOST)
    return to == CU_MEMORYTYPE_HOST ? cudaMemcpyHostToHost : cudaMemcpyHostToDevice;
  return to == CU_MEMORYTYPE_HOST ? cudaMemcpyDeviceToHost : cudaMemcpyDeviceToDevice;
}

}  // namespace

cudaError_t to_runtime(const DriverTable& cu, const CUDA_MEMCPY3D& copy, cudaMemcpy3DParms& asked) {
  cudaMemcpy3DParms made{};
  std::size_t from = 1, to = 1;  // bytes of an element
  if (copy.srcMemoryType == CU_MEMORYTYPE_ARRAY) {
    made.srcArray = reinterpret_cast<cudaArray_t>(copy.srcArray);
    if (cudaError_t error = element_bytes(cu, made.srcArray, from); error != cudaSuccess)
      return error;
  } else {
    const bool host = copy.srcMemoryType == CU_MEMORYTYPE_HOST;
    made.srcPtr = {host ? const_cast<void*>(copy.srcHost) : pointer_to(copy.srcDevice),
                   copy.srcPitch, copy.WidthInBytes, copy.srcHeight};
  }
  if (copy.dstMemoryType == CU_MEMORYTYPE_ARRAY) {
    made.dstArray = reinterpret_cast<cudaArray_t>(copy.dstArray);
    if (cudaError_t error = element_bytes(cu, made.dstArray, to); error != cudaSuccess)
      return error;
  } else {
    const bool host = copy.dstMemoryType == CU_MEMORYTYPE_HOST;
    made.dstPtr = {host ? copy.dstHost : pointer_to(copy.dstDevice), copy.dstPitch,
                   copy.WidthInBytes, copy.dstHeight};
  }
  made.srcPos = {copy.srcXInBytes / from, copy.srcY, copy.srcZ};
  made.dstPos = {copy.dstXInBytes / to, copy.dstY, copy.dstZ};
  made.extent = {copy.WidthInBytes / (from > 1 ? from : to), copy.Height, copy.Depth};
  made.kind = kind_of(copy.srcMemoryType, copy.dstMemoryType);
  asked = made;
  return cudaSuccess;
}

namespace {

// Exactly one of a pointer and an array. Positions are in elements where an array is.
cudaError_t make_place(const DriverTable& cu, cudaArray_t array, const cudaPitchedPtr& pointer,
                       const cudaPos& position, CUmemorytype type, Place& place,
                       std::size_t& element) {
  if ((array == nullptr) == (pointer.ptr == nullptr)) return cudaErrorInvalidValue;
  place.y = position.y;
  place.z = position.z;
  std::size_t bytes = 1;
  if (array != nullptr) {
    place.type = CU_MEMORYTYPE_ARRAY;
    place.array = array;
    if (cudaError_t error = element_bytes(cu, array, bytes); error != cudaSuccess) return error;
    element = bytes;
  } else {
    place.type = type;
    place.pointer = pointer.ptr;
    place.pitch = pointer.pitch;
    place.height = pointer.ysize;
  }
  return __builtin_mul_overflow(position.x, bytes, &place.x) ? cudaErrorInvalidValue : cudaSuccess;
}

bool is_kind(cudaMemcpyKind kind) {
  return kind >= cudaMemcpyHostToHost && kind <= cudaMemcpyDefault;
}

template <class Run>
cudaError_t copy_planes(const Place& from, const Place& to, std::size_t width, std::size_t height,
                        cudaMemcpyKind kind, Run&& run) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (!is_kind(kind)) return cudaErrorInvalidMemcpyDirection;
    if (width == 0 || height == 0) return cudaSuccess;
    for (const Place* each : {&from, &to}) {
      if (each->array == nullptr && each->pointer == nullptr) return cudaErrorInvalidValue;
      if (each->array == nullptr && each->pitch < width) return cudaErrorInvalidPitchValue;
    }
    return to_runtime(run(cu, make_copy(from, to, width, height, 1)));
  });
}

Place rows(CUmemorytype type, const void* pointer, std::size_t pitch) {
  Place place;
  place.type = type;
  place.pointer = const_cast<void*>(pointer);
  place.pitch = pitch;
  return place;
}

Place part(cudaArray_const_t array, std::size_t x, std::size_t y) {
  Place place;
  place.type = CU_MEMORYTYPE_ARRAY;
  place.array = const_cast<cudaArray_t>(array);
  place.x = x;
  place.y = y;
  return place;
}

// How copies that name a stream run.
auto in(cudaStream_t stream) {
  return [stream](const DriverTable& cu, const CUDA_MEMCPY3D& copy) {
    return cu.cuMemcpy3DAsync_v2(&copy, to_driver(stream));
  };
}

}  // namespace

CUresult run_copy(const DriverTable& cu, const CUDA_MEMCPY3D& copy) {
  if (!cudaapi::PerThreadStream::active()) return cu.cuMemcpy3D_v2(&copy);
  const CUresult result = cu.cuMemcpy3DAsync_v2(&copy, CU_STREAM_PER_THREAD);
  return result != CUDA_SUCCESS ? result : cu.cuStreamSynchronize(CU_STREAM_PER_THREAD);
}

cudaError_t make_copy(const DriverTable& cu, const cudaMemcpy3DParms& asked, CUDA_MEMCPY3D& copy) {
  if (!is_kind(asked.kind)) return cudaErrorInvalidMemcpyDirection;
  Place from;
  Place to;
  std::size_t element = 1;
  cudaError_t error = make_place(cu, asked.srcArray, asked.srcPtr, asked.srcPos,
                                 type_from(asked.kind), from, element);
  if (error == cudaSuccess)
    error = make_place(cu, asked.dstArray, asked.dstPtr, asked.dstPos, type_to(asked.kind), to,
                       element);
  if (error != cudaSuccess) return error;
  std::size_t width = 0;
  if (__builtin_mul_overflow(asked.extent.width, element, &width)) return cudaErrorInvalidValue;
  for (const Place* each : {&from, &to})
    if (each->array == nullptr && each->pitch < width) return cudaErrorInvalidPitchValue;
  copy = make_copy(from, to, width, asked.extent.height, asked.extent.depth);
  return cudaSuccess;
}

}  // namespace longwire::cudart

using namespace longwire::cudart;

extern "C" {

cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  return copy_planes(rows(type_from(kind), from, from_pitch), rows(type_to(kind), to, to_pitch),
                     width, height, kind, run_copy);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  return copy_planes(rows(type_from(kind), from, from_pitch), rows(type_to(kind), to, to_pitch),
                     width, height, kind, in(stream));
}

cudaError_t cudaMemcpy2DToArray(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                                std::size_t from_pitch, std::size_t width, std::size_t height,
                                cudaMemcpyKind kind) {
  return copy_planes(rows(type_from(kind), from, from_pitch), part(to, x, y), width, height, kind,
                     run_copy);
}

cudaError_t cudaMemcpy2DToArrayAsync(cudaArray_t to, std::size_t x, std::size_t y, const void* from,
                                     std::size_t from_pitch, std::size_t width, std::size_t height,
                                     cudaMemcpyKind kind, cudaStream_t stream) {
  return copy_planes(rows(type_from(kind), from, from_pitch), part(to, x, y), width, height, kind,
                     in(stream));
}

cudaError_t cudaMemcpy2DFromArray(void* to, std::size_t to_pitch, cudaArray_const_t from,
                                  std::size_t x, std::size_t y, std::size_t width,
                                  std::size_t height, cudaMemcpyKind kind) {
  return copy_planes(part(from, x, y), rows(type_to(kind), to, to_pitch), width, height, kind,
                     run_copy);
}

cudaError_t cudaMemcpy2DFromArrayAsync(void* to, std::size_t to_pitch, cudaArray_const_t from,
                                       std::size_t x, std::size_t y, std::size_t width,
                                       std::size_t height, cudaMemcpyKind kind,
                                       cudaStream_t stream) {
  return copy_planes(part(from, x, y), rows(type_to(kind), to, to_pitch), width, height, kind,
                     in(stream));
}

cudaError_t cudaMemcpy2DArrayToArray(cudaArray_t to, std::size_t to_x, std::size_t to_y,
                                     cudaArray_const_t from, std::size_t from_x, std::size_t from_y,
                                     std::size_t width, std::size_t height, cudaMemcpyKind kind) {
  return copy_planes(part(from, from_x, from_y), part(to, to_x, to_y), width, height, kind,
                     run_copy);
}

cudaError_t cudaMemcpy3DPeer(const cudaMemcpy3DPeerParms* asked) {
  const cudaStream_t stream = nullptr;
  const cudaError_t error = cudaMemcpy3DPeerAsync(asked, stream);
  return error != cudaSuccess ? error : cudaStreamSynchronize(stream);
}

cudaError_t cudaMemcpy3DPeerAsync(const cudaMemcpy3DPeerParms* asked, cudaStream_t stream) {
  static_assert(sizeof(CUDA_MEMCPY3D) == sizeof(CUDA_MEMCPY3D_PEER));
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    const cudaMemcpy3DParms plain{asked->srcArray, asked->srcPos,           asked->srcPtr,
                                  asked->dstArray, asked->dstPos,           asked->dstPtr,
                                  asked->extent,   cudaMemcpyDeviceToDevice};
    CUDA_MEMCPY3D copy;
    CUcontext from = nullptr, to = nullptr;
    cudaError_t error = make_copy(cu, plain, copy);
    if (error == cudaSuccess) error = primary_context(cu, asked->srcDevice, from);
    if (error == cudaSuccess) error = primary_context(cu, asked->dstDevice, to);
    if (error != cudaSuccess) return error;
    CUDA_MEMCPY3D_PEER between;
    std::memcpy(&between, &copy, sizeof between);
    between.srcContext = from;
    between.dstContext = to;
    return to_runtime(cu.cuMemcpy3DPeerAsync(&between, to_driver(stream)));
  });
}

cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* asked) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    const cudaError_t error = make_copy(cu, *asked, copy);
    return error != cudaSuccess ? error : to_runtime(run_copy(cu, copy));
  });
}

cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* asked, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    const cudaError_t error = make_copy(cu, *asked, copy);
    return error != cudaSuccess ? error
                                : to_runtime(cu.cuMemcpy3DAsync_v2(&copy, to_driver(stream)));
  });
}

}  // extern "C"
