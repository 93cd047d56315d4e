// Executable graphs: order, independence, updates, events, memory.
#include <atomic>
#include <thread>

#include "softcuda/driver/graph_testing.h"

namespace longwire::softcuda::driver {
namespace {

using GraphExecTest = GraphTest;

TEST_F(GraphExecTest, nodes_run_after_what_they_depend_on) {
  Notes notes;
  Note note[] = {{&notes, 0}, {&notes, 1}, {&notes, 2}, {&notes, 3}};
  CUgraphNode last = add_note(note[3]);  // added first, runs last
  CUgraphNode left = add_note(note[1]), right = add_note(note[2]);
  CUgraphNode root = add_note(note[0]);
  const CUgraphNode from[] = {root, left, root, right}, to[] = {left, right, right, last};
  ASSERT_EQ(cuGraphAddDependencies(graph_, from, to, nullptr, 4), CUDA_SUCCESS);
  CUgraphExec exec = instantiate(graph_);
  launch(exec);
  EXPECT_EQ(notes.numbers, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, stream_), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphExecTest, a_cycle_is_refused) {
  CUgraphNode a = add_empty(graph_), b = add_empty(graph_, {a}), error_node = nullptr;
  ASSERT_EQ(cuGraphAddDependencies(graph_, &b, &a, nullptr, 1), CUDA_SUCCESS);
  CUDA_GRAPH_INSTANTIATE_PARAMS p{};
  CUgraphExec exec = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithParams(&exec, graph_, &p), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(p.result_out, CUDA_GRAPH_INSTANTIATE_INVALID_STRUCTURE);
  EXPECT_NE(p.hErrNode_out, nullptr);
  char log[16] = "";
  EXPECT_EQ(cuGraphInstantiate_v2(&exec, graph_, &error_node, log, sizeof log),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_STREQ(log, "the node's depe");
  EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, 1 << 20), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH),
            CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(GraphExecTest, it_does_not_see_later_changes_of_its_graph) {
  CUgraphNode node = add_fill(1);
  CUgraphExec exec = instantiate(graph_);
  unsigned value = 2;
  void* arguments[] = {&memory_, &value};
  const CUDA_KERNEL_NODE_PARAMS p = fill_node(arguments);
  ASSERT_EQ(cuGraphKernelNodeSetParams(node, &p), CUDA_SUCCESS);
  add_fill(3, {node});
  launch(exec);
  EXPECT_EQ(words()[0], 1U);
  ASSERT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
  graph_ = nullptr;
  launch(exec);
  EXPECT_EQ(words()[0], 1U);
  ASSERT_EQ(cuGraphExecKernelNodeSetParams(exec, node, &p), CUDA_SUCCESS);  // still known to it
  launch(exec);
  EXPECT_EQ(words()[0], 2U);
}

TEST_F(GraphExecTest, a_launch_does_not_see_later_changes_of_the_exec) {
  std::atomic<bool> gate{false};
  CUgraphNode node = add_fill(1);
  CUgraphExec exec = instantiate(graph_);
  ASSERT_EQ(cuLaunchHostFunc(stream_, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, node, 0), CUDA_SUCCESS);
  unsigned enabled = 1;
  ASSERT_EQ(cuGraphNodeGetEnabled(exec, node, &enabled), CUDA_SUCCESS);
  EXPECT_EQ(enabled, 0U);
  ASSERT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  open_gate(gate);
  ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  EXPECT_EQ(words()[0], 1U);
}

TEST_F(GraphExecTest, disabled_nodes_are_left_out) {
  Notes notes;
  Note note{&notes, 0};
  CUgraphNode fill = add_fill(4), host = add_note(note, {fill});
  CUgraphExec exec = instantiate(graph_);
  EXPECT_EQ(cuGraphNodeSetEnabled(exec, host, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, fill, 0), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 0U);
  EXPECT_EQ(notes.numbers.size(), 1U);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, fill, 1), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 4U);
}

TEST_F(GraphExecTest, launches_of_one_exec_do_not_overlap) {
  Notes notes;
  Note note{&notes, 0};
  add_note(note, {add_note(note)});
  CUgraphExec exec = instantiate(graph_);
  CUstream other = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  for (int i = 0; i < 50; ++i)  // would race, under TSan too
    ASSERT_EQ(cuGraphLaunch(exec, i % 2 == 0 ? stream_ : other), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(notes.numbers.size(), 100U);
  EXPECT_EQ(cuStreamDestroy(other), CUDA_SUCCESS);
}

TEST_F(GraphExecTest, an_update_takes_the_parameters_of_a_like_graph) {
  CUgraphNode first = add_fill(1);
  add_empty(graph_, {first});
  CUgraphExec exec = instantiate(graph_);
  CUgraph original = graph_;
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  first = add_fill(2);
  CUgraphExecUpdateResultInfo info{};
  EXPECT_EQ(cuGraphExecUpdate(exec, graph_, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  CUgraphNode second = add_empty(graph_);  // of which the other depends on the first
  EXPECT_EQ(cuGraphExecUpdate(exec, graph_, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.errorNode, second);
  ASSERT_EQ(cuGraphAddDependencies(graph_, &first, &second, nullptr, 1), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 1U);  // as it was
  ASSERT_EQ(cuGraphExecUpdate(exec, graph_, &info), CUDA_SUCCESS);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 2U);
  ASSERT_EQ(cuGraphDestroyNode(second), CUDA_SUCCESS);
  Note note{};
  second = add_note(note, {first});
  EXPECT_EQ(cuGraphExecUpdate(exec, graph_, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED);
  EXPECT_EQ(info.errorNode, second);
  EXPECT_EQ(cuGraphDestroy(original), CUDA_SUCCESS);
}

TEST_F(GraphExecTest, single_nodes_are_updated_also_in_child_graphs) {
  CUgraph inner = nullptr, child = nullptr;
  ASSERT_EQ(cuGraphCreate(&inner, 0), CUDA_SUCCESS);
  std::swap(inner, graph_);
  add_fill(1);
  std::swap(inner, graph_);
  CUgraphNode node = nullptr, nested = nullptr;
  ASSERT_EQ(cuGraphAddChildGraphNode(&node, graph_, nullptr, 0, inner), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphChildGraphNodeGetGraph(node, &child), CUDA_SUCCESS);
  std::size_t count = 1;
  ASSERT_EQ(cuGraphGetNodes(child, &nested, &count), CUDA_SUCCESS);
  CUgraphExec exec = instantiate(graph_);
  unsigned value = 2;
  void* arguments[] = {&memory_, &value};
  const CUDA_KERNEL_NODE_PARAMS p = fill_node(arguments);
  ASSERT_EQ(cuGraphExecKernelNodeSetParams(exec, nested, &p), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 2U);
  ASSERT_EQ(cuGraphExecChildGraphNodeSetParams(exec, node, inner), CUDA_SUCCESS);
  launch(exec);
  EXPECT_EQ(words()[0], 1U);
  std::swap(inner, graph_);
  add_fill(5);
  std::swap(inner, graph_);
  EXPECT_EQ(cuGraphExecChildGraphNodeSetParams(exec, node, inner), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphExecChildGraphNodeSetParams(exec, nested, inner), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphDestroy(inner), CUDA_SUCCESS);
}

TEST_F(GraphExecTest, events_order_graphs_and_streams) {
  CUevent recorded = nullptr, awaited = nullptr;
  ASSERT_EQ(cuEventCreate(&recorded, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&awaited, 0), CUDA_SUCCESS);
  CUgraphNode wait = nullptr, record = nullptr;
  ASSERT_EQ(cuGraphAddEventWaitNode(&wait, graph_, nullptr, 0, awaited), CUDA_SUCCESS);
  CUgraphNode fill = add_fill(6, {wait});
  ASSERT_EQ(cuGraphAddEventRecordNode(&record, graph_, &fill, 1, recorded), CUDA_SUCCESS);
  CUevent got = nullptr;
  ASSERT_EQ(cuGraphEventWaitNodeGetEvent(wait, &got), CUDA_SUCCESS);
  EXPECT_EQ(got, awaited);
  CUgraphExec exec = instantiate(graph_);
  CUstream other = nullptr;
  std::atomic<bool> gate{false};
  ASSERT_EQ(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(other, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(awaited, other), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(recorded), CUDA_ERROR_NOT_READY);  // as of the launch
  open_gate(gate);
  ASSERT_EQ(cuEventSynchronize(recorded), CUDA_SUCCESS);
  EXPECT_EQ(words()[0], 6U);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(other), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphEventWaitNodeSetEvent(wait, recorded), CUDA_SUCCESS);
  launch(instantiate(graph_));  // waits for the record of the launch before, not for its own
}

TEST_F(GraphExecTest, memory_of_a_graph_lives_between_launch_and_free) {
  CUDA_MEM_ALLOC_NODE_PARAMS p{}, got{};
  p.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  p.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  p.bytesize = kWords * 4;
  CUgraphNode alloc = nullptr, memset = nullptr, node = nullptr;
  ASSERT_EQ(cuGraphAddMemAllocNode(&alloc, graph_, nullptr, 0, &p), CUDA_SUCCESS);
  ASSERT_NE(p.dptr, 0U);
  ASSERT_EQ(cuGraphMemAllocNodeGetParams(alloc, &got), CUDA_SUCCESS);
  EXPECT_EQ(got.dptr, p.dptr);
  const CUDA_MEMSET_NODE_PARAMS set{p.dptr, 0, 3, 4, kWords, 1};
  ASSERT_EQ(cuGraphAddMemsetNode(&memset, graph_, &alloc, 1, &set, context_), CUDA_SUCCESS);
  CUgraph clone = nullptr;
  EXPECT_EQ(cuGraphClone(&clone, graph_), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuGraphDestroyNode(memset), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuMemFree(p.dptr), CUDA_ERROR_INVALID_VALUE);  // not allocated yet
  CUgraphExec exec = instantiate(graph_), second = nullptr;
  EXPECT_EQ(cuGraphInstantiateWithFlags(&second, graph_, 0), CUDA_ERROR_NOT_SUPPORTED);
  launch(exec);
  std::vector<unsigned> out(kWords);
  ASSERT_EQ(cuMemcpyDtoH(out.data(), p.dptr, kWords * 4), CUDA_SUCCESS);
  EXPECT_EQ(out[7], 3U);
  EXPECT_EQ(cuGraphLaunch(exec, stream_), CUDA_ERROR_INVALID_VALUE);  // allocated still
  cuuint64_t used = 0;
  ASSERT_EQ(cuDeviceGetGraphMemAttribute(0, CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT, &used),
            CUDA_SUCCESS);
  EXPECT_EQ(used, kWords * 4);
  ASSERT_EQ(cuMemFreeAsync(p.dptr, stream_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(p.dptr, stream_), CUDA_ERROR_INVALID_VALUE);
  launch(exec);
  ASSERT_EQ(cuMemFree(p.dptr), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddMemFreeNode(&node, graph_, &memset, 1, p.dptr), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddMemFreeNode(&node, graph_, &memset, 1, p.dptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphAddMemFreeNode(&node, graph_, nullptr, 0, memory_), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  exec = instantiate(graph_);
  launch(exec);
  launch(exec);  // it frees what it allocates
  ASSERT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
  graph_ = nullptr;
  EXPECT_EQ(cuMemcpyDtoH(out.data(), p.dptr, 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphExecTest, what_was_allocated_is_freed_by_the_next_launch_where_that_was_asked_for) {
  CUDA_MEM_ALLOC_NODE_PARAMS p{};
  p.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  p.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  p.bytesize = 64;
  CUgraphNode alloc = nullptr;
  ASSERT_EQ(cuGraphAddMemAllocNode(&alloc, graph_, nullptr, 0, &p), CUDA_SUCCESS);
  CUgraphExec exec = nullptr;
  ASSERT_EQ(
      cuGraphInstantiateWithFlags(&exec, graph_, CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH),
      CUDA_SUCCESS);
  launch(exec);
  launch(exec);
  ASSERT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
  graph_ = nullptr;
  EXPECT_EQ(cuMemsetD32(p.dptr, 1, 16), CUDA_SUCCESS);  // allocated still
  EXPECT_EQ(cuMemFree(p.dptr), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32(p.dptr, 1, 16), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(GraphExecTest, freed_memory_is_a_fault_and_no_crash) {
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 1 << 20), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  CUgraphNode node = nullptr;
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  const CUDA_MEMSET_NODE_PARAMS set{memory, 0, 3, 1, 1 << 20, 1};
  ASSERT_EQ(cuGraphAddMemsetNode(&node, graph, nullptr, 0, &set, own), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFree(memory), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
}

TEST_F(GraphExecTest, a_fault_ends_the_launch_and_who_waits_for_its_events) {
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  CUmodule module = nullptr;
  CUfunction bad = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&bad, module, "bad"), CUDA_SUCCESS);
  CUDA_KERNEL_NODE_PARAMS p{};
  p.func = bad;
  p.gridDimX = p.gridDimY = p.gridDimZ = p.blockDimX = p.blockDimY = p.blockDimZ = 1;
  CUevent event = nullptr;
  CUgraph graph = nullptr;
  CUgraphNode kernel = nullptr, record = nullptr;
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddKernelNode(&kernel, graph, nullptr, 0, &p), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEventRecordNode(&record, graph, &kernel, 1, event), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, nullptr), CUDA_SUCCESS);
  EXPECT_NE(cuEventSynchronize(event), CUDA_SUCCESS);  // and ends
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuGraphLaunch(exec, nullptr), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

TEST_F(GraphExecTest, threads_edit_instantiate_and_launch_at_once) {
  std::vector<std::thread> threads;
  for (int each = 0; each < 4; ++each)
    threads.emplace_back([this] {
      EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      for (int i = 0; i < 25; ++i) {
        CUgraphNode node = nullptr;
        CUgraphExec exec = nullptr;
        EXPECT_EQ(cuGraphAddEmptyNode(&node, graph_, nullptr, 0), CUDA_SUCCESS);
        EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph_, 0), CUDA_SUCCESS);
        EXPECT_EQ(cuGraphLaunch(exec, stream_), CUDA_SUCCESS);
        EXPECT_EQ(cuGraphDestroyNode(node), CUDA_SUCCESS);
        EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
      }
    });
  for (auto& each : threads)
    each.join();
  EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  EXPECT_EQ(node_count(graph_), 0U);
}

}  // namespace
}  // namespace longwire::softcuda::driver
