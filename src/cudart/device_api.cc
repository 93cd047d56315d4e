// Versions, devices, their limits and flags.
#include <cstring>

#include "cudart/context.h"

using namespace longwire::cudart;

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  if (version == nullptr) return remember(cudaErrorInvalidValue);
  *version = 0;  // what is said where there is no driver
  const FoundDriver& found = driver();
  return found.table == nullptr ? cudaSuccess
                                : remember(to_runtime(found.table->cuDriverGetVersion(version)));
}

cudaError_t cudaGetDeviceCount(int* count) {
  if (count == nullptr) return remember(cudaErrorInvalidValue);
  *count = 0;
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    const CUresult result = cu.cuDeviceGetCount(count);
    if (result != CUDA_SUCCESS) return to_runtime(result);
    return *count == 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    return device == nullptr ? cudaErrorInvalidValue : current_device(cu, *device);
  });
}

cudaError_t cudaSetDevice(int device) {
  return with_driver([&](const DriverTable& cu) { return choose_device(cu, device); });
}

cudaError_t cudaInitDevice(int device, unsigned int device_flags, unsigned int flags) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if ((flags & ~static_cast<unsigned int>(cudaInitDeviceFlagsAreValid)) != 0)
      return cudaErrorInvalidValue;
    if (flags != 0) {
      const cudaError_t error = set_device_flags(
          cu, device, device_flags & ~static_cast<unsigned int>(cudaDeviceMapHost));
      if (error != cudaSuccess) return error;
    }
    CUcontext context = nullptr;
    return primary_context(cu, device, context);
  });
}

cudaError_t cudaSetValidDevices(int* devices, int length) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if (length < 0 || (length > 0 && devices == nullptr)) return cudaErrorInvalidValue;
    int count = 0;
    const CUresult result = cu.cuDeviceGetCount(&count);
    if (result != CUDA_SUCCESS) return to_runtime(result);
    for (int i = 0; i < length; ++i)
      if (devices[i] < 0 || devices[i] >= count) return cudaErrorInvalidDevice;
    // Threads begin with the first of them; 0 is there and always valid.
    return length > 0 && devices[0] != 0 ? cudaErrorNotSupported : cudaSuccess;
  });
}

cudaError_t cudaChooseDevice(int* device, const cudaDeviceProp*) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if (device == nullptr) return cudaErrorInvalidValue;
    int count = 0;
    const CUresult result = cu.cuDeviceGetCount(&count);
    if (result != CUDA_SUCCESS) return to_runtime(result);
    *device = 0;
    return count == 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

// Memory of the host may always be mapped, so that this flag is not the driver's business.
cudaError_t cudaSetDeviceFlags(unsigned int flags) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if ((flags & ~static_cast<unsigned int>(cudaDeviceMask)) != 0) return cudaErrorInvalidValue;
    int device = 0;
    const cudaError_t error = current_device(cu, device);
    if (error != cudaSuccess) return error;
    return set_device_flags(cu, device, flags & ~static_cast<unsigned int>(cudaDeviceMapHost));
  });
}

cudaError_t cudaGetDeviceFlags(unsigned int* flags) {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if (flags == nullptr) return cudaErrorInvalidValue;
    int device = 0;
    int active = 0;
    const cudaError_t error = current_device(cu, device);
    if (error != cudaSuccess) return error;
    const CUresult result = cu.cuDevicePrimaryCtxGetState(device, flags, &active);
    *flags |= cudaDeviceMapHost;
    return to_runtime(result);
  });
}

cudaError_t cudaDeviceSynchronize() {
  return in_context([](const DriverTable& cu) { return cu.cuCtxSynchronize(); });
}

cudaError_t cudaDeviceReset() {
  return with_driver([](const DriverTable& cu) { return reset_device(cu); });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceGetAttribute(value, static_cast<CUdevice_attribute>(attribute), device);
  });
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* id) {
  return with_driver([&](const DriverTable& cu) { return cu.cuDeviceGetByPCIBusId(device, id); });
}

cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  return with_driver(
      [&](const DriverTable& cu) { return cu.cuDeviceGetPCIBusId(id, length, device); });
}

cudaError_t cudaDeviceGetLimit(std::size_t* value, cudaLimit limit) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuCtxGetLimit(value, static_cast<CUlimit>(limit)); });
}

cudaError_t cudaDeviceSetLimit(cudaLimit limit, std::size_t value) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuCtxSetLimit(static_cast<CUlimit>(limit), value); });
}

cudaError_t cudaDeviceGetCacheConfig(cudaFuncCache* config) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuCtxGetCacheConfig(reinterpret_cast<CUfunc_cache*>(config));
  });
}

cudaError_t cudaDeviceSetCacheConfig(cudaFuncCache config) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuCtxSetCacheConfig(static_cast<CUfunc_cache>(config));
  });
}

// Banks have been four bytes wide since compute capability 5.0.
cudaError_t cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* config) {
  return in_context([&](const DriverTable&) -> cudaError_t {
    if (config == nullptr) return cudaErrorInvalidValue;
    *config = cudaSharedMemBankSizeFourByte;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSetSharedMemConfig(cudaSharedMemConfig config) {
  return in_context([&](const DriverTable&) -> cudaError_t {
    return config < cudaSharedMemBankSizeDefault || config > cudaSharedMemBankSizeEightByte
               ? cudaErrorInvalidValue
               : cudaSuccess;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuCtxGetStreamPriorityRange(least, greatest); });
}

cudaError_t cudaCtxResetPersistingL2Cache() {
  return in_context([](const DriverTable& cu) { return cu.cuCtxResetPersistingL2Cache(); });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return with_driver(
      [&](const DriverTable& cu) { return cu.cuDeviceCanAccessPeer(can, device, peer); });
}

cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attribute, int from_device,
                                      int to_device) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceGetP2PAttribute(value, static_cast<CUdevice_P2PAttribute>(attribute),
                                      from_device, to_device);
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUcontext context = nullptr;
    if (cudaError_t error = primary_context(cu, peer, context); error != cudaSuccess) return error;
    return to_runtime(cu.cuCtxEnablePeerAccess(context, flags));
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUcontext context = nullptr;
    if (cudaError_t error = primary_context(cu, peer, context); error != cudaSuccess) return error;
    return to_runtime(cu.cuCtxDisablePeerAccess(context));
  });
}

// They switch what a profiling tool records. A driver that no tool can attach to has nothing to
// switch, and programs keep these calls around what they measure.
cudaError_t cudaDeviceGetHostAtomicCapabilities(unsigned int* capabilities,
                                                const cudaAtomicOperation* operations,
                                                unsigned int count, int device) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceGetHostAtomicCapabilities(
        capabilities, reinterpret_cast<const CUatomicOperation*>(operations), count, device);
  });
}
cudaError_t cudaDeviceGetP2PAtomicCapabilities(unsigned int* capabilities,
                                               const cudaAtomicOperation* operations,
                                               unsigned int count, int from, int to) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceGetP2PAtomicCapabilities(
        capabilities, reinterpret_cast<const CUatomicOperation*>(operations), count, from, to);
  });
}

cudaError_t cudaProfilerStart() {
  return in_context([](const DriverTable& cu) {
    const CUresult result = cu.cuProfilerStart();
    return result == CUDA_ERROR_NOT_SUPPORTED ? CUDA_SUCCESS : result;
  });
}

cudaError_t cudaProfilerStop() {
  return in_context([](const DriverTable& cu) {
    const CUresult result = cu.cuProfilerStop();
    return result == CUDA_ERROR_NOT_SUPPORTED ? CUDA_SUCCESS : result;
  });
}

}  // extern "C"
