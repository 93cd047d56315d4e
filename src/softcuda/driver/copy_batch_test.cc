// Copies in batches, and between contexts in three dimensions.
#include <array>
#include <limits>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

// The forms of CUDA 12.8, which say which copy was wrong.
using FlatBatch = CUresult (*)(CUdeviceptr*, CUdeviceptr*, size_t*, size_t, CUmemcpyAttributes*,
                               size_t*, size_t, size_t*, CUstream);
using Batch3D = CUresult (*)(size_t, CUDA_MEMCPY3D_BATCH_OP*, size_t*, unsigned long long,
                             CUstream);
template <class Function>
Function of_12_8(const char* name) {
  void* function = nullptr;
  EXPECT_EQ(cuGetProcAddress(name, &function, 12080, CU_GET_PROC_ADDRESS_DEFAULT, nullptr),
            CUDA_SUCCESS);
  return reinterpret_cast<Function>(function);
}

class CopyBatchTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    ASSERT_EQ(cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc(&memory_, 1024), CUDA_SUCCESS);
    ASSERT_EQ(cuMemsetD8(memory_, 0, 1024), CUDA_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(cuMemFree(memory_), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamDestroy(stream_), CUDA_SUCCESS);
    ContextTest::TearDown();
  }
  std::vector<int> read(size_t words) {
    std::vector<int> out(words);
    EXPECT_EQ(cuStreamSynchronize(stream_), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyDtoH(out.data(), memory_, words * 4), CUDA_SUCCESS);
    return out;
  }
  static CUdeviceptr address_of(const void* pointer) {
    return reinterpret_cast<CUdeviceptr>(pointer);
  }
  static CUmemcpyAttributes in_order(CUmemcpySrcAccessOrder order) {
    CUmemcpyAttributes attributes{};
    attributes.srcAccessOrder = order;
    return attributes;
  }
  CUstream stream_ = nullptr;
  CUdeviceptr memory_ = 0;
};

TEST_F(CopyBatchTest, every_copy_has_the_attributes_of_its_index) {
  std::atomic<bool> gate{false};
  int early = 1, late[2] = {2, 3};
  std::array<CUdeviceptr, 3> to{memory_, memory_ + 4, memory_ + 8};
  std::array<CUdeviceptr, 3> from{address_of(&early), address_of(&late[0]), address_of(&late[1])};
  std::array<size_t, 3> bytes{4, 4, 4};
  std::array<CUmemcpyAttributes, 2> attributes{in_order(CU_MEMCPY_SRC_ACCESS_ORDER_DURING_API_CALL),
                                               in_order(CU_MEMCPY_SRC_ACCESS_ORDER_STREAM)};
  std::array<size_t, 2> indices{0, 1};
  ASSERT_EQ(cuLaunchHostFunc(stream_, wait_until, &gate), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyBatchAsync(to.data(), from.data(), bytes.data(), 3, attributes.data(),
                               indices.data(), 2, stream_),
            CUDA_SUCCESS);
  early = 10;  // was read in the call
  late[0] = 20;
  open_gate(gate);
  EXPECT_EQ(read(3), (std::vector<int>{1, 20, 3}));
}

TEST_F(CopyBatchTest, a_wrong_copy_stops_the_whole_batch) {
  std::array<int, 2> values{5, 6};
  std::array<CUdeviceptr, 2> to{memory_, 0};
  std::array<CUdeviceptr, 2> from{address_of(&values[0]), address_of(&values[1])};
  std::array<size_t, 2> bytes{4, 4};
  CUmemcpyAttributes attributes = in_order(CU_MEMCPY_SRC_ACCESS_ORDER_ANY);
  size_t index = 0, failed = 77;
  const auto batch = of_12_8<FlatBatch>("cuMemcpyBatchAsync");
  const auto run = [&](size_t count, size_t number, CUstream stream) {
    return batch(to.data(), from.data(), bytes.data(), count, &attributes, &index, number, &failed,
                 stream);
  };
  EXPECT_EQ(run(2, 1, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, 1U);
  EXPECT_EQ(read(1), std::vector<int>{0});
  to[1] = memory_ + 4;
  EXPECT_EQ(run(0, 1, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, kNowhere);
  EXPECT_EQ(run(2, 0, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(2, 3, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(2, 1, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(2, 1, CU_STREAM_LEGACY), CUDA_ERROR_INVALID_VALUE);
  index = 1;
  EXPECT_EQ(run(2, 1, stream_), CUDA_ERROR_INVALID_VALUE);
  index = 0;
  attributes.flags = 2;
  EXPECT_EQ(run(2, 1, stream_), CUDA_ERROR_INVALID_VALUE);
  attributes.flags = CU_MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE;
  attributes.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_INVALID;
  EXPECT_EQ(run(2, 1, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(failed, 0U);
  attributes.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_ANY;
  EXPECT_EQ(
      cuMemcpyBatchAsync(to.data(), nullptr, bytes.data(), 2, &attributes, &index, 1, stream_),
      CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(2, 1, CU_STREAM_PER_THREAD), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(CU_STREAM_PER_THREAD), CUDA_SUCCESS);
  EXPECT_EQ(read(2), (std::vector<int>{5, 6}));
}

TEST_F(CopyBatchTest, none_in_a_capture) {
  int value = 1;
  CUdeviceptr to = memory_, from = address_of(&value);
  size_t bytes = 4, index = 0;
  CUmemcpyAttributes attributes = in_order(CU_MEMCPY_SRC_ACCESS_ORDER_STREAM);
  ASSERT_EQ(cuStreamBeginCapture(stream_, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyBatchAsync(&to, &from, &bytes, 1, &attributes, &index, 1, stream_),
            CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(stream_, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

CUmemcpy3DOperand at_pointer(CUdeviceptr pointer, size_t row = 0, size_t layer = 0) {
  CUmemcpy3DOperand operand{};
  operand.type = CU_MEMCPY_OPERAND_TYPE_POINTER;
  operand.op.ptr.ptr = pointer;
  operand.op.ptr.rowLength = row;
  operand.op.ptr.layerHeight = layer;
  return operand;
}
CUmemcpy3DOperand in_array(CUarray array, size_t x, size_t y) {
  CUmemcpy3DOperand operand{};
  operand.type = CU_MEMCPY_OPERAND_TYPE_ARRAY;
  operand.op.array.array = array;
  operand.op.array.offset = {x, y, 0};
  return operand;
}

// Into the middle of an array of four by four words, and back; lengths are in its elements.
TEST_F(CopyBatchTest, copies_of_three_dimensions_count_elements) {
  CUarray array = nullptr;
  const CUDA_ARRAY_DESCRIPTOR description{4, 4, CU_AD_FORMAT_SIGNED_INT32, 1};
  ASSERT_EQ(cuArrayCreate(&array, &description), CUDA_SUCCESS);
  std::array<int, 6> rows{1, 2, -1, 3, 4, -1};  // two rows of three, of which two are copied
  std::array<CUDA_MEMCPY3D_BATCH_OP, 1> ops{};
  ops[0].src = at_pointer(address_of(rows.data()), 3);
  ops[0].dst = in_array(array, 1, 2);
  ops[0].extent = {2, 2, 1};
  ops[0].srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_DURING_API_CALL;
  ASSERT_EQ(cuMemcpy3DBatchAsync(1, ops.data(), 0, stream_), CUDA_SUCCESS);
  rows.fill(0);
  ops[0].src = in_array(array, 1, 2);
  ops[0].dst = at_pointer(memory_);
  ops[0].srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM;
  ASSERT_EQ(cuMemcpy3DBatchAsync(1, ops.data(), 0, stream_), CUDA_SUCCESS);
  EXPECT_EQ(read(4), (std::vector<int>{1, 2, 3, 4}));

  size_t failed = 0;
  const auto batch = of_12_8<Batch3D>("cuMemcpy3DBatchAsync");
  const auto refused = [&](CUDA_MEMCPY3D_BATCH_OP op) {
    failed = 77;
    const CUresult status = batch(1, &op, &failed, 0, stream_);
    EXPECT_EQ(failed, status == CUDA_SUCCESS ? kNowhere : 0U);
    return status;
  };
  CUDA_MEMCPY3D_BATCH_OP wrong = ops[0];
  wrong.extent.depth = 0;
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong = ops[0];
  wrong.dst = at_pointer(memory_, 1);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong.dst = at_pointer(memory_, 0, 1);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong.dst = at_pointer(memory_, kNowhere);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong.dst = in_array(nullptr, 0, 0);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_HANDLE);
  wrong.dst = at_pointer(memory_);
  wrong.src = in_array(array, 3, 2);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong.src.type = static_cast<CUmemcpy3DOperandType>(3);
  EXPECT_EQ(refused(wrong), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(refused(ops[0]), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpy3DBatchAsync(1, ops.data(), 1, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy3DBatchAsync(1, nullptr, 0, stream_), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
}

TEST_F(CopyBatchTest, between_contexts) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&other, 0, 0), CUDA_SUCCESS);
  CUdeviceptr theirs = 0;
  ASSERT_EQ(cuMemAlloc(&theirs, 64), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(theirs, 9, 16), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  CUDA_MEMCPY3D_PEER copy{};
  copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = theirs;
  copy.dstDevice = memory_;
  copy.srcContext = other;
  copy.dstContext = context_;
  copy.WidthInBytes = 8;
  copy.srcPitch = 16;
  copy.dstPitch = 8;
  copy.Height = 2;
  copy.Depth = 1;
  ASSERT_EQ(cuMemcpy3DPeer(&copy), CUDA_SUCCESS);
  EXPECT_EQ(read(5), (std::vector<int>{9, 9, 9, 9, 0}));
  copy.Height = 4;
  ASSERT_EQ(cuMemcpy3DPeerAsync(&copy, stream_), CUDA_SUCCESS);
  EXPECT_EQ(read(9), (std::vector<int>{9, 9, 9, 9, 9, 9, 9, 9, 0}));
  copy.Height = 20;
  EXPECT_EQ(cuMemcpy3DPeer(&copy), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpy3DPeer(nullptr), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpy3DPeer(&copy), CUDA_ERROR_INVALID_CONTEXT);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
