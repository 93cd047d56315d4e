// Launches of kernels and of functions of the program.
#include <vector>

#include "cudart/code.h"
#include "cudart/context.h"
#include "cudart/launch_config.h"

using namespace longwire::cudart;

namespace {

// The driver has one answer for all arguments that are wrong; the runtime has its own for sizes
// that no launch on the device may have.
cudaError_t of_launch(const DriverTable& cu, CUresult result, dim3 grid, dim3 block) {
  if (result != CUDA_ERROR_INVALID_VALUE) return to_runtime(result);
  CUdevice device = 0;
  int limits[7] = {};
  bool known = cu.cuCtxGetDevice(&device) == CUDA_SUCCESS;
  for (int i = 0; i < 7 && known; ++i)  // most threads, block x, y, z, grid x, y, z: 1 to 7
    known = cu.cuDeviceGetAttribute(
                &limits[i],
                static_cast<CUdevice_attribute>(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK + i),
                device) == CUDA_SUCCESS;
  const unsigned int asked[] = {block.x, block.y, block.z, grid.x, grid.y, grid.z};
  bool wrong = std::uint64_t{block.x} * block.y * block.z > static_cast<unsigned int>(limits[0]);
  for (int i = 0; i < 6; ++i)
    wrong = wrong || asked[i] == 0 || asked[i] > static_cast<unsigned int>(limits[i + 1]);
  return known && wrong ? cudaErrorInvalidConfiguration : cudaErrorInvalidValue;
}

cudaError_t launch(const DriverTable& cu, CUfunction function, dim3 grid, dim3 block,
                   void** parameters, std::size_t shared_bytes, cudaStream_t stream) {
  if (shared_bytes > UINT32_MAX) return cudaErrorInvalidValue;
  const CUresult result = cu.cuLaunchKernel(function, grid.x, grid.y, grid.z, block.x, block.y,
                                            block.z, static_cast<unsigned int>(shared_bytes),
                                            to_driver(stream), parameters, nullptr);
  return of_launch(cu, result, grid, block);
}

}  // namespace

extern "C" {

cudaError_t cudaLaunchKernel(const void* host, dim3 grid, dim3 block, void** parameters,
                             std::size_t shared_bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUfunction function = nullptr;
    if (cudaError_t error = find_function(cu, host, function); error != cudaSuccess) return error;
    return launch(cu, function, grid, block, parameters, shared_bytes, stream);
  });
}

cudaError_t cudaLaunchCooperativeKernel(const void* host, dim3 grid, dim3 block, void** parameters,
                                        std::size_t shared_bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUfunction function = nullptr;
    if (cudaError_t error = find_function(cu, host, function); error != cudaSuccess) return error;
    if (shared_bytes > UINT32_MAX) return cudaErrorInvalidValue;
    const CUresult result = cu.cuLaunchCooperativeKernel(
        function, grid.x, grid.y, grid.z, block.x, block.y, block.z,
        static_cast<unsigned int>(shared_bytes), to_driver(stream), parameters);
    return of_launch(cu, result, grid, block);
  });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* host,
                                void** parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUlaunchConfig asked;
    if (!to_driver(config, asked)) return cudaErrorInvalidValue;
    CUfunction function = nullptr;
    if (cudaError_t error = find_function(cu, host, function); error != cudaSuccess) return error;
    return of_launch(cu, cu.cuLaunchKernelEx(&asked, function, parameters, nullptr),
                     config->gridDim, config->blockDim);
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t callback, void* data) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuLaunchHostFunc(to_driver(stream), callback, data);
  });
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  return cudaGetKernel(kernel, host);
}

// What nvcc 13 emits for <<<...>>>: with the kernel that __cudaGetKernel gave.
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** parameters,
                               std::size_t shared_bytes, cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUfunction function = nullptr;
    const CUresult result = cu.cuKernelGetFunction(&function, kernel);
    if (result != CUDA_SUCCESS) return cudaErrorInvalidDeviceFunction;
    return launch(cu, function, grid, block, parameters, shared_bytes, stream);
  });
}

cudaError_t cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    return kernel == nullptr ? cudaErrorInvalidValue : find_kernel(cu, host, *kernel);
  });
}

cudaError_t cudaGetFuncBySymbol(cudaFunction_t* function, const void* host) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    return function == nullptr ? cudaErrorInvalidValue : find_function(cu, host, *function);
  });
}

}  // extern "C"
