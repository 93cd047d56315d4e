#include "softcuda/driver/graph.h"

#include <algorithm>
#include <unordered_set>

#include "softcuda/driver/memory.h"

namespace longwire::softcuda::driver {

std::mutex& graph_mutex() {
  static std::mutex& mutex = *new std::mutex;  // never destroyed: threads may call until the end
  return mutex;
}

CUgraphNodeType type_of(const Operation& operation) noexcept {
  constexpr CUgraphNodeType kTypes[] = {
      // in the order of Operation
      CU_GRAPH_NODE_TYPE_EMPTY,      CU_GRAPH_NODE_TYPE_KERNEL,
      CU_GRAPH_NODE_TYPE_MEMCPY,     CU_GRAPH_NODE_TYPE_MEMSET,
      CU_GRAPH_NODE_TYPE_HOST,       CU_GRAPH_NODE_TYPE_EVENT_RECORD,
      CU_GRAPH_NODE_TYPE_WAIT_EVENT, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP,
      CU_GRAPH_NODE_TYPE_MEM_ALLOC,  CU_GRAPH_NODE_TYPE_MEM_FREE,
      CU_GRAPH_NODE_TYPE_GRAPH};
  static_assert(std::size(kTypes) == std::variant_size_v<Operation>);
  return kTypes[operation.index()];
}

CUresult add_node(Driver& driver, CUgraph handle, const CUgraphNode* dependencies,
                  std::size_t count, Operation operation, CUgraphNode* out) {
  std::lock_guard lock(graph_mutex());
  auto graph = driver.graphs.find(handle);
  if (graph == nullptr || (count > 0 && dependencies == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  if (graph->nodes.size() >= kMaxGraphNodes || count > graph->nodes.size())
    return count > graph->nodes.size() ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_OUT_OF_MEMORY;
  auto node = std::make_shared<GraphNode>();
  node->graph = handle;
  node->operation = std::move(operation);
  for (std::size_t i = 0; i < count; ++i) {
    auto before = driver.nodes.find(dependencies[i]);
    auto& list = node->dependencies;
    if (before == nullptr || before->graph != handle ||
        std::find(list.begin(), list.end(), dependencies[i]) != list.end())
      return CUDA_ERROR_INVALID_VALUE;
    list.push_back(dependencies[i]);
  }
  node->handle = driver.nodes.add(node);
  graph->nodes.push_back(node);
  *out = node->handle;
  return CUDA_SUCCESS;
}

CUresult clone_graph(Driver& driver, CUgraph handle, bool owned, CUgraph* clone, int depth) {
  if (depth >= kMaxGraphDepth) return CUDA_ERROR_INVALID_VALUE;
  std::vector<std::shared_ptr<GraphNode>> nodes;
  {
    std::lock_guard lock(graph_mutex());
    auto graph = driver.graphs.find(handle);
    if (graph == nullptr) return CUDA_ERROR_INVALID_VALUE;
    nodes = graph->nodes;
  }
  auto copy = std::make_shared<Graph>();
  copy->owned = owned;
  copy->handle = driver.graphs.add(copy);
  std::unordered_map<CUgraphNode, CUgraphNode> renamed;
  for (const auto& node : nodes) {
    auto made = std::make_shared<GraphNode>(*node);
    made->graph = copy->handle;
    made->original = node->handle;
    if (auto* child = std::get_if<ChildOperation>(&made->operation)) {
      CUresult status = clone_graph(driver, child->handle, true, &child->handle, depth + 1);
      if (status != CUDA_SUCCESS) return status;
      child->graph = driver.graphs.find(child->handle);
    }
    made->handle = driver.nodes.add(made);
    renamed[node->handle] = made->handle;
    copy->nodes.push_back(std::move(made));
  }
  for (const auto& node : copy->nodes)
    for (CUgraphNode& each : node->dependencies)
      each = renamed[each];
  *clone = copy->handle;
  return CUDA_SUCCESS;
}

void destroy_graph(Driver& driver, CUgraph handle) {
  std::vector<CUgraph> children;
  {
    std::lock_guard lock(graph_mutex());
    auto graph = driver.graphs.remove(handle);
    if (graph == nullptr) return;
    for (const auto& node : graph->nodes) {
      driver.nodes.remove(node->handle);
      if (const auto* child = std::get_if<ChildOperation>(&node->operation))
        children.push_back(child->handle);
    }
  }
  for (CUgraph child : children)
    destroy_graph(driver, child);
}

bool order_steps(const Graph& graph, std::vector<GraphExec::Step>& steps) {
  std::unordered_map<CUgraphNode, std::size_t> waits;
  std::unordered_map<CUgraphNode, std::vector<GraphNode*>> followers;
  std::vector<GraphNode*> ready;
  for (const auto& node : graph.nodes) {
    waits[node->handle] = node->dependencies.size();
    if (node->dependencies.empty()) ready.push_back(node.get());
    for (CUgraphNode before : node->dependencies)
      followers[before].push_back(node.get());
  }
  steps.clear();
  for (std::size_t next = 0; next < ready.size(); ++next) {
    GraphNode* node = ready[next];
    steps.push_back({node->handle, node->dependencies, node->operation, true});
    for (GraphNode* follower : followers[node->handle])
      if (--waits[follower->handle] == 0) ready.push_back(follower);
  }
  return steps.size() == graph.nodes.size();
}

// --- captures ---

CUresult capture_operation(Driver& driver, Stream& stream, Operation operation) {
  Capture& capture = *stream.capture;
  if (capture.invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  CUgraphNode node = nullptr;
  CUresult status = add_node(driver, capture.graph, stream.capture_tail.data(),
                             stream.capture_tail.size(), std::move(operation), &node);
  if (status != CUDA_SUCCESS) {
    capture.invalid = true;
    return status;
  }
  stream.capture_tail.assign(1, node);
  return CUDA_SUCCESS;
}

CUresult capture_event_record(Driver&, Stream& stream, const std::shared_ptr<Event>& event) {
  if (stream.capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  std::lock_guard lock(event->mutex);
  event->capture_id = stream.capture->id;
  event->capture_nodes = stream.capture_tail;
  event->capture = stream.capture;
  return CUDA_SUCCESS;
}

CUresult capture_event_wait(Driver&, Stream& stream, Event& event) {
  auto capture = event.capture.lock();
  if (capture == nullptr) return CUDA_ERROR_INVALID_VALUE;  // that capture has ended
  if (capture->invalid) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (stream.capture == nullptr) {
    if (stream.kind() == Stream::Kind::kLegacy) return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    stream.capture = capture;
    stream.capture_tail.clear();
    capture->streams.push_back(stream.weak_from_this());
  } else if (stream.capture != capture) {
    stream.capture->invalid = capture->invalid = true;
    return CUDA_ERROR_STREAM_CAPTURE_MERGE;
  }
  for (CUgraphNode node : event.capture_nodes)
    if (std::find(stream.capture_tail.begin(), stream.capture_tail.end(), node) ==
        stream.capture_tail.end())
      stream.capture_tail.push_back(node);
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
