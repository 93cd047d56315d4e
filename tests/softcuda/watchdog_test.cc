// kernels/bad_days.cu: kernels that never end. The watchdog ends each, in whatever it spins.
#include <cstdlib>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class WatchdogTest : public KernelsTest {
 protected:
  WatchdogTest() : KernelsTest("bad_days") {}
  static void SetUpTestSuite() { ::setenv("LONGWIRE_SOFT_WATCHDOG_MS", "200", 0); }

  template <class... Arguments>
  void expect_timeout(const char* name, const LaunchShape& shape, const Arguments&... arguments) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(start(name, shape, arguments...), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_LAUNCH_TIMEOUT) << name;
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                ::testing::HasSubstr(std::string("kernel ") + name + " ran too long"));
    CUdeviceptr memory = 0;
    EXPECT_EQ(cuMemAlloc(&memory, 4), CUDA_ERROR_LAUNCH_TIMEOUT);  // it stays
    EXPECT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
    SetUp();
  }
};

TEST_F(WatchdogTest, a_loop_around_nothing) { expect_timeout("spins", {{3}, {64}}); }

TEST_F(WatchdogTest, a_lane_that_the_others_wait_for) {
  DeviceArray<int> out(64);
  expect_timeout("one_lane_spins", {{2}, {64}}, out);
}

TEST_F(WatchdogTest, a_loop_around_a_barrier) {
  DeviceArray<int> out(96);
  expect_timeout("spins_at_barriers", {{1}, {96}}, out);
}

TEST_F(WatchdogTest, a_value_that_does_not_come) {
  DeviceArray<int> flag(1), out(1);
  expect_timeout("waits_for", {{40}, {32}}, flag, out);
}

TEST_F(WatchdogTest, a_lock_that_is_not_given_back) {
  DeviceArray<int> lock(1), out(1);
  expect_timeout("spins_on_a_lock", {{4}, {64}}, lock, out);
}

TEST_F(WatchdogTest, a_loop_around_a_call) {
  DeviceArray<int> out(1);
  expect_timeout("spins_in_calls", {{1}, {32}}, out);
}

TEST_F(WatchdogTest, output_without_end) {
  ::testing::internal::CaptureStdout();
  expect_timeout("prints_for_ever", {{1}, {1}});
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), ::testing::HasSubstr("line 0 of"));
}

TEST_F(WatchdogTest, the_whole_heap) { expect_timeout("allocates_for_ever", {{1}, {32}}); }

// What ends in time is not disturbed, before or after.
TEST_F(WatchdogTest, other_kernels_go_on) {
  DeviceArray<unsigned> out(1);
  run("works", {{2}, {32}}, out, 10U);
  expect_timeout("spins", {{1}, {32}});
  DeviceArray<unsigned> again(1);
  run("works", {{2}, {32}}, again, 10U);
  EXPECT_EQ(again.get()[0], 640U);
}

TEST_F(WatchdogTest, devices_say_that_there_is_one) {
  int has = 0;
  ASSERT_EQ(cuDeviceGetAttribute(&has, CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT, 0), CUDA_SUCCESS);
  EXPECT_EQ(has, 1);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
