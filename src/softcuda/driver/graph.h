// Graphs: operations with dependencies. They refer to each other, so all are under one lock; what
// is run of a graph is a Plan (graph_exec.h), made once and independent of it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "softcuda/driver/condition.h"
#include "softcuda/driver/driver.h"
#include "softcuda/driver/operation.h"
#include "softcuda/driver/user_object.h"

namespace longwire::softcuda::driver {

inline constexpr std::size_t kMaxGraphNodes = 1 << 18;  // with those of child graphs
inline constexpr int kMaxGraphDepth = 64;               // of child graphs and bodies
inline constexpr unsigned int kMaxBodies = 1 << 12;     // of a conditional node

struct Graph;

struct GraphNode {
  CUgraphNode handle = nullptr;
  Graph* graph = nullptr;
  std::shared_ptr<const Operation> operation;  // shared with clones and with plans made of it
  std::vector<GraphNode*> dependencies;        // in the same graph, in the order they were added
  CUgraphNode original = nullptr;              // of a clone
  std::map<CUkernelNodeAttrID, CUkernelNodeAttrValue> attributes;  // set, of a kernel
  std::vector<void*> pointers;  // to the arguments, as cuGraphKernelNodeGetParams gives them out
};

struct Graph {
  CUgraph handle = nullptr;
  std::vector<std::shared_ptr<GraphNode>> nodes;  // in the order they were added
  Graph* parent = nullptr;                        // of a child graph or a body: of its node
  std::size_t total = 0;                          // nodes, with those of child graphs
  bool has_memory = false;                        // nodes that allocate or free
  std::unordered_set<CUdeviceptr> freed;          // by nodes
  std::weak_ptr<GraphExec> memory_exec;           // with memory nodes there is only one
  std::vector<UserHold> users;
  std::vector<ConditionPtr> conditions;  // whose handles were made for it
};

// The lock of all graphs and captures. What is dropped under it ends after it: the end of a user
// object calls the program.
class GraphLock {
 public:
  explicit GraphLock(Driver& driver) : lock_(driver.graphs_mutex) {}
  void drop(std::shared_ptr<const void> object) { dropped_.push_back(std::move(object)); }

 private:
  std::vector<std::shared_ptr<const void>> dropped_;
  std::unique_lock<std::mutex> lock_;  // ends first
};

// REQUIRES, of what follows: the caller has the GraphLock.
std::shared_ptr<Graph> create_graph(Driver& driver);
// Whether one more node, and its child graph, stay within the limits.
CUresult check_room(const Graph& graph, const Graph* child);
// A child graph of the operation becomes the node's.
CUresult add_node(Driver& driver, Graph& graph, std::span<const CUgraphNode> dependencies,
                  Operation operation, CUgraphNode* out);
// Makes its bodies, of which it tells in the parameters.
CUresult add_conditional(Driver& driver, GraphLock& lock, Graph& graph,
                         std::span<const CUgraphNode> dependencies,
                         CUDA_CONDITIONAL_NODE_PARAMS& parameters, CUgraphNode* out);
// A copy of the graph, under a handle of its own, with its child graphs.
CUresult clone_graph(Driver& driver, GraphLock& lock, const Graph& graph,
                     std::shared_ptr<Graph>& clone);
void destroy_graph(Driver& driver, GraphLock& lock, CUgraph graph);
void destroy_node(Driver& driver, GraphLock& lock, GraphNode& node);
// Of the same type. REQUIRES: `operation` has been checked, as for a new node.
CUresult replace_operation(GraphLock& lock, GraphNode& node, Operation operation);
// Whether `to` may be, and now is, after `from`.
CUresult add_dependency(GraphNode& from, GraphNode& to);
CUresult remove_dependency(GraphNode& from, GraphNode& to);

bool can_be_node(const Operation& operation) noexcept;
CUgraphNodeType type_of(const Operation& operation) noexcept;
// The child graph of a node, or its bodies; those of other types have none.
std::span<const std::shared_ptr<Graph>> children_of(const GraphNode& node) noexcept;

// Runs with the graph or the node of a handle, under the lock.
template <class Body>
CUresult with_graph(CUgraph handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    GraphLock lock(driver);
    auto graph = driver.graphs.find(handle);
    return graph == nullptr ? CUDA_ERROR_INVALID_VALUE : body(driver, lock, *graph);
  });
}
template <class Body>
CUresult with_node(CUgraphNode handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    GraphLock lock(driver);
    auto node = driver.nodes.find(handle);
    return node == nullptr ? CUDA_ERROR_INVALID_VALUE : body(driver, lock, *node);
  });
}

}  // namespace longwire::softcuda::driver
