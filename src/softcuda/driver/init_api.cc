// Initialisation, version, error names, entry points by name.
#include <algorithm>
#include <cstring>

#include "softcuda/driver/driver.h"

using namespace longwire::softcuda::driver;
using longwire::cudaapi::EntryPoint;

namespace {

struct ErrorText {
  CUresult error;
  const char* name;
  const char* text;
};

#define LW_ERROR(name, text) \
  { CUDA_##name, "CUDA_" #name, text }
const ErrorText kErrors[] = {
    LW_ERROR(SUCCESS, "no error"),
    LW_ERROR(ERROR_INVALID_VALUE, "invalid argument"),
    LW_ERROR(ERROR_OUT_OF_MEMORY, "out of memory"),
    LW_ERROR(ERROR_NOT_INITIALIZED, "initialization error"),
    LW_ERROR(ERROR_DEINITIALIZED, "driver shutting down"),
    LW_ERROR(ERROR_PROFILER_DISABLED, "profiler disabled while using external profiling tool"),
    LW_ERROR(ERROR_PROFILER_NOT_INITIALIZED,
             "profiler not initialized: call cudaProfilerInitialize()"),
    LW_ERROR(ERROR_PROFILER_ALREADY_STARTED, "profiler already started"),
    LW_ERROR(ERROR_PROFILER_ALREADY_STOPPED, "profiler already stopped"),
    LW_ERROR(ERROR_STUB_LIBRARY, "CUDA driver is a stub library"),
    LW_ERROR(ERROR_CALL_REQUIRES_NEWER_DRIVER, "function requires a newer driver"),
    LW_ERROR(ERROR_DEVICE_UNAVAILABLE, "device is busy or unavailable"),
    LW_ERROR(ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    LW_ERROR(ERROR_INVALID_DEVICE, "invalid device ordinal"),
    LW_ERROR(ERROR_DEVICE_NOT_LICENSED, "device is not licensed"),
    LW_ERROR(ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    LW_ERROR(ERROR_INVALID_CONTEXT, "invalid device context"),
    LW_ERROR(ERROR_CONTEXT_ALREADY_CURRENT, "context already current"),
    LW_ERROR(ERROR_MAP_FAILED, "mapping failed"),
    LW_ERROR(ERROR_UNMAP_FAILED, "unmapping failed"),
    LW_ERROR(ERROR_ARRAY_IS_MAPPED, "array is mapped"),
    LW_ERROR(ERROR_ALREADY_MAPPED, "resource already mapped"),
    LW_ERROR(ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for the device"),
    LW_ERROR(ERROR_ALREADY_ACQUIRED, "resource already acquired"),
    LW_ERROR(ERROR_NOT_MAPPED, "resource not mapped"),
    LW_ERROR(ERROR_NOT_MAPPED_AS_ARRAY, "resource not mapped as array"),
    LW_ERROR(ERROR_NOT_MAPPED_AS_POINTER, "resource not mapped as pointer"),
    LW_ERROR(ERROR_ECC_UNCORRECTABLE, "uncorrectable ECC error"),
    LW_ERROR(ERROR_UNSUPPORTED_LIMIT, "limit is not supported on this device"),
    LW_ERROR(ERROR_CONTEXT_ALREADY_IN_USE, "context is already in use by another thread"),
    LW_ERROR(ERROR_PEER_ACCESS_UNSUPPORTED, "peer access is not supported"),
    LW_ERROR(ERROR_INVALID_PTX, "PTX could not be compiled"),
    LW_ERROR(ERROR_INVALID_GRAPHICS_CONTEXT, "invalid graphics context"),
    LW_ERROR(ERROR_NVLINK_UNCORRECTABLE, "uncorrectable NVLink error"),
    LW_ERROR(ERROR_JIT_COMPILER_NOT_FOUND, "PTX compiler was not found"),
    LW_ERROR(ERROR_UNSUPPORTED_PTX_VERSION, "PTX version is not supported"),
    LW_ERROR(ERROR_JIT_COMPILATION_DISABLED, "PTX compilation is disabled"),
    LW_ERROR(ERROR_UNSUPPORTED_EXEC_AFFINITY, "execution affinity is not supported"),
    LW_ERROR(ERROR_UNSUPPORTED_DEVSIDE_SYNC, "synchronization on the device is not supported"),
    LW_ERROR(ERROR_CONTAINED, "contained error"),
    LW_ERROR(ERROR_INVALID_SOURCE, "device kernel source is invalid"),
    LW_ERROR(ERROR_FILE_NOT_FOUND, "file not found"),
    LW_ERROR(ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND, "shared object symbol not found"),
    LW_ERROR(ERROR_SHARED_OBJECT_INIT_FAILED, "shared object initialization failed"),
    LW_ERROR(ERROR_OPERATING_SYSTEM, "operating system call failed"),
    LW_ERROR(ERROR_INVALID_HANDLE, "invalid resource handle"),
    LW_ERROR(ERROR_ILLEGAL_STATE, "operation is not possible in the present state"),
    LW_ERROR(ERROR_LOSSY_QUERY, "query would lose information"),
    LW_ERROR(ERROR_NOT_FOUND, "named symbol not found"),
    LW_ERROR(ERROR_NOT_READY, "device not ready"),
    LW_ERROR(ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    LW_ERROR(ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    LW_ERROR(ERROR_LAUNCH_TIMEOUT, "the launch timed out and was terminated"),
    LW_ERROR(ERROR_LAUNCH_INCOMPATIBLE_TEXTURING, "launch uses an incompatible texturing mode"),
    LW_ERROR(ERROR_PEER_ACCESS_ALREADY_ENABLED, "peer access is already enabled"),
    LW_ERROR(ERROR_PEER_ACCESS_NOT_ENABLED, "peer access has not been enabled"),
    LW_ERROR(ERROR_PRIMARY_CONTEXT_ACTIVE, "primary context is active"),
    LW_ERROR(ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    LW_ERROR(ERROR_ASSERT, "device-side assert triggered"),
    LW_ERROR(ERROR_TOO_MANY_PEERS, "peer mapping resources exhausted"),
    LW_ERROR(ERROR_HOST_MEMORY_ALREADY_REGISTERED, "memory is already registered"),
    LW_ERROR(ERROR_HOST_MEMORY_NOT_REGISTERED, "memory is not registered"),
    LW_ERROR(ERROR_HARDWARE_STACK_ERROR, "stack overflow on the device"),
    LW_ERROR(ERROR_ILLEGAL_INSTRUCTION, "an illegal instruction was encountered"),
    LW_ERROR(ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    LW_ERROR(ERROR_INVALID_ADDRESS_SPACE, "operation not supported on address space"),
    LW_ERROR(ERROR_INVALID_PC, "invalid program counter"),
    LW_ERROR(ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    LW_ERROR(ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "too many blocks in cooperative launch"),
    LW_ERROR(ERROR_TENSOR_MEMORY_LEAK, "tensor memory was not given back"),
    LW_ERROR(ERROR_NOT_PERMITTED, "operation not permitted"),
    LW_ERROR(ERROR_NOT_SUPPORTED, "operation not supported"),
    LW_ERROR(ERROR_SYSTEM_NOT_READY, "system not yet initialized"),
    LW_ERROR(ERROR_SYSTEM_DRIVER_MISMATCH,
             "system has unsupported display driver and CUDA driver combination"),
    LW_ERROR(ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE,
             "forward compatibility is not supported on this device"),
    LW_ERROR(ERROR_MPS_CONNECTION_FAILED, "MPS client failed to connect"),
    LW_ERROR(ERROR_MPS_RPC_FAILURE, "MPS remote call failed"),
    LW_ERROR(ERROR_MPS_SERVER_NOT_READY, "MPS server is not ready"),
    LW_ERROR(ERROR_MPS_MAX_CLIENTS_REACHED, "MPS has no room for clients"),
    LW_ERROR(ERROR_MPS_MAX_CONNECTIONS_REACHED, "MPS has no room for connections"),
    LW_ERROR(ERROR_MPS_CLIENT_TERMINATED, "MPS client was terminated"),
    LW_ERROR(ERROR_CDP_NOT_SUPPORTED, "launches from kernels are not supported"),
    LW_ERROR(ERROR_CDP_VERSION_MISMATCH, "versions of launches from kernels do not match"),
    LW_ERROR(ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    LW_ERROR(ERROR_STREAM_CAPTURE_INVALIDATED,
             "operation failed due to a previous error during capture"),
    LW_ERROR(ERROR_STREAM_CAPTURE_MERGE, "operation would merge two captures"),
    LW_ERROR(ERROR_STREAM_CAPTURE_UNMATCHED, "capture was not begun in this stream"),
    LW_ERROR(ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    LW_ERROR(ERROR_STREAM_CAPTURE_ISOLATION, "dependency crosses the border of a capture"),
    LW_ERROR(ERROR_STREAM_CAPTURE_IMPLICIT, "operation depends on a capture in the legacy stream"),
    LW_ERROR(ERROR_CAPTURED_EVENT,
             "operation not permitted on an event last recorded in a capture"),
    LW_ERROR(ERROR_STREAM_CAPTURE_WRONG_THREAD, "capture was begun in another thread"),
    LW_ERROR(ERROR_TIMEOUT, "wait timed out"),
    LW_ERROR(ERROR_GRAPH_EXEC_UPDATE_FAILURE, "graph update was not performed"),
    LW_ERROR(ERROR_EXTERNAL_DEVICE, "error in a device outside of CUDA"),
    LW_ERROR(ERROR_INVALID_CLUSTER_SIZE, "invalid cluster size"),
    LW_ERROR(ERROR_FUNCTION_NOT_LOADED, "function is not loaded"),
    LW_ERROR(ERROR_INVALID_RESOURCE_TYPE, "invalid resource type"),
    LW_ERROR(ERROR_INVALID_RESOURCE_CONFIGURATION, "invalid resource configuration"),
    LW_ERROR(ERROR_KEY_ROTATION, "keys are being changed"),
    LW_ERROR(ERROR_UNKNOWN, "unknown error"),
};
#undef LW_ERROR

CUresult find_error(CUresult error, const char** text, const char* ErrorText::*part) {
  if (text == nullptr) return CUDA_ERROR_INVALID_VALUE;
  auto found = std::find_if(std::begin(kErrors), std::end(kErrors),
                            [&](const ErrorText& each) { return each.error == error; });
  *text = found == std::end(kErrors) ? nullptr : (*found).*part;
  return *text == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

// The newest form that is no newer than `version`; its kind as the flags ask for.
CUresult find_entry_point(const char* name, void** function, int version, cuuint64_t flags,
                          CUdriverProcAddressQueryResult& status) {
  constexpr cuuint64_t kKnown =
      CU_GET_PROC_ADDRESS_LEGACY_STREAM | CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
  if (name == nullptr || function == nullptr || (flags & ~kKnown) != 0 || flags == kKnown)
    return CUDA_ERROR_INVALID_VALUE;
  const bool per_thread = flags == CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;
  *function = nullptr;
  status = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  for (const EntryPoint& each : longwire::cudaapi::entry_points()) {
    if (std::strcmp(each.name, name) != 0) continue;
    const bool own = per_thread && each.per_thread != nullptr;
    if ((own ? each.per_thread_version : each.version) <= version) {
      *function = own ? each.per_thread : each.function;
      status = CU_GET_PROC_ADDRESS_SUCCESS;
    } else if (*function == nullptr) {
      status = CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
    }
  }
  return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuInit(unsigned int flags) { return flags != 0 ? CUDA_ERROR_INVALID_VALUE : initialise(); }

CUresult cuDriverGetVersion(int* version) {
  if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *version = kDriverVersion;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char** text) {
  return find_error(error, text, &ErrorText::name);
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  return find_error(error, text, &ErrorText::text);
}

CUresult cuGetProcAddress(const char* name, void** function, int version, cuuint64_t flags) {
  CUdriverProcAddressQueryResult status{};
  return find_entry_point(name, function, version, flags, status);
}

// Unlike the first version it tells by `status`, where there is one, that nothing was found.
CUresult cuGetProcAddress_v2(const char* name, void** function, int version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status) {
  CUdriverProcAddressQueryResult found{};
  const CUresult result = find_entry_point(name, function, version, flags, found);
  if (result == CUDA_ERROR_INVALID_VALUE) return result;
  if (status != nullptr) *status = found;
  return result;
}

}  // extern "C"
