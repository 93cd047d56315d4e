// kernels/bad_days.cu: what goes away while kernels run, and kernels that end badly.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

// Long enough that what follows a launch mostly finds it running; nothing depends on it.
constexpr std::chrono::milliseconds kAWhile{20};

class BadDays : public KernelsTest {
 protected:
  BadDays() : KernelsTest("bad_days") {}

  void SetUp() override {
    KernelsTest::SetUp();
    ASSERT_EQ(cuMemHostAlloc(&host_, 2 * sizeof(int), CU_MEMHOSTALLOC_PORTABLE), CUDA_SUCCESS);
    flag_ = static_cast<int*>(host_);
    hold();
  }
  void TearDown() override {
    let_go();
    KernelsTest::TearDown();
  }
  CUdeviceptr flag() const { return reinterpret_cast<CUdeviceptr>(flag_); }
  void hold() const { __atomic_store_n(flag_, 0, __ATOMIC_RELEASE); }
  void let_go() const { __atomic_store_n(flag_, 1, __ATOMIC_RELEASE); }
  std::thread let_go_soon() const {
    return std::thread([this] {
      std::this_thread::sleep_for(kAWhile);
      let_go();
    });
  }
  CUstream stream() {
    CUstream made = nullptr;
    EXPECT_EQ(cuStreamCreate(&made, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    return made;
  }
  LaunchShape in(CUstream stream, unsigned blocks = 4) const {
    return {{blocks}, {32}, 0, false, stream};
  }
  // The context after a fault, as new.
  void start_again() {
    EXPECT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
    SetUp();
  }

  void* host_ = nullptr;
  int* flag_ = nullptr;
};

TEST_F(BadDays, a_context_is_destroyed_while_its_kernels_run) {
  CUcontext other = nullptr;
  CUmodule module = nullptr;
  CUfunction waits = nullptr, works = nullptr;
  CUdeviceptr out = 0, flag_address = flag();
  unsigned rounds = 5;
  ASSERT_EQ(cuCtxCreate(&other, nullptr, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleLoadData(&module, ptx().c_str()), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&waits, module, "waits_for"), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&works, module, "works"), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAlloc(&out, 4), CUDA_SUCCESS);
  CUstream streams[] = {stream(), stream(), nullptr};
  void* of_waits[] = {&flag_address, &out};
  void* of_works[] = {&out, &rounds};
  for (CUstream each : streams) {
    ASSERT_EQ(cuLaunchKernel(waits, 4, 1, 1, 32, 1, 1, 0, each, of_waits, nullptr), CUDA_SUCCESS);
    ASSERT_EQ(cuLaunchKernel(works, 4, 1, 1, 32, 1, 1, 0, each, of_works, nullptr), CUDA_SUCCESS);
  }
  std::thread soon = let_go_soon();
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  soon.join();
  EXPECT_EQ(cuStreamQuery(streams[0]), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(out), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
}

TEST_F(BadDays, a_module_is_unloaded_while_its_kernels_run) {
  DeviceArray<int> out(1);
  CUstream mine = stream();
  ASSERT_EQ(start("waits_for", in(mine), flag(), out), CUDA_SUCCESS);
  ASSERT_EQ(start("waits_for", in(mine), flag(), out), CUDA_SUCCESS);
  CUfunction function_of_it = function("waits_for");
  ASSERT_EQ(cuModuleUnload(module_), CUDA_SUCCESS);
  module_ = nullptr;
  void* none[] = {nullptr, nullptr};
  EXPECT_EQ(cuLaunchKernel(function_of_it, 1, 1, 1, 1, 1, 1, 0, mine, none, nullptr),
            CUDA_ERROR_INVALID_HANDLE);
  let_go();
  EXPECT_EQ(cuStreamSynchronize(mine), CUDA_SUCCESS);
  EXPECT_EQ(out.get()[0], 2 * 4 * 32);
}

TEST_F(BadDays, streams_and_events_are_destroyed_while_busy) {
  DeviceArray<int> out(1);
  CUstream first = stream(), second = stream();
  CUevent event = nullptr, never = nullptr;
  ASSERT_EQ(cuEventCreate(&event, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&never, 0), CUDA_SUCCESS);
  ASSERT_EQ(start("waits_for", in(first), flag(), out), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, first), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(never, first), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(second, event, 0), CUDA_SUCCESS);
  ASSERT_EQ(start("waits_for", in(second), flag(), out), CUDA_SUCCESS);
  std::thread waiter([&] {
    cuCtxSetCurrent(context_);
    const CUresult result = cuEventSynchronize(never);  // destroyed before, or while it waits
    EXPECT_TRUE(result == CUDA_SUCCESS || result == CUDA_ERROR_INVALID_HANDLE) << result;
  });
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(first), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(second), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(never), CUDA_SUCCESS);
  EXPECT_EQ(start("waits_for", in(first), flag(), out), CUDA_ERROR_INVALID_HANDLE);
  let_go();
  waiter.join();
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);  // their work is done all the same
  EXPECT_EQ(out.get()[0], 2 * 4 * 32);
}

TEST_F(BadDays, memory_is_freed_while_a_kernel_uses_it) {
  CUdeviceptr out = 0;
  ASSERT_EQ(cuMemAlloc(&out, 4), CUDA_SUCCESS);
  CUstream mine = stream();
  ASSERT_EQ(start("waits_for", in(mine), flag(), out), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoHAsync(flag_ + 1, out, 4, mine), CUDA_SUCCESS);
  std::thread soon = let_go_soon();
  EXPECT_EQ(cuMemFree(out), CUDA_SUCCESS);
  soon.join();
  const CUresult result = cuStreamSynchronize(mine);
  EXPECT_TRUE(result == CUDA_SUCCESS || result == CUDA_ERROR_ILLEGAL_ADDRESS) << result;
  start_again();
}

// A fault is the context's: what runs in other streams ends, what waits there is dropped.
TEST_F(BadDays, a_fault_while_others_run) {
  DeviceArray<int> out(1);
  CUstream busy = stream(), faulty = stream();
  CUevent after = nullptr;
  ASSERT_EQ(cuEventCreate(&after, 0), CUDA_SUCCESS);
  ASSERT_EQ(start("waits_for", in(busy), flag(), out), CUDA_SUCCESS);
  ASSERT_EQ(start("waits_for", in(busy), flag(), out), CUDA_SUCCESS);
  ASSERT_EQ(start("writes_to", in(faulty), CUdeviceptr{64}), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(after, faulty), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(faulty), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuEventSynchronize(after), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuMemsetD32Async(out.address(), 0, 1, busy), CUDA_ERROR_ILLEGAL_ADDRESS);
  let_go();
  EXPECT_EQ(cuStreamSynchronize(busy), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  start_again();
  DeviceArray<unsigned> sum(1);
  run("works", in(nullptr), sum, 3U);
  EXPECT_EQ(sum.get()[0], 4U * 32 * 3);
}

TEST_F(BadDays, threads_that_use_one_context) {
  constexpr int kThreads = 4, kRounds = 25;
  DeviceArray<unsigned> shared(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      EXPECT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      CUstream mine = t % 2 == 0 ? CU_STREAM_PER_THREAD : stream();
      CUdeviceptr own = 0, out = shared.address();
      unsigned rounds = 7, got = 0;
      void* of_shared[] = {&out, &rounds};
      void* of_own[] = {&own, &rounds};
      CUfunction works = nullptr;
      EXPECT_EQ(cuModuleGetFunction(&works, module_, "works"), CUDA_SUCCESS);
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_EQ(cuMemAlloc(&own, 4), CUDA_SUCCESS);
        EXPECT_EQ(cuMemsetD32Async(own, 0, 1, mine), CUDA_SUCCESS);
        for (void** each : {of_shared, of_own})
          EXPECT_EQ(cuLaunchKernel(works, 2, 1, 1, 32, 1, 1, 0, mine, each, nullptr), CUDA_SUCCESS);
        EXPECT_EQ(cuMemcpyDtoHAsync(&got, own, 4, mine), CUDA_SUCCESS);
        EXPECT_EQ(cuStreamSynchronize(mine), CUDA_SUCCESS);
        EXPECT_EQ(got, 2U * 32 * 7);
        EXPECT_EQ(cuMemFree(own), CUDA_SUCCESS);
      }
    });
  for (std::thread& each : threads)
    each.join();
  EXPECT_EQ(shared.get()[0], kThreads * kRounds * 2U * 32 * 7);
}

TEST_F(BadDays, calls_of_what_is_no_function) {
  for (std::uint64_t address : {std::uint64_t{0}, std::uint64_t{flag()}, ~std::uint64_t{0}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(start("calls", {{1}, {32}}, address, 1), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_INSTRUCTION) << address;
    ::testing::internal::GetCapturedStderr();
    start_again();
  }
}

TEST_F(BadDays, frees_of_what_is_not_the_heaps) {
  DeviceArray<int> memory(64);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(start("frees", {{1}, {1}}, memory), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("free() of what malloc() did not give"));
  start_again();
}

std::vector<char> bytes_of(const std::string& text) {
  return {text.c_str(), text.c_str() + text.size() + 1};
}

TEST_F(BadDays, formats_that_mean_harm) {
  DeviceArray<char> text(bytes_of("text"));
  for (const char* format :
       {"%",       "%%%",         "%n%n%n%n",      "%hhn",          "%*d",
        "%.*f",    "%999999999d", "%.2147483647f", "%99999999999d", "%-+ #0*.*llx",
        "%lc %ls", "%s",          "%1$s %2$d",     "%q%w%y",        "%hhhhhhhd",
        "%.-5d",   "%llllld",     "%La",           "%\n",           "%s%s%c%c"}) {
    DeviceArray<char> device(bytes_of(format));
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(start("prints", {{1}, {2}}, device, text), CUDA_SUCCESS);
    const CUresult result = cuCtxSynchronize();
    ::testing::internal::GetCapturedStderr();
    EXPECT_LT(::testing::internal::GetCapturedStdout().size(), std::size_t{1} << 20) << format;
    EXPECT_TRUE(result == CUDA_SUCCESS || result == CUDA_ERROR_ILLEGAL_ADDRESS ||
                result == CUDA_ERROR_MISALIGNED_ADDRESS)
        << format << ": " << result;
    if (result != CUDA_SUCCESS) start_again();
  }
}

TEST_F(BadDays, texts_that_are_not_there) {
  const std::vector<char> without_end(256, 'x');
  for (CUdeviceptr text : {CUdeviceptr{0}, ~CUdeviceptr{0}, CUdeviceptr{1}}) {
    for (bool as_format : {false, true}) {
      DeviceArray<char> format(bytes_of("%s"));
      DeviceArray<char> endless(without_end);
      const CUdeviceptr place = text == 1 ? endless.address() : text;
      ::testing::internal::CaptureStdout();
      ::testing::internal::CaptureStderr();
      EXPECT_EQ(start("prints", {{1}, {1}}, as_format ? place : format.address(), place),
                CUDA_SUCCESS);
      const CUresult result = cuCtxSynchronize();
      ::testing::internal::GetCapturedStderr();
      ::testing::internal::GetCapturedStdout();
      const bool null_text = text == 0 && !as_format;  // "(null)", as hosts have it
      EXPECT_TRUE(result == CUDA_ERROR_ILLEGAL_ADDRESS ||
                  (result == CUDA_SUCCESS && (null_text || text == 1)))
          << text << " " << result;
      if (result != CUDA_SUCCESS) start_again();
    }
  }
}

TEST_F(BadDays, sizes_over_the_limits) {
  struct Wrong {
    Size grid, block;
    unsigned shared;
  };
  constexpr unsigned kMost = std::numeric_limits<unsigned>::max();
  DeviceArray<unsigned> out(1);
  for (const Wrong& wrong :
       {Wrong{{0}, {1}, 0}, Wrong{{1, 0}, {1}, 0}, Wrong{{1, 1, 0}, {1}, 0}, Wrong{{1}, {0}, 0},
        Wrong{{1}, {1, 0}, 0}, Wrong{{1}, {1, 1, 0}, 0}, Wrong{{0x80000000}, {1}, 0},
        Wrong{{1, 65536}, {1}, 0}, Wrong{{1, 1, 65536}, {1}, 0},
        Wrong{{kMost, kMost, kMost}, {1}, 0}, Wrong{{1}, {1025}, 0}, Wrong{{1}, {1, 1025}, 0},
        Wrong{{1}, {1, 1, 65}, 0}, Wrong{{1}, {33, 32}, 0}, Wrong{{1}, {kMost, kMost, kMost}, 0},
        Wrong{{1}, {65536, 65536}, 0}, Wrong{{1}, {1}, 49153}, Wrong{{1}, {1}, kMost}})
    for (bool cooperative : {false, true})
      EXPECT_EQ(start("works", {wrong.grid, wrong.block, wrong.shared, cooperative}, out, 1U),
                CUDA_ERROR_INVALID_VALUE)
          << wrong.grid.x << " " << wrong.block.x << " " << wrong.shared;
  EXPECT_EQ(start("works", {{1 << 20}, {32}, 0, true}, out, 1U),
            CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
  EXPECT_EQ(cuFuncSetAttribute(function("works"), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               1 << 30),
            CUDA_ERROR_INVALID_VALUE);
  run("works", {{1}, {1024}, 49152}, out, 1U);  // none of them left anything behind
  EXPECT_EQ(out.get()[0], 1024U);
}

TEST_F(BadDays, memory_runs_out) {
  std::vector<CUdeviceptr> all;
  CUdeviceptr next = 0;
  for (std::size_t bytes = std::size_t{1} << 40; bytes >= 1 << 16; bytes /= 2)
    while (all.size() < 4096 && cuMemAlloc(&next, bytes) == CUDA_SUCCESS)
      all.push_back(next);
  EXPECT_EQ(cuMemAlloc(&next, 1 << 20), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc(&next, ~std::size_t{0}), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAllocAsync(&next, 1 << 20, nullptr), CUDA_ERROR_OUT_OF_MEMORY);
  CUmodule module = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module,
                             ".version 8.0\n.target sm_80\n.address_size 64\n"
                             ".visible .global .align 4 .b8 huge[1048576];\n"),
            CUDA_ERROR_OUT_OF_MEMORY);
  for (CUdeviceptr each : all)
    EXPECT_EQ(cuMemFree(each), CUDA_SUCCESS);
  DeviceArray<unsigned> out(1);
  run("works", {{1}, {32}}, out, 1U);
  EXPECT_EQ(out.get()[0], 32U);
}

// In a child nothing of the driver is there; the parent notices nothing.
TEST_F(BadDays, fork_while_kernels_run) {
  DeviceArray<int> out(1);
  CUstream mine = stream();
  ASSERT_EQ(start("waits_for", in(mine), flag(), out), CUDA_SUCCESS);
  const CUfunction waits = function("waits_for");
  const pid_t child = ::fork();
  if (child == 0) {
    CUdeviceptr memory = 0;
    int count = 0;
    const bool refused = cuInit(0) == CUDA_ERROR_NOT_INITIALIZED &&
                         cuMemAlloc(&memory, 4) == CUDA_ERROR_NOT_INITIALIZED &&
                         cuDeviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED &&
                         cuStreamSynchronize(mine) == CUDA_ERROR_NOT_INITIALIZED &&
                         cuLaunchKernel(waits, 1, 1, 1, 1, 1, 1, 0, mine, nullptr, nullptr) ==
                             CUDA_ERROR_NOT_INITIALIZED &&
                         cuCtxDestroy(context_) == CUDA_ERROR_NOT_INITIALIZED;
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  let_go();
  EXPECT_EQ(cuStreamSynchronize(mine), CUDA_SUCCESS);
  EXPECT_EQ(out.get()[0], 4 * 32);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
