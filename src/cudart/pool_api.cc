// Stream-ordered memory and its pools.
#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

// Properties, places and accesses of pools have the driver's layout.
static_assert(sizeof(cudaMemPoolProps) == sizeof(CUmemPoolProps) &&
              sizeof(cudaMemLocation) == sizeof(CUmemLocation) &&
              sizeof(cudaMemAccessDesc) == sizeof(CUmemAccessDesc) &&
              sizeof(void*) == sizeof(CUdeviceptr));

CUdeviceptr* addresses_of(void** pointers) { return reinterpret_cast<CUdeviceptr*>(pointers); }

}  // namespace

extern "C" {

cudaError_t cudaMallocAsync(void** pointer, std::size_t bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *pointer = nullptr;
    if (bytes == 0) return CUDA_SUCCESS;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemAllocAsync(&address, bytes, to_driver(stream));
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaMallocFromPoolAsync(void** pointer, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUdeviceptr address = 0;
    const CUresult result = cu.cuMemAllocFromPoolAsync(&address, bytes, pool, to_driver(stream));
    *pointer = pointer_to(address);
    return result;
  });
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (pointer == nullptr) return CUDA_SUCCESS;
    return cu.cuMemFreeAsync(address_of(pointer), to_driver(stream));
  });
}

cudaError_t cudaMemPrefetchBatchAsync(void** pointers, std::size_t* bytes, std::size_t count,
                                      cudaMemLocation* locations, std::size_t* indices,
                                      std::size_t location_count, unsigned long long flags,
                                      cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPrefetchBatchAsync(addresses_of(pointers), bytes, count,
                                      reinterpret_cast<CUmemLocation*>(locations), indices,
                                      location_count, flags, to_driver(stream));
  });
}
cudaError_t cudaMemDiscardBatchAsync(void** pointers, std::size_t* bytes, std::size_t count,
                                     unsigned long long flags, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemDiscardBatchAsync(addresses_of(pointers), bytes, count, flags,
                                     to_driver(stream));
  });
}
cudaError_t cudaMemDiscardAndPrefetchBatchAsync(void** pointers, std::size_t* bytes,
                                                std::size_t count, cudaMemLocation* locations,
                                                std::size_t* indices, std::size_t location_count,
                                                unsigned long long flags, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemDiscardAndPrefetchBatchAsync(addresses_of(pointers), bytes, count,
                                                reinterpret_cast<CUmemLocation*>(locations),
                                                indices, location_count, flags, to_driver(stream));
  });
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return with_driver(
      [&](const DriverTable& cu) { return cu.cuDeviceGetDefaultMemPool(pool, device); });
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  return with_driver([&](const DriverTable& cu) { return cu.cuDeviceGetMemPool(pool, device); });
}

cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  return with_driver([&](const DriverTable& cu) { return cu.cuDeviceSetMemPool(device, pool); });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPoolCreate(pool, reinterpret_cast<const CUmemPoolProps*>(properties));
  });
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  return in_context([&](const DriverTable& cu) { return cu.cuMemPoolDestroy(pool); });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t keep) {
  return in_context([&](const DriverTable& cu) { return cu.cuMemPoolTrimTo(pool, keep); });
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPoolSetAttribute(pool, static_cast<CUmemPool_attribute>(attribute), value);
  });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPoolGetAttribute(pool, static_cast<CUmemPool_attribute>(attribute), value);
  });
}

cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool, const cudaMemAccessDesc* access,
                                 std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPoolSetAccess(pool, reinterpret_cast<const CUmemAccessDesc*>(access), count);
  });
}

cudaError_t cudaMemGetDefaultMemPool(cudaMemPool_t* pool, cudaMemLocation* location,
                                     cudaMemAllocationType type) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemGetDefaultMemPool(pool, reinterpret_cast<CUmemLocation*>(location),
                                     static_cast<CUmemAllocationType>(type));
  });
}
cudaError_t cudaMemGetMemPool(cudaMemPool_t* pool, cudaMemLocation* location,
                              cudaMemAllocationType type) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemGetMemPool(pool, reinterpret_cast<CUmemLocation*>(location),
                              static_cast<CUmemAllocationType>(type));
  });
}
cudaError_t cudaMemSetMemPool(cudaMemLocation* location, cudaMemAllocationType type,
                              cudaMemPool_t pool) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemSetMemPool(reinterpret_cast<CUmemLocation*>(location),
                              static_cast<CUmemAllocationType>(type), pool);
  });
}

cudaError_t cudaMemPoolGetAccess(cudaMemAccessFlags* flags, cudaMemPool_t pool,
                                 cudaMemLocation* location) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPoolGetAccess(reinterpret_cast<CUmemAccess_flags*>(flags), pool,
                                 reinterpret_cast<CUmemLocation*>(location));
  });
}

}  // extern "C"
