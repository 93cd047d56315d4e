// Stream capture: what becomes of calls, forks and joins, and what is forbidden.
#include <functional>
#include <thread>

#include "softcuda/driver/graph_testing.h"

namespace longwire::softcuda::driver {
namespace {

class CaptureTest : public GraphTest {
 protected:
  void SetUp() override {
    GraphTest::SetUp();
    ASSERT_EQ(cuStreamCreate(&other_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuEventCreate(&fork_, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
    ASSERT_EQ(cuEventCreate(&join_, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  }
  void TearDown() override {
    if (other_ != nullptr) {
      EXPECT_EQ(cuStreamDestroy(other_), CUDA_SUCCESS);
    }
    EXPECT_EQ(cuEventDestroy(fork_), CUDA_SUCCESS);
    EXPECT_EQ(cuEventDestroy(join_), CUDA_SUCCESS);
    GraphTest::TearDown();
  }
  void begin(CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
    ASSERT_EQ(cuStreamBeginCapture(stream_, mode), CUDA_SUCCESS);
  }
  // Replaces `graph_`.
  CUresult end() {
    EXPECT_EQ(cuGraphDestroy(graph_), CUDA_SUCCESS);
    return cuStreamEndCapture(stream_, &graph_);
  }
  void fork() {
    ASSERT_EQ(cuEventRecord(fork_, stream_), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamWaitEvent(other_, fork_, 0), CUDA_SUCCESS);
  }
  void join() {
    ASSERT_EQ(cuEventRecord(join_, other_), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamWaitEvent(stream_, join_, 0), CUDA_SUCCESS);
  }
  CUstreamCaptureStatus status_of(CUstream stream) {
    CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
    EXPECT_EQ(cuStreamIsCapturing(stream, &status), CUDA_SUCCESS);
    return status;
  }

 public:
  CUstream other_ = nullptr;
  CUevent fork_ = nullptr, join_ = nullptr;
};

TEST_F(CaptureTest, work_becomes_nodes_and_runs_when_launched) {
  std::vector<unsigned> out(kWords);
  Notes notes;
  Note note{&notes, 0};
  begin();
  ASSERT_EQ(fill(stream_, 5), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory_, 6, 2, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWriteValue32(stream_, memory_ + 4, 7, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoHAsync(out.data(), memory_, kWords * 4, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream_, Note::write, &note), CUDA_SUCCESS);
  EXPECT_EQ(status_of(stream_), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  ASSERT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(status_of(stream_), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(node_count(graph_), 5U);
  EXPECT_EQ(words()[0], 0U);
  CUgraphExec exec = instantiate(graph_);
  launch(exec);
  launch(exec);
  EXPECT_EQ(out, (std::vector<unsigned>{6, 7, 5, 5, 5, 5, 5, 5}));
  EXPECT_EQ(notes.numbers.size(), 2U);
}

TEST_F(CaptureTest, streams_fork_and_join_through_events) {
  begin();
  ASSERT_EQ(fill(stream_, 1), CUDA_SUCCESS);
  fork();
  EXPECT_EQ(status_of(other_), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  ASSERT_EQ(cuMemsetD32Async(memory_, 2, 1, other_), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory_ + 4, 3, 1, stream_), CUDA_SUCCESS);
  join();
  ASSERT_EQ(cuMemsetD32Async(memory_ + 8, 4, 1, stream_), CUDA_SUCCESS);
  ASSERT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(status_of(other_), CU_STREAM_CAPTURE_STATUS_NONE);
  std::size_t edges = 0, roots = 0;
  ASSERT_EQ(cuGraphGetEdges(graph_, nullptr, nullptr, nullptr, &edges), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphGetRootNodes(graph_, nullptr, &roots), CUDA_SUCCESS);
  EXPECT_EQ(edges, 4U);
  EXPECT_EQ(roots, 1U);
  launch(instantiate(graph_));
  EXPECT_EQ(words(), (std::vector<unsigned>{2, 3, 4, 1, 1, 1, 1, 1}));
}

TEST_F(CaptureTest, a_fork_must_be_joined_with_all_its_work) {
  begin();
  fork();
  ASSERT_EQ(fill(other_, 1), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_EQ(graph_, nullptr);
  EXPECT_EQ(status_of(other_), CU_STREAM_CAPTURE_STATUS_NONE);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  begin();
  fork();
  ASSERT_EQ(fill(other_, 1), CUDA_SUCCESS);
  join();
  ASSERT_EQ(fill(other_, 2), CUDA_SUCCESS);  // after the join
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  ASSERT_EQ(fill(other_, 3), CUDA_SUCCESS);  // runs
  ASSERT_EQ(cuStreamSynchronize(other_), CUDA_SUCCESS);
  EXPECT_EQ(words()[0], 3U);
}

TEST_F(CaptureTest, it_ends_where_it_began) {
  EXPECT_EQ(cuStreamEndCapture(stream_, &graph_), CUDA_ERROR_ILLEGAL_STATE);
  begin();
  EXPECT_EQ(cuStreamBeginCapture(stream_, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_ERROR_ILLEGAL_STATE);
  EXPECT_EQ(cuStreamEndCapture(stream_, nullptr), CUDA_ERROR_INVALID_VALUE);
  std::thread([this] {
    CUgraph graph = nullptr;
    EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamEndCapture(stream_, &graph), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  }).join();
  fork();
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(other_, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(status_of(stream_), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(fill(stream_, 1), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(graph_, nullptr);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  begin(CU_STREAM_CAPTURE_MODE_RELAXED);
  std::thread([this] {
    EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    EXPECT_EQ(end(), CUDA_SUCCESS);
  }).join();
}

TEST_F(CaptureTest, captures_stay_apart) {
  CUevent outside = nullptr;
  ASSERT_EQ(cuEventCreate(&outside, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(outside, other_), CUDA_SUCCESS);
  begin();
  EXPECT_EQ(cuStreamWaitEvent(stream_, outside, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  begin();
  ASSERT_EQ(cuStreamBeginCapture(other_, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(fork_, other_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(stream_, fork_, 0), CUDA_ERROR_STREAM_CAPTURE_MERGE);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(other_, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  // Of a capture that is over, an event stands for nothing that could be waited for.
  EXPECT_EQ(cuStreamWaitEvent(stream_, fork_, 0), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(cuEventQuery(fork_), CUDA_ERROR_CAPTURED_EVENT);
  ASSERT_EQ(cuEventRecord(fork_, other_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventSynchronize(fork_), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(outside), CUDA_SUCCESS);
}

TEST_F(CaptureTest, the_legacy_stream_would_depend_on_blocking_streams) {
  CUstream blocking = nullptr;
  ASSERT_EQ(cuStreamCreate(&blocking, CU_STREAM_DEFAULT), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  ASSERT_EQ(cuStreamBeginCapture(blocking, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  CUstreamCaptureStatus status{};
  EXPECT_EQ(cuStreamIsCapturing(CU_STREAM_LEGACY, &status), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(status_of(blocking), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(fill(nullptr, 1), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  EXPECT_EQ(status_of(blocking), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
  EXPECT_EQ(cuMemsetD32(memory_, 1, 1), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuStreamDestroy(blocking), CUDA_SUCCESS);
  // A stream that does not block has nothing to do with it.
  begin(CU_STREAM_CAPTURE_MODE_RELAXED);
  EXPECT_EQ(fill(nullptr, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32(memory_, 4, 1), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
}

TEST_F(CaptureTest, waits_and_queries_of_what_is_captured_are_refused) {
  using Call = CUresult (*)(CaptureTest&);
  const std::pair<Call, CUresult> calls[] = {
      {[](CaptureTest& t) { return cuStreamSynchronize(t.stream_); },
       CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED},
      {[](CaptureTest& t) { return cuStreamQuery(t.stream_); },
       CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED},
      {[](CaptureTest&) { return cuCtxSynchronize(); }, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED},
      {[](CaptureTest& t) {
         (void)cuEventRecord(t.fork_, t.stream_);
         return cuEventQuery(t.fork_);
       },
       CUDA_ERROR_CAPTURED_EVENT},
      {[](CaptureTest& t) {
         return cuStreamAddCallback(
             t.stream_, [](CUstream, CUresult, void*) {}, nullptr, 0);
       },
       CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED}};
  for (const auto& [call, wanted] : calls) {
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);  // no mode allows them
    EXPECT_EQ(call(*this), wanted);
    EXPECT_EQ(status_of(stream_), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  }
}

TEST_F(CaptureTest, modes_say_which_other_calls_are_forbidden_where) {
  CUdeviceptr p = 0;
  begin();
  EXPECT_EQ(cuMemAlloc(&p, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  std::thread([this] {
    CUdeviceptr q = 0;
    EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    EXPECT_EQ(cuMemAlloc(&q, 4), CUDA_SUCCESS);
    EXPECT_EQ(cuMemFree(q), CUDA_SUCCESS);
  }).join();
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  ASSERT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
  EXPECT_EQ(cuMemAlloc(&p, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(p), CUDA_SUCCESS);
  ASSERT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(status_of(stream_), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  begin();
  std::thread([this] {  // a global capture of another thread
    EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamQuery(other_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  })
      .join();
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  mode = static_cast<CUstreamCaptureMode>(3);
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_ERROR_INVALID_VALUE);
}

// Of those that the documentation does not name, the ones that allocate as cuMemAlloc does, or wait
// as cuMemFree does. Mapping memory does neither: programs do it within captures.
TEST_F(CaptureTest, calls_that_allocate_or_free_are_forbidden) {
  CUdeviceptr memory = 0, managed = 0;
  void* host = nullptr;
  CUarray array = nullptr, made = nullptr;
  CUipcMemHandle handle{};
  int word = 0;
  const CUDA_ARRAY_DESCRIPTOR description{4, 4, CU_AD_FORMAT_SIGNED_INT32, 1};
  ASSERT_EQ(cuMemAlloc(&memory, 4), CUDA_SUCCESS);
  ASSERT_EQ(cuArrayCreate(&array, &description), CUDA_SUCCESS);
  const std::vector<std::function<CUresult()>> calls = {
      [&] { return cuArrayCreate(&made, &description); },
      [&] { return cuArrayDestroy(array); },
      [&] { return cuMemFree(memory); },
      [&] { return cuMemAllocManaged(&managed, 4, CU_MEM_ATTACH_GLOBAL); },
      [&] { return cuMemHostAlloc(&host, 4, 0); },
      [&] { return cuMemHostRegister(&word, sizeof word, 0); },
      [&] { return cuIpcGetMemHandle(&handle, memory); },
      [&] { return cuIpcOpenMemHandle(&managed, handle, CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS); },
      [&] { return cuIpcCloseMemHandle(memory); },
      [&] { return cuMemcpyHtoD(memory, &word, 4); },
      [&] { return cuStreamSynchronize(other_); },
      [&] { return cuEventQuery(fork_); },
      [&] { return cuCtxSynchronize(); },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    begin();
    EXPECT_EQ(calls[i](), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED) << i;
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED) << i;
    ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  }
  begin();
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  constexpr size_t kBytes = size_t{2} << 20;
  CUmemGenericAllocationHandle physical = 0;
  CUdeviceptr mapped = 0;
  EXPECT_EQ(cuMemAddressReserve(&mapped, kBytes, 0, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemCreate(&physical, kBytes, &properties, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemMap(mapped, kBytes, 0, physical, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemUnmap(mapped, kBytes), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(physical), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAddressFree(mapped, kBytes), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(memory), CUDA_SUCCESS);
}

TEST_F(CaptureTest, events_of_a_context_with_a_capture_are_refused) {
  begin();
  EXPECT_EQ(cuCtxRecordEvent(context_, fork_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  begin();
  EXPECT_EQ(cuCtxWaitEvent(context_, join_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  CUcontext other = nullptr;
  begin();
  ASSERT_EQ(cuEventRecord(fork_, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxWaitEvent(other, fork_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  ASSERT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
}

TEST_F(CaptureTest, its_graph_and_dependencies_may_be_looked_at_and_changed) {
  begin();
  ASSERT_EQ(fill(stream_, 1), CUDA_SUCCESS);
  CUstreamCaptureStatus status{};
  cuuint64_t id = 0;
  CUgraph graph = nullptr;
  const CUgraphNode* nodes = nullptr;
  const CUgraphEdgeData* edges = nullptr;
  std::size_t count = 0;
  ASSERT_EQ(cuStreamGetCaptureInfo(stream_, &status, &id, &graph, &nodes, &edges, &count),
            CUDA_SUCCESS);
  EXPECT_NE(id, 0U);
  ASSERT_EQ(count, 1U);
  EXPECT_EQ(edges[0].type, 0);
  CUgraphNode kernel = nodes[0], mine = add_empty(graph, {kernel});
  ASSERT_EQ(cuStreamUpdateCaptureDependencies(stream_, &mine, nullptr, 1,
                                              CU_STREAM_SET_CAPTURE_DEPENDENCIES),
            CUDA_SUCCESS);
  EXPECT_EQ(cuStreamUpdateCaptureDependencies(stream_, &mine, nullptr, 1, 7),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamUpdateCaptureDependencies(other_, &mine, nullptr, 1, 0),
            CUDA_ERROR_ILLEGAL_STATE);
  ASSERT_EQ(fill(stream_, 2), CUDA_SUCCESS);
  ASSERT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(graph_, graph);
  ASSERT_EQ(cuGraphNodeGetDependentNodes(mine, nullptr, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1U);
}

TEST_F(CaptureTest, it_may_add_to_a_graph_of_the_program) {
  CUgraphNode first = add_fill(1);
  ASSERT_EQ(cuStreamBeginCaptureToGraph(stream_, graph_, &first, nullptr, 1,
                                        CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory_, 9, 1, stream_), CUDA_SUCCESS);
  CUgraph captured = nullptr;
  ASSERT_EQ(cuStreamEndCapture(stream_, &captured), CUDA_SUCCESS);
  EXPECT_EQ(captured, graph_);
  launch(instantiate(graph_));
  EXPECT_EQ(words()[0], 9U);
  EXPECT_EQ(words()[1], 1U);
  // Invalid, it leaves the graph to the program.
  ASSERT_EQ(cuStreamBeginCaptureToGraph(stream_, graph_, nullptr, nullptr, 0,
                                        CU_STREAM_CAPTURE_MODE_GLOBAL),
            CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream_), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(cuStreamEndCapture(stream_, &captured), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(node_count(graph_), 2U);
}

TEST_F(CaptureTest, memory_events_and_graphs_become_nodes) {
  CUevent external = nullptr;
  ASSERT_EQ(cuEventCreate(&external, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecordWithFlags(external, stream_, CU_EVENT_RECORD_EXTERNAL),
            CUDA_ERROR_INVALID_VALUE);  // of no capture
  add_fill(1);
  CUgraphExec inner = instantiate(graph_);
  begin();
  CUdeviceptr p = 0;
  ASSERT_EQ(cuMemAllocAsync(&p, kWords * 4, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(p, 5, kWords, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(inner, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoDAsync(memory_, p, 4, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFreeAsync(p, stream_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(stream_, external, CU_EVENT_WAIT_EXTERNAL), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecordWithFlags(external, stream_, CU_EVENT_RECORD_EXTERNAL), CUDA_SUCCESS);
  ASSERT_EQ(end(), CUDA_SUCCESS);
  EXPECT_EQ(node_count(graph_), 7U);
  CUgraphExec exec = instantiate(graph_);
  launch(exec);
  launch(exec);
  EXPECT_EQ(words(), (std::vector<unsigned>{5, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(cuEventQuery(external), CUDA_SUCCESS);
  begin();  // memory from elsewhere cannot be freed by a graph
  ASSERT_EQ(cuMemFreeAsync(memory_, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGraphLaunch(inner, stream_), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(stream_, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuEventDestroy(external), CUDA_SUCCESS);
}

TEST_F(CaptureTest, streams_that_are_destroyed_take_it_with_them) {
  begin();
  fork();
  ASSERT_EQ(cuStreamDestroy(other_), CUDA_SUCCESS);
  other_ = nullptr;
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  ASSERT_EQ(cuGraphCreate(&graph_, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&other_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  begin();
  fork();
  ASSERT_EQ(cuStreamDestroy(stream_), CUDA_SUCCESS);
  stream_ = nullptr;
  EXPECT_EQ(status_of(other_), CU_STREAM_CAPTURE_STATUS_NONE);
  EXPECT_EQ(cuStreamSynchronize(other_), CUDA_SUCCESS);
}

TEST_F(CaptureTest, it_ends_with_its_context) {
  CUcontext own = nullptr;
  CUstream stream = nullptr;
  CUdeviceptr p = 0;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&stream, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc(&p, 4), CUDA_SUCCESS);  // there is none any more that forbids it
  EXPECT_EQ(cuMemFree(p), CUDA_SUCCESS);
}

TEST_F(CaptureTest, its_graph_may_be_destroyed_under_it) {
  begin();
  ASSERT_EQ(fill(stream_, 1), CUDA_SUCCESS);
  CUstreamCaptureStatus status{};
  cuuint64_t id = 0;
  CUgraph graph = nullptr;
  ASSERT_EQ(cuStreamGetCaptureInfo(stream_, &status, &id, &graph, nullptr, nullptr, nullptr),
            CUDA_SUCCESS);
  ASSERT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(fill(stream_, 1), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

}  // namespace
}  // namespace longwire::softcuda::driver
