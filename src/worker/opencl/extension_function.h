// Functions of extensions, which the vendor's dispatch table does not have.
#pragma once

#include "opencl/native_api.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

// As the platform that runs the device has it, or null. Having the function does not mean that the
// device has the extension.
template <class F>
F extension_function(const longwire::opencl::NativeApi& api, const Device& device,
                     const char* name) {
  if (api.clGetExtensionFunctionAddressForPlatform == nullptr) return nullptr;
  return reinterpret_cast<F>(api.clGetExtensionFunctionAddressForPlatform(device.platform, name));
}

}  // namespace longwire::worker::opencl
