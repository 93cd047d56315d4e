// Streams that are full: who has more for them waits, and nobody else does.
#include <atomic>
#include <thread>

#include "softcuda/driver/stream.h"
#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

class FullStreamTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    void* host = nullptr;
    ASSERT_EQ(cuMemHostAlloc(&host, 8, 0), CUDA_SUCCESS);
    gate_ = reinterpret_cast<CUdeviceptr>(host);
    *static_cast<cuuint64_t*>(host) = 0;
    for (CUstream* each : {&full_, &other_})
      ASSERT_EQ(cuStreamCreate(each, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamWaitValue32(full_, gate_, 1, CU_STREAM_WAIT_VALUE_EQ), CUDA_SUCCESS);
  }
  void TearDown() override {
    for (CUstream each : {full_, other_})
      EXPECT_EQ(cuStreamDestroy(each), CUDA_SUCCESS);
    EXPECT_EQ(cuMemFreeHost(reinterpret_cast<void*>(gate_)), CUDA_SUCCESS);
    ContextTest::TearDown();
  }

  // A thread that puts more into the stream than it holds. Returns when that thread waits, or will
  // with its next call.
  std::thread overfill(CUstream stream) {
    put_ = 0;
    std::thread thread([this, stream] {
      ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      for (std::size_t i = 0; i < kMaxQueued + 100; ++i, ++put_)
        ASSERT_EQ(cuLaunchHostFunc(
                      stream, [](void*) {}, nullptr),
                  CUDA_SUCCESS);
    });
    while (put_ < kMaxQueued - 2)
      std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return thread;
  }
  // From another stream, in order.
  void open() {
    ASSERT_EQ(cuStreamWriteValue32(other_, gate_, 1, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamSynchronize(other_), CUDA_SUCCESS);
  }

  CUdeviceptr gate_ = 0;
  CUstream full_ = nullptr, other_ = nullptr;
  std::atomic<std::size_t> put_{0};
};

TEST_F(FullStreamTest, what_makes_room_may_come_from_another_stream) {
  std::thread filler = overfill(full_);
  EXPECT_EQ(cuStreamQuery(full_), CUDA_ERROR_NOT_READY);
  unsigned long long id = 0;
  EXPECT_EQ(cuStreamGetId(nullptr, &id), CUDA_SUCCESS);  // looks for the context's own stream
  open();
  filler.join();
  EXPECT_EQ(cuStreamSynchronize(full_), CUDA_SUCCESS);
}

TEST_F(FullStreamTest, two_that_wait_for_each_other) {
  CUevent event = nullptr;
  CUstream second = nullptr;
  ASSERT_EQ(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, full_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(second, event, 0), CUDA_SUCCESS);
  std::thread filler = overfill(full_);
  std::thread second_filler = overfill(second);
  open();
  filler.join();
  second_filler.join();
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(second), CUDA_SUCCESS);
}

TEST_F(FullStreamTest, a_graph_that_waits_for_room_stops_no_other_graph) {
  CUevent event = nullptr;
  CUgraph graph = nullptr;
  CUgraphNode node = nullptr;
  CUgraphExec exec = nullptr, second_exec = nullptr;
  ASSERT_EQ(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEventRecordNode(&node, graph, nullptr, 0, event), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&second_exec, graph, 0), CUDA_SUCCESS);
  std::thread filler = overfill(full_);
  std::atomic<bool> begun{false};
  std::thread launcher([&] {
    ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    begun = true;
    ASSERT_EQ(cuGraphLaunch(exec, full_), CUDA_SUCCESS);
  });
  while (!begun)
    std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_EQ(cuGraphLaunch(second_exec, other_), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(other_), CUDA_SUCCESS);
  open();
  filler.join();
  launcher.join();
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  for (CUgraphExec each : {exec, second_exec})
    EXPECT_EQ(cuGraphExecDestroy(each), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
}

TEST_F(FullStreamTest, who_waits_hears_that_the_stream_is_destroyed) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitValue32(stream, gate_, 1, CU_STREAM_WAIT_VALUE_EQ), CUDA_SUCCESS);
  std::atomic<CUresult> end{CUDA_SUCCESS};
  std::thread filler([&] {
    ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    for (; end == CUDA_SUCCESS; ++put_)
      end = cuLaunchHostFunc(
          stream, [](void*) {}, nullptr);
  });
  while (put_ < kMaxQueued)
    std::this_thread::yield();
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
  filler.join();
  EXPECT_EQ(end, CUDA_ERROR_INVALID_HANDLE);
  open();
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
