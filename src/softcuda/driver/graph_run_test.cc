// Branches of graphs: what does not depend on each other runs at the same time.
#include <atomic>
#include <barrier>
#include <random>

#include "softcuda/driver/graph_testing.h"

namespace longwire::softcuda::driver {
namespace {

class GraphRunTest : public GraphTest {
 protected:
  CUgraphNode add_host(CUgraph graph, CUhostFn function, void* data,
                       const std::vector<CUgraphNode>& after = {}) {
    const CUDA_HOST_NODE_PARAMS p{function, data};
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddHostNode(&node, graph, after.data(), after.size(), &p), CUDA_SUCCESS);
    return node;
  }
  CUevent event() {
    CUevent made = nullptr;
    EXPECT_EQ(cuEventCreate(&made, 0), CUDA_SUCCESS);
    return made;
  }
};

void meet(void* all) { static_cast<std::barrier<>*>(all)->arrive_and_wait(); }
void open_it(void* gate) { open_gate(*static_cast<std::atomic<bool>*>(gate)); }

TEST_F(GraphRunTest, host_functions_of_two_branches_wait_for_each_other) {
  std::barrier<> both(2);
  for (int branch = 0; branch < 2; ++branch) {
    CUgraphNode node = add_fill(1);
    for (int i = 0; i < 3; ++i)
      node = add_host(graph_, meet, &both, {node});
  }
  CUgraphExec exec = instantiate(graph_);
  for (int i = 0; i < 20; ++i)
    launch(exec);
}

TEST_F(GraphRunTest, many_branches_meet) {
  constexpr int kBranches = 64;
  std::barrier<> all(kBranches);
  Notes notes;
  Note note{&notes, 1};
  CUgraphNode root = add_fill(3);
  std::vector<CUgraphNode> branches;
  for (int i = 0; i < kBranches; ++i)
    branches.push_back(add_host(graph_, meet, &all, {root}));
  add_note(note, branches);
  CUgraphExec exec = instantiate(graph_);
  launch(exec);
  launch(exec);
  EXPECT_EQ(notes.numbers.size(), 2U);
  EXPECT_EQ(words()[0], 3U);
}

TEST_F(GraphRunTest, branches_of_child_graphs_meet) {
  std::barrier<> all(3);
  CUgraph inner = nullptr;
  ASSERT_EQ(cuGraphCreate(&inner, 0), CUDA_SUCCESS);
  add_host(inner, meet, &all, {add_empty(inner)});
  CUgraphNode first = nullptr, second = nullptr;
  ASSERT_EQ(cuGraphAddChildGraphNode(&first, graph_, nullptr, 0, inner), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddChildGraphNode(&second, graph_, nullptr, 0, inner), CUDA_SUCCESS);
  add_host(graph_, meet, &all);
  CUgraphExec exec = instantiate(graph_);
  for (int i = 0; i < 20; ++i)
    launch(exec);
  EXPECT_EQ(cuGraphDestroy(inner), CUDA_SUCCESS);
}

TEST_F(GraphRunTest, captured_branches_meet) {
  std::barrier<> both(2);
  CUstream other = nullptr;
  CUevent forked = event(), joined = event();
  CUgraph captured = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCapture(stream_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(forked, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(other, forked, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream_, meet, &both), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(other, meet, &both), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(joined, other), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(stream_, joined, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(stream_, &captured), CUDA_SUCCESS);
  launch(instantiate(captured));
  EXPECT_EQ(cuStreamDestroy(other), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(captured), CUDA_SUCCESS);
}

// What follows a launch in its stream comes after all of its branches.
TEST_F(GraphRunTest, a_launch_is_one_piece_of_its_stream) {
  std::atomic<bool> gate{false}, over{false};
  add_host(graph_, wait_until, &gate);
  for (int i = 0; i < 8; ++i)
    add_fill(1);
  CUgraphExec exec = instantiate(graph_);
  ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream_, open_it, &over), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream_), CUDA_ERROR_NOT_READY);
  EXPECT_FALSE(over);
  open_gate(gate);
  ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  EXPECT_TRUE(over);
}

// A node of a graph with random dependencies, which looks whether they have ended.
struct Checked {
  std::vector<const Checked*> before;
  std::atomic<int> runs{0};
  std::atomic<int>* early = nullptr;
  static void run(void* data) {
    auto& self = *static_cast<Checked*>(data);
    for (const Checked* each : self.before)
      if (each->runs != self.runs + 1) ++*self.early;
    ++self.runs;
  }
};

TEST_F(GraphRunTest, every_node_runs_once_after_all_that_it_depends_on) {
  constexpr std::size_t kNodes = 200;
  constexpr int kLaunches = 50;
  std::mt19937 random(7);  // NOLINT: the same graph every time
  std::atomic<int> early{0};
  std::vector<Checked> nodes(kNodes);
  std::vector<CUgraphNode> handles;
  for (Checked& node : nodes) {
    node.early = &early;
    std::vector<CUgraphNode> after;
    for (std::size_t before = 0; before < handles.size(); ++before) {
      if (random() % 40 != 0) continue;
      node.before.push_back(&nodes[before]);
      after.push_back(handles[before]);
    }
    handles.push_back(add_host(graph_, Checked::run, &node, after));
  }
  CUgraphExec exec = instantiate(graph_);
  for (int i = 0; i < kLaunches; ++i)
    ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  EXPECT_EQ(early, 0);
  for (const Checked& node : nodes)
    EXPECT_EQ(node.runs, kLaunches);
}

TEST_F(GraphRunTest, a_branch_waits_for_a_record_of_another) {
  CUevent between = event();
  std::atomic<bool> gate{false};
  CUgraphNode record = nullptr, wait = nullptr;
  CUgraphNode host = add_host(graph_, wait_until, &gate);
  ASSERT_EQ(cuGraphAddEventRecordNode(&record, graph_, &host, 1, between), CUDA_SUCCESS);
  CUgraphNode late = add_empty(graph_, {add_empty(graph_)});
  ASSERT_EQ(cuGraphAddEventWaitNode(&wait, graph_, &late, 1, between), CUDA_SUCCESS);
  add_fill(9, {wait});
  CUgraphExec exec = instantiate(graph_);
  ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(between), CUDA_ERROR_NOT_READY);
  open_gate(gate);
  ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  EXPECT_EQ(words()[0], 9U);
}

TEST_F(GraphRunTest, a_changed_node_leaves_events_as_they_were) {
  CUevent recorded = event();
  CUgraphNode node = add_fill(1), record = nullptr;
  ASSERT_EQ(cuGraphAddEventRecordNode(&record, graph_, &node, 1, recorded), CUDA_SUCCESS);
  CUgraphExec exec = instantiate(graph_);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, node, 0), CUDA_SUCCESS);
  std::atomic<bool> gate{false};
  ASSERT_EQ(cuLaunchHostFunc(stream_, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(recorded), CUDA_ERROR_NOT_READY);
  open_gate(gate);
  EXPECT_EQ(cuEventSynchronize(recorded), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
}

TEST_F(GraphRunTest, a_fault_ends_branches_that_wait_for_what_does_not_come) {
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  CUmodule module = nullptr;
  CUDA_KERNEL_NODE_PARAMS p{};
  ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&p.func, module, "bad"), CUDA_SUCCESS);
  p.gridDimX = p.gridDimY = p.gridDimZ = p.blockDimX = p.blockDimY = p.blockDimZ = 1;
  CUevent between = event();
  CUgraph graph = nullptr, inner = nullptr;
  CUgraphNode bad = nullptr, record = nullptr, child = nullptr, wait = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphCreate(&inner, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddKernelNode(&bad, graph, nullptr, 0, &p), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEventRecordNode(&record, inner, nullptr, 0, between), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddChildGraphNode(&child, graph, &bad, 1, inner), CUDA_SUCCESS);
  CUgraphNode late = add_empty(graph, {add_empty(graph, {add_empty(graph)})});
  ASSERT_EQ(cuGraphAddEventWaitNode(&wait, graph, &late, 1, between), CUDA_SUCCESS);
  Notes notes;
  Note note{&notes, 1};
  add_host(graph, Note::write, &note, {wait});
  CUgraphExec exec = instantiate(graph);
  ASSERT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_TRUE(notes.numbers.empty());
  EXPECT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(inner), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
