// The calling thread's device and context. A thread that has no context uses the primary context of
// the device that it chose; one that has made another current, through the driver API, uses that.
#pragma once

#include "cudart/driver_table.h"

namespace longwire::cudart {

// Makes sure that the calling thread has a context.
cudaError_t enter_context(const DriverTable& cu);

// The thread's device: cudaSetDevice's, or the current context's.
cudaError_t current_device(const DriverTable& cu, int& device);
cudaError_t choose_device(const DriverTable& cu, int device);

// cudaSetDeviceFlags and what cudaGetDeviceFlags answers before there is a context.
cudaError_t set_device_flags(const DriverTable& cu, int device, unsigned int flags);

// Destroys the primary context of the thread's device and all that was in it.
cudaError_t reset_device(const DriverTable& cu);

// The primary context of a device, retained; for copies between devices.
cudaError_t primary_context(const DriverTable& cu, int device, CUcontext& context);

// Runs what needs a driver but no context, such as questions about devices.
template <class Body>
cudaError_t with_driver(Body&& body) noexcept {
  const FoundDriver& found = driver();
  if (found.error != cudaSuccess) return remember(found.error);
  return remember(to_runtime(body(*found.table)));
}

// Runs what acts in the thread's context.
template <class Body>
cudaError_t in_context(Body&& body) noexcept {
  return with_driver([&](const DriverTable& cu) -> cudaError_t {
    if (cudaError_t error = enter_context(cu); error != cudaSuccess) return error;
    return to_runtime(body(cu));
  });
}

}  // namespace longwire::cudart
