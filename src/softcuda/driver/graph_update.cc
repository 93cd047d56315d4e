// What of an executable graph may be changed.
#include "softcuda/driver/graph_exec.h"

namespace longwire::softcuda::driver {

CUgraphExecUpdateResult check_change(const Operation& from, const Operation& to) {
  if (from.index() != to.index()) return CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED;
  if (const auto* kernel = std::get_if<KernelOperation>(&from); kernel != nullptr) {
    const auto& other = std::get<KernelOperation>(to);
    if (kernel->function->module->context != other.function->module->context)
      return CU_GRAPH_EXEC_UPDATE_ERROR_UNSUPPORTED_FUNCTION_CHANGE;
    return kernel->cooperative == other.cooperative ? CU_GRAPH_EXEC_UPDATE_SUCCESS
                                                    : CU_GRAPH_EXEC_UPDATE_ERROR_ATTRIBUTES_CHANGED;
  }
  const auto* alloc = std::get_if<AllocOperation>(&from);
  if (alloc != nullptr && alloc->graph_memory != std::get<AllocOperation>(to).graph_memory)
    return CU_GRAPH_EXEC_UPDATE_ERROR_NOT_SUPPORTED;
  if (const auto* chosen = std::get_if<ConditionalOperation>(&from); chosen != nullptr) {
    const auto& other = std::get<ConditionalOperation>(to);
    const Condition &before = *chosen->condition, &after = *other.condition;
    if (chosen->type != other.type || chosen->bodies.size() != other.bodies.size() ||
        before.default_value != after.default_value ||
        before.assigns_default != after.assigns_default)
      return CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED;
  }
  const auto* free = std::get_if<FreeOperation>(&from);
  if (free != nullptr && free->address != std::get<FreeOperation>(to).address)
    return CU_GRAPH_EXEC_UPDATE_ERROR_NOT_SUPPORTED;
  return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

CUresult update_plan(const Plan& plan, const Graph& graph, PlanPtr& updated,
                     CUgraphExecUpdateResultInfo& info) {
  auto refuse = [&](CUgraphExecUpdateResult why, const GraphNode* node, const GraphNode* from) {
    info = {why, node == nullptr ? nullptr : node->handle,
            from == nullptr ? nullptr : from->handle};
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  };
  constexpr auto kTopology = CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
  if (plan.steps.size() != graph.nodes.size()) return refuse(kTopology, nullptr, nullptr);
  std::unordered_map<const GraphNode*, std::uint32_t> indices;
  for (const auto& node : graph.nodes)
    indices.emplace(node.get(), static_cast<std::uint32_t>(indices.size()));
  auto made = std::make_shared<Plan>();
  made->steps = plan.steps;
  made->shape = plan.shape;
  for (std::size_t i = 0; i < made->steps.size(); ++i) {
    Step& step = made->steps[i];
    const GraphNode& node = *graph.nodes[i];
    if (step.after.size() != node.dependencies.size()) return refuse(kTopology, &node, nullptr);
    for (std::size_t j = 0; j < step.after.size(); ++j)
      if (step.after[j] != indices[node.dependencies[j]])
        return refuse(kTopology, &node, node.dependencies[j]);
    const CUgraphExecUpdateResult change = check_change(*step.operation, *node.operation);
    if (change != CU_GRAPH_EXEC_UPDATE_SUCCESS) return refuse(change, &node, nullptr);
    const auto children = children_of(node);
    for (std::size_t j = 0; j < children.size(); ++j)
      if (CUresult status = update_plan(*step.children[j], *children[j], step.children[j], info);
          status != CUDA_SUCCESS)
        return status;
    step.operation = node.operation;
  }
  for (const UserHold& user : graph.users)
    made->users.push_back(user.again());
  updated = std::move(made);
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
