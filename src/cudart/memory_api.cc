// Memory: of the device, of the host, managed; what is behind a pointer.
#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

CUresult free_mapped(const DriverTable& cu, void* pointer) {
  return cu.cuMemFree_v2(address_of(pointer));
}

}  // namespace

extern "C" {

// Nothing is what a program gets that asks for nothing.
cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *pointer = nullptr;
    if (bytes == 0) return CUDA_SUCCESS;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemAlloc_v2(&address, bytes);
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaFree(void* pointer) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (pointer == nullptr) return cudaSuccess;
    return to_runtime(free_mapped(cu, pointer));
  });
}

cudaError_t cudaMallocPitch(void** pointer, std::size_t* pitch, std::size_t width,
                            std::size_t height) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    constexpr unsigned int kWidestElement = 16;
    if (pointer == nullptr || pitch == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *pointer = nullptr;
    *pitch = 0;
    if (width == 0 || height == 0) return CUDA_SUCCESS;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemAllocPitch_v2(&address, pitch, width, height, kWidestElement);
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaMalloc3D(cudaPitchedPtr* pointer, cudaExtent extent) {
  if (pointer == nullptr) return remember(cudaErrorInvalidValue);
  std::size_t rows = 0;
  if (__builtin_mul_overflow(extent.height, extent.depth, &rows))
    return remember(cudaErrorMemoryAllocation);
  cudaPitchedPtr made{nullptr, 0, extent.width, extent.height};
  const cudaError_t error = cudaMallocPitch(&made.ptr, &made.pitch, extent.width, rows);
  if (error == cudaSuccess) *pointer = made;
  return error;
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  return cudaHostAlloc(pointer, bytes, cudaHostAllocDefault);
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *pointer = nullptr;
    if (bytes == 0) return CUDA_SUCCESS;
    return cu.cuMemHostAlloc(pointer, bytes, flags | CU_MEMHOSTALLOC_DEVICEMAP);
  });
}

cudaError_t cudaFreeHost(void* pointer) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    return pointer == nullptr ? CUDA_SUCCESS : cu.cuMemFreeHost(pointer);
  });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned int flags) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuMemHostRegister_v2(pointer, bytes, flags); });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return in_context([&](const DriverTable& cu) { return cu.cuMemHostUnregister(pointer); });
}

cudaError_t cudaHostGetDevicePointer(void** pointer, void* host, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemHostGetDevicePointer_v2(&address, host, flags);
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaHostGetFlags(unsigned int* flags, void* pointer) {
  return in_context([&](const DriverTable& cu) { return cu.cuMemHostGetFlags(flags, pointer); });
}

cudaError_t cudaMallocManaged(void** pointer, std::size_t bytes, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemAllocManaged(&address, bytes, flags);
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return in_context([&](const DriverTable& cu) { return cu.cuMemGetInfo_v2(free, total); });
}

// What the driver does not know is memory of the host that nobody has registered.
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    *attributes = {};
    unsigned int type = 0;
    unsigned int managed = 0;
    int device = -1;
    CUdeviceptr of_device = 0;
    void* of_host = nullptr;
    CUpointer_attribute asked[] = {
        CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_IS_MANAGED,
        CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_DEVICE_POINTER,
        CU_POINTER_ATTRIBUTE_HOST_POINTER};
    void* answers[] = {&type, &managed, &device, &of_device, &of_host};
    const CUresult result =
        cu.cuPointerGetAttributes(std::size(asked), asked, answers, address_of(pointer));
    if (result != CUDA_SUCCESS && result != CUDA_ERROR_INVALID_VALUE) return to_runtime(result);
    if (result != CUDA_SUCCESS || type == 0) {
      attributes->type = cudaMemoryTypeUnregistered;
      attributes->device = cudaInvalidDeviceId;
      attributes->hostPointer = const_cast<void*>(pointer);
      return cudaSuccess;
    }
    attributes->type = managed != 0                 ? cudaMemoryTypeManaged
                       : type == CU_MEMORYTYPE_HOST ? cudaMemoryTypeHost
                                                    : cudaMemoryTypeDevice;
    attributes->device = device;
    attributes->devicePointer = pointer_to(of_device);
    attributes->hostPointer = of_host;
    return cudaSuccess;
  });
}

cudaError_t cudaMemRangeGetAttribute(void* data, std::size_t data_bytes,
                                     cudaMemRangeAttribute attribute, const void* pointer,
                                     std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemRangeGetAttribute(data, data_bytes,
                                     static_cast<CUmem_range_attribute>(attribute),
                                     address_of(pointer), count);
  });
}

cudaError_t cudaMemRangeGetAttributes(void** data, std::size_t* data_bytes,
                                      cudaMemRangeAttribute* attributes,
                                      std::size_t attribute_count, const void* pointer,
                                      std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemRangeGetAttributes(data, data_bytes,
                                      reinterpret_cast<CUmem_range_attribute*>(attributes),
                                      attribute_count, address_of(pointer), count);
  });
}

}  // extern "C"
