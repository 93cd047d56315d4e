// What versions 12 and 13 have in different forms, or answer differently. Built for each library.
#include <cstring>

#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

CUmemLocation to_driver(const cudaMemLocation& location) {
  return {static_cast<CUmemLocationType>(location.type), location.id};
}

cudaError_t advise(const void* pointer, std::size_t count, cudaMemoryAdvise advice,
                   cudaMemLocation location) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemAdvise_v2(address_of(pointer), count, static_cast<CUmem_advise>(advice),
                             to_driver(location));
  });
}

cudaError_t prefetch(const void* pointer, std::size_t count, cudaMemLocation location,
                     unsigned int flags, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemPrefetchAsync_v2(address_of(pointer), count, to_driver(location), flags,
                                    longwire::cudart::to_driver(stream));
  });
}

// A symbol that is not there is no error where the caller wants to know why.
cudaError_t find_entry_point(const char* name, void** function, unsigned int version,
                             unsigned long long flags, cudaDriverEntryPointQueryResult* status) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    cuuint64_t wanted = flags;
    if (flags == cudaEnableDefault && longwire::cudaapi::PerThreadStream::active())
      wanted = CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
    CUdriverProcAddressQueryResult found{};
    const CUresult result =
        cu.cuGetProcAddress_v2(name, function, static_cast<int>(version), wanted, &found);
    if (result != CUDA_SUCCESS && result != CUDA_ERROR_NOT_FOUND) return to_runtime(result);
    if (status != nullptr) *status = static_cast<cudaDriverEntryPointQueryResult>(found);
    const bool missing = result != CUDA_SUCCESS || found != CU_GET_PROC_ADDRESS_SUCCESS;
    return missing && status == nullptr ? cudaErrorSymbolNotFound : cudaSuccess;
  });
}

}  // namespace

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (version == nullptr) return remember(cudaErrorInvalidValue);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPoint(const char* name, void** function, unsigned long long flags,
                                    cudaDriverEntryPointQueryResult* status) {
  return find_entry_point(name, function, CUDART_VERSION, flags, status);
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function,
                                             unsigned int version, unsigned long long flags,
                                             cudaDriverEntryPointQueryResult* status) {
  return find_entry_point(name, function, version, flags, status);
}

// The runtime's descriptions of copies and places are laid out as the driver's.
static_assert(sizeof(cudaMemcpyAttributes) == sizeof(CUmemcpyAttributes) &&
              sizeof(cudaMemcpy3DBatchOp) == sizeof(CUDA_MEMCPY3D_BATCH_OP));

#if CUDART_VERSION < 13000

cudaError_t cudaMemcpyBatchAsync(void** to, void** from, std::size_t* bytes, std::size_t count,
                                 cudaMemcpyAttributes* attributes, std::size_t* indices,
                                 std::size_t number, std::size_t* failed, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemcpyBatchAsync(reinterpret_cast<CUdeviceptr*>(to),
                                 reinterpret_cast<CUdeviceptr*>(from), bytes, count,
                                 reinterpret_cast<CUmemcpyAttributes*>(attributes), indices, number,
                                 failed, longwire::cudart::to_driver(stream));
  });
}

cudaError_t cudaMemcpy3DBatchAsync(std::size_t count, cudaMemcpy3DBatchOp* copies,
                                   std::size_t* failed, unsigned long long flags,
                                   cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemcpy3DBatchAsync(count, reinterpret_cast<CUDA_MEMCPY3D_BATCH_OP*>(copies), failed,
                                   flags, longwire::cudart::to_driver(stream));
  });
}

static cudaMemLocation location_of(int device) {
  return {device == cudaCpuDeviceId ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice, device};
}

cudaError_t cudaMemAdvise(const void* pointer, std::size_t count, cudaMemoryAdvise advice,
                          int device) {
  return advise(pointer, count, advice, location_of(device));
}

cudaError_t cudaMemAdvise_v2(const void* pointer, std::size_t count, cudaMemoryAdvise advice,
                             cudaMemLocation location) {
  return advise(pointer, count, advice, location);
}

cudaError_t cudaMemPrefetchAsync(const void* pointer, std::size_t count, int device,
                                 cudaStream_t stream) {
  return prefetch(pointer, count, location_of(device), 0, stream);
}

cudaError_t cudaMemPrefetchAsync_v2(const void* pointer, std::size_t count,
                                    cudaMemLocation location, unsigned int flags,
                                    cudaStream_t stream) {
  return prefetch(pointer, count, location, flags, stream);
}

cudaError_t cudaEventElapsedTime_v2(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return cudaEventElapsedTime(milliseconds, start, end);
}

// The names before CUDA 4.
cudaError_t cudaThreadExit() { return cudaDeviceReset(); }
cudaError_t cudaThreadSynchronize() { return cudaDeviceSynchronize(); }
cudaError_t cudaThreadSetLimit(cudaLimit limit, std::size_t value) {
  return cudaDeviceSetLimit(limit, value);
}
cudaError_t cudaThreadGetLimit(std::size_t* value, cudaLimit limit) {
  return cudaDeviceGetLimit(value, limit);
}
cudaError_t cudaThreadGetCacheConfig(cudaFuncCache* config) {
  return cudaDeviceGetCacheConfig(config);
}
cudaError_t cudaThreadSetCacheConfig(cudaFuncCache config) {
  return cudaDeviceSetCacheConfig(config);
}

#else

cudaError_t cudaMemcpyBatchAsync(void* const* to, const void* const* from, const std::size_t* bytes,
                                 std::size_t count, cudaMemcpyAttributes* attributes,
                                 std::size_t* indices, std::size_t number, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemcpyBatchAsync_v2(reinterpret_cast<CUdeviceptr*>(const_cast<void**>(to)),
                                    reinterpret_cast<CUdeviceptr*>(const_cast<void**>(from)),
                                    const_cast<std::size_t*>(bytes), count,
                                    reinterpret_cast<CUmemcpyAttributes*>(attributes), indices,
                                    number, longwire::cudart::to_driver(stream));
  });
}

cudaError_t cudaMemcpy3DBatchAsync(std::size_t count, cudaMemcpy3DBatchOp* copies,
                                   unsigned long long flags, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuMemcpy3DBatchAsync_v2(count, reinterpret_cast<CUDA_MEMCPY3D_BATCH_OP*>(copies),
                                      flags, longwire::cudart::to_driver(stream));
  });
}

cudaError_t cudaMemAdvise(const void* pointer, std::size_t count, cudaMemoryAdvise advice,
                          cudaMemLocation location) {
  return advise(pointer, count, advice, location);
}

cudaError_t cudaMemPrefetchAsync(const void* pointer, std::size_t count, cudaMemLocation location,
                                 unsigned int flags, cudaStream_t stream) {
  return prefetch(pointer, count, location, flags, stream);
}

#endif

}  // extern "C"
