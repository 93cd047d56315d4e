#include "cudart/graph_params.h"

#include <cstring>

#include "cudart/code.h"
#include "cudart/copy3d.h"

namespace longwire::cudart {
namespace {

// Nodes of these types have the driver's layout.
static_assert(sizeof(cudaGraphNodeParams) == sizeof(CUgraphNodeParams) &&
              sizeof(cudaMemAllocNodeParamsV2) == sizeof(CUDA_MEM_ALLOC_NODE_PARAMS_v2) &&
              sizeof(cudaChildGraphNodeParams) == sizeof(CUDA_CHILD_GRAPH_NODE_PARAMS) &&
              sizeof(cudaHostNodeParamsV2) == sizeof(CUDA_HOST_NODE_PARAMS_v2));

cudaError_t make_kernel(const DriverTable& cu, const cudaKernelNodeParamsV2& asked,
                        CUDA_KERNEL_NODE_PARAMS_v3& node) {
  const cudaKernelNodeParams plain{asked.func,           asked.gridDim,      asked.blockDim,
                                   asked.sharedMemBytes, asked.kernelParams, asked.extra};
  CUDA_KERNEL_NODE_PARAMS made;
  const cudaError_t error = make_kernel_node(cu, &plain, made);
  node = {made.func,         made.gridDimX,  made.gridDimY,  made.gridDimZ,
          made.blockDimX,    made.blockDimY, made.blockDimZ, made.sharedMemBytes,
          made.kernelParams, made.extra,     nullptr,        nullptr};
  return error;
}

}  // namespace

cudaError_t make_kernel_node(const DriverTable& cu, const cudaKernelNodeParams* asked,
                             CUDA_KERNEL_NODE_PARAMS& node) {
  if (asked == nullptr) return cudaErrorInvalidValue;
  node = {};
  if (cudaError_t error = find_function(cu, asked->func, node.func); error != cudaSuccess)
    return error;
  node.gridDimX = asked->gridDim.x;
  node.gridDimY = asked->gridDim.y;
  node.gridDimZ = asked->gridDim.z;
  node.blockDimX = asked->blockDim.x;
  node.blockDimY = asked->blockDim.y;
  node.blockDimZ = asked->blockDim.z;
  node.sharedMemBytes = asked->sharedMemBytes;
  node.kernelParams = asked->kernelParams;
  node.extra = asked->extra;
  return cudaSuccess;
}

cudaError_t make_node(const DriverTable& cu, const cudaGraphNodeParams* asked,
                      CUgraphNodeParams& node) {
  if (asked == nullptr) return cudaErrorInvalidValue;
  CUcontext context = nullptr;
  if (CUresult result = cu.cuCtxGetCurrent(&context); result != CUDA_SUCCESS)
    return to_runtime(result);
  std::memcpy(&node, asked, sizeof node);
  switch (asked->type) {
    case cudaGraphNodeTypeKernel:
      return make_kernel(cu, asked->kernel, node.kernel);
    case cudaGraphNodeTypeMemcpy:
      node.memcpy = {};
      node.memcpy.flags = asked->memcpy.flags;
      node.memcpy.copyCtx = context;
      return make_copy(cu, asked->memcpy.copyParams, node.memcpy.copyParams);
    case cudaGraphNodeTypeMemset:
      node.memset = {address_of(asked->memset.dst),
                     asked->memset.pitch,
                     asked->memset.value,
                     asked->memset.elementSize,
                     asked->memset.width,
                     asked->memset.height,
                     context};
      return cudaSuccess;
    case cudaGraphNodeTypeConditional:
      node.conditional.ctx = context;
      return cudaSuccess;
    default:
      return cudaSuccess;
  }
}

void take_answers(const CUgraphNodeParams& node, cudaGraphNodeParams& asked) noexcept {
  if (asked.type == cudaGraphNodeTypeMemAlloc) asked.alloc.dptr = pointer_to(node.alloc.dptr);
  if (asked.type == cudaGraphNodeTypeConditional)
    asked.conditional.phGraph_out = node.conditional.phGraph_out;
}

}  // namespace longwire::cudart
