// Memory and events of other processes.
#include <cstring>

#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

static_assert(sizeof(cudaIpcMemHandle_t) == sizeof(CUipcMemHandle) &&
              sizeof(cudaIpcEventHandle_t) == sizeof(CUipcEventHandle));

}  // namespace

extern "C" {

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* pointer) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuIpcGetMemHandle(reinterpret_cast<CUipcMemHandle*>(handle), address_of(pointer));
  });
}

cudaError_t cudaIpcOpenMemHandle(void** pointer, cudaIpcMemHandle_t handle, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    CUipcMemHandle of_driver;
    std::memcpy(&of_driver, &handle, sizeof of_driver);
    return cu.cuIpcOpenMemHandle_v2(reinterpret_cast<CUdeviceptr*>(pointer), of_driver, flags);
  });
}

cudaError_t cudaIpcCloseMemHandle(void* pointer) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuIpcCloseMemHandle(address_of(pointer)); });
}

cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t* handle, cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuIpcGetEventHandle(reinterpret_cast<CUipcEventHandle*>(handle), event);
  });
}

cudaError_t cudaIpcOpenEventHandle(cudaEvent_t* event, cudaIpcEventHandle_t handle) {
  return in_context([&](const DriverTable& cu) {
    CUipcEventHandle of_driver;
    std::memcpy(&of_driver, &handle, sizeof of_driver);
    return cu.cuIpcOpenEventHandle(event, of_driver);
  });
}

}  // extern "C"
