// Many copies in one call. They run one after the other, which is one of the orders that a batch
// may have.
#include <limits>

#include "softcuda/driver/capture.h"
#include "softcuda/driver/copy.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr std::size_t kNoIndex = std::numeric_limits<std::size_t>::max();

bool is_order(CUmemcpySrcAccessOrder order) noexcept {
  return order >= CU_MEMCPY_SRC_ACCESS_ORDER_STREAM && order <= CU_MEMCPY_SRC_ACCESS_ORDER_ANY;
}
bool are_flags(unsigned int flags) noexcept {
  return flags <= CU_MEMCPY_FLAG_PREFER_OVERLAP_WITH_COMPUTE;
}

// Checks all copies before the first is put into the stream. `make` fills the copy with an index
// and says its order. `failed`: the index of a wrong one; NULL: nobody asks.
template <class Make>
CUresult batch(CUstream handle, size_t count, size_t* failed, Make&& make) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (failed != nullptr) *failed = kNoIndex;
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (count == 0 || stream->kind() == Stream::Kind::kLegacy) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = refuse_capture(driver, *stream); status != CUDA_SUCCESS) return status;
    std::vector<CopyOperation> copies;
    for (size_t i = 0; i < count; ++i) {
      CUmemcpySrcAccessOrder order = CU_MEMCPY_SRC_ACCESS_ORDER_INVALID;
      CUresult status = make(i, copies.emplace_back(), order);
      if (status == CUDA_SUCCESS && !is_order(order)) status = CUDA_ERROR_INVALID_VALUE;
      if (status != CUDA_SUCCESS) {
        if (failed != nullptr) *failed = i;
        return status;
      }
      if (order == CU_MEMCPY_SRC_ACCESS_ORDER_DURING_API_CALL) take_source(copies.back());
    }
    for (CopyOperation& copy : copies)
      if (CUresult status = stream->submit(std::move(copy)); status != CUDA_SUCCESS) return status;
    return CUDA_SUCCESS;
  });
}

// Each entry says which copies it is for: from its index on, until that of the next.
bool are_attributes(const CUmemcpyAttributes* attributes, const size_t* indices, size_t number,
                    size_t count) {
  if (attributes == nullptr || indices == nullptr || number == 0 || number > count) return false;
  for (size_t i = 0; i < number; ++i) {
    if (i == 0 ? indices[i] != 0 : indices[i] <= indices[i - 1]) return false;
    if (indices[i] >= count || !are_flags(attributes[i].flags)) return false;
  }
  return true;
}

CUresult flat_batch(const CUdeviceptr* to, const CUdeviceptr* from, const size_t* bytes,
                    size_t count, const CUmemcpyAttributes* attributes, const size_t* indices,
                    size_t number, size_t* failed, CUstream stream) {
  if (failed != nullptr) *failed = kNoIndex;
  if (to == nullptr || from == nullptr || bytes == nullptr ||
      !are_attributes(attributes, indices, number, count))
    return CUDA_ERROR_INVALID_VALUE;
  size_t entry = 0;
  return batch(stream, count, failed,
               [&](size_t i, CopyOperation& copy, CUmemcpySrcAccessOrder& order) {
                 if (entry + 1 < number && indices[entry + 1] == i) ++entry;
                 order = attributes[entry].srcAccessOrder;
                 return make_flat_copy(to[i], CU_MEMORYTYPE_UNIFIED, from[i], CU_MEMORYTYPE_UNIFIED,
                                       bytes[i], copy);
               });
}

// Of an array; 0: of a pointer, whose elements are the other side's.
CUresult element_of(Driver& driver, const CUmemcpy3DOperand& operand, std::size_t& bytes) {
  bytes = 0;
  if (operand.type == CU_MEMCPY_OPERAND_TYPE_POINTER) return CUDA_SUCCESS;
  if (operand.type != CU_MEMCPY_OPERAND_TYPE_ARRAY) return CUDA_ERROR_INVALID_VALUE;
  auto array = driver.arrays.find(operand.op.array.array);
  if (array == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  bytes = array->element_bytes;
  return CUDA_SUCCESS;
}

// One side of a copy, in bytes.
struct Side {
  CUmemorytype type = CU_MEMORYTYPE_UNIFIED;
  CUdeviceptr address = 0;
  CUarray array = nullptr;
  std::size_t x = 0, y = 0, z = 0, pitch = 0, height = 0;
};

CUresult side_of(const CUmemcpy3DOperand& operand, const CUextent3D& extent, std::size_t element,
                 Side& side) {
  std::size_t& bytes = operand.type == CU_MEMCPY_OPERAND_TYPE_ARRAY ? side.x : side.pitch;
  if (operand.type == CU_MEMCPY_OPERAND_TYPE_ARRAY) {
    const auto& array = operand.op.array;
    side = {CU_MEMORYTYPE_ARRAY, 0, array.array, array.offset.x, array.offset.y, array.offset.z};
  } else {
    const auto& pointer = operand.op.ptr;
    if ((pointer.rowLength != 0 && pointer.rowLength < extent.width) ||
        (pointer.layerHeight != 0 && pointer.layerHeight < extent.height))
      return CUDA_ERROR_INVALID_VALUE;
    side.address = pointer.ptr;
    side.pitch = pointer.rowLength;
    side.height = pointer.layerHeight;
  }
  return __builtin_mul_overflow(bytes, element, &bytes) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult make_batched(Driver& driver, const CUDA_MEMCPY3D_BATCH_OP& asked, CopyOperation& copy) {
  const CUextent3D& extent = asked.extent;
  if (extent.width == 0 || extent.height == 0 || extent.depth == 0 || !are_flags(asked.flags))
    return CUDA_ERROR_INVALID_VALUE;
  std::size_t of_source = 0, of_target = 0;
  CUresult status = element_of(driver, asked.src, of_source);
  if (status == CUDA_SUCCESS) status = element_of(driver, asked.dst, of_target);
  if (status != CUDA_SUCCESS) return status;
  if (of_source != 0 && of_target != 0 && of_source != of_target) return CUDA_ERROR_INVALID_VALUE;
  const std::size_t element = std::max<std::size_t>({of_source, of_target, 1});
  Side from, to;
  status = side_of(asked.src, extent, element, from);
  if (status == CUDA_SUCCESS) status = side_of(asked.dst, extent, element, to);
  CUDA_MEMCPY3D whole{};
  if (status != CUDA_SUCCESS || __builtin_mul_overflow(extent.width, element, &whole.WidthInBytes))
    return CUDA_ERROR_INVALID_VALUE;
  whole.Height = extent.height;
  whole.Depth = extent.depth;
  whole.srcMemoryType = from.type;
  whole.srcDevice = from.address;
  whole.srcArray = from.array;
  whole.srcXInBytes = from.x;
  whole.srcY = from.y;
  whole.srcZ = from.z;
  whole.srcPitch = from.pitch;
  whole.srcHeight = from.height;
  whole.dstMemoryType = to.type;
  whole.dstDevice = to.address;
  whole.dstArray = to.array;
  whole.dstXInBytes = to.x;
  whole.dstY = to.y;
  whole.dstZ = to.z;
  whole.dstPitch = to.pitch;
  whole.dstHeight = to.height;
  return make_copy(whole, copy);
}

CUresult batch_3d(size_t count, const CUDA_MEMCPY3D_BATCH_OP* copies, size_t* failed,
                  unsigned long long flags, CUstream stream) {
  if (failed != nullptr) *failed = kNoIndex;
  if (copies == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
  return batch(stream, count, failed,
               [&](size_t i, CopyOperation& copy, CUmemcpySrcAccessOrder& order) {
                 order = copies[i].srcAccessOrder;
                 return make_batched(*the_driver(), copies[i], copy);
               });
}

}  // namespace

extern "C" {

CUresult cuMemcpyBatchAsync(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count,
                            CUmemcpyAttributes* attributes, size_t* indices, size_t number,
                            size_t* failed, CUstream stream) {
  return flat_batch(to, from, bytes, count, attributes, indices, number, failed, stream);
}
CUresult cuMemcpyBatchAsync_v2(CUdeviceptr* to, CUdeviceptr* from, size_t* bytes, size_t count,
                               CUmemcpyAttributes* attributes, size_t* indices, size_t number,
                               CUstream stream) {
  return flat_batch(to, from, bytes, count, attributes, indices, number, nullptr, stream);
}

CUresult cuMemcpy3DBatchAsync(size_t count, CUDA_MEMCPY3D_BATCH_OP* copies, size_t* failed,
                              unsigned long long flags, CUstream stream) {
  return batch_3d(count, copies, failed, flags, stream);
}
CUresult cuMemcpy3DBatchAsync_v2(size_t count, CUDA_MEMCPY3D_BATCH_OP* copies,
                                 unsigned long long flags, CUstream stream) {
  return batch_3d(count, copies, nullptr, flags, stream);
}

}  // extern "C"
