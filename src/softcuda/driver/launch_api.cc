// Launches of kernels and of functions of the program.
#include "softcuda/driver/launch.h"

#include <cstring>

#include "softcuda/driver/driver.h"
#include "softcuda/driver/function_attributes.h"
#include "softcuda/driver/module.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {
namespace {

// The words of `extra` are pairs of a key and a value, up to an end.
constexpr int kMaxExtra = 8;

CUresult parameters_from_extra(void** extra, std::vector<std::byte>& parameters) {
  const void* buffer = nullptr;
  const std::size_t* bytes = nullptr;
  for (int i = 0; i < kMaxExtra && extra[i] != CU_LAUNCH_PARAM_END; i += 2) {
    if (extra[i] == CU_LAUNCH_PARAM_BUFFER_POINTER)
      buffer = extra[i + 1];
    else if (extra[i] == CU_LAUNCH_PARAM_BUFFER_SIZE)
      bytes = static_cast<const std::size_t*>(extra[i + 1]);
    else
      return CUDA_ERROR_INVALID_VALUE;
  }
  const bool wanted = !parameters.empty();
  if (bytes == nullptr || (wanted && (buffer == nullptr || *bytes < parameters.size())))
    return wanted ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
  if (wanted) std::memcpy(parameters.data(), buffer, parameters.size());
  return CUDA_SUCCESS;
}

CUresult parameters_from_array(const ir::Function& code, void** values,
                               std::vector<std::byte>& parameters) {
  for (std::size_t i = 0; i < code.parameters.size(); ++i) {
    const ir::Parameter& each = code.parameters[i];
    if (values[i] == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(parameters.data() + each.offset, values[i], each.bytes);
  }
  return CUDA_SUCCESS;
}

CUresult check_sizes(const Driver& driver, const Function& function, const LaunchRequest& request) {
  const machine::Dim3& grid = request.grid;
  const machine::Dim3& block = request.block;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (grid.x > machine::kMaxGridX || grid.y > machine::kMaxGridYZ || grid.z > machine::kMaxGridYZ ||
      block.x > machine::kMaxThreadsPerBlock || block.y > machine::kMaxThreadsPerBlock ||
      block.z > machine::kMaxBlockZ)
    return CUDA_ERROR_INVALID_VALUE;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  if (threads > machine::kMaxThreadsPerBlock) return CUDA_ERROR_INVALID_VALUE;
  const ir::Function& code = function.code();
  if (threads > static_cast<std::uint64_t>(max_threads(code)))
    return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  const std::uint32_t* required = code.limits.required_threads;
  if (required[0] != 0 && (block.x != required[0] || block.y != std::max(1U, required[1]) ||
                           block.z != std::max(1U, required[2])))
    return CUDA_ERROR_INVALID_VALUE;
  if (request.shared_bytes > static_cast<unsigned int>(max_dynamic_shared(driver, function)))
    return CUDA_ERROR_INVALID_VALUE;
  if (machine::shared_bytes_of(code, request.shared_bytes) >
      driver.options.machine.shared_bytes_per_block)
    return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  return CUDA_SUCCESS;
}

CUresult check_cooperative(const Function& function, const machine::Dim3& grid,
                           const machine::Dim3& block, unsigned int shared_bytes) {
  machine::Machine& machine = *function.module->context->device.machine;
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  const std::uint32_t threads = block.x * block.y * block.z;
  const std::uint64_t room =
      std::uint64_t{machine.threads()} *
      machine.resident_blocks(threads, static_cast<std::uint32_t>(machine::shared_bytes_of(
                                           function.code(), shared_bytes)));
  return blocks > room ? CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE : CUDA_SUCCESS;
}

}  // namespace

CUresult make_kernel_operation(const std::shared_ptr<Context>& context,
                               const LaunchRequest& request, KernelOperation& operation) {
  Driver& driver = *the_driver();
  auto function = find_function(driver, context, request.function);
  if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  if (function->module->context != context) return CUDA_ERROR_INVALID_CONTEXT;
  const ir::Function& code = function->code();
  if (request.parameters != nullptr && request.extra != nullptr) return CUDA_ERROR_INVALID_VALUE;
  CUresult status = check_sizes(driver, *function, request);
  if (status == CUDA_SUCCESS && request.cooperative)
    status = check_cooperative(*function, request.grid, request.block, request.shared_bytes);
  if (status != CUDA_SUCCESS) return status;
  operation.parameters.resize(code.parameter_bytes);
  if (request.extra != nullptr)
    status = parameters_from_extra(request.extra, operation.parameters);
  else if (request.parameters != nullptr)
    status = parameters_from_array(code, request.parameters, operation.parameters);
  else if (!code.parameters.empty())
    status = CUDA_ERROR_INVALID_VALUE;
  function->prepared = true;
  operation.function = std::move(function);
  operation.handle = request.function;
  operation.grid = request.grid;
  operation.block = request.block;
  operation.shared_bytes = request.shared_bytes;
  operation.cooperative = request.cooperative;
  return status;
}

CUresult set_cooperative(KernelOperation& operation, bool cooperative) {
  operation.cooperative = cooperative;
  return cooperative ? check_cooperative(*operation.function, operation.grid, operation.block,
                                         operation.shared_bytes)
                     : CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;

namespace {

CUresult launch(CUstream handle, const LaunchRequest& request) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr || stream->context() != context) return CUDA_ERROR_INVALID_HANDLE;
    KernelOperation operation;
    CUresult status = make_kernel_operation(context, request, operation);
    return status != CUDA_SUCCESS ? status : stream->submit(std::move(operation));
  });
}

// What of a launch's attributes changes what is run; hints have no effect here.
CUresult read_attributes(const CUlaunchConfig& config, LaunchRequest& request) {
  if (config.numAttrs > 0 && config.attrs == nullptr) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned int i = 0; i < config.numAttrs; ++i) {
    const CUlaunchAttributeValue& value = config.attrs[i].value;
    switch (config.attrs[i].id) {
      case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
        request.cooperative = value.cooperative != 0;
        break;
      case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
        if (value.clusterDim.x != 1 || value.clusterDim.y != 1 || value.clusterDim.z != 1)
          return CUDA_ERROR_NOT_SUPPORTED;
        break;
      case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
      case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT:
      case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
        return CUDA_ERROR_NOT_SUPPORTED;
      default:
        if (config.attrs[i].id < 0 ||
            config.attrs[i].id > CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING)
          return CUDA_ERROR_INVALID_VALUE;
    }
  }
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuLaunchKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                        unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                        unsigned int block_z, unsigned int shared_bytes, CUstream stream,
                        void** parameters, void** extra) {
  return launch(stream, {function,
                         {grid_x, grid_y, grid_z},
                         {block_x, block_y, block_z},
                         shared_bytes,
                         false,
                         parameters,
                         extra});
}

CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                                   unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                                   unsigned int block_z, unsigned int shared_bytes, CUstream stream,
                                   void** parameters) {
  return launch(stream, {function,
                         {grid_x, grid_y, grid_z},
                         {block_x, block_y, block_z},
                         shared_bytes,
                         true,
                         parameters,
                         nullptr});
}

CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters,
                          void** extra) {
  if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
  LaunchRequest request{function,
                        {config->gridDimX, config->gridDimY, config->gridDimZ},
                        {config->blockDimX, config->blockDimY, config->blockDimZ},
                        config->sharedMemBytes,
                        false,
                        parameters,
                        extra};
  CUresult status = read_attributes(*config, request);
  return status != CUDA_SUCCESS ? status : launch(config->hStream, request);
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (function == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    return stream->submit(HostOperation{function, nullptr, nullptr, data});
  });
}

}  // extern "C"
