// Conditional nodes: their handles, and the graphs that they choose from.
#include <algorithm>

#include "softcuda/driver/graph_params.h"

using namespace longwire::softcuda::driver;

namespace longwire::softcuda::driver {
namespace {

// Of the graph, or of one that it is a part of.
ConditionPtr find_condition(const Graph& graph, CUgraphConditionalHandle handle) {
  for (const Graph* each = &graph; each != nullptr; each = each->parent)
    for (const ConditionPtr& condition : each->conditions)
      if (condition->handle == handle) return condition;
  return nullptr;
}

bool may_have(CUgraphConditionalNodeType type, unsigned int bodies) {
  switch (type) {
    case CU_GRAPH_COND_TYPE_IF:
      return bodies == 1 || bodies == 2;
    case CU_GRAPH_COND_TYPE_WHILE:
      return bodies == 1;
    case CU_GRAPH_COND_TYPE_SWITCH:
      return bodies > 0 && bodies <= kMaxBodies;
  }
  return false;
}

}  // namespace

CUresult add_conditional(Driver& driver, GraphLock& lock, Graph& graph,
                         std::span<const CUgraphNode> dependencies, CUDA_CONDITIONAL_NODE_PARAMS& p,
                         CUgraphNode* out) {
  ConditionPtr condition = find_condition(graph, p.handle);
  if (condition == nullptr || condition->used ||
      (p.ctx != nullptr && condition->context != p.ctx) || !may_have(p.type, p.size))
    return CUDA_ERROR_INVALID_VALUE;
  ConditionalOperation made{condition, p.type, {}, {}};
  for (unsigned int i = 0; i < p.size; ++i) {
    made.bodies.push_back(create_graph(driver));
    made.handles.push_back(made.bodies.back()->handle);
  }
  const std::vector<CUgraph> handles = made.handles;
  CUresult status = add_node(driver, graph, dependencies, std::move(made), out);
  if (status != CUDA_SUCCESS) {
    for (CUgraph each : handles)
      destroy_graph(driver, lock, each);
    return status;
  }
  condition->used = true;
  const Operation& operation = *driver.nodes.find(*out)->operation;
  p.phGraph_out = const_cast<CUgraph*>(std::get<ConditionalOperation>(operation).handles.data());
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver

extern "C" {

CUresult cuGraphConditionalHandleCreate(CUgraphConditionalHandle* handle, CUgraph graph_handle,
                                        CUcontext context_handle, unsigned int value,
                                        unsigned int flags) {
  return guarded([&](Driver& driver) -> CUresult {
    std::shared_ptr<Context> context;
    CUresult status = find_context(driver, context_handle, context);
    if (status != CUDA_SUCCESS) return status;
    GraphLock lock(driver);
    auto graph = driver.graphs.find(graph_handle);
    if (handle == nullptr || graph == nullptr || (flags & ~CU_GRAPH_COND_ASSIGN_DEFAULT) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (graph->conditions.size() >= kMaxGraphNodes) return CUDA_ERROR_OUT_OF_MEMORY;
    const bool assigns = (flags & CU_GRAPH_COND_ASSIGN_DEFAULT) != 0;
    graph->conditions.push_back(driver.conditions->make(context->handle, value, assigns));
    *handle = graph->conditions.back()->handle;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
