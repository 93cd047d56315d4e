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

TEST_F(MemoryTest, an_address_tells_what_it_is) {
  CUdeviceptr memory = 0, base = 0;
  void* host = nullptr;
  ASSERT_EQ(cuMemAlloc(&memory, 1000), CUDA_SUCCESS);
  ASSERT_EQ(cuMemHostAlloc(&host, 8, 0), CUDA_SUCCESS);
  CUmemorytype type{};
  ASSERT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, memory), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_DEVICE);
  ASSERT_EQ(cuPointerGetAttribute(&base, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, memory + 999),
            CUDA_SUCCESS);
  EXPECT_EQ(base, memory);
  ASSERT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                  reinterpret_cast<CUdeviceptr>(host)),
            CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_HOST);
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, 16),
            CUDA_ERROR_INVALID_VALUE);
  CUpointer_attribute which[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE};
  void* places[] = {&type};
  ASSERT_EQ(cuPointerGetAttributes(1, which, places, 16), CUDA_SUCCESS);
  EXPECT_EQ(static_cast<int>(type), 0);
}

TEST_F(MemoryTest, stream_ordered_memory_is_counted_by_its_pool) {
  CUmemoryPool pool = nullptr, made = nullptr;
  ASSERT_EQ(cuDeviceGetDefaultMemPool(&pool, 0), CUDA_SUCCESS);
  CUdeviceptr memory = 0;
  cuuint64_t used = 0;
  ASSERT_EQ(cuMemAllocAsync(&memory, 4096, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used), CUDA_SUCCESS);
  EXPECT_EQ(used, 4096U);
  ASSERT_EQ(cuMemsetD8Async(memory, 1, 4096, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFreeAsync(memory, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  ASSERT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used), CUDA_SUCCESS);
  EXPECT_EQ(used, 0U);
  EXPECT_EQ(cuMemFreeAsync(memory, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
  CUmemPoolProps properties{};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  properties.maxSize = 1000;
  ASSERT_EQ(cuMemPoolCreate(&made, &properties), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocFromPoolAsync(&memory, 1001, made, nullptr), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemPoolDestroy(made), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolDestroy(made), CUDA_ERROR_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
