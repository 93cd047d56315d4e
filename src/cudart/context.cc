#include "cudart/context.h"

#include <array>
#include <atomic>
#include <mutex>

#include "cudart/code.h"

namespace longwire::cudart {
namespace {

constexpr int kMaxDevices = 64;

struct PrimaryContexts {
  std::mutex mutex;
  std::array<CUcontext, kMaxDevices> retained{};
  std::atomic<unsigned int> resets{0};  // threads look again for their context after each
};

PrimaryContexts& primaries() {
  static auto* all = new PrimaryContexts;  // used by the exit handlers of programs
  return *all;
}

struct ThreadState {
  int device = 0;
  unsigned int resets = 0;
  CUcontext entered = nullptr;  // what this library made current
};
thread_local ThreadState thread;

cudaError_t check_device(const DriverTable& cu, int device) {
  int count = 0;
  if (CUresult result = cu.cuDeviceGetCount(&count); result != CUDA_SUCCESS)
    return to_runtime(result);
  if (count == 0) return cudaErrorNoDevice;
  return device < 0 || device >= count || device >= kMaxDevices ? cudaErrorInvalidDevice
                                                                : cudaSuccess;
}

cudaError_t make_current(const DriverTable& cu, int device) {
  CUcontext context = nullptr;
  cudaError_t error = primary_context(cu, device, context);
  if (error == cudaSuccess) error = to_runtime(cu.cuCtxSetCurrent(context));
  if (error == cudaSuccess) thread.entered = context;
  return error;
}

}  // namespace

cudaError_t primary_context(const DriverTable& cu, int device, CUcontext& context) {
  if (cudaError_t error = check_device(cu, device); error != cudaSuccess) return error;
  PrimaryContexts& all = primaries();
  std::lock_guard lock(all.mutex);
  CUcontext& retained = all.retained[static_cast<std::size_t>(device)];
  if (retained == nullptr) {
    CUcontext made = nullptr;
    const CUresult result = cu.cuDevicePrimaryCtxRetain(&made, device);
    if (result != CUDA_SUCCESS) return to_runtime(result);
    retained = made;
  }
  context = retained;
  return cudaSuccess;
}

cudaError_t enter_context(const DriverTable& cu) {
  const unsigned int resets = primaries().resets.load(std::memory_order_acquire);
  CUcontext current = nullptr;
  if (CUresult result = cu.cuCtxGetCurrent(&current); result != CUDA_SUCCESS)
    return to_runtime(result);
  const bool outdated = resets != thread.resets && current == thread.entered;
  if (current != nullptr && !outdated) return cudaSuccess;
  thread.resets = resets;
  return make_current(cu, thread.device);
}

cudaError_t current_device(const DriverTable& cu, int& device) {
  CUcontext current = nullptr;
  CUdevice of_current = 0;
  if (cu.cuCtxGetCurrent(&current) == CUDA_SUCCESS && current != nullptr &&
      current != thread.entered && cu.cuCtxGetDevice(&of_current) == CUDA_SUCCESS)
    device = of_current;
  else
    device = thread.device;
  return cudaSuccess;
}

cudaError_t choose_device(const DriverTable& cu, int device) {
  if (cudaError_t error = check_device(cu, device); error != cudaSuccess) return error;
  thread.device = device;
  return make_current(cu, device);
}

cudaError_t set_device_flags(const DriverTable& cu, int device, unsigned int flags) {
  if (cudaError_t error = check_device(cu, device); error != cudaSuccess) return error;
  return to_runtime(cu.cuDevicePrimaryCtxSetFlags_v2(device, flags));
}

cudaError_t reset_device(const DriverTable& cu) {
  PrimaryContexts& all = primaries();
  int device = 0;
  if (cudaError_t error = current_device(cu, device); error != cudaSuccess) return error;
  if (cudaError_t error = check_device(cu, device); error != cudaSuccess) return error;
  std::lock_guard lock(all.mutex);
  CUcontext& retained = all.retained[static_cast<std::size_t>(device)];
  if (retained == nullptr) return cudaSuccess;
  forget_context(retained);
  cu.cuCtxSetCurrent(nullptr);
  const CUresult result = cu.cuDevicePrimaryCtxReset_v2(device);
  cu.cuDevicePrimaryCtxRelease_v2(device);
  retained = nullptr;
  thread.entered = nullptr;
  all.resets.fetch_add(1, std::memory_order_release);
  return to_runtime(result);
}

}  // namespace longwire::cudart
