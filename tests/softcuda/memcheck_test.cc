// LONGWIRE_SOFT_MEMCHECK=1 and =race, through the driver, with kernels/device.cu. Runs once for
// each.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class MemcheckTest : public KernelsTest {
 protected:
  MemcheckTest() : KernelsTest("device") {}
  static bool finds_races() {
    const char* mode = std::getenv("LONGWIRE_SOFT_MEMCHECK");
    return mode != nullptr && std::string(mode) == "race";
  }
  // What is said of a launch that faults; the context is new afterwards.
  template <class... Arguments>
  std::string complaint(CUresult wanted, const char* name, const LaunchShape& shape,
                        const Arguments&... arguments) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(start(name, shape, arguments...), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSynchronize(), wanted);
    EXPECT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
    module_ = nullptr;
    EXPECT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), CUDA_SUCCESS);
    return ::testing::internal::GetCapturedStderr();
  }
};

// One byte too far, which the usual check by 256 bytes does not see.
TEST_F(MemcheckTest, names_kernel_instruction_block_thread_address_and_allocation) {
  CUdeviceptr place = 0;
  ASSERT_EQ(cuMemAlloc(&place, 100), CUDA_SUCCESS);
  run("writes_at", {{1}, {25}}, place, std::int64_t{0});
  const std::string said =
      complaint(CUDA_ERROR_ILLEGAL_ADDRESS, "writes_at", {{1}, {26}}, place, std::int64_t{0});
  EXPECT_THAT(said, AllOf(HasSubstr("kernel writes_at: st.global.u32 at line "),
                          HasSubstr("block (0,0,0) thread (25,0,0): illegal address 0x"),
                          HasSubstr("0 bytes past the end of the allocation of 100 bytes at 0x")));
}

// Between two allocations, nearer to the second.
TEST_F(MemcheckTest, says_how_far_before_an_allocation) {
  CUdeviceptr places[2] = {};
  for (CUdeviceptr& each : places)
    ASSERT_EQ(cuMemAlloc(&each, 100), CUDA_SUCCESS);
  const CUdeviceptr second = std::max(places[0], places[1]);
  const std::string said =
      complaint(CUDA_ERROR_ILLEGAL_ADDRESS, "writes_at", {{1}, {1}}, second, std::int64_t{-2});
  EXPECT_THAT(said, HasSubstr("8 bytes before the allocation of 100 bytes at 0x"));
}

TEST_F(MemcheckTest, finds_use_after_free) {
  CUdeviceptr place = 0;
  ASSERT_EQ(cuMemAlloc(&place, 128), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFree(place), CUDA_SUCCESS);
  complaint(CUDA_ERROR_ILLEGAL_ADDRESS, "writes_at", {{1}, {1}}, place, std::int64_t{0});
}

TEST_F(MemcheckTest, finds_what_lies_past_shared_memory) {
  CUdeviceptr out = 0;
  ASSERT_EQ(cuMemAlloc(&out, 128), CUDA_SUCCESS);
  run("reads_past_shared", {{1}, {32}}, out, 0);
  const std::string said =
      complaint(CUDA_ERROR_ILLEGAL_ADDRESS, "reads_past_shared", {{1}, {32}}, out, 4);
  EXPECT_THAT(said, AllOf(HasSubstr("ld.shared.u32 at line "), HasSubstr("thread (28,0,0)")));
}

TEST_F(MemcheckTest, finds_races_between_barriers_only_when_asked) {
  CUdeviceptr out = 0;
  ASSERT_EQ(cuMemAlloc(&out, 256), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(out, 1, 64), CUDA_SUCCESS);
  run("races", {{2}, {64}}, out, true);
  if (!finds_races()) return run("races", {{2}, {64}}, out, false);
  const std::string said = complaint(CUDA_ERROR_LAUNCH_FAILED, "races", {{2}, {64}}, out, false);
  // Both blocks race; whichever is first ends the grid.
  EXPECT_THAT(said,
              AllOf(HasSubstr("kernel races: "), ContainsRegex("block \\([01],0,0\\) thread \\("),
                    HasSubstr("with no barrier between them")));
}

}  // namespace
}  // namespace longwire::softcuda::kernels
