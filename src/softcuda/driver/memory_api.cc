// Device, host and managed memory.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/memory.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr std::size_t kPitchAlignment = 512;

CUdeviceptr address_of(const void* pointer) noexcept {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

CUresult allocate_host(void** pointer, size_t bytes, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    constexpr unsigned int kKnown =
        CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
    if (pointer == nullptr || (flags & ~kKnown) != 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::uint64_t address = 0;
    CUresult status = allocate_block(*context, bytes, Block::Kind::kHost, flags, nullptr, &address);
    if (status == CUDA_SUCCESS) *pointer = reinterpret_cast<void*>(address);
    return status;
  });
}

// Frees what begins at `address` and is of one of the kinds, after the work that may use it.
template <class... Kinds>
CUresult release(CUdeviceptr address, CUresult otherwise, Kinds... kinds) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto found = find_block(driver, address);
    if (!found.has_value() || found->address != address || !((found->block.kind == kinds) || ...))
      return otherwise;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    if (CUresult status = synchronize_context(*context); status != CUDA_SUCCESS) return status;
    if (found->block.kind == Block::Kind::kGraph)
      return driver.graph_memory->end(address) != nullptr ? CUDA_SUCCESS : otherwise;
    return release_block(*found->device, address) ? CUDA_SUCCESS : otherwise;
  });
}

// The host memory, allocated or registered, that contains a pointer.
template <class Body>
CUresult with_host_memory(const void* pointer, const void* out, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (out == nullptr || pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto found = find_block(driver, address_of(pointer));
    if (!found.has_value() ||
        (found->block.kind != Block::Kind::kHost && found->block.kind != Block::Kind::kRegistered))
      return CUDA_ERROR_INVALID_VALUE;
    return body(*found);
  });
}

CUresult register_host(void* pointer, size_t bytes, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    constexpr unsigned int kKnown = CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP |
                                    CU_MEMHOSTREGISTER_IOMEMORY | CU_MEMHOSTREGISTER_READ_ONLY;
    const CUdeviceptr address = address_of(pointer);
    if (pointer == nullptr || bytes == 0 || bytes > ~address || (flags & ~kKnown) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if ((flags & CU_MEMHOSTREGISTER_IOMEMORY) != 0) return CUDA_ERROR_NOT_SUPPORTED;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    if (find_block(driver, address).has_value() ||
        find_block(driver, address + bytes - 1).has_value())
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    Device& device = context->device;
    auto status = device.machine->memory().add_registered(address, bytes);
    if (!status.ok())
      return status.error().code() == longwire::base::ErrorCode::kInvalidArgument
                 ? CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED
                 : CUDA_ERROR_OUT_OF_MEMORY;
    CUresult added = context->add_object([&] {
      const Block block{bytes, Block::Kind::kRegistered, context->handle, flags, nullptr, address};
      std::lock_guard lock(device.mutex);
      device.blocks.emplace(address, block);
    });
    if (added != CUDA_SUCCESS) (void)device.machine->memory().remove_registered(address);
    return added;
  });
}

}  // namespace

extern "C" {

CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (free == nullptr || total == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Device& device = context->device;
    *free = device.machine->memory().free_bytes();
    *total = device.machine->memory().total_bytes();
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::uint64_t place = 0;
    CUresult status = allocate_block(*context, bytes, Block::Kind::kDevice, 0, nullptr, &place);
    if (status == CUDA_SUCCESS) *address = place;
    return status;
  });
}

CUresult cuMemAllocPitch_v2(CUdeviceptr* address, size_t* pitch, size_t width, size_t height,
                            unsigned int element) {
  if (address == nullptr || pitch == nullptr || width == 0 || height == 0 ||
      (element != 4 && element != 8 && element != 16))
    return CUDA_ERROR_INVALID_VALUE;
  std::size_t row = 0, bytes = 0;
  if (__builtin_add_overflow(width, kPitchAlignment - 1, &row)) return CUDA_ERROR_OUT_OF_MEMORY;
  row = row / kPitchAlignment * kPitchAlignment;
  if (__builtin_mul_overflow(row, height, &bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  CUresult status = cuMemAlloc_v2(address, bytes);
  if (status == CUDA_SUCCESS) *pitch = row;
  return status;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  if (address == 0)
    return in_context([](Driver&, const std::shared_ptr<Context>&) { return CUDA_SUCCESS; });
  return release(address, CUDA_ERROR_INVALID_VALUE, Block::Kind::kDevice, Block::Kind::kManaged,
                 Block::Kind::kPool, Block::Kind::kGraph);
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    auto found = find_block(driver, address);
    if (!found.has_value()) return CUDA_ERROR_NOT_FOUND;
    if (base != nullptr) *base = found->address;
    if (bytes != nullptr) *bytes = found->block.bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAllocHost_v2(void** pointer, size_t bytes) {
  return allocate_host(pointer, bytes, 0);
}
CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned int flags) {
  return allocate_host(pointer, bytes, flags);
}
CUresult cuMemFreeHost(void* pointer) {
  if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return release(address_of(pointer), CUDA_ERROR_INVALID_VALUE, Block::Kind::kHost);
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* pointer, unsigned int flags) {
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  return with_host_memory(pointer, address, [&](const FoundBlock&) {
    *address = address_of(pointer);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostGetFlags(unsigned int* flags, void* pointer) {
  return with_host_memory(pointer, flags, [&](const FoundBlock& found) {
    *flags = found.block.flags | CU_MEMHOSTALLOC_DEVICEMAP;  // all of it is mapped
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostRegister(void* pointer, size_t bytes, unsigned int flags) {
  return register_host(pointer, bytes, flags);
}
CUresult cuMemHostRegister_v2(void* pointer, size_t bytes, unsigned int flags) {
  return register_host(pointer, bytes, flags);
}
CUresult cuMemHostUnregister(void* pointer) {
  if (pointer == nullptr) return CUDA_ERROR_INVALID_VALUE;
  return release(address_of(pointer), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED,
                 Block::Kind::kRegistered);
}

CUresult cuMemAllocManaged(CUdeviceptr* address, size_t bytes, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (address == nullptr || (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST))
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::uint64_t place = 0;
    CUresult status =
        allocate_block(*context, bytes, Block::Kind::kManaged, flags, nullptr, &place);
    if (status == CUDA_SUCCESS) *address = place;
    return status;
  });
}

}  // extern "C"
