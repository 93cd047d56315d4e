// Managed memory: what is said of it and asked of it. Attributes of streams, pools and pointers.
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

constexpr size_t kPage = 4096, kBytes = 8 * kPage;
constexpr CUmemLocation kHere{CU_MEM_LOCATION_TYPE_DEVICE, 0};
constexpr CUmemLocation kHost{CU_MEM_LOCATION_TYPE_HOST, 0};

class ManagedTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    ASSERT_EQ(cuMemAllocManaged(&memory_, kBytes, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuMemFree(memory_), CUDA_SUCCESS);
    ContextTest::TearDown();
  }
  int ask(CUmem_range_attribute which, size_t first_page, size_t pages) {
    int value = 77;
    EXPECT_EQ(cuMemRangeGetAttribute(&value, sizeof value, which, memory_ + first_page * kPage,
                                     pages * kPage),
              CUDA_SUCCESS);
    return value;
  }
  CUdeviceptr memory_ = 0;
};

TEST_F(ManagedTest, advice_is_kept_by_page) {
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, 8), 0);
  // In the middle of pages: those count whole.
  ASSERT_EQ(cuMemAdvise(memory_ + kPage + 5, kPage, CU_MEM_ADVISE_SET_READ_MOSTLY, kHere),
            CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 1, 2), 1);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 0, 2), 0);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 2, 2), 0);
  ASSERT_EQ(cuMemAdvise(memory_, kBytes, CU_MEM_ADVISE_UNSET_READ_MOSTLY, kHere), CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, 1, 1), 0);

  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, 0, 8), CU_DEVICE_INVALID);
  ASSERT_EQ(cuMemAdvise(memory_, kBytes, CU_MEM_ADVISE_SET_PREFERRED_LOCATION, kHere),
            CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, 0, 8), 0);
  ASSERT_EQ(cuMemAdvise(memory_ + 7 * kPage, 1, CU_MEM_ADVISE_SET_PREFERRED_LOCATION, kHost),
            CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, 7, 1), CU_DEVICE_CPU);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE, 7, 1), CU_MEM_LOCATION_TYPE_HOST);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, 0, 8), CU_DEVICE_INVALID);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE, 0, 8),
            CU_MEM_LOCATION_TYPE_INVALID);
}

TEST_F(ManagedTest, who_accesses_it_is_a_list) {
  int list[3] = {9, 9, 9};
  const auto ask_list = [&](size_t bytes) {
    return cuMemRangeGetAttribute(list, bytes, CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY, memory_, kBytes);
  };
  ASSERT_EQ(cuMemAdvise(memory_, kBytes, CU_MEM_ADVISE_SET_ACCESSED_BY, kHere), CUDA_SUCCESS);
  ASSERT_EQ(ask_list(sizeof list), CUDA_SUCCESS);
  EXPECT_EQ(list[0], 0);
  EXPECT_EQ(list[1], CU_DEVICE_INVALID);
  EXPECT_EQ(list[2], CU_DEVICE_INVALID);
  EXPECT_EQ(ask_list(5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(ask_list(0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemAdvise(memory_, kPage, CU_MEM_ADVISE_UNSET_ACCESSED_BY, kHere), CUDA_SUCCESS);
  ASSERT_EQ(ask_list(4), CUDA_SUCCESS);
  EXPECT_EQ(list[0], CU_DEVICE_INVALID);
}

TEST_F(ManagedTest, prefetches_keep_the_order_of_their_stream) {
  CUstream stream = nullptr;
  std::atomic<bool> gate{false};
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuMemPrefetchAsync(memory_, kBytes, kHere, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 0, 8), 0);
  ASSERT_EQ(cuMemPrefetchAsync(memory_, kPage, kHost, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 0, 1), CU_DEVICE_CPU);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 0, 2), CU_DEVICE_INVALID);
  open_gate(gate);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPrefetchAsync(memory_, kBytes, kHere, 1, stream), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPrefetchAsync(memory_, kBytes, {CU_MEM_LOCATION_TYPE_DEVICE, 9}, 0, stream),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
}

TEST_F(ManagedTest, batches_are_prefetched_and_discarded) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  CUdeviceptr at[] = {memory_, memory_ + kPage, memory_ + 2 * kPage};
  size_t bytes[] = {kPage, kPage, kPage}, indices[] = {0, 2};
  CUmemLocation to[] = {kHere, kHost};
  ASSERT_EQ(cuMemPrefetchBatchAsync(at, bytes, 3, to, indices, 2, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 0, 2), 0);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 2, 1), CU_DEVICE_CPU);
  EXPECT_EQ(cuMemDiscardBatchAsync(at, bytes, 3, 0, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuMemDiscardAndPrefetchBatchAsync(at, bytes, 3, to, indices, 1, 0, stream),
            CUDA_SUCCESS);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 2, 1), 0);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  constexpr auto kInvalid = CUDA_ERROR_INVALID_VALUE;
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, bytes, 3, to, indices, 2, 1, stream), kInvalid);
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, bytes, 0, to, indices, 0, 0, stream), kInvalid);
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, bytes, 2, to, indices, 2, 0, stream), kInvalid);
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, bytes, 3, to, &indices[1], 1, 0, stream), kInvalid);
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, nullptr, 3, to, indices, 2, 0, stream), kInvalid);
  EXPECT_EQ(cuMemDiscardBatchAsync(at, bytes, 3, 0, CU_STREAM_LEGACY), kInvalid);
  bytes[2] = kBytes;  // beyond its end: none of them is touched
  EXPECT_EQ(cuMemPrefetchBatchAsync(at, bytes, 3, &to[1], indices, 1, 0, stream), kInvalid);
  EXPECT_EQ(ask(CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, 0, 3), 0);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
}

TEST_F(ManagedTest, only_managed_memory_takes_advice) {
  CUdeviceptr plain = 0;
  ASSERT_EQ(cuMemAlloc(&plain, 64), CUDA_SUCCESS);
  const auto advise = [](CUdeviceptr address, size_t bytes, int advice, CUmemLocation location) {
    return cuMemAdvise(address, bytes, static_cast<CUmem_advise>(advice), location);
  };
  EXPECT_EQ(advise(plain, 64, 1, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_, 0, 1, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_, kBytes + 1, 1, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_ + 1, ~size_t{0}, 1, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_, kBytes, 0, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_, kBytes, 7, kHere), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(advise(memory_, kBytes, CU_MEM_ADVISE_SET_PREFERRED_LOCATION,
                   {CU_MEM_LOCATION_TYPE_DEVICE, 40}),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(
      advise(memory_, kBytes, CU_MEM_ADVISE_SET_ACCESSED_BY, {CU_MEM_LOCATION_TYPE_HOST_NUMA, 0}),
      CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(
      advise(memory_, kBytes, CU_MEM_ADVISE_SET_READ_MOSTLY, {CU_MEM_LOCATION_TYPE_INVALID, 99}),
      CUDA_SUCCESS);  // looks at no location
  int value = 0;
  EXPECT_EQ(cuMemRangeGetAttribute(&value, 8, CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, memory_, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemRangeGetAttribute(nullptr, 4, CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, memory_, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemRangeGetAttribute(&value, 4, static_cast<CUmem_range_attribute>(99), memory_, 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree(plain), CUDA_SUCCESS);
}

TEST_F(ManagedTest, streams_keep_their_attributes) {
  CUstream one = nullptr, two = nullptr;
  ASSERT_EQ(cuStreamCreateWithPriority(&one, CU_STREAM_NON_BLOCKING, -2), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&two, CU_STREAM_DEFAULT), CUDA_SUCCESS);
  CUstreamAttrValue value{};
  ASSERT_EQ(cuStreamGetAttribute(one, CU_STREAM_ATTRIBUTE_PRIORITY, &value), CUDA_SUCCESS);
  EXPECT_EQ(value.priority, -2);
  ASSERT_EQ(cuStreamGetAttribute(one, CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_SUCCESS);
  EXPECT_EQ(value.syncPolicy, CU_SYNC_POLICY_AUTO);
  value.syncPolicy = CU_SYNC_POLICY_SPIN;
  ASSERT_EQ(cuStreamSetAttribute(one, CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCopyAttributes(two, one), CUDA_SUCCESS);
  value = {};
  ASSERT_EQ(cuStreamGetAttribute(two, CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_SUCCESS);
  EXPECT_EQ(value.syncPolicy, CU_SYNC_POLICY_SPIN);
  value.syncPolicy = static_cast<CUsynchronizationPolicy>(9);
  EXPECT_EQ(cuStreamSetAttribute(one, CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamSetAttribute(one, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &value),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamGetAttribute(one, CU_STREAM_ATTRIBUTE_PRIORITY, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamDestroy(two), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamCopyAttributes(one, two), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamDestroy(one), CUDA_SUCCESS);
}

TEST_F(ManagedTest, a_device_uses_its_own_pools) {
  CUmemoryPool pool = nullptr, same = nullptr;
  CUmemLocation here = kHere, host = kHost;
  ASSERT_EQ(cuDeviceGetDefaultMemPool(&pool, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetDefaultMemPool(&same, &here, CU_MEM_ALLOCATION_TYPE_PINNED), CUDA_SUCCESS);
  EXPECT_EQ(same, pool);
  EXPECT_EQ(cuMemSetMemPool(&here, CU_MEM_ALLOCATION_TYPE_PINNED, pool), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetMemPool(&same, &here, CU_MEM_ALLOCATION_TYPE_PINNED), CUDA_SUCCESS);
  EXPECT_EQ(same, pool);
  EXPECT_EQ(cuMemGetMemPool(&same, &host, CU_MEM_ALLOCATION_TYPE_PINNED), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuMemGetMemPool(&same, &here, CU_MEM_ALLOCATION_TYPE_INVALID),
            CUDA_ERROR_INVALID_VALUE);
  CUmemAccess_flags flags{};
  ASSERT_EQ(cuMemPoolGetAccess(&flags, pool, &here), CUDA_SUCCESS);
  EXPECT_EQ(flags, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  CUmemAccessDesc access{here, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  EXPECT_EQ(cuMemPoolSetAccess(pool, &access, 1), CUDA_SUCCESS);
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_NONE;
  EXPECT_EQ(cuMemPoolSetAccess(pool, &access, 1), CUDA_ERROR_INVALID_VALUE);
  access.location.id = 5;
  EXPECT_EQ(cuMemPoolSetAccess(pool, &access, 1), CUDA_ERROR_INVALID_DEVICE);
}

TEST_F(ManagedTest, pointers_keep_what_is_set) {
  unsigned int set = 1, read = 7;
  ASSERT_EQ(cuPointerSetAttribute(&set, CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, memory_), CUDA_SUCCESS);
  ASSERT_EQ(cuPointerGetAttribute(&read, CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, memory_ + 9),
            CUDA_SUCCESS);
  EXPECT_EQ(read, 1U);
  EXPECT_EQ(cuPointerSetAttribute(&set, CU_POINTER_ATTRIBUTE_BUFFER_ID, memory_),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuPointerSetAttribute(&set, CU_POINTER_ATTRIBUTE_SYNC_MEMOPS, 16),
            CUDA_ERROR_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
