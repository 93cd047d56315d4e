// The functions of libcuda.so.1 that the runtime stands on, found when first needed: a program
// starts, and may ask for its devices, where there is no driver.
#pragma once

#include "cudart/api.h"

// clang-format off
#define LW_DRIVER_FUNCTIONS(X)                                                                  \
  X(cuInit) X(cuDriverGetVersion) X(cuGetProcAddress_v2) X(cuDeviceGetCount)                    \
  X(cuDeviceGetName) X(cuDeviceGetUuid_v2) X(cuDeviceGetLuid) X(cuDeviceTotalMem_v2)            \
  X(cuDeviceGetAttribute) X(cuDeviceGetByPCIBusId) X(cuDeviceGetPCIBusId)                       \
  X(cuDeviceCanAccessPeer) X(cuDeviceGetP2PAttribute) X(cuDeviceGetDefaultMemPool)              \
  X(cuDeviceGetMemPool) X(cuDeviceSetMemPool) X(cuDevicePrimaryCtxRetain)                       \
  X(cuDevicePrimaryCtxRelease_v2) X(cuDevicePrimaryCtxReset_v2)                                 \
  X(cuDevicePrimaryCtxSetFlags_v2) X(cuDevicePrimaryCtxGetState) X(cuCtxGetCurrent)             \
  X(cuCtxSetCurrent) X(cuCtxGetDevice) X(cuCtxSynchronize) X(cuCtxGetLimit) X(cuCtxSetLimit)    \
  X(cuCtxGetCacheConfig) X(cuCtxSetCacheConfig) X(cuCtxGetStreamPriorityRange)                  \
  X(cuCtxResetPersistingL2Cache) X(cuCtxEnablePeerAccess) X(cuCtxDisablePeerAccess)             \
  X(cuLibraryLoadData) X(cuLibraryLoadFromFile) X(cuLibraryUnload) X(cuLibraryGetKernel)        \
  X(cuLibraryGetKernelCount) X(cuLibraryEnumerateKernels) X(cuLibraryGetGlobal)                 \
  X(cuLibraryGetManaged) X(cuLibraryGetUnifiedFunction) X(cuKernelGetFunction)                  \
  X(cuKernelSetAttribute) X(cuFuncGetAttribute) X(cuFuncSetAttribute) X(cuFuncSetCacheConfig)   \
  X(cuFuncGetName) X(cuFuncGetParamInfo) X(cuLaunchKernel) X(cuLaunchKernelEx)                  \
  X(cuLaunchCooperativeKernel) X(cuLaunchHostFunc)                                              \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags)                                       \
  X(cuOccupancyAvailableDynamicSMemPerBlock) X(cuMemGetInfo_v2) X(cuMemAlloc_v2)                \
  X(cuMemAllocPitch_v2) X(cuMemFree_v2) X(cuMemHostAlloc) X(cuMemFreeHost)                      \
  X(cuMemHostGetDevicePointer_v2) X(cuMemHostGetFlags) X(cuMemHostRegister_v2)                  \
  X(cuMemHostUnregister) X(cuMemAllocManaged) X(cuPointerGetAttributes) X(cuMemAdvise_v2)       \
  X(cuMemPrefetchAsync_v2) X(cuMemRangeGetAttribute) X(cuMemRangeGetAttributes) X(cuMemcpy)     \
  X(cuMemcpyAsync) X(cuMemcpyHtoD_v2) X(cuMemcpyDtoH_v2) X(cuMemcpyDtoD_v2)                     \
  X(cuMemcpyHtoDAsync_v2) X(cuMemcpyDtoHAsync_v2) X(cuMemcpyDtoDAsync_v2) X(cuMemcpy3D_v2)      \
  X(cuMemcpy3DAsync_v2) X(cuMemcpyPeerAsync) X(cuMemsetD8Async) X(cuMemsetD2D8Async)            \
  X(cuMemAllocAsync) X(cuMemAllocFromPoolAsync) X(cuMemFreeAsync) X(cuMemPoolCreate)            \
  X(cuMemPoolDestroy) X(cuMemPoolTrimTo) X(cuMemPoolSetAttribute) X(cuMemPoolGetAttribute)      \
  X(cuMemPoolSetAccess) X(cuMemPoolGetAccess) X(cuArray3DCreate_v2)                             \
  X(cuArray3DGetDescriptor_v2) X(cuArrayDestroy) X(cuTexObjectCreate) X(cuTexObjectDestroy)     \
  X(cuSurfObjectCreate) X(cuSurfObjectDestroy) X(cuStreamCreateWithPriority)                    \
  X(cuStreamDestroy_v2) X(cuStreamQuery) X(cuStreamSynchronize) X(cuStreamGetPriority)          \
  X(cuStreamGetFlags) X(cuStreamGetId) X(cuStreamGetDevice) X(cuStreamWaitEvent)                \
  X(cuStreamAddCallback) X(cuStreamAttachMemAsync) X(cuStreamGetAttribute)                      \
  X(cuStreamSetAttribute) X(cuStreamCopyAttributes) X(cuEventCreate) X(cuEventDestroy_v2)       \
  X(cuEventRecord) X(cuEventRecordWithFlags) X(cuEventQuery) X(cuEventSynchronize)              \
  X(cuEventElapsedTime) X(cuIpcGetMemHandle) X(cuIpcOpenMemHandle_v2) X(cuIpcCloseMemHandle)    \
  X(cuIpcGetEventHandle) X(cuIpcOpenEventHandle) X(cuStreamBeginCapture_v2)                     \
  X(cuStreamEndCapture) X(cuStreamIsCapturing) X(cuThreadExchangeStreamCaptureMode)             \
  X(cuGraphCreate) X(cuGraphDestroy) X(cuGraphClone) X(cuGraphConditionalHandleCreate)       \
  X(cuGraphGetNodes) X(cuGraphGetRootNodes)                                                     \
  X(cuGraphAddEmptyNode) X(cuGraphAddKernelNode_v2) X(cuGraphAddMemcpyNode)                     \
  X(cuGraphAddMemsetNode) X(cuGraphAddHostNode) X(cuGraphAddChildGraphNode)                     \
  X(cuGraphAddEventRecordNode) X(cuGraphAddEventWaitNode) X(cuGraphNodeGetType)                 \
  X(cuGraphDestroyNode) X(cuGraphInstantiateWithFlags) X(cuGraphExecGetFlags)                   \
  X(cuGraphExecUpdate_v2) X(cuGraphUpload) X(cuGraphLaunch) X(cuGraphExecDestroy)               \
  X(cuGraphExecKernelNodeSetParams_v2) X(cuGraphKernelNodeSetParams_v2)                         \
  X(cuDeviceGetGraphMemAttribute) X(cuDeviceGraphMemTrim) X(cuDeviceSetGraphMemAttribute)       \
  X(cuGraphAddDependencies_v2) X(cuGraphAddMemAllocNode) X(cuGraphAddMemFreeNode)               \
  X(cuGraphChildGraphNodeGetGraph) X(cuGraphDebugDotPrint) X(cuGraphEventRecordNodeGetEvent)    \
  X(cuGraphEventRecordNodeSetEvent) X(cuGraphEventWaitNodeGetEvent)                             \
  X(cuGraphEventWaitNodeSetEvent) X(cuGraphExecChildGraphNodeSetParams)                         \
  X(cuGraphExecEventRecordNodeSetEvent) X(cuGraphExecEventWaitNodeSetEvent)                     \
  X(cuGraphExecHostNodeSetParams) X(cuGraphExecMemcpyNodeSetParams)                             \
  X(cuGraphExecMemsetNodeSetParams) X(cuGraphGetEdges_v2) X(cuGraphHostNodeGetParams)           \
  X(cuGraphHostNodeSetParams) X(cuGraphInstantiateWithParams)                                   \
  X(cuGraphKernelNodeCopyAttributes) X(cuGraphKernelNodeGetAttribute)                           \
  X(cuGraphKernelNodeSetAttribute) X(cuGraphMemAllocNodeGetParams)                              \
  X(cuGraphMemFreeNodeGetParams) X(cuGraphMemcpyNodeSetParams) X(cuGraphMemsetNodeGetParams)    \
  X(cuGraphMemsetNodeSetParams) X(cuGraphNodeFindInClone) X(cuGraphNodeGetDependencies_v2)      \
  X(cuGraphNodeGetDependentNodes_v2) X(cuGraphNodeGetEnabled) X(cuGraphNodeSetEnabled)          \
  X(cuGraphReleaseUserObject) X(cuGraphRemoveDependencies_v2) X(cuGraphRetainUserObject)        \
  X(cuStreamBeginCaptureToGraph) X(cuStreamGetCaptureInfo_v3)                                   \
  X(cuStreamUpdateCaptureDependencies_v2) X(cuUserObjectCreate) X(cuUserObjectRelease)          \
  X(cuUserObjectRetain) X(cuGraphAddNode_v2) X(cuGraphNodeSetParams)                            \
  X(cuGraphExecNodeSetParams) X(cuGraphKernelNodeGetParams_v2) X(cuProfilerStart)               \
  X(cuProfilerStop) X(cuMemcpy3DPeerAsync) X(cuMemcpyBatchAsync) X(cuMemcpyBatchAsync_v2)       \
  X(cuMemcpy3DBatchAsync) X(cuMemcpy3DBatchAsync_v2) X(cuOccupancyMaxActiveClusters)            \
  X(cuOccupancyMaxPotentialClusterSize) X(cuMemGetDefaultMemPool) X(cuMemGetMemPool)            \
  X(cuMemSetMemPool) X(cuMipmappedArrayCreate) X(cuMipmappedArrayGetLevel)                      \
  X(cuMipmappedArrayDestroy) X(cuMemPrefetchBatchAsync) X(cuMemDiscardBatchAsync)               \
  X(cuMemDiscardAndPrefetchBatchAsync) X(cuTexObjectGetResourceDesc)                            \
  X(cuTexObjectGetTextureDesc) X(cuTexObjectGetResourceViewDesc) X(cuSurfObjectGetResourceDesc) \
  X(cuDeviceGetTexture1DLinearMaxWidth) X(cuGraphMemcpyNodeGetParams)                           \
  X(cuDeviceGetHostAtomicCapabilities) X(cuDeviceGetP2PAtomicCapabilities)
// clang-format on

namespace longwire::cudart {

struct DriverTable {
#define LW_MEMBER(name) decltype(&::name) name = nullptr;
  LW_DRIVER_FUNCTIONS(LW_MEMBER)
#undef LW_MEMBER
};

// A driver that was found and initialised, or why there is none.
struct FoundDriver {
  const DriverTable* table = nullptr;
  cudaError_t error = cudaErrorInsufficientDriver;
};

// The first call loads and initialises it, once for the process.
const FoundDriver& driver();

}  // namespace longwire::cudart
