// Graphs: operations with dependencies, and the captures that make them of what goes into streams.
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "softcuda/driver/driver.h"
#include "softcuda/driver/operation.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {

inline constexpr std::size_t kMaxGraphNodes = 1 << 20;
inline constexpr int kMaxGraphDepth = 64;  // of child graphs

struct GraphNode {
  CUgraphNode handle = nullptr;
  CUgraph graph = nullptr;
  Operation operation;
  std::vector<CUgraphNode> dependencies;
  CUgraphNode original = nullptr;  // of a clone
};

// Under one lock for all of them: graphs refer to each other, and nothing here takes long.
struct Graph {
  CUgraph handle = nullptr;
  std::vector<std::shared_ptr<GraphNode>> nodes;  // as they were added
  bool owned = false;                             // a child's: destroyed with its node
};
std::mutex& graph_mutex();

struct GraphExec {
  std::shared_ptr<Context> context;
  unsigned long long flags = 0;
  std::mutex mutex;
  struct Step {
    CUgraphNode node = nullptr;
    std::vector<CUgraphNode> dependencies;
    Operation operation;
    bool enabled = true;
  };
  std::vector<Step> steps;  // each after what it depends on
};

struct Capture {
  std::uint64_t id = 0;
  CUgraph graph = nullptr;
  bool graph_is_callers = false;
  Stream* origin = nullptr;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  bool invalid = false;
  std::vector<std::weak_ptr<Stream>> streams;
};

// REQUIRES: graph_mutex() is held by none of this thread's callers.
CUresult add_node(Driver& driver, CUgraph graph, const CUgraphNode* dependencies, std::size_t count,
                  Operation operation, CUgraphNode* node);
// A copy of the graph, under a handle of its own, with its child graphs.
CUresult clone_graph(Driver& driver, CUgraph graph, bool owned, CUgraph* clone, int depth = 0);
void destroy_graph(Driver& driver, CUgraph graph);
// The steps of a graph in an order that can be run; false: it has a cycle.
bool order_steps(const Graph& graph, std::vector<GraphExec::Step>& steps);
CUgraphNodeType type_of(const Operation& operation) noexcept;

// What a captured stream does instead of running. REQUIRES: the context's `order` is held.
CUresult capture_operation(Driver& driver, Stream& stream, Operation operation);
CUresult capture_event_record(Driver& driver, Stream& stream, const std::shared_ptr<Event>& event);
// Brings `stream` into the capture that recorded the event, or joins it.
CUresult capture_event_wait(Driver& driver, Stream& stream, Event& event);

}  // namespace longwire::softcuda::driver
