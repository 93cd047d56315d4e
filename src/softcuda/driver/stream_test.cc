#include <atomic>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

using StreamTest = ContextTest;

void note_status(void* out) {
  int count = 0;
  *static_cast<CUresult*>(out) = cuDeviceGetCount(&count);
}

TEST_F(StreamTest, work_is_in_order_and_queries_tell) {
  CUstream stream = nullptr;
  CUevent event = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_SUCCESS);  // never recorded
  std::atomic<bool> gate{false};
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 4), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory, 5, 1, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
  open_gate(gate);
  ASSERT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
  unsigned int out = 0;
  ASSERT_EQ(cuMemcpyDtoH(&out, memory, 4), CUDA_SUCCESS);
  EXPECT_EQ(out, 5U);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, the_legacy_stream_waits_for_blocking_streams_only) {
  CUstream blocking = nullptr, other = nullptr;
  ASSERT_EQ(cuStreamCreate(&blocking, CU_STREAM_DEFAULT), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  std::atomic<bool> gate{false}, second_gate{false};
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 8), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(blocking, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory, 1, 1, CU_STREAM_LEGACY), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(CU_STREAM_LEGACY), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuStreamQuery(other), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(other, wait_until, &second_gate), CUDA_SUCCESS);
  open_gate(gate);
  EXPECT_EQ(cuStreamSynchronize(CU_STREAM_LEGACY), CUDA_SUCCESS);  // though `other` is not done
  open_gate(second_gate);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
}

TEST_F(StreamTest, an_event_stands_for_all_that_a_context_does) {
  CUstream one = nullptr, two = nullptr;
  CUevent event = nullptr;
  ASSERT_EQ(cuStreamCreate(&one, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&two, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
  std::atomic<bool> first{false}, second{false}, third{false};
  ASSERT_EQ(cuLaunchHostFunc(one, wait_until, &first), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(two, wait_until, &second), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxRecordEvent(context_, event), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(two, wait_until, &third), CUDA_SUCCESS);  // later, not in the event
  open_gate(second);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
  open_gate(first);
  EXPECT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(two), CUDA_ERROR_NOT_READY);
  open_gate(third);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxRecordEvent(other, event), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxRecordEvent(other, event), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxRecordEvent(context_, nullptr), CUDA_ERROR_INVALID_HANDLE);
  for (CUstream each : {one, two})
    EXPECT_EQ(cuStreamDestroy(each), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
}

TEST_F(StreamTest, a_context_waits_for_an_event_of_another) {
  CUstream recording = nullptr, waiting = nullptr;
  CUevent event = nullptr;
  CUcontext other = nullptr;
  ASSERT_EQ(cuStreamCreate(&recording, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&waiting, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxWaitEvent(other, event), CUDA_SUCCESS);  // never recorded: nothing to wait for
  std::atomic<bool> gate{false};
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 8), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(recording, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(memory, 4, 1, recording), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, recording), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(other), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxWaitEvent(other, event), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoDAsync(memory + 4, memory, 4, waiting), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(waiting), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuCtxWaitEvent(other, nullptr), CUDA_ERROR_INVALID_HANDLE);
  open_gate(gate);
  unsigned int out = 0;
  ASSERT_EQ(cuStreamSynchronize(waiting), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoH(&out, memory + 4, 4), CUDA_SUCCESS);
  EXPECT_EQ(out, 4U);
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxWaitEvent(other, event), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuStreamDestroy(recording), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
}

TEST_F(StreamTest, a_stream_waits_for_an_event_of_another) {
  CUstream first = nullptr, second = nullptr;
  CUevent event = nullptr;
  ASSERT_EQ(cuStreamCreate(&first, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  std::atomic<bool> gate{false};
  ASSERT_EQ(cuLaunchHostFunc(first, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, first), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(second, event, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(second), CUDA_ERROR_NOT_READY);
  open_gate(gate);
  EXPECT_EQ(cuStreamSynchronize(second), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_SUCCESS);
}

TEST_F(StreamTest, events_measure_time) {
  CUevent start = nullptr, end = nullptr, untimed = nullptr;
  float milliseconds = -1;
  ASSERT_EQ(cuEventCreate(&start, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&end, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&untimed, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, start, end), CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuEventRecord(start, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(end, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuEventSynchronize(end), CUDA_SUCCESS);
  ASSERT_EQ(cuEventElapsedTime(&milliseconds, start, end), CUDA_SUCCESS);
  EXPECT_GE(milliseconds, 0);
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, start, untimed), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, functions_of_the_program_may_not_call_the_api) {
  CUresult seen = CUDA_SUCCESS;
  ASSERT_EQ(cuLaunchHostFunc(nullptr, note_status, &seen), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(seen, CUDA_ERROR_NOT_PERMITTED);
}

TEST_F(StreamTest, a_value_in_memory_opens_a_stream) {
  CUstream stream = nullptr;
  void* host = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuMemHostAlloc(&host, 8, 0), CUDA_SUCCESS);
  auto* words = static_cast<std::atomic<unsigned int>*>(host);
  words[0] = words[1] = 0;
  const auto address = reinterpret_cast<CUdeviceptr>(host);
  ASSERT_EQ(cuStreamWaitValue32(stream, address, 3, CU_STREAM_WAIT_VALUE_GEQ), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWriteValue32(stream, address + 4, 8, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(words[1], 0U);
  words[0] = 4;
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(words[1], 8U);
  EXPECT_EQ(cuStreamWaitValue32(stream, address + 2, 3, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StreamTest, each_thread_has_a_default_stream) {
  unsigned long long legacy = 0, own = 0;
  ASSERT_EQ(cuStreamGetId(nullptr, &legacy), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamGetId_ptsz(nullptr, &own), CUDA_SUCCESS);
  EXPECT_NE(legacy, own);
  unsigned long long again = 0;
  ASSERT_EQ(cuStreamGetId(CU_STREAM_PER_THREAD, &again), CUDA_SUCCESS);
  EXPECT_EQ(own, again);
}

}  // namespace
}  // namespace longwire::softcuda::driver
