// cudaGetDeviceProperties: the driver's attributes, each in its field. Built for each library, as
// versions 12 and 13 have different fields.
#include <cstring>

#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

struct Field {
  CUdevice_attribute attribute;
  std::size_t offset;
  bool wide;  // size_t
};

#define LW_INT(attribute, field) \
  { CU_DEVICE_ATTRIBUTE_##attribute, offsetof(cudaDeviceProp, field), false }
#define LW_SIZE(attribute, field) \
  { CU_DEVICE_ATTRIBUTE_##attribute, offsetof(cudaDeviceProp, field), true }
const Field kFields[] = {
    LW_SIZE(MAX_SHARED_MEMORY_PER_BLOCK, sharedMemPerBlock),
    LW_INT(MAX_REGISTERS_PER_BLOCK, regsPerBlock),
    LW_INT(WARP_SIZE, warpSize),
    LW_SIZE(MAX_PITCH, memPitch),
    LW_INT(MAX_THREADS_PER_BLOCK, maxThreadsPerBlock),
    LW_INT(MAX_BLOCK_DIM_X, maxThreadsDim[0]),
    LW_INT(MAX_BLOCK_DIM_Y, maxThreadsDim[1]),
    LW_INT(MAX_BLOCK_DIM_Z, maxThreadsDim[2]),
    LW_INT(MAX_GRID_DIM_X, maxGridSize[0]),
    LW_INT(MAX_GRID_DIM_Y, maxGridSize[1]),
    LW_INT(MAX_GRID_DIM_Z, maxGridSize[2]),
    LW_SIZE(TOTAL_CONSTANT_MEMORY, totalConstMem),
    LW_INT(COMPUTE_CAPABILITY_MAJOR, major),
    LW_INT(COMPUTE_CAPABILITY_MINOR, minor),
    LW_SIZE(TEXTURE_ALIGNMENT, textureAlignment),
    LW_SIZE(TEXTURE_PITCH_ALIGNMENT, texturePitchAlignment),
    LW_INT(MULTIPROCESSOR_COUNT, multiProcessorCount),
    LW_INT(INTEGRATED, integrated),
    LW_INT(CAN_MAP_HOST_MEMORY, canMapHostMemory),
    LW_INT(MAXIMUM_TEXTURE1D_WIDTH, maxTexture1D),
    LW_INT(MAXIMUM_TEXTURE1D_MIPMAPPED_WIDTH, maxTexture1DMipmap),
    LW_INT(MAXIMUM_TEXTURE2D_WIDTH, maxTexture2D[0]),
    LW_INT(MAXIMUM_TEXTURE2D_HEIGHT, maxTexture2D[1]),
    LW_INT(MAXIMUM_TEXTURE2D_MIPMAPPED_WIDTH, maxTexture2DMipmap[0]),
    LW_INT(MAXIMUM_TEXTURE2D_MIPMAPPED_HEIGHT, maxTexture2DMipmap[1]),
    LW_INT(MAXIMUM_TEXTURE2D_LINEAR_WIDTH, maxTexture2DLinear[0]),
    LW_INT(MAXIMUM_TEXTURE2D_LINEAR_HEIGHT, maxTexture2DLinear[1]),
    LW_INT(MAXIMUM_TEXTURE2D_LINEAR_PITCH, maxTexture2DLinear[2]),
    LW_INT(MAXIMUM_TEXTURE2D_GATHER_WIDTH, maxTexture2DGather[0]),
    LW_INT(MAXIMUM_TEXTURE2D_GATHER_HEIGHT, maxTexture2DGather[1]),
    LW_INT(MAXIMUM_TEXTURE3D_WIDTH, maxTexture3D[0]),
    LW_INT(MAXIMUM_TEXTURE3D_HEIGHT, maxTexture3D[1]),
    LW_INT(MAXIMUM_TEXTURE3D_DEPTH, maxTexture3D[2]),
    LW_INT(MAXIMUM_TEXTURE3D_WIDTH_ALTERNATE, maxTexture3DAlt[0]),
    LW_INT(MAXIMUM_TEXTURE3D_HEIGHT_ALTERNATE, maxTexture3DAlt[1]),
    LW_INT(MAXIMUM_TEXTURE3D_DEPTH_ALTERNATE, maxTexture3DAlt[2]),
    LW_INT(MAXIMUM_TEXTURECUBEMAP_WIDTH, maxTextureCubemap),
    LW_INT(MAXIMUM_TEXTURE1D_LAYERED_WIDTH, maxTexture1DLayered[0]),
    LW_INT(MAXIMUM_TEXTURE1D_LAYERED_LAYERS, maxTexture1DLayered[1]),
    LW_INT(MAXIMUM_TEXTURE2D_LAYERED_WIDTH, maxTexture2DLayered[0]),
    LW_INT(MAXIMUM_TEXTURE2D_LAYERED_HEIGHT, maxTexture2DLayered[1]),
    LW_INT(MAXIMUM_TEXTURE2D_LAYERED_LAYERS, maxTexture2DLayered[2]),
    LW_INT(MAXIMUM_TEXTURECUBEMAP_LAYERED_WIDTH, maxTextureCubemapLayered[0]),
    LW_INT(MAXIMUM_TEXTURECUBEMAP_LAYERED_LAYERS, maxTextureCubemapLayered[1]),
    LW_INT(MAXIMUM_SURFACE1D_WIDTH, maxSurface1D),
    LW_INT(MAXIMUM_SURFACE2D_WIDTH, maxSurface2D[0]),
    LW_INT(MAXIMUM_SURFACE2D_HEIGHT, maxSurface2D[1]),
    LW_INT(MAXIMUM_SURFACE3D_WIDTH, maxSurface3D[0]),
    LW_INT(MAXIMUM_SURFACE3D_HEIGHT, maxSurface3D[1]),
    LW_INT(MAXIMUM_SURFACE3D_DEPTH, maxSurface3D[2]),
    LW_INT(MAXIMUM_SURFACE1D_LAYERED_WIDTH, maxSurface1DLayered[0]),
    LW_INT(MAXIMUM_SURFACE1D_LAYERED_LAYERS, maxSurface1DLayered[1]),
    LW_INT(MAXIMUM_SURFACE2D_LAYERED_WIDTH, maxSurface2DLayered[0]),
    LW_INT(MAXIMUM_SURFACE2D_LAYERED_HEIGHT, maxSurface2DLayered[1]),
    LW_INT(MAXIMUM_SURFACE2D_LAYERED_LAYERS, maxSurface2DLayered[2]),
    LW_INT(MAXIMUM_SURFACECUBEMAP_WIDTH, maxSurfaceCubemap),
    LW_INT(MAXIMUM_SURFACECUBEMAP_LAYERED_WIDTH, maxSurfaceCubemapLayered[0]),
    LW_INT(MAXIMUM_SURFACECUBEMAP_LAYERED_LAYERS, maxSurfaceCubemapLayered[1]),
    LW_SIZE(SURFACE_ALIGNMENT, surfaceAlignment),
    LW_INT(CONCURRENT_KERNELS, concurrentKernels),
    LW_INT(ECC_ENABLED, ECCEnabled),
    LW_INT(PCI_BUS_ID, pciBusID),
    LW_INT(PCI_DEVICE_ID, pciDeviceID),
    LW_INT(PCI_DOMAIN_ID, pciDomainID),
    LW_INT(TCC_DRIVER, tccDriver),
    LW_INT(ASYNC_ENGINE_COUNT, asyncEngineCount),
    LW_INT(UNIFIED_ADDRESSING, unifiedAddressing),
    LW_INT(GLOBAL_MEMORY_BUS_WIDTH, memoryBusWidth),
    LW_INT(L2_CACHE_SIZE, l2CacheSize),
    LW_INT(MAX_PERSISTING_L2_CACHE_SIZE, persistingL2CacheMaxSize),
    LW_INT(MAX_THREADS_PER_MULTIPROCESSOR, maxThreadsPerMultiProcessor),
    LW_INT(STREAM_PRIORITIES_SUPPORTED, streamPrioritiesSupported),
    LW_INT(GLOBAL_L1_CACHE_SUPPORTED, globalL1CacheSupported),
    LW_INT(LOCAL_L1_CACHE_SUPPORTED, localL1CacheSupported),
    LW_SIZE(MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, sharedMemPerMultiprocessor),
    LW_INT(MAX_REGISTERS_PER_MULTIPROCESSOR, regsPerMultiprocessor),
    LW_INT(MANAGED_MEMORY, managedMemory),
    LW_INT(MULTI_GPU_BOARD, isMultiGpuBoard),
    LW_INT(MULTI_GPU_BOARD_GROUP_ID, multiGpuBoardGroupID),
    LW_INT(HOST_NATIVE_ATOMIC_SUPPORTED, hostNativeAtomicSupported),
    LW_INT(PAGEABLE_MEMORY_ACCESS, pageableMemoryAccess),
    LW_INT(CONCURRENT_MANAGED_ACCESS, concurrentManagedAccess),
    LW_INT(COMPUTE_PREEMPTION_SUPPORTED, computePreemptionSupported),
    LW_INT(CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM, canUseHostPointerForRegisteredMem),
    LW_INT(COOPERATIVE_LAUNCH, cooperativeLaunch),
    LW_SIZE(MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, sharedMemPerBlockOptin),
    LW_INT(PAGEABLE_MEMORY_ACCESS_USES_HOST_PAGE_TABLES, pageableMemoryAccessUsesHostPageTables),
    LW_INT(DIRECT_MANAGED_MEM_ACCESS_FROM_HOST, directManagedMemAccessFromHost),
    LW_INT(MAX_BLOCKS_PER_MULTIPROCESSOR, maxBlocksPerMultiProcessor),
    LW_INT(MAX_ACCESS_POLICY_WINDOW_SIZE, accessPolicyMaxWindowSize),
    LW_SIZE(RESERVED_SHARED_MEMORY_PER_BLOCK, reservedSharedMemPerBlock),
    LW_INT(HOST_REGISTER_SUPPORTED, hostRegisterSupported),
    LW_INT(SPARSE_CUDA_ARRAY_SUPPORTED, sparseCudaArraySupported),
    LW_INT(READ_ONLY_HOST_REGISTER_SUPPORTED, hostRegisterReadOnlySupported),
    LW_INT(TIMELINE_SEMAPHORE_INTEROP_SUPPORTED, timelineSemaphoreInteropSupported),
    LW_INT(MEMORY_POOLS_SUPPORTED, memoryPoolsSupported),
    LW_INT(GPU_DIRECT_RDMA_SUPPORTED, gpuDirectRDMASupported),
    LW_INT(GPU_DIRECT_RDMA_FLUSH_WRITES_OPTIONS, gpuDirectRDMAFlushWritesOptions),
    LW_INT(GPU_DIRECT_RDMA_WRITES_ORDERING, gpuDirectRDMAWritesOrdering),
    LW_INT(MEMPOOL_SUPPORTED_HANDLE_TYPES, memoryPoolSupportedHandleTypes),
    LW_INT(DEFERRED_MAPPING_CUDA_ARRAY_SUPPORTED, deferredMappingCudaArraySupported),
    LW_INT(IPC_EVENT_SUPPORTED, ipcEventSupported),
    LW_INT(CLUSTER_LAUNCH, clusterLaunch),
    LW_INT(UNIFIED_FUNCTION_POINTERS, unifiedFunctionPointers),
    LW_INT(NUMA_CONFIG, deviceNumaConfig),
    LW_INT(NUMA_ID, deviceNumaId),
    LW_INT(MPS_ENABLED, mpsEnabled),
    LW_INT(HOST_NUMA_ID, hostNumaId),
    LW_INT(GPU_PCI_DEVICE_ID, gpuPciDeviceID),
    LW_INT(GPU_PCI_SUBSYSTEM_ID, gpuPciSubsystemID),
#if CUDART_VERSION < 13000
    LW_INT(CLOCK_RATE, clockRate),
    LW_INT(GPU_OVERLAP, deviceOverlap),
    LW_INT(KERNEL_EXEC_TIMEOUT, kernelExecTimeoutEnabled),
    LW_INT(COMPUTE_MODE, computeMode),
    LW_INT(MAXIMUM_TEXTURE1D_LINEAR_WIDTH, maxTexture1DLinear),
    LW_INT(MEMORY_CLOCK_RATE, memoryClockRate),
    LW_INT(SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO, singleToDoublePrecisionPerfRatio),
#endif
};
#undef LW_INT
#undef LW_SIZE

void put(cudaDeviceProp& properties, const Field& field, int value) {
  auto* to = reinterpret_cast<char*>(&properties) + field.offset;
  const auto wide = static_cast<std::size_t>(value);
  if (field.wide)
    std::memcpy(to, &wide, sizeof wide);
  else
    std::memcpy(to, &value, sizeof value);
}

// An attribute that an older driver does not know leaves its field 0.
CUresult read_properties(const DriverTable& cu, cudaDeviceProp& properties, CUdevice device) {
  properties = {};
  CUresult result = cu.cuDeviceGetName(properties.name, sizeof properties.name, device);
  if (result == CUDA_SUCCESS)
    result = cu.cuDeviceGetUuid_v2(reinterpret_cast<CUuuid*>(&properties.uuid), device);
  if (result == CUDA_SUCCESS) result = cu.cuDeviceTotalMem_v2(&properties.totalGlobalMem, device);
  if (result != CUDA_SUCCESS) return result;
  (void)cu.cuDeviceGetLuid(properties.luid, &properties.luidDeviceNodeMask, device);
  for (const Field& field : kFields) {
    int value = 0;
    if (cu.cuDeviceGetAttribute(&value, field.attribute, device) == CUDA_SUCCESS)
      put(properties, field, value);
  }
  return CUDA_SUCCESS;
}

#if CUDART_VERSION < 13000
static_assert(sizeof(cudaDeviceProp) == 1032);
#endif

// cudaGetDeviceProperties of 12 still has the fields of 11: those before this one.
#if CUDART_VERSION < 13000
constexpr std::size_t kBytesOf11 = offsetof(cudaDeviceProp, hostRegisterSupported);
#endif

cudaError_t properties_of(int device, void* to, std::size_t bytes) {
  return with_driver([&](const DriverTable& cu) -> CUresult {
    if (to == nullptr) return CUDA_ERROR_INVALID_VALUE;
    cudaDeviceProp properties;
    const CUresult result = read_properties(cu, properties, device);
    if (result == CUDA_SUCCESS) std::memcpy(to, &properties, bytes);
    return result;
  });
}

}  // namespace

extern "C" {

#if CUDART_VERSION < 13000
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return properties_of(device, properties, kBytesOf11);
}

cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* properties, int device) {
  return properties_of(device, properties, sizeof *properties);
}
#else
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return properties_of(device, properties, sizeof *properties);
}
#endif

}  // extern "C"
