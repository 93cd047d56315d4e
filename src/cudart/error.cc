// Errors: their names, and the last of each thread.
#include "cudart/api.h"

#include <algorithm>
#include <iterator>

using namespace longwire::cudart;

namespace longwire::cudart {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* text;
};

#define LW_ERROR(name, text) \
  { name, #name, text }
const ErrorText kErrors[] = {
    LW_ERROR(cudaSuccess, "no error"),
    LW_ERROR(cudaErrorInvalidValue, "invalid argument"),
    LW_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    LW_ERROR(cudaErrorInitializationError, "initialization error"),
    LW_ERROR(cudaErrorCudartUnloading, "driver shutting down"),
    LW_ERROR(cudaErrorProfilerDisabled, "profiler disabled while using external profiling tool"),
    LW_ERROR(cudaErrorProfilerNotInitialized,
             "profiler not initialized: call cudaProfilerInitialize()"),
    LW_ERROR(cudaErrorProfilerAlreadyStarted, "profiler already started"),
    LW_ERROR(cudaErrorProfilerAlreadyStopped, "profiler already stopped"),
    LW_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    LW_ERROR(cudaErrorInvalidPitchValue, "invalid pitch argument"),
    LW_ERROR(cudaErrorInvalidSymbol, "invalid device symbol"),
    LW_ERROR(cudaErrorInvalidHostPointer, "invalid host pointer"),
    LW_ERROR(cudaErrorInvalidDevicePointer, "invalid device pointer"),
    LW_ERROR(cudaErrorInvalidTexture, "invalid texture reference"),
    LW_ERROR(cudaErrorInvalidTextureBinding, "texture is not bound to a pointer"),
    LW_ERROR(cudaErrorInvalidChannelDescriptor, "invalid channel descriptor"),
    LW_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    LW_ERROR(cudaErrorAddressOfConstant, "address of constant"),
    LW_ERROR(cudaErrorTextureFetchFailed, "fetch from texture failed"),
    LW_ERROR(cudaErrorTextureNotBound, "cannot fetch from a texture that is not bound"),
    LW_ERROR(cudaErrorSynchronizationError, "incorrect use of synchronization"),
    LW_ERROR(cudaErrorInvalidFilterSetting, "linear filtering not supported for non-float type"),
    LW_ERROR(cudaErrorInvalidNormSetting,
             "read as normalized float not supported for 32-bit non float type"),
    LW_ERROR(cudaErrorMixedDeviceExecution,
             "device emulation mode and device execution mode cannot be mixed"),
    LW_ERROR(cudaErrorNotYetImplemented, "feature not yet implemented"),
    LW_ERROR(cudaErrorMemoryValueTooLarge,
             "memory size or pointer value too large to fit in 32 bit"),
    LW_ERROR(cudaErrorStubLibrary, "CUDA driver is a stub library"),
    LW_ERROR(cudaErrorInsufficientDriver,
             "CUDA driver version is insufficient for CUDA runtime version"),
    LW_ERROR(cudaErrorCallRequiresNewerDriver, "function requires a newer driver"),
    LW_ERROR(cudaErrorInvalidSurface, "invalid surface reference"),
    LW_ERROR(cudaErrorDuplicateVariableName, "duplicate global variable looked up by string name"),
    LW_ERROR(cudaErrorDuplicateTextureName, "duplicate texture looked up by string name"),
    LW_ERROR(cudaErrorDuplicateSurfaceName, "duplicate surface looked up by string name"),
    LW_ERROR(cudaErrorDevicesUnavailable, "device is busy or unavailable"),
    LW_ERROR(cudaErrorIncompatibleDriverContext, "incompatible driver context"),
    LW_ERROR(cudaErrorMissingConfiguration, "kernel launched without configuration"),
    LW_ERROR(cudaErrorPriorLaunchFailure, "unspecified launch failure in prior launch"),
    LW_ERROR(cudaErrorLaunchMaxDepthExceeded,
             "launch would exceed maximum depth of nested launches"),
    LW_ERROR(cudaErrorLaunchFileScopedTex, "launch failed because of a texture of file scope"),
    LW_ERROR(cudaErrorLaunchFileScopedSurf, "launch failed because of a surface of file scope"),
    LW_ERROR(cudaErrorSyncDepthExceeded, "synchronization in too deep a nesting"),
    LW_ERROR(cudaErrorLaunchPendingCountExceeded,
             "launch would exceed the limit of pending launches"),
    LW_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    LW_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    LW_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    LW_ERROR(cudaErrorDeviceNotLicensed, "device is not licensed"),
    LW_ERROR(cudaErrorSoftwareValidityNotEstablished,
             "integrity of the software could not be established"),
    LW_ERROR(cudaErrorStartupFailure, "startup failure in the runtime"),
    LW_ERROR(cudaErrorInvalidKernelImage, "device kernel image is invalid"),
    LW_ERROR(cudaErrorDeviceUninitialized, "invalid device context"),
    LW_ERROR(cudaErrorMapBufferObjectFailed, "mapping failed"),
    LW_ERROR(cudaErrorUnmapBufferObjectFailed, "unmapping failed"),
    LW_ERROR(cudaErrorArrayIsMapped, "array is mapped"),
    LW_ERROR(cudaErrorAlreadyMapped, "resource already mapped"),
    LW_ERROR(cudaErrorNoKernelImageForDevice, "no kernel image is available for the device"),
    LW_ERROR(cudaErrorAlreadyAcquired, "resource already acquired"),
    LW_ERROR(cudaErrorNotMapped, "resource not mapped"),
    LW_ERROR(cudaErrorNotMappedAsArray, "resource not mapped as array"),
    LW_ERROR(cudaErrorNotMappedAsPointer, "resource not mapped as pointer"),
    LW_ERROR(cudaErrorECCUncorrectable, "uncorrectable ECC error"),
    LW_ERROR(cudaErrorUnsupportedLimit, "limit is not supported on this device"),
    LW_ERROR(cudaErrorDeviceAlreadyInUse, "context is already in use by another thread"),
    LW_ERROR(cudaErrorPeerAccessUnsupported, "peer access is not supported"),
    LW_ERROR(cudaErrorInvalidPtx, "PTX could not be compiled"),
    LW_ERROR(cudaErrorInvalidGraphicsContext, "invalid graphics context"),
    LW_ERROR(cudaErrorNvlinkUncorrectable, "uncorrectable NVLink error"),
    LW_ERROR(cudaErrorJitCompilerNotFound, "PTX compiler was not found"),
    LW_ERROR(cudaErrorUnsupportedPtxVersion, "PTX version is not supported"),
    LW_ERROR(cudaErrorJitCompilationDisabled, "PTX compilation is disabled"),
    LW_ERROR(cudaErrorUnsupportedExecAffinity, "execution affinity is not supported"),
    LW_ERROR(cudaErrorUnsupportedDevSideSync, "synchronization on the device is not supported"),
    LW_ERROR(cudaErrorContained, "contained error"),
    LW_ERROR(cudaErrorInvalidSource, "device kernel source is invalid"),
    LW_ERROR(cudaErrorFileNotFound, "file not found"),
    LW_ERROR(cudaErrorSharedObjectSymbolNotFound, "shared object symbol not found"),
    LW_ERROR(cudaErrorSharedObjectInitFailed, "shared object initialization failed"),
    LW_ERROR(cudaErrorOperatingSystem, "operating system call failed"),
    LW_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    LW_ERROR(cudaErrorIllegalState, "operation is not possible in the present state"),
    LW_ERROR(cudaErrorLossyQuery, "query would lose information"),
    LW_ERROR(cudaErrorSymbolNotFound, "named symbol not found"),
    LW_ERROR(cudaErrorNotReady, "device not ready"),
    LW_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    LW_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    LW_ERROR(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    LW_ERROR(cudaErrorLaunchIncompatibleTexturing, "launch uses an incompatible texturing mode"),
    LW_ERROR(cudaErrorPeerAccessAlreadyEnabled, "peer access is already enabled"),
    LW_ERROR(cudaErrorPeerAccessNotEnabled, "peer access has not been enabled"),
    LW_ERROR(cudaErrorSetOnActiveProcess, "primary context is active"),
    LW_ERROR(cudaErrorContextIsDestroyed, "context is destroyed"),
    LW_ERROR(cudaErrorAssert, "device-side assert triggered"),
    LW_ERROR(cudaErrorTooManyPeers, "peer mapping resources exhausted"),
    LW_ERROR(cudaErrorHostMemoryAlreadyRegistered, "memory is already registered"),
    LW_ERROR(cudaErrorHostMemoryNotRegistered, "memory is not registered"),
    LW_ERROR(cudaErrorHardwareStackError, "stack overflow on the device"),
    LW_ERROR(cudaErrorIllegalInstruction, "an illegal instruction was encountered"),
    LW_ERROR(cudaErrorMisalignedAddress, "misaligned address"),
    LW_ERROR(cudaErrorInvalidAddressSpace, "operation not supported on address space"),
    LW_ERROR(cudaErrorInvalidPc, "invalid program counter"),
    LW_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    LW_ERROR(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    LW_ERROR(cudaErrorTensorMemoryLeak, "tensor memory was not given back"),
    LW_ERROR(cudaErrorNotPermitted, "operation not permitted"),
    LW_ERROR(cudaErrorNotSupported, "operation not supported"),
    LW_ERROR(cudaErrorSystemNotReady, "system not yet initialized"),
    LW_ERROR(cudaErrorSystemDriverMismatch,
             "system has unsupported display driver and CUDA driver combination"),
    LW_ERROR(cudaErrorCompatNotSupportedOnDevice,
             "forward compatibility is not supported on this device"),
    LW_ERROR(cudaErrorMpsConnectionFailed, "MPS client failed to connect"),
    LW_ERROR(cudaErrorMpsRpcFailure, "MPS remote call failed"),
    LW_ERROR(cudaErrorMpsServerNotReady, "MPS server is not ready"),
    LW_ERROR(cudaErrorMpsMaxClientsReached, "MPS has no room for clients"),
    LW_ERROR(cudaErrorMpsMaxConnectionsReached, "MPS has no room for connections"),
    LW_ERROR(cudaErrorMpsClientTerminated, "MPS client was terminated"),
    LW_ERROR(cudaErrorCdpNotSupported, "launches from kernels are not supported"),
    LW_ERROR(cudaErrorCdpVersionMismatch, "versions of launches from kernels do not match"),
    LW_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    LW_ERROR(cudaErrorStreamCaptureInvalidated,
             "operation failed due to a previous error during capture"),
    LW_ERROR(cudaErrorStreamCaptureMerge, "operation would merge two captures"),
    LW_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not begun in this stream"),
    LW_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    LW_ERROR(cudaErrorStreamCaptureIsolation, "dependency crosses the border of a capture"),
    LW_ERROR(cudaErrorStreamCaptureImplicit, "operation depends on a capture in the legacy stream"),
    LW_ERROR(cudaErrorCapturedEvent,
             "operation not permitted on an event last recorded in a capture"),
    LW_ERROR(cudaErrorStreamCaptureWrongThread, "capture was begun in another thread"),
    LW_ERROR(cudaErrorTimeout, "wait timed out"),
    LW_ERROR(cudaErrorGraphExecUpdateFailure, "graph update was not performed"),
    LW_ERROR(cudaErrorExternalDevice, "error in a device outside of CUDA"),
    LW_ERROR(cudaErrorInvalidClusterSize, "invalid cluster size"),
    LW_ERROR(cudaErrorFunctionNotLoaded, "function is not loaded"),
    LW_ERROR(cudaErrorInvalidResourceType, "invalid resource type"),
    LW_ERROR(cudaErrorInvalidResourceConfiguration, "invalid resource configuration"),
    LW_ERROR(cudaErrorUnknown, "unknown error"),
    LW_ERROR(cudaErrorApiFailureBase, "unknown error of an earlier runtime"),
};
#undef LW_ERROR

const char* find_text(cudaError_t error, const char* ErrorText::*part) {
  const auto* found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                   [&](const ErrorText& each) { return each.error == error; });
  return found == std::end(kErrors) ? "unrecognized error code" : (*found).*part;
}

}  // namespace

cudaError_t remember(cudaError_t error) noexcept {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t not_supported() noexcept { return remember(cudaErrorNotSupported); }

}  // namespace longwire::cudart

extern "C" {

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

const char* cudaGetErrorName(cudaError_t error) { return find_text(error, &ErrorText::name); }

const char* cudaGetErrorString(cudaError_t error) { return find_text(error, &ErrorText::text); }

}  // extern "C"
