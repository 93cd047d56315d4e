// Graphs and stream capture, where the driver has them.
#include "cudart/code.h"
#include "cudart/context.h"
#include "cudart/copy3d.h"
#include "cudart/graph_params.h"

using namespace longwire::cudart;

namespace {

// Fields of these have the driver's order and sizes.
static_assert(sizeof(cudaMemsetParams) == sizeof(CUDA_MEMSET_NODE_PARAMS) &&
              sizeof(cudaHostNodeParams) == sizeof(CUDA_HOST_NODE_PARAMS) &&
              sizeof(cudaGraphEdgeData) == sizeof(CUgraphEdgeData) &&
              sizeof(cudaGraphExecUpdateResultInfo) == sizeof(CUgraphExecUpdateResultInfo));

// Nodes that touch memory say in which context.
template <class Body>
cudaError_t in_named_context(Body&& body) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUcontext context = nullptr;
    const CUresult result = cu.cuCtxGetCurrent(&context);
    return result != CUDA_SUCCESS ? to_runtime(result) : to_runtime(body(cu, context));
  });
}

}  // namespace

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamBeginCapture_v2(to_driver(stream), static_cast<CUstreamCaptureMode>(mode));
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamEndCapture(to_driver(stream), graph); });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamIsCapturing(to_driver(stream),
                                  reinterpret_cast<CUstreamCaptureStatus*>(status));
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuThreadExchangeStreamCaptureMode(reinterpret_cast<CUstreamCaptureMode*>(mode));
  });
}

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned int flags) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphCreate(graph, flags); });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphDestroy(graph); });
}

cudaError_t cudaGraphClone(cudaGraph_t* clone, cudaGraph_t graph) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphClone(clone, graph); });
}

cudaError_t cudaGraphConditionalHandleCreate(cudaGraphConditionalHandle* handle, cudaGraph_t graph,
                                             unsigned int value, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    CUgraphConditionalHandle made = 0;
    const CUresult result = cu.cuGraphConditionalHandleCreate(handle == nullptr ? nullptr : &made,
                                                              graph, nullptr, value, flags);
    if (result == CUDA_SUCCESS) *handle = made;
    return result;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphGetNodes(graph, nodes, count); });
}

cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphGetRootNodes(graph, nodes, count); });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphNodeGetType(node, reinterpret_cast<CUgraphNodeType*>(type));
  });
}

cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphDestroyNode(node); });
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                  const cudaGraphNode_t* dependencies, std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddEmptyNode(node, graph, dependencies, count);
  });
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaKernelNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUDA_KERNEL_NODE_PARAMS wanted;
    const cudaError_t error = make_kernel_node(cu, parameters, wanted);
    if (error != cudaSuccess) return error;
    return to_runtime(cu.cuGraphAddKernelNode_v2(node, graph, dependencies, count, &wanted));
  });
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node,
                                         const cudaKernelNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUDA_KERNEL_NODE_PARAMS wanted;
    const cudaError_t error = make_kernel_node(cu, parameters, wanted);
    return error != cudaSuccess ? error
                                : to_runtime(cu.cuGraphKernelNodeSetParams_v2(node, &wanted));
  });
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUDA_KERNEL_NODE_PARAMS wanted;
    const cudaError_t error = make_kernel_node(cu, parameters, wanted);
    if (error != cudaSuccess) return error;
    return to_runtime(cu.cuGraphExecKernelNodeSetParams_v2(exec, node, &wanted));
  });
}

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaMemcpy3DParms* asked) {
  return in_named_context([&](const DriverTable& cu, CUcontext context) -> cudaError_t {
    if (asked == nullptr) return cudaErrorInvalidValue;
    CUDA_MEMCPY3D copy;
    const cudaError_t error = make_copy(cu, *asked, copy);
    if (error != cudaSuccess) return error;
    return to_runtime(cu.cuGraphAddMemcpyNode(node, graph, dependencies, count, &copy, context));
  });
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph,
                                     const cudaGraphNode_t* dependencies, std::size_t count,
                                     void* to, const void* from, std::size_t bytes,
                                     cudaMemcpyKind kind) {
  cudaMemcpy3DParms copy{};
  copy.srcPtr = {const_cast<void*>(from), bytes, bytes, 1};
  copy.dstPtr = {to, bytes, bytes, 1};
  copy.extent = {bytes, 1, 1};
  copy.kind = kind;
  return cudaGraphAddMemcpyNode(node, graph, dependencies, count, &copy);
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaMemsetParams* parameters) {
  return in_named_context([&](const DriverTable& cu, CUcontext context) {
    return cu.cuGraphAddMemsetNode(node, graph, dependencies, count,
                                   reinterpret_cast<const CUDA_MEMSET_NODE_PARAMS*>(parameters),
                                   context);
  });
}

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                 const cudaGraphNode_t* dependencies, std::size_t count,
                                 const cudaHostNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddHostNode(node, graph, dependencies, count,
                                 reinterpret_cast<const CUDA_HOST_NODE_PARAMS*>(parameters));
  });
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                       const cudaGraphNode_t* dependencies, std::size_t count,
                                       cudaGraph_t child) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddChildGraphNode(node, graph, dependencies, count, child);
  });
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                        const cudaGraphNode_t* dependencies, std::size_t count,
                                        cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddEventRecordNode(node, graph, dependencies, count, event);
  });
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                      const cudaGraphNode_t* dependencies, std::size_t count,
                                      cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddEventWaitNode(node, graph, dependencies, count, event);
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                 unsigned long long flags) {
  return cudaGraphInstantiateWithFlags(exec, graph, flags);
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph,
                                          unsigned long long flags) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphInstantiateWithFlags(exec, graph, flags); });
}

cudaError_t cudaGraphExecGetFlags(cudaGraphExec_t exec, unsigned long long* flags) {
  return in_context([&](const DriverTable& cu) {
    cuuint64_t found = 0;
    const CUresult result = cu.cuGraphExecGetFlags(exec, flags == nullptr ? nullptr : &found);
    if (flags != nullptr) *flags = found;
    return result;
  });
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphExecUpdate_v2(exec, graph,
                                   reinterpret_cast<CUgraphExecUpdateResultInfo*>(info));
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphUpload(exec, to_driver(stream)); });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuGraphLaunch(exec, to_driver(stream)); });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return in_context([&](const DriverTable& cu) { return cu.cuGraphExecDestroy(exec); });
}

}  // extern "C"
