#include "softcuda/driver/graph.h"

#include <algorithm>
#include <unordered_map>

#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/launch.h"

namespace longwire::softcuda::driver {
namespace {

const Graph& root_of(const Graph& graph) {
  const Graph* root = &graph;
  while (root->parent != nullptr)
    root = root->parent;
  return *root;
}

int levels_above(const Graph& graph) {
  int levels = 0;
  for (const Graph* each = graph.parent; each != nullptr; each = each->parent)
    ++levels;
  return levels;
}

// Of the graph and what is below; at most kMaxGraphDepth, as adding sees to it.
int levels_of(const Graph& graph) {
  int below = 0;
  for (const auto& node : graph.nodes)
    for (const auto& child : children_of(*node))
      below = std::max(below, levels_of(*child));
  return below + 1;
}

void change_total(Graph& graph, std::ptrdiff_t by) {
  for (Graph* each = &graph; each != nullptr; each = each->parent)
    each->total += static_cast<std::size_t>(by);
}

CUresult find_dependencies(Driver& driver, const Graph& graph, std::span<const CUgraphNode> handles,
                           std::vector<GraphNode*>& found) {
  std::unordered_set<CUgraphNode> seen;
  for (CUgraphNode handle : handles) {
    auto before = driver.nodes.find(handle);
    if (before == nullptr || before->graph != &graph || !seen.insert(handle).second)
      return CUDA_ERROR_INVALID_VALUE;
    found.push_back(before.get());
  }
  return CUDA_SUCCESS;
}

// Memory nodes stand in graphs of their own, and free what another node has allocated, once.
CUresult note_memory(Graph& graph, const Operation& operation) {
  const auto* free = std::get_if<FreeOperation>(&operation);
  if (free == nullptr && !std::holds_alternative<AllocOperation>(operation)) return CUDA_SUCCESS;
  if (graph.parent != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
  if (free != nullptr &&
      (free->graph_memory == nullptr || !graph.freed.insert(free->address).second))
    return CUDA_ERROR_INVALID_VALUE;
  graph.has_memory = true;
  return CUDA_SUCCESS;
}

// Of a graph that is no other's child any more.
void forget_graph(Driver& driver, GraphLock& lock, const std::shared_ptr<Graph>& graph) {
  driver.graphs.remove(graph->handle);
  for (const auto& node : graph->nodes) {
    driver.nodes.remove(node->handle);
    for (const auto& child : children_of(*node))
      forget_graph(driver, lock, child);
  }
  lock.drop(graph);
}

}  // namespace

CUresult check_room(const Graph& graph, const Graph* child) {
  const std::size_t more = 1 + (child == nullptr ? 0 : child->total);
  if (more > kMaxGraphNodes || root_of(graph).total > kMaxGraphNodes - more)
    return CUDA_ERROR_OUT_OF_MEMORY;
  if (child == nullptr) return CUDA_SUCCESS;
  if (child->has_memory) return CUDA_ERROR_NOT_SUPPORTED;
  return levels_above(graph) + 1 + levels_of(*child) > kMaxGraphDepth ? CUDA_ERROR_INVALID_VALUE
                                                                      : CUDA_SUCCESS;
}

bool can_be_node(const Operation& operation) noexcept {
  return !std::holds_alternative<LaunchOperation>(operation) &&
         !std::holds_alternative<SharedRecordOperation>(operation) &&
         !std::holds_alternative<SharedWaitOperation>(operation);
}

CUgraphNodeType type_of(const Operation& operation) noexcept {
  constexpr CUgraphNodeType kTypes[] = {
      // in the order of Operation, of which the last, launches and shared events, are no nodes
      CU_GRAPH_NODE_TYPE_EMPTY,      CU_GRAPH_NODE_TYPE_KERNEL,
      CU_GRAPH_NODE_TYPE_MEMCPY,     CU_GRAPH_NODE_TYPE_MEMSET,
      CU_GRAPH_NODE_TYPE_HOST,       CU_GRAPH_NODE_TYPE_EVENT_RECORD,
      CU_GRAPH_NODE_TYPE_WAIT_EVENT, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP,
      CU_GRAPH_NODE_TYPE_MEM_ALLOC,  CU_GRAPH_NODE_TYPE_MEM_FREE,
      CU_GRAPH_NODE_TYPE_GRAPH,      CU_GRAPH_NODE_TYPE_CONDITIONAL,
      CU_GRAPH_NODE_TYPE_EMPTY,      CU_GRAPH_NODE_TYPE_EMPTY,
      CU_GRAPH_NODE_TYPE_EMPTY};
  static_assert(std::size(kTypes) == std::variant_size_v<Operation>);
  return kTypes[operation.index()];
}

std::span<const std::shared_ptr<Graph>> children_of(const GraphNode& node) noexcept {
  if (const auto* child = std::get_if<ChildOperation>(node.operation.get()))
    return {&child->graph, 1};
  if (const auto* chosen = std::get_if<ConditionalOperation>(node.operation.get()))
    return chosen->bodies;
  return {};
}

std::shared_ptr<Graph> create_graph(Driver& driver) {
  auto graph = std::make_shared<Graph>();
  graph->handle = driver.graphs.add(graph);
  return graph;
}

CUresult add_node(Driver& driver, Graph& graph, std::span<const CUgraphNode> dependencies,
                  Operation operation, CUgraphNode* out) {
  auto node = std::make_shared<GraphNode>();
  node->graph = &graph;
  node->operation = std::make_shared<const Operation>(std::move(operation));
  const auto children = children_of(*node);
  if (dependencies.size() > graph.nodes.size()) return CUDA_ERROR_INVALID_VALUE;
  std::size_t more = 1;
  for (const auto& child : children) {
    if (child->parent != nullptr || child.get() == &root_of(graph)) return CUDA_ERROR_INVALID_VALUE;
    more += child->total;
  }
  CUresult status = check_room(graph, children.empty() ? nullptr : children.front().get());
  if (status == CUDA_SUCCESS)
    status = find_dependencies(driver, graph, dependencies, node->dependencies);
  if (status == CUDA_SUCCESS) status = note_memory(graph, *node->operation);
  if (status != CUDA_SUCCESS) return status;
  node->handle = driver.nodes.add(node);
  graph.nodes.push_back(node);
  change_total(graph, static_cast<std::ptrdiff_t>(more));
  for (const auto& child : children)
    child->parent = &graph;
  *out = node->handle;
  return CUDA_SUCCESS;
}

CUresult clone_graph(Driver& driver, GraphLock& lock, const Graph& graph,
                     std::shared_ptr<Graph>& clone) {
  const bool has_conditions = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](auto& node) {
    return std::holds_alternative<ConditionalOperation>(*node->operation);
  });
  if (graph.has_memory || has_conditions) return CUDA_ERROR_NOT_SUPPORTED;
  clone = create_graph(driver);
  std::unordered_map<const GraphNode*, GraphNode*> copies;
  for (const auto& node : graph.nodes) {
    auto copy = std::make_shared<GraphNode>(*node);
    copy->graph = clone.get();
    copy->original = node->handle;
    copy->pointers.clear();
    const auto* child = std::get_if<ChildOperation>(node->operation.get());
    if (child != nullptr) {
      std::shared_ptr<Graph> child_clone;
      CUresult status = clone_graph(driver, lock, *child->graph, child_clone);
      if (status != CUDA_SUCCESS) {
        forget_graph(driver, lock, clone);
        return status;
      }
      child_clone->parent = clone.get();
      copy->operation = std::make_shared<const Operation>(ChildOperation{child_clone});
    }
    copy->handle = driver.nodes.add(copy);
    copies[node.get()] = copy.get();
    clone->nodes.push_back(std::move(copy));
  }
  for (const auto& node : clone->nodes)
    for (GraphNode*& each : node->dependencies)
      each = copies[each];
  clone->total = graph.total;
  for (const UserHold& user : graph.users)
    clone->users.push_back(user.again());
  return CUDA_SUCCESS;
}

void destroy_graph(Driver& driver, GraphLock& lock, CUgraph handle) {
  auto graph = driver.graphs.find(handle);
  if (graph != nullptr && graph->parent == nullptr) forget_graph(driver, lock, graph);
}

void destroy_node(Driver& driver, GraphLock& lock, GraphNode& node) {
  Graph& graph = *node.graph;
  std::ptrdiff_t nodes = 1;
  for (const auto& child : children_of(node)) {
    nodes += static_cast<std::ptrdiff_t>(child->total);
    forget_graph(driver, lock, child);
  }
  if (const auto* chosen = std::get_if<ConditionalOperation>(node.operation.get()))
    chosen->condition->used = false;
  change_total(graph, -nodes);
  for (const auto& each : graph.nodes)
    std::erase(each->dependencies, &node);
  driver.nodes.remove(node.handle);
  std::erase_if(graph.nodes, [&](const auto& each) { return each.get() == &node; });
}

CUresult replace_operation(GraphLock& lock, GraphNode& node, Operation operation) {
  if (node.operation->index() != operation.index()) return CUDA_ERROR_INVALID_VALUE;
  if (auto* kernel = std::get_if<KernelOperation>(&operation); kernel != nullptr)
    if (std::get<KernelOperation>(*node.operation).cooperative)
      if (CUresult status = set_cooperative(*kernel, true); status != CUDA_SUCCESS) return status;
  lock.drop(std::move(node.operation));
  node.operation = std::make_shared<const Operation>(std::move(operation));
  node.pointers.clear();
  return CUDA_SUCCESS;
}

CUresult add_dependency(GraphNode& from, GraphNode& to) {
  auto& list = to.dependencies;
  if (from.graph != to.graph || &from == &to ||
      std::find(list.begin(), list.end(), &from) != list.end())
    return CUDA_ERROR_INVALID_VALUE;
  list.push_back(&from);
  return CUDA_SUCCESS;
}

CUresult remove_dependency(GraphNode& from, GraphNode& to) {
  return std::erase(to.dependencies, &from) == 0 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
