// Who waits may run what comes next in a stream; nothing else may depend on whether somebody waits.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cfenv>
#include <thread>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

class WaitTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    CUmodule module = nullptr;
    ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&fill_, module, "fill"), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    void* host = nullptr;
    ASSERT_EQ(cuMemHostAlloc(&host, kWords * sizeof(unsigned int), 0), CUDA_SUCCESS);
    words_ = static_cast<std::atomic<unsigned int>*>(host);
  }
  void TearDown() override {
    EXPECT_EQ(cuStreamDestroy(stream_), CUDA_SUCCESS);
    ContextTest::TearDown();
  }
  CUresult fill(unsigned int word, unsigned int value) {
    auto place = reinterpret_cast<CUdeviceptr>(words_ + word);
    void* parameters[] = {&place, &value};
    return cuLaunchKernel(fill_, 1, 1, 1, 1, 1, 1, 0, stream_, parameters, nullptr);
  }
  static constexpr unsigned int kWords = 512;
  CUfunction fill_ = nullptr;
  CUstream stream_ = nullptr;
  std::atomic<unsigned int>* words_ = nullptr;
};

TEST_F(WaitTest, a_kernel_runs_though_nobody_waits_for_it) {
  for (unsigned int value = 1; value < 20; ++value) {
    ASSERT_EQ(fill(0, value), CUDA_SUCCESS);
    while (words_[0] != value)
      std::this_thread::yield();
    while (cuStreamQuery(stream_) == CUDA_ERROR_NOT_READY)
      std::this_thread::yield();
  }
}

TEST_F(WaitTest, what_a_waiting_thread_leaves_behind_runs) {
  for (unsigned int value = 1; value < 50; ++value) {
    CUevent event = nullptr;
    ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
    ASSERT_EQ(fill(0, value), CUDA_SUCCESS);
    ASSERT_EQ(cuEventRecord(event, stream_), CUDA_SUCCESS);
    ASSERT_EQ(fill(1, value), CUDA_SUCCESS);
    ASSERT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
    EXPECT_EQ(words_[0], value);
    while (words_[1] != value)
      std::this_thread::yield();
    EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  }
}

TEST_F(WaitTest, work_keeps_its_order_however_many_wait) {
  std::atomic<bool> done{false};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.emplace_back([&] {
      EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      while (!done)
        EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
    });
  const auto first = reinterpret_cast<CUdeviceptr>(words_);
  for (unsigned int i = 1; i < kWords; ++i) {
    EXPECT_EQ(fill(0, i), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyDtoDAsync(first + i * 4, first, 4, stream_), CUDA_SUCCESS);
  }
  EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
  done = true;
  for (std::thread& each : waiting)
    each.join();
  for (unsigned int i = 1; i < kWords; ++i)
    ASSERT_EQ(words_[i], i);
}

void note_thread(void* out) { *static_cast<std::thread::id*>(out) = std::this_thread::get_id(); }

TEST_F(WaitTest, functions_of_the_program_are_called_by_no_thread_of_the_program) {
  for (int i = 0; i < 20; ++i) {
    std::thread::id caller;
    ASSERT_EQ(fill(0, 1), CUDA_SUCCESS);
    ASSERT_EQ(cuLaunchHostFunc(stream_, note_thread, &caller), CUDA_SUCCESS);
    ASSERT_EQ(fill(0, 2), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
    EXPECT_NE(caller, std::thread::id());
    EXPECT_NE(caller, std::this_thread::get_id());
    EXPECT_EQ(words_[0], 2U);
  }
}

// Denormals to zero and rounding upwards are the program's own affair.
TEST_F(WaitTest, a_kernel_does_not_compute_in_the_modes_of_the_thread_that_waits) {
  CUmodule module = nullptr;
  CUfunction add = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&add, module, "add"), CUDA_SUCCESS);
  auto* values = reinterpret_cast<float*>(words_);
  const float a[] = {1e-40F, 1}, b[] = {2e-40F, 1e-10F}, sums[] = {3e-40F, 1};
  std::copy_n(a, 2, values);
  std::copy_n(b, 2, values + 2);
  auto da = reinterpret_cast<CUdeviceptr>(values), db = da + 8, dc = da + 16;
  unsigned int n = 2;
  void* parameters[] = {&da, &db, &dc, &n};
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  for (int i = 0; i < 3; ++i) {
#if defined(__x86_64__)
    constexpr unsigned int kZeros = 0x8040;
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | kZeros);
#endif
    EXPECT_EQ(cuLaunchKernel(add, 1, 1, 1, 2, 1, 1, 0, stream_, parameters, nullptr), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
#if defined(__x86_64__)
    EXPECT_EQ(__builtin_ia32_stmxcsr() & kZeros, kZeros);
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() & ~kZeros);
#endif
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    for (int k = 0; k < 2; ++k)
      EXPECT_EQ(std::bit_cast<unsigned int>(values[4 + k]), std::bit_cast<unsigned int>(sums[k]));
  }
  EXPECT_EQ(std::fesetround(FE_TONEAREST), 0);
}

TEST_F(WaitTest, a_blocking_copy_sees_what_was_put_before_it) {
  for (unsigned int value = 1; value < 50; ++value) {
    void* parameters[2] = {};
    auto place = reinterpret_cast<CUdeviceptr>(words_);
    parameters[0] = &place;
    parameters[1] = &value;
    ASSERT_EQ(cuLaunchKernel(fill_, 1, 1, 1, 8, 1, 1, 0, nullptr, parameters, nullptr),
              CUDA_SUCCESS);
    unsigned int out[8] = {};
    ASSERT_EQ(cuMemcpyDtoH(out, place, sizeof out), CUDA_SUCCESS);
    EXPECT_EQ(out[7], value);
  }
}

TEST_F(WaitTest, a_waiting_thread_gets_the_fault_of_what_it_ran) {
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate(&own, nullptr, 0, 0), CUDA_SUCCESS);
  CUmodule module = nullptr;
  CUfunction bad = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&bad, module, "bad"), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchKernel(bad, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
