#include <gmock/gmock.h>

#include <cstdlib>
#include <limits>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

using MemoryTest = ContextTest;
constexpr size_t kHuge = std::numeric_limits<size_t>::max();

TEST_F(MemoryTest, allocations_are_counted_found_and_given_back) {
  size_t before = 0, during = 0, after = 0, total = 0, bytes = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  EXPECT_EQ(total, size_t{256} << 20);
  CUdeviceptr memory = 0, base = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 1 << 20), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetInfo(&during, &total), CUDA_SUCCESS);
  EXPECT_LE(during + (1 << 20), before);
  ASSERT_EQ(cuMemGetAddressRange(&base, &bytes, memory + 1000), CUDA_SUCCESS);
  EXPECT_EQ(base, memory);
  EXPECT_EQ(bytes, size_t{1} << 20);
  EXPECT_EQ(cuMemFree(memory + 256), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemFree(memory), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(memory), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree(0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
}

TEST_F(MemoryTest, too_much_is_out_of_memory) {
  CUdeviceptr memory = 0;
  size_t pitch = 0;
  EXPECT_EQ(cuMemAlloc(&memory, size_t{1} << 40), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc(&memory, kHuge), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAllocPitch(&memory, &pitch, kHuge, 2, 4), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAllocPitch(&memory, &pitch, size_t{1} << 40, size_t{1} << 40, 4),
            CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc(&memory, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, copies_outside_of_an_allocation_are_refused) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 256), CUDA_SUCCESS);
  std::vector<char> host(1024);
  EXPECT_EQ(cuMemcpyHtoD(memory, host.data(), 1024), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH(host.data(), memory + 1, 256), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(memory, host.data(), kHuge), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(0, host.data(), 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(memory, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(memory, host.data(), 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32(memory, 1, 65), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32(memory + 1, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD2D8(memory, kHuge, 1, 4, 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, copies_of_two_and_three_dimensions) {
  constexpr size_t kWidth = 10, kHeight = 4, kDepth = 3;
  CUdeviceptr memory = 0;
  size_t pitch = 0;
  ASSERT_EQ(cuMemAllocPitch(&memory, &pitch, kWidth, kHeight * kDepth, 4), CUDA_SUCCESS);
  std::vector<unsigned char> host(kWidth * kHeight * kDepth), back(host.size());
  for (size_t i = 0; i < host.size(); ++i)
    host[i] = static_cast<unsigned char>(i);
  CUDA_MEMCPY3D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = host.data();
  copy.srcPitch = kWidth;
  copy.srcHeight = kHeight;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = memory;
  copy.dstPitch = pitch;
  copy.dstHeight = kHeight;
  copy.WidthInBytes = kWidth;
  copy.Height = kHeight;
  copy.Depth = kDepth;
  ASSERT_EQ(cuMemcpy3D(&copy), CUDA_SUCCESS);
  CUDA_MEMCPY2D rows{};
  rows.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  rows.srcDevice = memory;
  rows.srcPitch = pitch;
  rows.dstMemoryType = CU_MEMORYTYPE_HOST;
  rows.dstHost = back.data();
  rows.dstPitch = kWidth;
  rows.WidthInBytes = kWidth;
  rows.Height = kHeight * kDepth;
  ASSERT_EQ(cuMemcpy2D(&rows), CUDA_SUCCESS);
  EXPECT_EQ(back, host);
  copy.Depth = kHuge;
  EXPECT_EQ(cuMemcpy3D(&copy), CUDA_ERROR_INVALID_VALUE);
  rows.dstPitch = kWidth - 1;
  EXPECT_EQ(cuMemcpy2D(&rows), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, memsets_of_every_width) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 64), CUDA_SUCCESS);
  std::vector<unsigned char> out(64);
  ASSERT_EQ(cuMemsetD8(memory, 1, 64), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD16(memory + 16, 0x0302, 2), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD2D32(memory + 32, 8, 0x07060504, 1, 2), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoH(out.data(), memory, 64), CUDA_SUCCESS);
  EXPECT_EQ(out[15], 1);
  EXPECT_EQ(out[18], 2);
  EXPECT_EQ(out[19], 3);
  EXPECT_EQ(out[20], 1);
  EXPECT_EQ(out[35], 7);
  EXPECT_EQ(out[36], 1);
  EXPECT_EQ(out[40], 4);
}

TEST_F(MemoryTest, host_memory_is_device_memory) {
  void* host = nullptr;
  CUdeviceptr address = 0;
  unsigned int flags = 0;
  ASSERT_EQ(cuMemHostAlloc(&host, 100, CU_MEMHOSTALLOC_PORTABLE), CUDA_SUCCESS);
  ASSERT_EQ(cuMemHostGetDevicePointer(&address, host, 0), CUDA_SUCCESS);
  EXPECT_EQ(reinterpret_cast<void*>(address), host);
  ASSERT_EQ(cuMemHostGetFlags(&flags, host), CUDA_SUCCESS);
  EXPECT_NE(flags & CU_MEMHOSTALLOC_PORTABLE, 0U);
  EXPECT_EQ(cuMemFree(address), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, memory_of_the_program_can_be_registered_once) {
  std::vector<int> mine(1000);
  const size_t bytes = mine.size() * sizeof(int);
  ASSERT_EQ(cuMemHostRegister(mine.data(), bytes, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostRegister(mine.data(), bytes, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  ASSERT_EQ(cuMemsetD32(reinterpret_cast<CUdeviceptr>(mine.data()), 3, mine.size()), CUDA_SUCCESS);
  EXPECT_EQ(mine[999], 3);
  EXPECT_EQ(cuMemHostUnregister(mine.data()), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostUnregister(mine.data()), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

}  // namespace
}  // namespace longwire::softcuda::driver
