// Unified addressing: what an address is.
#include <cstring>

#include "softcuda/driver/memory.h"

using namespace longwire::softcuda::driver;

namespace {

template <class T>
CUresult put(void* place, T value) {
  std::memcpy(place, &value, sizeof value);
  return CUDA_SUCCESS;
}

CUmemorytype memory_type(const Block& block) {
  const bool host = block.kind == Block::Kind::kHost || block.kind == Block::Kind::kRegistered ||
                    (block.kind == Block::Kind::kMapped && (block.flags & kHostMapped) != 0);
  return host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
}

bool is_device_only(const Block& block) {
  if (block.kind == Block::Kind::kMapped) return (block.flags & kHostMapped) == 0;
  return block.kind == Block::Kind::kDevice || block.kind == Block::Kind::kPool ||
         block.kind == Block::Kind::kArray || block.kind == Block::Kind::kGraph ||
         block.kind == Block::Kind::kImported;
}

unsigned long long handle_types(const Block& block) {
  return block.kind == Block::Kind::kMapped && (block.flags & kExportMapped) != 0
             ? CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR
             : CU_MEM_HANDLE_TYPE_NONE;
}

bool is_so(const Block& block, CUpointer_attribute which) {
  if (which == CU_POINTER_ATTRIBUTE_IS_MANAGED) return block.kind == Block::Kind::kManaged;
  if (which == CU_POINTER_ATTRIBUTE_SYNC_MEMOPS) return block.sync_memops;
  return which == CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE &&
         block.kind == Block::Kind::kDevice;  // there is nothing else that a device may have
}

CUresult put_host_pointer(const Block& block, CUdeviceptr address, void* out) {
  return is_device_only(block) ? CUDA_ERROR_INVALID_VALUE
                               : put(out, reinterpret_cast<void*>(address));
}

CUresult attribute(const FoundBlock& found, CUdeviceptr address, CUpointer_attribute which,
                   void* out) {
  const Block& block = found.block;
  switch (which) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      return put(out, block.owner);
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return put(out, memory_type(block));
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      return put(out, address);
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      return put_host_pointer(block, address, out);
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID:
      return put<unsigned long long>(out, block.id);
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      return put<int>(out, found.device->ordinal);
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
      return put<unsigned int>(out, is_so(block, which) ? 1 : 0);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
      return put<CUdeviceptr>(out, found.address);
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
      return put<std::size_t>(out, block.bytes);
    case CU_POINTER_ATTRIBUTE_MAPPED:
      return put<unsigned int>(out, 1);
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
      return put(out, handle_types(block));
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      return put(out, CU_POINTER_ATTRIBUTE_ACCESS_FLAG_READWRITE);
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      return block.pool == nullptr ? CUDA_ERROR_INVALID_VALUE : put(out, block.pool);
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

// What cuPointerGetAttributes says of an address that is none of ours.
void put_nothing(CUpointer_attribute which, void* out) {
  if (which == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
    put<int>(out, -2);
  else if (which == CU_POINTER_ATTRIBUTE_CONTEXT || which == CU_POINTER_ATTRIBUTE_DEVICE_POINTER ||
           which == CU_POINTER_ATTRIBUTE_HOST_POINTER)
    put<std::uint64_t>(out, 0);
  else
    put<unsigned int>(out, 0);
}

}  // namespace

extern "C" {

CUresult cuPointerGetAttribute(void* value, CUpointer_attribute which, CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto found = find_block(driver, address);
    return found.has_value() ? attribute(*found, address, which, value) : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuPointerSetAttribute(const void* value, CUpointer_attribute which, CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (value == nullptr || which != CU_POINTER_ATTRIBUTE_SYNC_MEMOPS)
      return CUDA_ERROR_INVALID_VALUE;
    const auto found = find_block(driver, address);
    if (!found.has_value()) return CUDA_ERROR_INVALID_VALUE;
    unsigned int set = 0;
    std::memcpy(&set, value, sizeof set);
    std::lock_guard lock(found->device->mutex);
    auto block = found->device->blocks.find(found->address);
    if (block == found->device->blocks.end()) return CUDA_ERROR_INVALID_VALUE;
    block->second.sync_memops = set != 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuPointerGetAttributes(unsigned int count, CUpointer_attribute* attributes, void** values,
                                CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (count == 0 || attributes == nullptr || values == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto found = find_block(driver, address);
    for (unsigned int i = 0; i < count; ++i) {
      if (values[i] == nullptr || attributes[i] < CU_POINTER_ATTRIBUTE_CONTEXT ||
          attributes[i] > CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE)
        return CUDA_ERROR_INVALID_VALUE;
      if (!found.has_value() ||
          attribute(*found, address, attributes[i], values[i]) != CUDA_SUCCESS)
        put_nothing(attributes[i], values[i]);
    }
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
