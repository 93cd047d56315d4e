// What of graphs versions 12 and 13 have in different forms: in 13 the plain names are those with
// data for each dependency. Built for each library.
#include "cudart/context.h"
#include "cudart/graph_params.h"

using namespace longwire::cudart;

namespace {

const CUgraphEdgeData* to_driver(const cudaGraphEdgeData* edges) {
  return reinterpret_cast<const CUgraphEdgeData*>(edges);
}
CUgraphEdgeData* to_driver(cudaGraphEdgeData* edges) {
  return reinterpret_cast<CUgraphEdgeData*>(edges);
}

cudaError_t add_dependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                             const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                             std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphAddDependencies_v2(graph, from, to, to_driver(edges), count);
  });
}

cudaError_t remove_dependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                std::size_t count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphRemoveDependencies_v2(graph, from, to, to_driver(edges), count);
  });
}

cudaError_t get_edges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                      cudaGraphEdgeData* edges, std::size_t* count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphGetEdges_v2(graph, from, to, to_driver(edges), count);
  });
}

cudaError_t get_dependencies(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                             cudaGraphEdgeData* edges, std::size_t* count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphNodeGetDependencies_v2(node, dependencies, to_driver(edges), count);
  });
}

cudaError_t get_dependents(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                           cudaGraphEdgeData* edges, std::size_t* count) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuGraphNodeGetDependentNodes_v2(node, dependents, to_driver(edges), count);
  });
}

cudaError_t add_node(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                     const cudaGraphEdgeData* edges, std::size_t count,
                     cudaGraphNodeParams* parameters) {
  return in_context([&](const DriverTable& cu) -> cudaError_t {
    CUgraphNodeParams wanted;
    const cudaError_t error = make_node(cu, parameters, wanted);
    if (error != cudaSuccess) return error;
    const CUresult result =
        cu.cuGraphAddNode_v2(node, graph, dependencies, to_driver(edges), count, &wanted);
    if (result == CUDA_SUCCESS) take_answers(wanted, *parameters);
    return to_runtime(result);
  });
}

cudaError_t capture_info(cudaStream_t stream, cudaStreamCaptureStatus* status,
                         unsigned long long* id, cudaGraph_t* graph,
                         const cudaGraphNode_t** dependencies, const cudaGraphEdgeData** edges,
                         std::size_t* count) {
  return in_context([&](const DriverTable& cu) {
    cuuint64_t found = 0;
    const CUresult result = cu.cuStreamGetCaptureInfo_v3(
        longwire::cudart::to_driver(stream), reinterpret_cast<CUstreamCaptureStatus*>(status),
        &found, graph, dependencies, reinterpret_cast<const CUgraphEdgeData**>(edges), count);
    if (id != nullptr) *id = found;
    return result;
  });
}

cudaError_t update_capture(cudaStream_t stream, cudaGraphNode_t* dependencies,
                           const cudaGraphEdgeData* edges, std::size_t count, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamUpdateCaptureDependencies_v2(longwire::cudart::to_driver(stream),
                                                   dependencies, to_driver(edges), count, flags);
  });
}

}  // namespace

extern "C" {

#if CUDART_VERSION < 13000

cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph,
                             const cudaGraphNode_t* dependencies, std::size_t count,
                             cudaGraphNodeParams* parameters) {
  return add_node(node, graph, dependencies, nullptr, count, parameters);
}
cudaError_t cudaGraphAddNode_v2(cudaGraphNode_t* node, cudaGraph_t graph,
                                const cudaGraphNode_t* dependencies, const cudaGraphEdgeData* edges,
                                std::size_t count, cudaGraphNodeParams* parameters) {
  return add_node(node, graph, dependencies, edges, count, parameters);
}
cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, std::size_t count) {
  return add_dependencies(graph, from, to, nullptr, count);
}
cudaError_t cudaGraphAddDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                        std::size_t count) {
  return add_dependencies(graph, from, to, edges, count);
}
cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, std::size_t count) {
  return remove_dependencies(graph, from, to, nullptr, count);
}
cudaError_t cudaGraphRemoveDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                           const cudaGraphNode_t* to,
                                           const cudaGraphEdgeData* edges, std::size_t count) {
  return remove_dependencies(graph, from, to, edges, count);
}
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                              std::size_t* count) {
  return get_edges(graph, from, to, nullptr, count);
}
cudaError_t cudaGraphGetEdges_v2(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                                 cudaGraphEdgeData* edges, std::size_t* count) {
  return get_edges(graph, from, to, edges, count);
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                                         std::size_t* count) {
  return get_dependencies(node, dependencies, nullptr, count);
}
cudaError_t cudaGraphNodeGetDependencies_v2(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                                            cudaGraphEdgeData* edges, std::size_t* count) {
  return get_dependencies(node, dependencies, edges, count);
}
cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                                           std::size_t* count) {
  return get_dependents(node, dependents, nullptr, count);
}
cudaError_t cudaGraphNodeGetDependentNodes_v2(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                                              cudaGraphEdgeData* edges, std::size_t* count) {
  return get_dependents(node, dependents, edges, count);
}
cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies, std::size_t* count) {
  return capture_info(stream, status, id, graph, dependencies, nullptr, count);
}
cudaError_t cudaStreamGetCaptureInfo_v3(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph,
                                        const cudaGraphNode_t** dependencies,
                                        const cudaGraphEdgeData** edges, std::size_t* count) {
  return capture_info(stream, status, id, graph, dependencies, edges, count);
}
cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                std::size_t count, unsigned int flags) {
  return update_capture(stream, dependencies, nullptr, count, flags);
}
cudaError_t cudaStreamUpdateCaptureDependencies_v2(cudaStream_t stream,
                                                   cudaGraphNode_t* dependencies,
                                                   const cudaGraphEdgeData* edges,
                                                   std::size_t count, unsigned int flags) {
  return update_capture(stream, dependencies, edges, count, flags);
}

#else

cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph,
                             const cudaGraphNode_t* dependencies, const cudaGraphEdgeData* edges,
                             std::size_t count, cudaGraphNodeParams* parameters) {
  return add_node(node, graph, dependencies, edges, count, parameters);
}
cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                     std::size_t count) {
  return add_dependencies(graph, from, to, edges, count);
}
cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const cudaGraphEdgeData* edges,
                                        std::size_t count) {
  return remove_dependencies(graph, from, to, edges, count);
}
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                              cudaGraphEdgeData* edges, std::size_t* count) {
  return get_edges(graph, from, to, edges, count);
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                                         cudaGraphEdgeData* edges, std::size_t* count) {
  return get_dependencies(node, dependencies, edges, count);
}
cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                                           cudaGraphEdgeData* edges, std::size_t* count) {
  return get_dependents(node, dependents, edges, count);
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     unsigned long long* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges, std::size_t* count) {
  return capture_info(stream, status, id, graph, dependencies, edges, count);
}
cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                const cudaGraphEdgeData* edges, std::size_t count,
                                                unsigned int flags) {
  return update_capture(stream, dependencies, edges, count, flags);
}

#endif

}  // extern "C"
