// Graphs as such: making and copying them, their nodes and dependencies.
#include <algorithm>
#include <cstring>

#include "softcuda/driver/graph_dot.h"
#include "softcuda/driver/graph_params.h"
#include "softcuda/driver/launch.h"

using namespace longwire::softcuda::driver;

namespace {

// Without a place: how many there are. Else as many as there is room for; the rest of it is
// cleared.
template <class T>
CUresult give(const std::vector<T>& all, T* place, size_t* count) {
  if (count == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (place != nullptr)
    for (std::size_t i = 0; i < *count; ++i)
      place[i] = i < all.size() ? all[i] : T{};
  *count = place == nullptr ? all.size() : std::min(*count, all.size());
  return CUDA_SUCCESS;
}

// The same for a list of nodes and what is known of each dependency.
CUresult give_nodes(const std::vector<CUgraphNode>& all, CUgraphNode* nodes, CUgraphEdgeData* edges,
                    size_t* count) {
  if (count == nullptr || (nodes == nullptr && edges != nullptr)) return CUDA_ERROR_INVALID_VALUE;
  if (edges != nullptr) std::memset(edges, 0, std::min(*count, all.size()) * sizeof *edges);
  return give(all, nodes, count);
}

CUresult get_dependencies(CUgraphNode handle, CUgraphNode* nodes, CUgraphEdgeData* edges,
                          size_t* count) {
  return with_node(handle, [&](Driver&, GraphLock&, GraphNode& node) {
    std::vector<CUgraphNode> all;
    for (const GraphNode* each : node.dependencies)
      all.push_back(each->handle);
    return give_nodes(all, nodes, edges, count);
  });
}

CUresult get_dependents(CUgraphNode handle, CUgraphNode* nodes, CUgraphEdgeData* edges,
                        size_t* count) {
  return with_node(handle, [&](Driver&, GraphLock&, GraphNode& node) {
    std::vector<CUgraphNode> all;
    for (const auto& each : node.graph->nodes)
      if (std::find(each->dependencies.begin(), each->dependencies.end(), &node) !=
          each->dependencies.end())
        all.push_back(each->handle);
    return give_nodes(all, nodes, edges, count);
  });
}

CUresult get_edges(CUgraph handle, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* edges,
                   size_t* count) {
  return with_graph(handle, [&](Driver&, GraphLock&, Graph& graph) -> CUresult {
    if ((from == nullptr) != (to == nullptr) || count == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::vector<CUgraphNode> before, after;
    for (const auto& node : graph.nodes) {
      for (const GraphNode* each : node->dependencies) {
        before.push_back(each->handle);
        after.push_back(node->handle);
      }
    }
    size_t room = *count;
    CUresult status = give_nodes(before, from, edges, &room);
    return status != CUDA_SUCCESS ? status : give(after, to, count);
  });
}

// All of the pairs, or none.
template <class Change, class Undo>
CUresult change_edges(CUgraph handle, const CUgraphNode* from, const CUgraphNode* to,
                      const CUgraphEdgeData* edges, size_t count, bool removes, Change&& change,
                      Undo&& undo) {
  return with_graph(handle, [&](Driver& driver, GraphLock&, Graph& graph) -> CUresult {
    if (count > 0 && (from == nullptr || to == nullptr)) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_edges(edges, count); status != CUDA_SUCCESS) return status;
    if (removes && graph.has_memory) return CUDA_ERROR_NOT_SUPPORTED;
    std::vector<std::pair<GraphNode*, GraphNode*>> done;
    CUresult status = CUDA_SUCCESS;
    for (std::size_t i = 0; i < count && status == CUDA_SUCCESS; ++i) {
      auto before = driver.nodes.find(from[i]), after = driver.nodes.find(to[i]);
      const bool ours = before != nullptr && after != nullptr && before->graph == &graph &&
                        after->graph == &graph;
      status = ours ? change(*before, *after) : CUDA_ERROR_INVALID_VALUE;
      if (status == CUDA_SUCCESS) done.emplace_back(before.get(), after.get());
    }
    for (; status != CUDA_SUCCESS && !done.empty(); done.pop_back())
      (void)undo(*done.back().first, *done.back().second);
    return status;
  });
}

CUresult add_edges(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                   const CUgraphEdgeData* edges, size_t count) {
  return change_edges(graph, from, to, edges, count, false, add_dependency, remove_dependency);
}

CUresult remove_edges(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                      const CUgraphEdgeData* edges, size_t count) {
  return change_edges(graph, from, to, edges, count, true, remove_dependency, add_dependency);
}

bool is_kernel_attribute(CUkernelNodeAttrID attribute) {
  switch (attribute) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
    case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      return true;
    default:
      return false;
  }
}

CUresult set_attribute(GraphLock& lock, GraphNode& node, CUkernelNodeAttrID attribute,
                       const CUkernelNodeAttrValue& value) {
  if (attribute == CU_LAUNCH_ATTRIBUTE_COOPERATIVE) {
    KernelOperation kernel = std::get<KernelOperation>(*node.operation);
    if (CUresult status = set_cooperative(kernel, value.cooperative != 0); status != CUDA_SUCCESS)
      return status;
    lock.drop(std::move(node.operation));
    node.operation = std::make_shared<const Operation>(std::move(kernel));
    node.pointers.clear();
  }
  node.attributes[attribute] = value;
  return CUDA_SUCCESS;
}

// Runs with a node that is a kernel.
template <class Body>
CUresult with_kernel(CUgraphNode handle, Body&& body) {
  return with_node(handle, [&](Driver& driver, GraphLock& lock, GraphNode& node) -> CUresult {
    const auto* kernel = std::get_if<KernelOperation>(node.operation.get());
    return kernel == nullptr ? CUDA_ERROR_INVALID_VALUE : body(driver, lock, node, *kernel);
  });
}

}  // namespace

extern "C" {

CUresult cuGraphCreate(CUgraph* graph, unsigned int flags) {
  return guarded([&](Driver& driver) -> CUresult {
    if (graph == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    *graph = create_graph(driver)->handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphDestroy(CUgraph handle) {
  return with_graph(handle, [&](Driver& driver, GraphLock& lock, Graph& graph) -> CUresult {
    if (graph.parent != nullptr) return CUDA_ERROR_INVALID_VALUE;  // its node's
    destroy_graph(driver, lock, handle);
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphClone(CUgraph* clone, CUgraph handle) {
  return with_graph(handle, [&](Driver& driver, GraphLock& lock, Graph& graph) -> CUresult {
    if (clone == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Graph> made;
    CUresult status = clone_graph(driver, lock, graph, made);
    if (status == CUDA_SUCCESS) *clone = made->handle;
    return status;
  });
}

CUresult cuGraphNodeFindInClone(CUgraphNode* found, CUgraphNode original, CUgraph clone) {
  return with_graph(clone, [&](Driver&, GraphLock&, Graph& graph) -> CUresult {
    if (found == nullptr || original == nullptr) return CUDA_ERROR_INVALID_VALUE;
    for (const auto& node : graph.nodes) {
      if (node->original != original) continue;
      *found = node->handle;
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
  return with_node(handle, [&](Driver&, GraphLock&, GraphNode& node) -> CUresult {
    if (type == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *type = type_of(*node.operation);
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  return with_graph(handle, [&](Driver&, GraphLock&, Graph& graph) {
    std::vector<CUgraphNode> all;
    for (const auto& node : graph.nodes)
      all.push_back(node->handle);
    return give(all, nodes, count);
  });
}

CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode* nodes, size_t* count) {
  return with_graph(handle, [&](Driver&, GraphLock&, Graph& graph) {
    std::vector<CUgraphNode> all;
    for (const auto& node : graph.nodes)
      if (node->dependencies.empty()) all.push_back(node->handle);
    return give(all, nodes, count);
  });
}

CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count) {
  return get_edges(graph, from, to, nullptr, count);
}
CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode* from, CUgraphNode* to,
                            CUgraphEdgeData* edges, size_t* count) {
  return get_edges(graph, from, to, edges, count);
}
CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode* dependencies, size_t* count) {
  return get_dependencies(node, dependencies, nullptr, count);
}
CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode* dependencies,
                                       CUgraphEdgeData* edges, size_t* count) {
  return get_dependencies(node, dependencies, edges, count);
}
CUresult cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode* dependents, size_t* count) {
  return get_dependents(node, dependents, nullptr, count);
}
CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode* dependents,
                                         CUgraphEdgeData* edges, size_t* count) {
  return get_dependents(node, dependents, edges, count);
}

CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                size_t count) {
  return add_edges(graph, from, to, nullptr, count);
}
CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   const CUgraphEdgeData* edges, size_t count) {
  return add_edges(graph, from, to, edges, count);
}
CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                   size_t count) {
  return remove_edges(graph, from, to, nullptr, count);
}
CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to,
                                      const CUgraphEdgeData* edges, size_t count) {
  return remove_edges(graph, from, to, edges, count);
}

CUresult cuGraphDestroyNode(CUgraphNode handle) {
  return with_node(handle, [&](Driver& driver, GraphLock& lock, GraphNode& node) -> CUresult {
    if (node.graph->has_memory) return CUDA_ERROR_NOT_SUPPORTED;
    destroy_node(driver, lock, node);
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphDebugDotPrint(CUgraph handle, const char* path, unsigned int flags) {
  std::string text;
  CUresult status = with_graph(handle, [&](Driver&, GraphLock&, Graph& graph) -> CUresult {
    if (path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    text = dot_of(graph, flags);
    return CUDA_SUCCESS;
  });
  if (status != CUDA_SUCCESS) return status;
  return write_dot(path, text) ? CUDA_SUCCESS : CUDA_ERROR_OPERATING_SYSTEM;
}

CUresult cuGraphKernelNodeGetAttribute(CUgraphNode handle, CUkernelNodeAttrID attribute,
                                       CUkernelNodeAttrValue* value) {
  auto body = [&](Driver&, GraphLock&, GraphNode& node, const KernelOperation& kernel) -> CUresult {
    if (value == nullptr || !is_kernel_attribute(attribute)) return CUDA_ERROR_INVALID_VALUE;
    auto set = node.attributes.find(attribute);
    *value = set == node.attributes.end() ? CUkernelNodeAttrValue{} : set->second;
    if (attribute == CU_LAUNCH_ATTRIBUTE_COOPERATIVE) value->cooperative = kernel.cooperative;
    return CUDA_SUCCESS;
  };
  return with_kernel(handle, body);
}

CUresult cuGraphKernelNodeSetAttribute(CUgraphNode handle, CUkernelNodeAttrID attribute,
                                       const CUkernelNodeAttrValue* value) {
  auto body = [&](Driver&, GraphLock& lock, GraphNode& node, const KernelOperation&) -> CUresult {
    if (value == nullptr || !is_kernel_attribute(attribute)) return CUDA_ERROR_INVALID_VALUE;
    return set_attribute(lock, node, attribute, *value);
  };
  return with_kernel(handle, body);
}

CUresult cuGraphKernelNodeCopyAttributes(CUgraphNode to, CUgraphNode from) {
  auto body = [&](Driver& driver, GraphLock& lock, GraphNode& node,
                  const KernelOperation&) -> CUresult {
    auto source = driver.nodes.find(from);
    const auto* kernel =
        source == nullptr ? nullptr : std::get_if<KernelOperation>(source->operation.get());
    if (kernel == nullptr) return CUDA_ERROR_INVALID_VALUE;
    CUkernelNodeAttrValue cooperative{};
    cooperative.cooperative = kernel->cooperative;
    CUresult status = set_attribute(lock, node, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, cooperative);
    if (status == CUDA_SUCCESS && source.get() != &node) node.attributes = source->attributes;
    return status;
  };
  return with_kernel(to, body);
}

}  // extern "C"
