// Copies. Those without Async in their name are waited for.
#include <cstring>

#include "softcuda/driver/copy.h"
#include "softcuda/driver/driver.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr CUmemorytype kHost = CU_MEMORYTYPE_HOST, kDevice = CU_MEMORYTYPE_DEVICE,
                       kUnified = CU_MEMORYTYPE_UNIFIED;

CUdeviceptr address_of(const void* pointer) noexcept {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

// `make` fills a CopyOperation.
template <class Make>
CUresult copy(CUstream handle, bool wait, Make&& make) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    CopyOperation operation;
    CUresult status = make(operation);
    if (status != CUDA_SUCCESS) return status;
    return wait ? stream->submit_and_wait(std::move(operation))
                : stream->submit(std::move(operation));
  });
}

CUresult flat(CUdeviceptr to, CUmemorytype to_type, CUdeviceptr from, CUmemorytype from_type,
              size_t bytes, CUstream stream, bool wait) {
  return copy(stream, wait, [&](CopyOperation& operation) {
    return make_flat_copy(to, to_type, from, from_type, bytes, operation);
  });
}

CUresult copy_2d(const CUDA_MEMCPY2D* asked, CUstream stream, bool wait) {
  if (asked == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return copy(stream, wait,
              [&](CopyOperation& operation) { return make_copy(copy_of_2d(*asked), operation); });
}

CUresult copy_3d(const CUDA_MEMCPY3D* asked, CUstream stream, bool wait) {
  if (asked == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return copy(stream, wait, [&](CopyOperation& operation) { return make_copy(*asked, operation); });
}

// One side is an array of one row, and an offset in it.
CUresult array_copy(CUarray array, size_t offset, CUdeviceptr other, CUmemorytype other_type,
                    bool to_array, size_t bytes, CUstream stream, bool wait) {
  CUDA_MEMCPY3D asked{};
  asked.WidthInBytes = bytes;
  asked.Height = asked.Depth = 1;
  asked.srcMemoryType = to_array ? other_type : CU_MEMORYTYPE_ARRAY;
  asked.dstMemoryType = to_array ? CU_MEMORYTYPE_ARRAY : other_type;
  asked.srcArray = asked.dstArray = array;
  (to_array ? asked.dstXInBytes : asked.srcXInBytes) = offset;
  asked.srcDevice = asked.dstDevice = other;
  asked.srcHost = asked.dstHost = reinterpret_cast<void*>(other);
  return copy_3d(&asked, stream, wait);
}

bool are_contexts(Driver& driver, CUcontext one, CUcontext other) {
  return driver.contexts.find(one) != nullptr && driver.contexts.find(other) != nullptr;
}

CUresult peer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
              size_t bytes, CUstream stream, bool wait) {
  return guarded([&](Driver& driver) {
    return are_contexts(driver, to_context, from_context)
               ? flat(to, kDevice, from, kDevice, bytes, stream, wait)
               : CUDA_ERROR_INVALID_CONTEXT;
  });
}

// The contexts stand where a copy in one context has nothing.
static_assert(sizeof(CUDA_MEMCPY3D) == sizeof(CUDA_MEMCPY3D_PEER));
CUresult peer_3d(const CUDA_MEMCPY3D_PEER* asked, CUstream stream, bool wait) {
  if (asked == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return guarded([&](Driver& driver) -> CUresult {
    const auto is_wrong = [&](CUcontext context, CUmemorytype type) {
      const bool needless = type == kHost || type == kUnified;
      return !(needless && context == nullptr) && driver.contexts.find(context) == nullptr;
    };
    if (is_wrong(asked->srcContext, asked->srcMemoryType) ||
        is_wrong(asked->dstContext, asked->dstMemoryType))
      return CUDA_ERROR_INVALID_CONTEXT;
    CUDA_MEMCPY3D copy;
    std::memcpy(&copy, asked, sizeof copy);
    copy.reserved0 = copy.reserved1 = nullptr;
    return copy_3d(&copy, stream, wait);
  });
}

}  // namespace

extern "C" {

CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return flat(to, kUnified, from, kUnified, bytes, nullptr, true);
}
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return flat(to, kUnified, from, kUnified, bytes, stream, false);
}
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
  return flat(to, kDevice, address_of(from), kHost, bytes, nullptr, true);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  return flat(to, kDevice, address_of(from), kHost, bytes, stream, false);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
  return flat(address_of(to), kHost, from, kDevice, bytes, nullptr, true);
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return flat(address_of(to), kHost, from, kDevice, bytes, stream, false);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return flat(to, kDevice, from, kDevice, bytes, nullptr, true);
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return flat(to, kDevice, from, kDevice, bytes, stream, false);
}
CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                      CUcontext from_context, size_t bytes) {
  return peer(to, to_context, from, from_context, bytes, nullptr, true);
}
CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                           CUcontext from_context, size_t bytes, CUstream stream) {
  return peer(to, to_context, from, from_context, bytes, stream, false);
}

CUresult cuMemcpyDtoA_v2(CUarray to, size_t offset, CUdeviceptr from, size_t bytes) {
  return array_copy(to, offset, from, kDevice, true, bytes, nullptr, true);
}
CUresult cuMemcpyAtoD_v2(CUdeviceptr to, CUarray from, size_t offset, size_t bytes) {
  return array_copy(from, offset, to, kDevice, false, bytes, nullptr, true);
}
CUresult cuMemcpyHtoA_v2(CUarray to, size_t offset, const void* from, size_t bytes) {
  return array_copy(to, offset, address_of(from), kHost, true, bytes, nullptr, true);
}
CUresult cuMemcpyHtoAAsync_v2(CUarray to, size_t offset, const void* from, size_t bytes,
                              CUstream stream) {
  return array_copy(to, offset, address_of(from), kHost, true, bytes, stream, false);
}
CUresult cuMemcpyAtoH_v2(void* to, CUarray from, size_t offset, size_t bytes) {
  return array_copy(from, offset, address_of(to), kHost, false, bytes, nullptr, true);
}
CUresult cuMemcpyAtoHAsync_v2(void* to, CUarray from, size_t offset, size_t bytes,
                              CUstream stream) {
  return array_copy(from, offset, address_of(to), kHost, false, bytes, stream, false);
}
CUresult cuMemcpyAtoA_v2(CUarray to, size_t to_offset, CUarray from, size_t from_offset,
                         size_t bytes) {
  CUDA_MEMCPY3D asked{};
  asked.srcMemoryType = asked.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  asked.srcArray = from;
  asked.srcXInBytes = from_offset;
  asked.dstArray = to;
  asked.dstXInBytes = to_offset;
  asked.WidthInBytes = bytes;
  asked.Height = asked.Depth = 1;
  return copy_3d(&asked, nullptr, true);
}

CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* asked) { return copy_2d(asked, nullptr, true); }
CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* asked) {
  return copy_2d(asked, nullptr, true);
}
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* asked, CUstream stream) {
  return copy_2d(asked, stream, false);
}
CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* asked) { return copy_3d(asked, nullptr, true); }
CUresult cuMemcpy3DPeer(const CUDA_MEMCPY3D_PEER* asked) { return peer_3d(asked, nullptr, true); }
CUresult cuMemcpy3DPeerAsync(const CUDA_MEMCPY3D_PEER* asked, CUstream stream) {
  return peer_3d(asked, stream, false);
}
CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* asked, CUstream stream) {
  return copy_3d(asked, stream, false);
}

}  // extern "C"
