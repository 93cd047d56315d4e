// The primary context of each device: counted, and shared by who retains it.
#include "softcuda/driver/context.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr unsigned int kPrimaryApiVersion = 3020;

template <class Body>
CUresult with_primary(CUdevice ordinal, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    Device* device = driver.device(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    return body(driver, *device);
  });
}

// Takes it from the device; its handle, or nullptr.
CUcontext take_primary(Device& device, unsigned int keep_count) {
  std::lock_guard lock(device.mutex);
  if (device.primary == nullptr || device.primary_count > keep_count) return nullptr;
  device.primary = nullptr;
  device.primary_count = 0;
  return device.primary_handle;
}

CUresult release(CUdevice ordinal) {
  return with_primary(ordinal, [&](Driver& driver, Device& device) -> CUresult {
    {
      std::lock_guard lock(device.mutex);
      if (device.primary_count == 0) return CUDA_ERROR_INVALID_CONTEXT;
      --device.primary_count;
    }
    CUcontext last = take_primary(device, 0);
    return last == nullptr ? CUDA_SUCCESS : destroy_context(driver, last);
  });
}

CUresult set_flags(CUdevice ordinal, unsigned int flags) {
  return with_primary(ordinal, [&](Driver&, Device& device) -> CUresult {
    if (!are_context_flags(flags)) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(device.mutex);
    device.primary_flags = flags;
    if (device.primary != nullptr) device.primary->flags = flags;
    return CUDA_SUCCESS;
  });
}

CUresult reset(CUdevice ordinal) {
  return with_primary(ordinal, [&](Driver& driver, Device& device) -> CUresult {
    CUcontext all = take_primary(device, ~0U);
    return all == nullptr ? CUDA_SUCCESS : destroy_context(driver, all);
  });
}

}  // namespace

extern "C" {

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice ordinal) {
  return with_primary(ordinal, [&](Driver& driver, Device& device) -> CUresult {
    if (context == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(device.mutex);
    if (device.primary == nullptr) {
      device.primary = make_context(driver, device, device.primary_flags, kPrimaryApiVersion, true);
      device.primary_handle = device.primary->handle;
    }
    ++device.primary_count;
    *context = device.primary_handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxRelease(CUdevice device) { return release(device); }
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) { return release(device); }
CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned int flags) {
  return set_flags(device, flags);
}
CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned int flags) {
  return set_flags(device, flags);
}
CUresult cuDevicePrimaryCtxReset(CUdevice device) { return reset(device); }
CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) { return reset(device); }

CUresult cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned int* flags, int* active) {
  return with_primary(ordinal, [&](Driver&, Device& device) -> CUresult {
    if (flags == nullptr || active == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(device.mutex);
    *flags = device.primary_flags;
    *active = device.primary != nullptr ? 1 : 0;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
