// kernels/graphs.cu: streams, events, captures and graphs put kernels in order.
#include <algorithm>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

constexpr int kCount = 1000;
constexpr unsigned kBlock = 128, kBlocks = (kCount + kBlock - 1) / kBlock;

class GraphKernels : public KernelsTest {
 protected:
  GraphKernels() : KernelsTest("graphs") {}
  void SetUp() override {
    KernelsTest::SetUp();
    for (CUstream& each : streams_)
      ASSERT_EQ(cuStreamCreate(&each, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    for (CUevent& each : events_)
      ASSERT_EQ(cuEventCreate(&each, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  }
  void TearDown() override {
    for (CUstream each : streams_)
      EXPECT_EQ(cuStreamDestroy(each), CUDA_SUCCESS);
    for (CUevent each : events_)
      EXPECT_EQ(cuEventDestroy(each), CUDA_SUCCESS);
    KernelsTest::TearDown();
  }
  LaunchShape over_all(CUstream stream) { return {{kBlocks}, {kBlock}, 0, false, stream}; }

  CUgraphNode add(CUgraph graph, const char* name, unsigned blocks, unsigned threads,
                  std::vector<void*> arguments, const std::vector<CUgraphNode>& after) {
    CUDA_KERNEL_NODE_PARAMS p{};
    p.func = function(name);
    p.gridDimX = blocks;
    p.blockDimX = threads;
    p.gridDimY = p.gridDimZ = p.blockDimY = p.blockDimZ = 1;
    p.kernelParams = arguments.data();
    CUgraphNode node = nullptr;
    EXPECT_EQ(cuGraphAddKernelNode(&node, graph, after.data(), after.size(), &p), CUDA_SUCCESS);
    return node;
  }
  void launch(CUgraph graph, int times) {
    CUgraphExec exec = nullptr;
    ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
    for (int i = 0; i < times; ++i)
      ASSERT_EQ(cuGraphLaunch(exec, streams_[0]), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamSynchronize(streams_[0]), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  }

  CUstream streams_[2] = {};
  CUevent events_[2] = {};
};

// a = 2 i in one stream, b = 3 i in the other, their sum where both have met.
TEST_F(GraphKernels, streams_meet_at_events) {
  DeviceArray<float> a(kCount), b(kCount), sum(kCount);
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  const DeviceArray<float>* arrays[] = {&a, &b};
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(start("iota", over_all(streams_[i]), *arrays[i], kCount), CUDA_SUCCESS);
    ASSERT_EQ(
        start("scale", over_all(streams_[i]), *arrays[i], 2.0F + static_cast<float>(i), kCount),
        CUDA_SUCCESS);
  }
  ASSERT_EQ(cuEventRecord(events_[0], streams_[1]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(streams_[0], events_[0], 0), CUDA_SUCCESS);
  ASSERT_EQ(start("add_arrays", over_all(streams_[0]), a, b, sum, kCount), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(streams_[0]), CUDA_SUCCESS);
  std::vector<float> wanted(kCount);
  for (int i = 0; i < kCount; ++i)
    wanted[i] = static_cast<float>(5 * i);
  EXPECT_EQ(sum.get(), wanted);
}

// The same, captured once and launched again and again.
TEST_F(GraphKernels, a_captured_fork_and_join) {
  DeviceArray<float> a(kCount), b(kCount), sum(kCount);
  CUgraph graph = nullptr;
  ASSERT_EQ(cuStreamBeginCapture(streams_[0], CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(events_[0], streams_[0]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(streams_[1], events_[0], 0), CUDA_SUCCESS);
  ASSERT_EQ(start("iota", over_all(streams_[0]), a, kCount), CUDA_SUCCESS);
  ASSERT_EQ(start("scale", over_all(streams_[0]), a, 2.0F, kCount), CUDA_SUCCESS);
  ASSERT_EQ(start("iota", over_all(streams_[1]), b, kCount), CUDA_SUCCESS);
  ASSERT_EQ(start("scale", over_all(streams_[1]), b, 3.0F, kCount), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(events_[1], streams_[1]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(streams_[0], events_[1], 0), CUDA_SUCCESS);
  ASSERT_EQ(start("add_arrays", over_all(streams_[0]), a, b, sum, kCount), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(streams_[0], &graph), CUDA_SUCCESS);
  EXPECT_EQ(sum.get(), std::vector<float>(kCount));  // nothing has run
  launch(graph, 3);
  std::vector<float> wanted(kCount);
  for (int i = 0; i < kCount; ++i)
    wanted[i] = static_cast<float>(5 * i);
  EXPECT_EQ(sum.get(), wanted);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

// A diamond, whose nodes are added from its end.
TEST_F(GraphKernels, explicit_nodes_run_after_what_they_depend_on) {
  DeviceArray<int> log(8), count(1);
  CUdeviceptr log_address = log.address(), count_address = count.address();
  CUgraph graph = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  CUgraphNode nodes[4] = {};
  for (int number = 3; number >= 0; --number)
    nodes[number] = add(graph, "sign", 1, 1, {&log_address, &count_address, &number}, {});
  const CUgraphNode from[] = {nodes[0], nodes[0], nodes[1], nodes[2]};
  const CUgraphNode to[] = {nodes[1], nodes[2], nodes[3], nodes[3]};
  ASSERT_EQ(cuGraphAddDependencies(graph, from, to, nullptr, 4), CUDA_SUCCESS);
  launch(graph, 2);
  const auto got = log.get();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(got[round * 4], 0);
    EXPECT_EQ(got[round * 4 + 1] + got[round * 4 + 2], 3);
    EXPECT_EQ(got[round * 4 + 3], 3);
  }
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

// Jacobi's method: two steps are a graph, which is launched until it is done.
TEST_F(GraphKernels, an_iterative_solver) {
  constexpr int kPoints = 33, kLaunches = 200;
  std::vector<float> start_values(kPoints);
  start_values.back() = 1;
  DeviceArray<float> one(start_values), other(kPoints);
  CUgraph graph = nullptr;
  const LaunchShape shape{{1}, {64}, 0, false, streams_[0]};
  ASSERT_EQ(cuStreamBeginCapture(streams_[0], CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(start("smooth", shape, one, other, kPoints), CUDA_SUCCESS);
  ASSERT_EQ(start("smooth", shape, other, one, kPoints), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(streams_[0], &graph), CUDA_SUCCESS);
  launch(graph, kLaunches);
  std::vector<float> in = start_values, out = in;
  for (int step = 0; step < 2 * kLaunches; ++step, std::swap(in, out))
    for (int i = 1; i < kPoints - 1; ++i)
      out[i] = (in[i - 1] + in[i + 1]) / 2;
  EXPECT_EQ(one.get(), in);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

// Captured anew with other arguments, and put into the executable graph.
TEST_F(GraphKernels, an_update_changes_arguments) {
  DeviceArray<float> p(kCount);
  CUgraphExec exec = nullptr;
  for (const float by : {2.0F, 3.0F, 5.0F}) {
    CUgraph graph = nullptr;
    ASSERT_EQ(cuStreamBeginCapture(streams_[0], CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
    ASSERT_EQ(start("iota", over_all(streams_[0]), p, kCount), CUDA_SUCCESS);
    ASSERT_EQ(start("scale", over_all(streams_[0]), p, by, kCount), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamEndCapture(streams_[0], &graph), CUDA_SUCCESS);
    CUgraphExecUpdateResultInfo info{};
    ASSERT_EQ(exec == nullptr ? cuGraphInstantiateWithFlags(&exec, graph, 0)
                              : cuGraphExecUpdate(exec, graph, &info),
              CUDA_SUCCESS);
    ASSERT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
    ASSERT_EQ(cuGraphLaunch(exec, streams_[0]), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamSynchronize(streams_[0]), CUDA_SUCCESS);
    EXPECT_EQ(p.get()[7], 7 * by);
  }
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
}

// Memory that lives for one launch.
TEST_F(GraphKernels, memory_of_the_graph) {
  DeviceArray<float> out(kCount);
  CUgraph graph = nullptr;
  CUdeviceptr temporary = 0;
  ASSERT_EQ(cuStreamBeginCapture(streams_[0], CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAllocAsync(&temporary, kCount * sizeof(float), streams_[0]), CUDA_SUCCESS);
  ASSERT_EQ(start("iota", over_all(streams_[0]), temporary, kCount), CUDA_SUCCESS);
  ASSERT_EQ(start("add_arrays", over_all(streams_[0]), temporary, temporary, out, kCount),
            CUDA_SUCCESS);
  ASSERT_EQ(cuMemFreeAsync(temporary, streams_[0]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(streams_[0], &graph), CUDA_SUCCESS);
  launch(graph, 2);
  EXPECT_EQ(out.get()[9], 18.0F);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

// 27 takes 111 steps of Collatz's sequence to come to 1.
TEST_F(GraphKernels, a_kernel_decides_when_a_loop_ends) {
  DeviceArray<unsigned> number(std::vector<unsigned>{27});
  DeviceArray<int> steps(std::vector<int>{0});
  CUcontext context = nullptr;
  ASSERT_EQ(cuCtxGetCurrent(&context), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  CUgraphNode node = nullptr;
  CUgraphNodeParams p{};
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  p.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
  p.conditional.type = CU_GRAPH_COND_TYPE_WHILE;
  p.conditional.size = 1;
  p.conditional.ctx = context;
  ASSERT_EQ(cuGraphConditionalHandleCreate(&p.conditional.handle, graph, context, 1,
                                           CU_GRAPH_COND_ASSIGN_DEFAULT),
            CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddNode(&node, graph, nullptr, nullptr, 0, &p), CUDA_SUCCESS);
  CUdeviceptr at[] = {number.address(), steps.address()};
  add(p.conditional.phGraph_out[0], "collatz", 1, 1, {&p.conditional.handle, &at[0], &at[1]}, {});
  launch(graph, 1);
  EXPECT_EQ(number.get(), std::vector<unsigned>{1});
  EXPECT_EQ(steps.get(), std::vector<int>{111});
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
