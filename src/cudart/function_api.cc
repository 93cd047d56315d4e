// Attributes of functions, occupancy.
#include "cudart/code.h"
#include "cudart/context.h"
#include "cudart/launch_config.h"

using namespace longwire::cudart;

namespace {

template <class Body>
cudaError_t with_function(const void* host, Body&& body) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUfunction function = nullptr;
    if (cudaError_t error = find_function(cu, host, function); error != cudaSuccess) return error;
    return to_runtime(body(cu, function));
  });
}

struct Asked {
  CUfunction_attribute attribute;
  int* number;
  std::size_t* bytes;
};

}  // namespace

extern "C" {

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* host) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) -> CUresult {
    if (attributes == nullptr) return CUDA_ERROR_INVALID_VALUE;
    cudaFuncAttributes& a = *attributes = {};
    const Asked all[] = {
        {CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, &a.maxThreadsPerBlock, nullptr},
        {CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, nullptr, &a.sharedSizeBytes},
        {CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, nullptr, &a.constSizeBytes},
        {CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, nullptr, &a.localSizeBytes},
        {CU_FUNC_ATTRIBUTE_NUM_REGS, &a.numRegs, nullptr},
        {CU_FUNC_ATTRIBUTE_PTX_VERSION, &a.ptxVersion, nullptr},
        {CU_FUNC_ATTRIBUTE_BINARY_VERSION, &a.binaryVersion, nullptr},
        {CU_FUNC_ATTRIBUTE_CACHE_MODE_CA, &a.cacheModeCA, nullptr},
        {CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, &a.maxDynamicSharedSizeBytes, nullptr},
        {CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, &a.preferredShmemCarveout, nullptr},
    };
    for (const Asked& each : all) {
      int value = 0;
      const CUresult result = cu.cuFuncGetAttribute(&value, each.attribute, function);
      if (result != CUDA_SUCCESS) return result;
      if (each.number != nullptr)
        *each.number = value;
      else
        *each.bytes = static_cast<std::size_t>(value);
    }
    return CUDA_SUCCESS;
  });
}

cudaError_t cudaFuncSetAttribute(const void* host, cudaFuncAttribute attribute, int value) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuFuncSetAttribute(function, static_cast<CUfunction_attribute>(attribute), value);
  });
}

cudaError_t cudaFuncSetCacheConfig(const void* host, cudaFuncCache config) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuFuncSetCacheConfig(function, static_cast<CUfunc_cache>(config));
  });
}

// Banks have been four bytes wide since compute capability 5.0.
cudaError_t cudaFuncSetSharedMemConfig(const void* host, cudaSharedMemConfig config) {
  return with_function(host, [&](const DriverTable&, CUfunction) -> cudaError_t {
    return config < cudaSharedMemBankSizeDefault || config > cudaSharedMemBankSizeEightByte
               ? cudaErrorInvalidValue
               : cudaSuccess;
  });
}

cudaError_t cudaFuncGetName(const char** name, const void* host) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuFuncGetName(name, function);
  });
}

cudaError_t cudaFuncGetParamInfo(const void* host, std::size_t index, std::size_t* offset,
                                 std::size_t* bytes) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuFuncGetParamInfo(function, index, offset, bytes);
  });
}

cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, cudaFuncAttribute attribute,
                                            int value, int device) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuKernelSetAttribute(static_cast<CUfunction_attribute>(attribute), value, kernel,
                                   device);
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* host,
                                                          int block_size,
                                                          std::size_t shared_bytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, host, block_size,
                                                                shared_bytes, cudaOccupancyDefault);
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* host,
                                                                   int block_size,
                                                                   std::size_t shared_bytes,
                                                                   unsigned int flags) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, block_size,
                                                                   shared_bytes, flags);
  });
}

cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, const void* host,
                                                      int blocks, int block_size) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) {
    return cu.cuOccupancyAvailableDynamicSMemPerBlock(bytes, function, blocks, block_size);
  });
}

cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, const void* host,
                                                 const cudaLaunchConfig_t* config) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) -> CUresult {
    CUlaunchConfig asked;
    return to_driver(config, asked) ? cu.cuOccupancyMaxPotentialClusterSize(size, function, &asked)
                                    : CUDA_ERROR_INVALID_VALUE;
  });
}

cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void* host,
                                           const cudaLaunchConfig_t* config) {
  return with_function(host, [&](const DriverTable& cu, CUfunction function) -> CUresult {
    CUlaunchConfig asked;
    return to_driver(config, asked) ? cu.cuOccupancyMaxActiveClusters(clusters, function, &asked)
                                    : CUDA_ERROR_INVALID_VALUE;
  });
}

}  // extern "C"
