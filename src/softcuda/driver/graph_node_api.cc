// Nodes of graphs: adding them, and their parameters.
#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/graph_params.h"

using namespace longwire::softcuda::driver;

namespace {

// `make` checks the parameters and fills in an Operation.
template <class Make>
CUresult add(CUgraphNode* node, CUgraph handle, const CUgraphNode* dependencies, size_t count,
             Make&& make) {
  return guarded([&](Driver& driver) -> CUresult {
    if (node == nullptr || (count > 0 && dependencies == nullptr)) return CUDA_ERROR_INVALID_VALUE;
    Operation operation;
    if (CUresult status = make(driver, operation); status != CUDA_SUCCESS) return status;
    GraphLock lock(driver);
    auto graph = driver.graphs.find(handle);
    if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return add_node(driver, *graph, {dependencies, count}, std::move(operation), node);
  });
}

template <class Make>
CUresult set(CUgraphNode handle, Make&& make) {
  return guarded([&](Driver& driver) -> CUresult {
    Operation operation;
    if (CUresult status = make(driver, operation); status != CUDA_SUCCESS) return status;
    GraphLock lock(driver);
    auto node = driver.nodes.find(handle);
    return node == nullptr ? CUDA_ERROR_INVALID_VALUE
                           : replace_operation(lock, *node, std::move(operation));
  });
}

// Runs with the operation of a node that is of this kind.
template <class T, class Body>
CUresult get(CUgraphNode handle, const void* out, Body&& body) {
  return with_node(handle, [&](Driver&, GraphLock&, GraphNode& node) -> CUresult {
    const T* operation = std::get_if<T>(node.operation.get());
    if (operation == nullptr || out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    body(*operation, node);
    return CUDA_SUCCESS;
  });
}

CUresult add_child(CUgraphNode* node, CUgraph handle, const CUgraphNode* dependencies, size_t count,
                   CUgraph child_handle, bool move) {
  return with_graph(handle, [&](Driver& driver, GraphLock& lock, Graph& graph) -> CUresult {
    auto child = driver.graphs.find(child_handle);
    if (node == nullptr || child == nullptr || (count > 0 && dependencies == nullptr))
      return CUDA_ERROR_INVALID_VALUE;
    CUresult status = check_room(graph, child.get());
    if (status == CUDA_SUCCESS && !move) {
      const std::shared_ptr<Graph> original = std::move(child);
      status = clone_graph(driver, lock, *original, child);
    }
    if (status != CUDA_SUCCESS) return status;
    status = add_node(driver, graph, {dependencies, count}, ChildOperation{child}, node);
    if (status != CUDA_SUCCESS && !move) destroy_graph(driver, lock, child->handle);
    return status;
  });
}

CUresult add_any(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                 CUgraphNodeParams* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (parameters->type == CU_GRAPH_NODE_TYPE_CONDITIONAL)
    return with_graph(graph, [&](Driver& driver, GraphLock& lock, Graph& to) -> CUresult {
      if (node == nullptr || (count > 0 && dependencies == nullptr) || parameters->reserved2 != 0)
        return CUDA_ERROR_INVALID_VALUE;
      return add_conditional(driver, lock, to, {dependencies, count}, parameters->conditional,
                             node);
    });
  if (parameters->type != CU_GRAPH_NODE_TYPE_GRAPH)
    return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
      return make_operation(driver, *parameters, true, operation);
    });
  const CUDA_CHILD_GRAPH_NODE_PARAMS& child = parameters->graph;
  if (child.ownership != CU_GRAPH_CHILD_GRAPH_OWNERSHIP_CLONE &&
      child.ownership != CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE)
    return CUDA_ERROR_INVALID_VALUE;
  return add_child(node, graph, dependencies, count, child.graph,
                   child.ownership == CU_GRAPH_CHILD_GRAPH_OWNERSHIP_MOVE);
}

// The arguments stay where they are until the node's parameters change.
CUDA_KERNEL_NODE_PARAMS parameters_of(const KernelOperation& kernel, GraphNode& node) {
  if (node.pointers.empty())
    for (const auto& each : kernel.function->code().parameters)
      node.pointers.push_back(const_cast<std::byte*>(kernel.parameters.data() + each.offset));
  CUDA_KERNEL_NODE_PARAMS p{};
  p.func = kernel.by_kernel ? nullptr : kernel.handle;
  p.kern = kernel.by_kernel ? reinterpret_cast<CUkernel>(kernel.handle) : nullptr;
  p.ctx = kernel.by_kernel ? kernel.function->module->context->handle : nullptr;
  p.gridDimX = kernel.grid.x;
  p.gridDimY = kernel.grid.y;
  p.gridDimZ = kernel.grid.z;
  p.blockDimX = kernel.block.x;
  p.blockDimY = kernel.block.y;
  p.blockDimZ = kernel.block.z;
  p.sharedMemBytes = kernel.shared_bytes;
  p.kernelParams = node.pointers.empty() ? nullptr : node.pointers.data();
  return p;
}

template <class Parameters>
CUresult set_kernel(CUgraphNode node, const Parameters* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node, [&](Driver& driver, Operation& operation) {
    if constexpr (std::is_same_v<Parameters, CUDA_KERNEL_NODE_PARAMS_v1>)
      return make_operation(driver, newest(*parameters), operation);
    else
      return make_operation(driver, *parameters, operation);
  });
}

}  // namespace

extern "C" {

CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                 size_t count, const CUDA_KERNEL_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, operation);
  });
}
CUresult cuGraphAddKernelNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                              size_t count, const CUDA_KERNEL_NODE_PARAMS_v1* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  const CUDA_KERNEL_NODE_PARAMS wanted = newest(*parameters);
  return cuGraphAddKernelNode_v2(node, graph, dependencies, count, &wanted);
}
CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                              size_t count, const CUDA_MEMCPY3D* copy, CUcontext context) {
  if (copy == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *copy, context, operation);
  });
}
CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                              size_t count, const CUDA_MEMSET_NODE_PARAMS* parameters,
                              CUcontext context) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, context, operation);
  });
}
CUresult cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                            size_t count, const CUDA_HOST_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count,
             [&](Driver&, Operation& operation) { return make_operation(*parameters, operation); });
}
CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                  size_t count, CUgraph child) {
  return add_child(node, graph, dependencies, count, child, false);
}
CUresult cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                             size_t count) {
  return add(node, graph, dependencies, count, [](Driver&, Operation&) { return CUDA_SUCCESS; });
}
CUresult cuGraphAddEventRecordNode(CUgraphNode* node, CUgraph graph,
                                   const CUgraphNode* dependencies, size_t count, CUevent event) {
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_event_record(driver, event, operation);
  });
}
CUresult cuGraphAddEventWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                 size_t count, CUevent event) {
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_event_wait(driver, event, operation);
  });
}
CUresult cuGraphAddBatchMemOpNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                  size_t count, const CUDA_BATCH_MEM_OP_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, operation);
  });
}
CUresult cuGraphAddMemAllocNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                size_t count, CUDA_MEM_ALLOC_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_allocation(driver, *parameters, operation);
  });
}
CUresult cuGraphAddMemFreeNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                               size_t count, CUdeviceptr address) {
  return add(node, graph, dependencies, count, [&](Driver& driver, Operation& operation) {
    return make_free(driver, address, operation);
  });
}
CUresult cuGraphAddNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                        size_t count, CUgraphNodeParams* parameters) {
  return add_any(node, graph, dependencies, count, parameters);
}
CUresult cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                           const CUgraphEdgeData* edges, size_t count,
                           CUgraphNodeParams* parameters) {
  CUresult status = check_edges(edges, count);
  return status != CUDA_SUCCESS ? status : add_any(node, graph, dependencies, count, parameters);
}

CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* parameters) {
  return get<KernelOperation>(node, parameters, [&](const KernelOperation& kernel, GraphNode& of) {
    *parameters = parameters_of(kernel, of);
  });
}
CUresult cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1* parameters) {
  return get<KernelOperation>(node, parameters, [&](const KernelOperation& kernel, GraphNode& of) {
    const CUDA_KERNEL_NODE_PARAMS p = parameters_of(kernel, of);
    *parameters = {kernel.handle, p.gridDimX,  p.gridDimY,       p.gridDimZ,     p.blockDimX,
                   p.blockDimY,   p.blockDimZ, p.sharedMemBytes, p.kernelParams, p.extra};
  });
}
CUresult cuGraphKernelNodeSetParams_v2(CUgraphNode node,
                                       const CUDA_KERNEL_NODE_PARAMS* parameters) {
  return set_kernel(node, parameters);
}
CUresult cuGraphKernelNodeSetParams(CUgraphNode node,
                                    const CUDA_KERNEL_NODE_PARAMS_v1* parameters) {
  return set_kernel(node, parameters);
}

CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D* copy) {
  return get<CopyOperation>(
      node, copy, [&](const CopyOperation& operation, GraphNode&) { *copy = operation.asked; });
}
CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* copy) {
  if (copy == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *copy, nullptr, operation);
  });
}

CUresult cuGraphMemsetNodeGetParams(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS* parameters) {
  return get<MemsetOperation>(node, parameters, [&](const MemsetOperation& memset, GraphNode&) {
    *parameters = memset.parameters;
  });
}
CUresult cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, nullptr, operation);
  });
}

CUresult cuGraphHostNodeGetParams(CUgraphNode node, CUDA_HOST_NODE_PARAMS* parameters) {
  return get<HostOperation>(node, parameters, [&](const HostOperation& host, GraphNode&) {
    *parameters = {host.function, host.data};
  });
}
CUresult cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node,
             [&](Driver&, Operation& operation) { return make_operation(*parameters, operation); });
}

CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* graph) {
  return get<ChildOperation>(
      node, graph, [&](const ChildOperation& child, GraphNode&) { *graph = child.graph->handle; });
}

CUresult cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event) {
  return get<EventRecordOperation>(
      node, event, [&](const EventRecordOperation& record, GraphNode&) { *event = record.handle; });
}
CUresult cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_event_record(driver, event, operation);
  });
}
CUresult cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event) {
  return get<EventWaitOperation>(
      node, event, [&](const EventWaitOperation& wait, GraphNode&) { *event = wait.handle; });
}
CUresult cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_event_wait(driver, event, operation);
  });
}

CUresult cuGraphBatchMemOpNodeGetParams(CUgraphNode node,
                                        CUDA_BATCH_MEM_OP_NODE_PARAMS* parameters) {
  return get<MemoryOperation>(node, parameters, [&](const MemoryOperation& memory, GraphNode&) {
    *parameters = {memory.context, static_cast<unsigned int>(memory.parts.size()),
                   const_cast<CUstreamBatchMemOpParams*>(memory.parts.data()), 0};
  });
}
CUresult cuGraphBatchMemOpNodeSetParams(CUgraphNode node,
                                        const CUDA_BATCH_MEM_OP_NODE_PARAMS* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, operation);
  });
}

CUresult cuGraphMemAllocNodeGetParams(CUgraphNode node, CUDA_MEM_ALLOC_NODE_PARAMS* parameters) {
  return get<AllocOperation>(node, parameters, [&](const AllocOperation& alloc, GraphNode&) {
    *parameters = alloc.graph_memory->parameters;
  });
}
CUresult cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr* address) {
  return get<FreeOperation>(
      node, address, [&](const FreeOperation& free, GraphNode&) { *address = free.address; });
}

CUresult cuGraphNodeSetParams(CUgraphNode node, CUgraphNodeParams* parameters) {
  if (parameters == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return set(node, [&](Driver& driver, Operation& operation) {
    return make_operation(driver, *parameters, false, operation);
  });
}

}  // extern "C"
