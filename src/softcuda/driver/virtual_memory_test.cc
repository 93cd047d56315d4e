// Virtual memory management, through the exported functions.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

constexpr size_t kGranularity = size_t{2} << 20;
constexpr size_t kHuge = std::numeric_limits<size_t>::max();

CUmemAllocationProp on_device(CUmemAllocationHandleType type = CU_MEM_HANDLE_TYPE_NONE) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = type;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  return properties;
}

class VirtualMemoryTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    ASSERT_EQ(cuMemGetInfo(&free_before_, &total_), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAddressReserve(&base_, 4 * kGranularity, 0, 0, 0), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuMemAddressFree(base_, 4 * kGranularity), CUDA_SUCCESS);
    size_t free = 0;
    EXPECT_EQ(cuMemGetInfo(&free, &total_), CUDA_SUCCESS);
    EXPECT_EQ(free, free_before_);
    ContextTest::TearDown();
  }
  static CUmemGenericAllocationHandle create(
      size_t bytes = kGranularity, CUmemAllocationHandleType type = CU_MEM_HANDLE_TYPE_NONE) {
    CUmemGenericAllocationHandle handle = 0;
    const CUmemAllocationProp properties = on_device(type);
    EXPECT_EQ(cuMemCreate(&handle, bytes, &properties, 0), CUDA_SUCCESS);
    return handle;
  }
  static CUresult allow(CUdeviceptr address, size_t bytes,
                        CUmemAccess_flags flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
    const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, flags};
    return cuMemSetAccess(address, bytes, &access, 1);
  }
  size_t free_before_ = 0, total_ = 0;
  CUdeviceptr base_ = 0;
};

// `fill` writes 32 words to `address`.
CUresult run_fill(CUdeviceptr address, unsigned int value) {
  CUmodule module = nullptr;
  CUfunction fill = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&fill, module, "fill"), CUDA_SUCCESS);
  void* parameters[] = {&address, &value};
  EXPECT_EQ(cuLaunchKernel(fill, 1, 1, 1, 32, 1, 1, 0, nullptr, parameters, nullptr), CUDA_SUCCESS);
  const CUresult result = cuCtxSynchronize();
  cuModuleUnload(module);
  return result;
}

TEST_F(VirtualMemoryTest, kernels_and_copies_use_what_is_mapped_and_allowed) {
  const auto handle = create(2 * kGranularity);
  size_t free = 0;
  ASSERT_EQ(cuMemGetInfo(&free, &total_), CUDA_SUCCESS);
  EXPECT_EQ(free + 2 * kGranularity, free_before_);
  ASSERT_EQ(cuMemMap(base_, 2 * kGranularity, 0, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemMap(base_ + 2 * kGranularity, kGranularity, 0, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemRelease(handle), CUDA_SUCCESS);  // the mappings have it
  EXPECT_EQ(cuMemsetD8(base_, 0, 4), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(allow(base_, 3 * kGranularity), CUDA_SUCCESS);
  ASSERT_EQ(run_fill(base_ + 4096, 9), CUDA_SUCCESS);
  std::vector<unsigned int> back(32);
  // The second mapping is the same memory.
  ASSERT_EQ(cuMemcpyDtoH(back.data(), base_ + 2 * kGranularity + 4096, 128), CUDA_SUCCESS);
  EXPECT_EQ(back, std::vector<unsigned int>(32, 9));
  EXPECT_EQ(cuMemsetD8(base_, 1, 3 * kGranularity), CUDA_SUCCESS);  // across mappings
  EXPECT_EQ(cuMemsetD8(base_, 1, 3 * kGranularity + 1), CUDA_ERROR_INVALID_VALUE);
  CUdeviceptr start = 0;
  size_t bytes = 0;
  ASSERT_EQ(cuMemGetAddressRange(&start, &bytes, base_ + 5), CUDA_SUCCESS);
  EXPECT_EQ(start, base_);
  EXPECT_EQ(bytes, 2 * kGranularity);
  EXPECT_EQ(cuMemFree(base_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(base_, 3 * kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8(base_, 0, 4), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(VirtualMemoryTest, memory_comes_back_zeroed) {
  for (unsigned int round = 0; round < 2; ++round) {
    const auto handle = create();
    ASSERT_EQ(cuMemMap(base_, kGranularity, 0, handle, 0), CUDA_SUCCESS);
    ASSERT_EQ(allow(base_, kGranularity), CUDA_SUCCESS);
    unsigned int word = 1;
    ASSERT_EQ(cuMemcpyDtoH(&word, base_ + 64, 4), CUDA_SUCCESS);
    EXPECT_EQ(word, 0U);
    ASSERT_EQ(cuMemsetD32(base_, 7, 1000), CUDA_SUCCESS);
    ASSERT_EQ(cuMemUnmap(base_, kGranularity), CUDA_SUCCESS);
    ASSERT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  }
}

TEST_F(VirtualMemoryTest, access_is_asked_for_and_taken_back) {
  const auto handle = create();
  const CUmemLocation here{CU_MEM_LOCATION_TYPE_DEVICE, 0};
  unsigned long long flags = 99;
  EXPECT_EQ(cuMemGetAccess(&flags, &here, base_), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemMap(base_, kGranularity, 0, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetAccess(&flags, &here, base_), CUDA_SUCCESS);
  EXPECT_EQ(flags, 0U);
  ASSERT_EQ(allow(base_, kGranularity), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetAccess(&flags, &here, base_ + 77), CUDA_SUCCESS);
  EXPECT_EQ(flags, static_cast<unsigned long long>(CU_MEM_ACCESS_FLAGS_PROT_READWRITE));
  EXPECT_EQ(allow(base_, kGranularity, CU_MEM_ACCESS_FLAGS_PROT_READ), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(allow(base_, kGranularity / 2), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(allow(base_, 2 * kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(allow(base_, kHuge), CUDA_ERROR_INVALID_VALUE);
  const CUmemAccessDesc nowhere{{CU_MEM_LOCATION_TYPE_DEVICE, 7},
                                CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  EXPECT_EQ(cuMemSetAccess(base_, kGranularity, &nowhere, 1), CUDA_ERROR_INVALID_DEVICE);
  ASSERT_EQ(allow(base_, kGranularity, CU_MEM_ACCESS_FLAGS_PROT_NONE), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8(base_, 0, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(base_, kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, a_kernel_without_access_faults) {
  const auto handle = create();
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&own, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemMap(base_, kGranularity, 0, handle, 0), CUDA_SUCCESS);
  EXPECT_EQ(run_fill(base_, 1), CUDA_ERROR_ILLEGAL_ADDRESS);
  ASSERT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemUnmap(base_, kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, handles_are_counted) {
  const auto handle = create();
  ASSERT_EQ(cuMemMap(base_, kGranularity, 0, handle, 0), CUDA_SUCCESS);
  CUmemGenericAllocationHandle again = 0;
  void* inside = reinterpret_cast<void*>(base_ + 100);
  ASSERT_EQ(cuMemRetainAllocationHandle(&again, inside), CUDA_SUCCESS);
  EXPECT_EQ(again, handle);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemMap(base_ + kGranularity, kGranularity, 0, handle, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemRetainAllocationHandle(&again, inside), CUDA_SUCCESS);
  CUmemAllocationProp properties{};
  ASSERT_EQ(cuMemGetAllocationPropertiesFromHandle(&properties, again), CUDA_SUCCESS);
  EXPECT_EQ(properties.location.type, CU_MEM_LOCATION_TYPE_DEVICE);
  EXPECT_EQ(cuMemRelease(again), CUDA_SUCCESS);
  EXPECT_EQ(cuMemUnmap(base_, kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRetainAllocationHandle(&again, inside), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(VirtualMemoryTest, hostile_ranges) {
  const auto handle = create(2 * kGranularity);
  const auto map = [&](CUdeviceptr address, size_t bytes, size_t offset = 0) {
    return cuMemMap(address, bytes, offset, handle, 0);
  };
  EXPECT_EQ(map(base_ + 1, kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(base_, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(base_, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(base_, kGranularity, kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(base_, 3 * kGranularity), CUDA_ERROR_INVALID_VALUE);  // more than there is
  EXPECT_EQ(map(base_ + 3 * kGranularity, 2 * kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(base_, kHuge & ~(kGranularity - 1)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(map(0, kGranularity), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(map(base_, 2 * kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(map(base_ + kGranularity, kGranularity), CUDA_ERROR_INVALID_VALUE);  // taken
  EXPECT_EQ(cuMemAddressFree(base_, 4 * kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(base_, kGranularity), CUDA_ERROR_INVALID_VALUE);  // a part of a mapping
  EXPECT_EQ(cuMemUnmap(base_, 3 * kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(base_, kHuge), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemUnmap(base_, 2 * kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemUnmap(base_, 2 * kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(12345), CUDA_ERROR_INVALID_VALUE);

  CUdeviceptr other = 0;
  EXPECT_EQ(cuMemAddressReserve(&other, kHuge & ~size_t{4095}, 0, 0, 0), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAddressReserve(&other, 100, 0, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(&other, kGranularity, 3, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(&other, kGranularity, 0, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressReserve(nullptr, kGranularity, 0, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(base_, kGranularity), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(base_ + kGranularity, kGranularity), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemAddressReserve(&other, kGranularity, 0, base_, 0), CUDA_SUCCESS);  // a hint
  EXPECT_NE(other, base_);
  EXPECT_EQ(cuMemAddressFree(other, kGranularity), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, wrong_properties_and_too_much) {
  CUmemGenericAllocationHandle handle = 0;
  size_t granularity = 0;
  CUmemAllocationProp properties = on_device();
  EXPECT_EQ(
      cuMemGetAllocationGranularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM),
      CUDA_SUCCESS);
  EXPECT_EQ(granularity, kGranularity);
  EXPECT_EQ(cuMemCreate(&handle, kGranularity + 1, &properties, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemCreate(&handle, 0, &properties, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemCreate(&handle, total_ + kGranularity, &properties, 0), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemCreate(&handle, kHuge & ~(kGranularity - 1), &properties, 0),
            CUDA_ERROR_OUT_OF_MEMORY);
  properties.location.id = 9;
  EXPECT_EQ(cuMemCreate(&handle, kGranularity, &properties, 0), CUDA_ERROR_INVALID_DEVICE);
  properties = on_device(CU_MEM_HANDLE_TYPE_FABRIC);
  EXPECT_EQ(cuMemCreate(&handle, kGranularity, &properties, 0), CUDA_ERROR_NOT_SUPPORTED);
  properties = on_device();
  properties.type = CU_MEM_ALLOCATION_TYPE_INVALID;
  EXPECT_EQ(cuMemCreate(&handle, kGranularity, &properties, 0), CUDA_ERROR_INVALID_VALUE);
  const auto plain = create();
  int fd = -1;
  EXPECT_EQ(cuMemExportToShareableHandle(&fd, plain, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemRelease(plain), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, a_descriptor_is_the_same_memory) {
  const auto handle = create(kGranularity, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  int fd = -1;
  ASSERT_EQ(cuMemExportToShareableHandle(&fd, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
            CUDA_SUCCESS);
  CUmemGenericAllocationHandle imported = 0;
  ASSERT_EQ(cuMemImportFromShareableHandle(&imported, reinterpret_cast<void*>(std::intptr_t{fd}),
                                           CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
            CUDA_SUCCESS);
  ::close(fd);
  ASSERT_EQ(cuMemMap(base_, kGranularity, 0, handle, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemMap(base_ + kGranularity, kGranularity, 0, imported, 0), CUDA_SUCCESS);
  ASSERT_EQ(allow(base_, 2 * kGranularity), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(base_, 5, kGranularity / 4), CUDA_SUCCESS);
  unsigned int word = 0;
  ASSERT_EQ(cuMemcpyDtoH(&word, base_ + 2 * kGranularity - 4, 4), CUDA_SUCCESS);
  EXPECT_EQ(word, 5U);
  EXPECT_EQ(cuMemUnmap(base_, 2 * kGranularity), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(imported), CUDA_SUCCESS);
}

TEST_F(VirtualMemoryTest, descriptors_of_others_are_refused) {
  CUmemGenericAllocationHandle imported = 0;
  const auto import = [&](int fd) {
    return cuMemImportFromShareableHandle(&imported, reinterpret_cast<void*>(std::intptr_t{fd}),
                                          CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  };
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(import(ends[0]), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(import(-1), CUDA_ERROR_INVALID_VALUE);
  const int file = ::memfd_create("other", MFD_ALLOW_SEALING);
  ASSERT_EQ(::ftruncate(file, off_t{kGranularity} + 4096), 0);
  EXPECT_EQ(import(file), CUDA_ERROR_INVALID_VALUE);
  for (int fd : {ends[0], ends[1], file})
    ::close(fd);
}

}  // namespace
}  // namespace longwire::softcuda::driver
