// Nodes of graphs beyond kernels, their parameters, and what executable graphs are changed by.
#include "cudart/code.h"
#include "cudart/context.h"
#include "cudart/copy3d.h"
#include "cudart/graph_params.h"

using namespace longwire::cudart;

namespace {

static_assert(sizeof(cudaMemAllocNodeParams) == sizeof(CUDA_MEM_ALLOC_NODE_PARAMS) &&
              sizeof(cudaGraphInstantiateParams) == sizeof(CUDA_GRAPH_INSTANTIATE_PARAMS) &&
              sizeof(cudaLaunchAttributeValue) == sizeof(CUkernelNodeAttrValue));

cudaMemcpy3DParms flat(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpy3DParms copy{};
  copy.srcPtr = {const_cast<void*>(from), bytes, bytes, 1};
  copy.dstPtr = {to, bytes, bytes, 1};
  copy.extent = {bytes, 1, 1};
  copy.kind = kind;
  return copy;
}

// A part of a variable.
cudaError_t place_in_symbol(const DriverTable& cu, const void* symbol, std::size_t bytes,
                            std::size_t offset, void*& pointer) {
  CUdeviceptr address = 0;
  std::size_t size = 0;
  if (cudaError_t error = find_symbol(cu, symbol, address, size); error != cudaSuccess)
    return error;
  if (offset > size || bytes > size - offset) return cudaErrorInvalidValue;
  pointer = pointer_to(address + offset);
  return cudaSuccess;
}

// Runs with a symbol's address.
template <class Body>
cudaError_t with_symbol(const void* symbol, std::size_t bytes, std::size_t offset, Body&& body) {
  void* pointer = nullptr;
  const cudaError_t error = in_context(
      [&](const DriverTable& cu) { return place_in_symbol(cu, symbol, bytes, offset, pointer); });
  return error != cudaSuccess ? error : body(pointer);
}

}  // namespace

extern "C" {

cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* node, cudaGraphNode_t original,
                                     cudaGraph_t clone) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphNodeFindInClone(node, original, clone); });
}

cudaError_t cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* graph) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphChildGraphNodeGetGraph(node, graph); });
}

cudaError_t cudaGraphEventRecordNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphEventRecordNodeGetEvent(node, event); });
}
cudaError_t cudaGraphEventRecordNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphEventRecordNodeSetEvent(node, event); });
}
cudaError_t cudaGraphEventWaitNodeGetEvent(cudaGraphNode_t node, cudaEvent_t* event) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphEventWaitNodeGetEvent(node, event); });
}
cudaError_t cudaGraphEventWaitNodeSetEvent(cudaGraphNode_t node, cudaEvent_t event) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphEventWaitNodeSetEvent(node, event); });
}

cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphHostNodeGetParams(node, reinterpret_cast<CUDA_HOST_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphHostNodeSetParams(node,
                                       reinterpret_cast<const CUDA_HOST_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                           const cudaHostNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphExecHostNodeSetParams(
        exec, node, reinterpret_cast<const CUDA_HOST_NODE_PARAMS*>(parameters));
  });
}

cudaError_t cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphMemsetNodeGetParams(node,
                                         reinterpret_cast<CUDA_MEMSET_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphMemsetNodeSetParams(
        node, reinterpret_cast<const CUDA_MEMSET_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemsetParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    CUcontext context = nullptr;
    const CUresult result = cu.cuCtxGetCurrent(&context);
    return result != CUDA_SUCCESS
               ? result
               : cu.cuGraphExecMemsetNodeSetParams(
                     exec, node, reinterpret_cast<const CUDA_MEMSET_NODE_PARAMS*>(parameters),
                     context);
  });
}

cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* asked) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    const CUresult result = cu.cuGraphMemcpyNodeGetParams(node, &copy);
    using longwire::cudart::to_runtime;
    return result != CUDA_SUCCESS ? to_runtime(result) : to_runtime(cu, copy, *asked);
  });
}
cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* asked) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    const cudaError_t error = make_copy(cu, *asked, copy);
    return error != cudaSuccess ? error : to_runtime(cu.cuGraphMemcpyNodeSetParams(node, &copy));
  });
}
cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from,
                                           std::size_t bytes, cudaMemcpyKind kind) {
  const cudaMemcpy3DParms copy = flat(to, from, bytes, kind);
  return cudaGraphMemcpyNodeSetParams(node, &copy);
}
cudaError_t cudaGraphMemcpyNodeSetParamsToSymbol(cudaGraphNode_t node, const void* symbol,
                                                 const void* from, std::size_t bytes,
                                                 std::size_t offset, cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](void* to) {
    return cudaGraphMemcpyNodeSetParams1D(node, to, from, bytes, kind);
  });
}
cudaError_t cudaGraphMemcpyNodeSetParamsFromSymbol(cudaGraphNode_t node, void* to,
                                                   const void* symbol, std::size_t bytes,
                                                   std::size_t offset, cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](const void* from) {
    return cudaGraphMemcpyNodeSetParams1D(node, to, from, bytes, kind);
  });
}
cudaError_t cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                           const cudaGraphNode_t* dependencies, std::size_t count,
                                           const void* symbol, const void* from, std::size_t bytes,
                                           std::size_t offset, cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](void* to) {
    return cudaGraphAddMemcpyNode1D(node, graph, dependencies, count, to, from, bytes, kind);
  });
}
cudaError_t cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                             const cudaGraphNode_t* dependencies, std::size_t count,
                                             void* to, const void* symbol, std::size_t bytes,
                                             std::size_t offset, cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](const void* from) {
    return cudaGraphAddMemcpyNode1D(node, graph, dependencies, count, to, from, bytes, kind);
  });
}
cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* asked) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    CUcontext context = nullptr;
    cudaError_t error = make_copy(cu, *asked, copy);
    if (error == cudaSuccess) error = to_runtime(cu.cuCtxGetCurrent(&context));
    return error != cudaSuccess
               ? error
               : to_runtime(cu.cuGraphExecMemcpyNodeSetParams(exec, node, &copy, context));
  });
}
cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                               const void* from, std::size_t bytes,
                                               cudaMemcpyKind kind) {
  const cudaMemcpy3DParms copy = flat(to, from, bytes, kind);
  return cudaGraphExecMemcpyNodeSetParams(exec, node, &copy);
}
cudaError_t cudaGraphExecMemcpyNodeSetParamsToSymbol(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                     const void* symbol, const void* from,
                                                     std::size_t bytes, std::size_t offset,
                                                     cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](void* to) {
    return cudaGraphExecMemcpyNodeSetParams1D(exec, node, to, from, bytes, kind);
  });
}
cudaError_t cudaGraphExecMemcpyNodeSetParamsFromSymbol(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                       void* to, const void* symbol,
                                                       std::size_t bytes, std::size_t offset,
                                                       cudaMemcpyKind kind) {
  return with_symbol(symbol, bytes, offset, [&](const void* from) {
    return cudaGraphExecMemcpyNodeSetParams1D(exec, node, to, from, bytes, kind);
  });
}

cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                     const cudaGraphNode_t* dependencies, std::size_t count,
                                     cudaMemAllocNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddMemAllocNode(node, graph, dependencies, count,
                                     reinterpret_cast<CUDA_MEM_ALLOC_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphMemAllocNodeGetParams(cudaGraphNode_t node,
                                           cudaMemAllocNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphMemAllocNodeGetParams(
        node, reinterpret_cast<CUDA_MEM_ALLOC_NODE_PARAMS*>(parameters));
  });
}
cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                    const cudaGraphNode_t* dependencies, std::size_t count,
                                    void* pointer) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddMemFreeNode(node, graph, dependencies, count, address_of(pointer));
  });
}
cudaError_t cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void* pointer) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphMemFreeNodeGetParams(node, static_cast<CUdeviceptr*>(pointer));
  });
}

cudaError_t cudaDeviceGraphMemTrim(int device) {
  return with_driver([&](const DriverTable& cu) { return cu.cuDeviceGraphMemTrim(device); });
}
cudaError_t cudaDeviceGetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute,
                                           void* value) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceGetGraphMemAttribute(device, static_cast<CUgraphMem_attribute>(attribute),
                                           value);
  });
}
cudaError_t cudaDeviceSetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute,
                                           void* value) {
  return with_driver([&](const DriverTable& cu) {
    return cu.cuDeviceSetGraphMemAttribute(device, static_cast<CUgraphMem_attribute>(attribute),
                                           value);
  });
}

cudaError_t cudaGraphKernelNodeCopyAttributes(cudaGraphNode_t to, cudaGraphNode_t from) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphKernelNodeCopyAttributes(to, from); });
}
cudaError_t cudaGraphKernelNodeGetAttribute(cudaGraphNode_t node, cudaLaunchAttributeID attribute,
                                            cudaLaunchAttributeValue* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphKernelNodeGetAttribute(node, static_cast<CUkernelNodeAttrID>(attribute),
                                            reinterpret_cast<CUkernelNodeAttrValue*>(value));
  });
}
cudaError_t cudaGraphKernelNodeSetAttribute(cudaGraphNode_t node, cudaLaunchAttributeID attribute,
                                            const cudaLaunchAttributeValue* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphKernelNodeSetAttribute(node, static_cast<CUkernelNodeAttrID>(attribute),
                                            reinterpret_cast<const CUkernelNodeAttrValue*>(value));
  });
}

cudaError_t cudaGraphExecChildGraphNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                 cudaGraph_t child) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphExecChildGraphNodeSetParams(exec, node, child);
  });
}
cudaError_t cudaGraphExecEventRecordNodeSetEvent(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                 cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphExecEventRecordNodeSetEvent(exec, node, event);
  });
}
cudaError_t cudaGraphExecEventWaitNodeSetEvent(cudaGraphExec_t exec, cudaGraphNode_t node,
                                               cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphExecEventWaitNodeSetEvent(exec, node, event);
  });
}
cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node,
                                    unsigned int enabled) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphNodeSetEnabled(exec, node, enabled); });
}
cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node,
                                    unsigned int* enabled) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphNodeGetEnabled(exec, node, enabled); });
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    if (parameters == nullptr) return cudaErrorInvalidValue;
    CUDA_KERNEL_NODE_PARAMS found{};
    const CUresult result = cu.cuGraphKernelNodeGetParams_v2(node, &found);
    if (result != CUDA_SUCCESS) return to_runtime(result);
    parameters->func = const_cast<void*>(find_host(found.func));
    parameters->gridDim = {found.gridDimX, found.gridDimY, found.gridDimZ};
    parameters->blockDim = {found.blockDimX, found.blockDimY, found.blockDimZ};
    parameters->sharedMemBytes = found.sharedMemBytes;
    parameters->kernelParams = found.kernelParams;
    parameters->extra = found.extra;
    return parameters->func == nullptr ? cudaErrorInvalidDeviceFunction : cudaSuccess;
  });
}

cudaError_t cudaGraphNodeSetParams(cudaGraphNode_t node, cudaGraphNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUgraphNodeParams wanted;
    const cudaError_t error = make_node(cu, parameters, wanted);
    return error != cudaSuccess ? error : to_runtime(cu.cuGraphNodeSetParams(node, &wanted));
  });
}
cudaError_t cudaGraphExecNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                       cudaGraphNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUgraphNodeParams wanted;
    const cudaError_t error = make_node(cu, parameters, wanted);
    return error != cudaSuccess ? error
                                : to_runtime(cu.cuGraphExecNodeSetParams(exec, node, &wanted));
  });
}

cudaError_t cudaGraphInstantiateWithParams(cudaGraphExec_t* exec, cudaGraph_t graph,
                                           cudaGraphInstantiateParams* parameters) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUDA_GRAPH_INSTANTIATE_PARAMS asked{parameters->flags, to_driver(parameters->uploadStream),
                                        nullptr, CUDA_GRAPH_INSTANTIATE_ERROR};
    const CUresult result = cu.cuGraphInstantiateWithParams(exec, graph, &asked);
    parameters->errNode_out = asked.hErrNode_out;
    parameters->result_out = static_cast<cudaGraphInstantiateResult>(asked.result_out);
    return result;
  });
}

cudaError_t cudaGraphDebugDotPrint(cudaGraph_t graph, const char* path, unsigned int flags) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphDebugDotPrint(graph, path, flags); });
}

cudaError_t cudaUserObjectCreate(cudaUserObject_t* object, void* pointer, cudaHostFn_t destroy,
                                 unsigned int references, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuUserObjectCreate(object, pointer, destroy, references, flags);
  });
}
cudaError_t cudaUserObjectRetain(cudaUserObject_t object, unsigned int count) {
  return in_context([&](const DriverTable& cu) { return cu.cuUserObjectRetain(object, count); });
}
cudaError_t cudaUserObjectRelease(cudaUserObject_t object, unsigned int count) {
  return in_context([&](const DriverTable& cu) { return cu.cuUserObjectRelease(object, count); });
}
cudaError_t cudaGraphRetainUserObject(cudaGraph_t graph, cudaUserObject_t object,
                                      unsigned int count, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphRetainUserObject(graph, object, count, flags);
  });
}
cudaError_t cudaGraphReleaseUserObject(cudaGraph_t graph, cudaUserObject_t object,
                                       unsigned int count) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphReleaseUserObject(graph, object, count); });
}

cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t* dependencies,
                                          const cudaGraphEdgeData* edges, std::size_t count,
                                          cudaStreamCaptureMode mode) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamBeginCaptureToGraph(to_driver(stream), graph, dependencies,
                                          reinterpret_cast<const CUgraphEdgeData*>(edges), count,
                                          static_cast<CUstreamCaptureMode>(mode));
  });
}

}  // extern "C"
