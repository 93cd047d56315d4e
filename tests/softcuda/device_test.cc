// kernels/device.cu
#include <algorithm>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class DeviceKernels : public KernelsTest {
 protected:
  DeviceKernels() : KernelsTest("device") {}

  // Runs what faults, and says what the fault was; the context is new afterwards.
  template <class... Arguments>
  CUresult fault_of(const char* name, const LaunchShape& shape, const Arguments&... arguments) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(start(name, shape, arguments...), CUDA_SUCCESS);
    const CUresult result = cuCtxSynchronize();
    said_ = ::testing::internal::GetCapturedStderr();
    CUdeviceptr memory = 0;
    EXPECT_EQ(cuMemAlloc(&memory, 4), result);  // it stays
    EXPECT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
    module_ = nullptr;
    EXPECT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), CUDA_SUCCESS);
    return result;
  }
  std::string said_;
};

TEST_F(DeviceKernels, printf) {
  const char text[] = "text of the program";
  DeviceArray<char> device(std::vector<char>(text, text + sizeof text));
  ::testing::internal::CaptureStdout();
  run("print", {{1}, {3}}, 3, device);
  std::string wanted;
  for (int i = 0; i < 3; ++i) {
    char line[128];
    std::snprintf(line, sizeof line, "thread %d of 3: %s %.3f %c%% %#llx\n", i, text, i / 8.0,
                  'a' + i, 0x123456789abcdefULL + static_cast<unsigned>(i));
    wanted += line;
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), wanted);
}

TEST_F(DeviceKernels, every_thread_of_three_dimensions_runs_once) {
  DeviceArray<int> counts(6 * 15 * 8), sum(1);
  run("cover_three_dimensions", {{2, 5, 4}, {3, 3, 2}}, counts, sum);
  EXPECT_THAT(counts.get(), ::testing::Each(1));
  int wanted = 0;
  for (int z = 0; z < 8; ++z)
    for (int y = 0; y < 15; ++y)
      for (int x = 0; x < 6; ++x)
        wanted += x + 100 * y + 10000 * z;
  EXPECT_EQ(sum.get()[0], wanted);
}

TEST_F(DeviceKernels, the_heap) {
  DeviceArray<int> out(64);
  run("heap", {{2}, {64}}, out, 10);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(got[i], 45 * i);
}

TEST_F(DeviceKernels, more_shared_memory_than_the_default) {
  constexpr int kCount = 20000;  // 80 kB
  std::vector<int> in(kCount);
  std::iota(in.begin(), in.end(), 0);
  DeviceArray<int> device(in), out(kCount);
  LaunchShape shape{{1}, {256}, kCount * 4};
  EXPECT_EQ(start("large_shared", shape, device, out, kCount), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuFuncSetAttribute(function("large_shared"),
                               CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, kCount * 4),
            CUDA_SUCCESS);
  run("large_shared", shape, device, out, kCount);
  std::reverse(in.begin(), in.end());
  EXPECT_EQ(out.get(), in);
}

TEST_F(DeviceKernels, local_arrays) {
  const auto in = random_ints(32 * 64, 0, 100);
  DeviceArray<int> device(in), out(32);
  run("local_arrays", {{1}, {32}}, device, out);
  const auto got = out.get();
  for (int t = 0; t < 32; ++t) {
    int histogram[16] = {}, order[16] = {}, sum = 0;
    for (int i = 0; i < 64; ++i)
      ++histogram[in[t * 64 + i] & 15];
    for (int i = 0; i < 16; ++i) {
      order[histogram[i] & 15] = i;
      sum = sum * 3 + histogram[i];
    }
    EXPECT_EQ(got[t], sum + order[histogram[5] & 15]) << t;
  }
}

TEST_F(DeviceKernels, initialised_variables) {
  DeviceArray<int> out(16);
  run("initialised_variables", {{1}, {16}}, out);
  const auto got = out.get();
  const int table[] = {3, 1, 4, 1, 5, 9, 2, 6}, where[] = {20, 30, 40};
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(got[i], table[i & 7] * 1000 + table[2 + (i & 3)] * 100 + "soft"[i & 3] +
                          int(2.5F * float(where[i % 3])));
}

// The nearest integer of T in a direction, as cvt has it: clamped, and 0 for NaN.
template <class T>
T converted(double value, double (*round)(double)) {
  if (std::isnan(value)) return 0;
  const double whole = round(value);
  if (whole < static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  // The limit itself may not be a double: one more is.
  if (whole >= std::ldexp(1.0, std::numeric_limits<T>::digits))
    return std::numeric_limits<T>::max();
  return static_cast<T>(whole);
}
double nearest(double value) { return std::nearbyint(value); }
double down(double value) { return std::floor(value); }
double up(double value) { return std::ceil(value); }
double toward_zero(double value) { return std::trunc(value); }
std::int32_t bits_of(float value) {
  std::int32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

TEST_F(DeviceKernels, conversions_at_the_edges) {
  const std::vector<double> in = {0,     -0.5,   0.5, 1.5,    2.5,     -2.5,       1e9 + 0.5,
                                  3e9,   -3e9,   5e9, 1e19,   -1e19,   1.7e19,     2e19,
                                  1e300, -1e300, 0.1, 1e-310, 1.0 / 3, 16777217.0, 4294967295.5};
  DeviceArray<double> device(in);
  DeviceArray<std::int64_t> out(in.size() * 10);
  run("conversions", {{1}, {unsigned(in.size())}}, device, out);
  const auto got = out.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double d = in[i];
    volatile auto f = static_cast<float>(d);  // here, and not where the rounding is another
    const auto floor64 = converted<std::int64_t>(d, down);
    std::fesetround(FE_TOWARDZERO);
    volatile double narrowed = d;
    volatile auto truncated = static_cast<float>(narrowed);
    volatile float one = 1, divisor = f;
    volatile float quotient = one / divisor;
    std::fesetround(FE_UPWARD);
    volatile std::int64_t wide = floor64;
    volatile auto upward = static_cast<float>(wide);
    std::fesetround(FE_DOWNWARD);
    volatile double size = std::fabs(d);
    volatile double root = std::sqrt(size);
    std::fesetround(FE_TONEAREST);
    std::int64_t root_bits;
    std::memcpy(&root_bits, const_cast<const double*>(&root), 8);
    const std::int64_t wanted[] = {converted<std::int32_t>(d, nearest),
                                   converted<std::uint32_t>(d, toward_zero),
                                   floor64,
                                   static_cast<std::int64_t>(converted<std::uint64_t>(d, up)),
                                   converted<std::int32_t>(f, up),
                                   converted<std::uint32_t>(f, down),
                                   bits_of(truncated),
                                   bits_of(upward),
                                   root_bits,
                                   bits_of(quotient)};
    for (int k = 0; k < 10; ++k)
      EXPECT_EQ(got[i * 10 + k], wanted[k]) << d << ' ' << k;
  }
}

TEST_F(DeviceKernels, integers_of_every_width) {
  constexpr int kCount = 64;
  std::mt19937_64 generator(5);
  std::vector<std::int64_t> a(kCount), b(kCount);
  for (int i = 0; i < kCount; ++i) {
    a[i] = static_cast<std::int64_t>(generator() >> (i % 60));
    b[i] = static_cast<std::int64_t>(generator() >> (i * 7 % 62)) * (i % 2 == 0 ? 1 : -1);
    if (b[i] == 0) b[i] = 3;
  }
  DeviceArray<std::int64_t> da(a), db(b), out(kCount * 12);
  run("integers", {{1}, {kCount}}, da, db, out);
  const auto got = out.get();
  for (int i = 0; i < kCount; ++i) {
    const std::int64_t x = a[i], y = b[i];
    const auto ux = static_cast<std::uint64_t>(x), uy = static_cast<std::uint64_t>(y);
    const auto x32 = static_cast<std::int32_t>(x), y32 = static_cast<std::int32_t>(y | 1);
    const auto x16 = static_cast<std::int16_t>(x), y16 = static_cast<std::int16_t>(y | 1);
    std::uint64_t reversed = 0;
    for (int k = 0; k < 64; ++k)
      reversed |= (ux >> k & 1) << (63 - k);
    const auto permuted =
        (ux & 0xff) | (uy & 0xff) << 8 | (ux >> 8 & 0xff) << 16 | (uy >> 8 & 0xff) << 24;
    const std::int64_t wanted[] = {
        x / y,
        x % y,
        static_cast<std::int64_t>(ux / uy),
        static_cast<std::int64_t>(static_cast<__int128>(x) * y >> 64),
        std::int64_t{x32} / y32,
        static_cast<std::uint32_t>(x32) % static_cast<std::uint32_t>(y32),
        static_cast<std::int16_t>(x16 / y16) + static_cast<std::int8_t>(x16 * y16),
        (x == 0 ? 64 : __builtin_clzll(ux)) * 100 + __builtin_popcountll(uy),
        static_cast<std::int64_t>(reversed),
        static_cast<std::int64_t>(permuted),
        static_cast<std::int64_t>(ux << (y & 63)) ^ (x >> (x & 63)),
        static_cast<std::int64_t>(static_cast<unsigned __int128>(static_cast<__int128>(x)) *
                                      static_cast<unsigned __int128>(static_cast<__int128>(y)) >>
                                  61)};
    for (int k = 0; k < 12; ++k)
      EXPECT_EQ(got[i * 12 + k], wanted[k]) << x << ' ' << y << ' ' << k;
  }
}

TEST_F(DeviceKernels, clocks) {
  DeviceArray<std::uint64_t> out(2);
  run("clocks", {{1}, {1}}, out);
  EXPECT_EQ(out.get()[0], 1U);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto hours =
      std::chrono::duration_cast<std::chrono::hours>(now - std::chrono::nanoseconds(out.get()[1]));
  EXPECT_EQ(hours.count(), 0);
}

TEST_F(DeviceKernels, managed_and_host_memory) {
  CUdeviceptr managed = 0;
  ASSERT_EQ(cuMemAllocManaged(&managed, 4, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  auto* value = reinterpret_cast<int*>(managed);
  *value = 5;
  run("increment", {{2}, {32}}, managed, 3);
  EXPECT_EQ(*value, 5 + 64 * 3);
  EXPECT_EQ(cuMemFree(managed), CUDA_SUCCESS);
  void* pinned = nullptr;
  ASSERT_EQ(cuMemHostAlloc(&pinned, 4, CU_MEMHOSTALLOC_DEVICEMAP), CUDA_SUCCESS);
  CUdeviceptr mapped = 0;
  ASSERT_EQ(cuMemHostGetDevicePointer(&mapped, pinned, 0), CUDA_SUCCESS);
  *static_cast<int*>(pinned) = 1;
  run("increment", {{1}, {10}}, mapped, 1);
  EXPECT_EQ(*static_cast<int*>(pinned), 11);
  EXPECT_EQ(cuMemFreeHost(pinned), CUDA_SUCCESS);
}

// ((1 + 1) * 3 + 1) * 3 …: only in that order is it that number. The two take turns by events.
TEST_F(DeviceKernels, streams_in_an_order_that_events_make) {
  CUstream streams[2];
  CUevent done[2], start_event, end_event;
  for (CUstream& each : streams)
    ASSERT_EQ(cuStreamCreate(&each, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  for (CUevent& each : done)
    ASSERT_EQ(cuEventCreate(&each, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&start_event, CU_EVENT_DEFAULT), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&end_event, CU_EVENT_DEFAULT), CUDA_SUCCESS);
  DeviceArray<int> value(std::vector<int>{1});
  ASSERT_EQ(cuEventRecord(start_event, streams[0]), CUDA_SUCCESS);
  int wanted = 1;
  for (int i = 0; i < 12; ++i) {
    const int which = i % 2;
    LaunchShape shape{{1}, {1}};
    shape.stream = streams[which];
    if (i > 0) {
      ASSERT_EQ(cuStreamWaitEvent(streams[which], done[1 - which], 0), CUDA_SUCCESS);
    }
    ASSERT_EQ(start(which == 0 ? "increment" : "multiply", shape, value, which == 0 ? 1 : 3),
              CUDA_SUCCESS);
    ASSERT_EQ(cuEventRecord(done[which], streams[which]), CUDA_SUCCESS);
    wanted = which == 0 ? wanted + 1 : wanted * 3;
  }
  ASSERT_EQ(cuEventRecord(end_event, streams[1]), CUDA_SUCCESS);
  int got = 0;
  ASSERT_EQ(cuMemcpyDtoHAsync(&got, value.address(), 4, streams[1]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(streams[1]), CUDA_SUCCESS);
  EXPECT_EQ(got, wanted);
  float ms = -1;
  ASSERT_EQ(cuEventElapsedTime(&ms, start_event, end_event), CUDA_SUCCESS);
  EXPECT_GE(ms, 0);
  for (CUevent each : {done[0], done[1], start_event, end_event})
    EXPECT_EQ(cuEventDestroy(each), CUDA_SUCCESS);
  for (CUstream each : streams)
    EXPECT_EQ(cuStreamDestroy(each), CUDA_SUCCESS);
}

using ::testing::HasSubstr;

TEST_F(DeviceKernels, a_failed_assertion) {
  CUdeviceptr values = 0;
  ASSERT_EQ(cuMemAlloc(&values, 128), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(values, 1, 32), CUDA_SUCCESS);
  run("fails_assertion", {{1}, {32}}, values);
  ASSERT_EQ(cuMemsetD32(values + 20, 2, 1), CUDA_SUCCESS);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(fault_of("fails_assertion", {{1}, {32}}, values), CUDA_ERROR_ASSERT);
  EXPECT_THAT(::testing::internal::GetCapturedStdout() + said_, HasSubstr("thread: [5,0,0]"));
}

TEST_F(DeviceKernels, trap) {
  CUdeviceptr values = 0;
  ASSERT_EQ(cuMemAlloc(&values, 128), CUDA_SUCCESS);
  EXPECT_EQ(fault_of("traps", {{1}, {32}}, values), CUDA_ERROR_LAUNCH_FAILED);
}

TEST_F(DeviceKernels, an_illegal_address) {
  CUdeviceptr place = 0;
  ASSERT_EQ(cuMemAlloc(&place, 1024), CUDA_SUCCESS);
  EXPECT_EQ(fault_of("writes_at", {{1}, {32}}, place, std::int64_t{1} << 34),
            CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_THAT(said_, HasSubstr("kernel writes_at: st.global.u32 at line "));
  EXPECT_THAT(said_, HasSubstr("block (0,0,0) thread (0,0,0): illegal address 0x"));
}

TEST_F(DeviceKernels, a_misaligned_address) {
  CUdeviceptr place = 0;
  ASSERT_EQ(cuMemAlloc(&place, 1024), CUDA_SUCCESS);
  EXPECT_EQ(fault_of("reads_misaligned", {{1}, {1}}, place, place), CUDA_ERROR_MISALIGNED_ADDRESS);
}

TEST_F(DeviceKernels, a_recursion_without_end) {
  CUdeviceptr out = 0;
  ASSERT_EQ(cuMemAlloc(&out, 1024), CUDA_SUCCESS);
  EXPECT_NE(fault_of("overflows_its_stack", {{1}, {32}}, out), CUDA_SUCCESS);
  EXPECT_THAT(said_, HasSubstr("stack"));
}

TEST_F(DeviceKernels, a_barrier_that_nobody_comes_to) {
  CUdeviceptr out = 0;
  ASSERT_EQ(cuMemAlloc(&out, 4), CUDA_SUCCESS);
  EXPECT_NE(fault_of("waits_for_nobody", {{1}, {64}}, out), CUDA_SUCCESS);
  EXPECT_THAT(said_, HasSubstr("barrier"));
}

}  // namespace
}  // namespace longwire::softcuda::kernels
