// Stream-ordered memory and its pools. An allocation is made at once, which is earlier than the
// stream asks for; it ends in stream order. Pools keep nothing back: what is reserved is used.
#include <cstring>

#include "softcuda/driver/graph_memory.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

template <class Body>
CUresult with_pool(CUmemoryPool handle, const void* out, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto pool = driver.pools.find(handle);
    return pool == nullptr || out == nullptr ? CUDA_ERROR_INVALID_VALUE : body(driver, *pool);
  });
}

template <class Body>
CUresult with_device(CUdevice ordinal, const void* out, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    Device* device = driver.device(ordinal);
    return device == nullptr ? CUDA_ERROR_INVALID_DEVICE : body(driver, *device);
  });
}

// In a capture: memory of the graph, as large, of the pool's kind.
CUresult capture_allocation(Driver& driver, Stream& stream, const Pool& pool, size_t bytes,
                            CUdeviceptr* address) {
  CUDA_MEM_ALLOC_NODE_PARAMS parameters{};
  parameters.poolProps = pool.properties;
  parameters.bytesize = bytes;
  GraphAllocationPtr allocation;
  CUresult status = driver.graph_memory->allocate(driver, parameters, allocation);
  if (status != CUDA_SUCCESS) return status;
  const CUdeviceptr place = allocation->parameters.dptr;
  status = stream.submit(AllocOperation{std::move(allocation)});
  if (status == CUDA_SUCCESS) *address = place;
  return status;
}

// A node of a capture, or the end of what a launch has allocated.
CUresult free_graph_memory(Driver& driver, Stream& stream, CUdeviceptr address) {
  auto allocation = stream.capturing.load() ? driver.graph_memory->find(address)
                                            : driver.graph_memory->end(address);
  return allocation == nullptr ? CUDA_ERROR_INVALID_VALUE
                               : stream.submit(FreeOperation{address, std::move(allocation)});
}

CUresult allocate(CUdeviceptr* address, size_t bytes, CUmemoryPool pool_handle, CUstream handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (address == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (pool_handle == nullptr) {
      std::lock_guard lock(context->device.mutex);
      pool_handle = context->device.current_pool;
    }
    auto pool = driver.pools.find(pool_handle);
    if (pool == nullptr || pool->device != &context->device) return CUDA_ERROR_INVALID_VALUE;
    if (stream->capturing.load()) return capture_allocation(driver, *stream, *pool, bytes, address);
    {
      std::lock_guard lock(pool->mutex);
      const std::uint64_t most = pool->properties.maxSize;
      if (most != 0 && (bytes > most || pool->used > most - bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
    }
    std::uint64_t place = 0;
    CUresult status = allocate_block(*context, bytes, Block::Kind::kPool, 0, pool_handle, &place);
    if (status == CUDA_SUCCESS) *address = place;
    return status;
  });
}

// The value of an attribute: int for the first three, else 64 bits.
CUresult pool_attribute(Pool& pool, CUmemPool_attribute which, void* value, bool set) {
  std::lock_guard lock(pool.mutex);
  auto number = [&](std::uint64_t& place, bool settable) {
    if (set && !settable) return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(set ? static_cast<void*>(&place) : value, set ? value : &place, sizeof place);
    return CUDA_SUCCESS;
  };
  switch (which) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES: {
      int& place = pool.reuse[which - CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES];
      std::memcpy(set ? static_cast<void*>(&place) : value, set ? value : &place, sizeof place);
      return CUDA_SUCCESS;
    }
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      return number(pool.release_threshold, true);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
      return number(pool.used, false);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      if (set) {
        std::uint64_t zero = 1;
        std::memcpy(&zero, value, sizeof zero);
        if (zero != 0) return CUDA_ERROR_INVALID_VALUE;
        pool.used_high = pool.used;
        return CUDA_SUCCESS;
      }
      return number(pool.used_high, false);
  }
  return CUDA_ERROR_INVALID_VALUE;
}

// Pools of devices are all there are.
CUresult check_pool_place(const CUmemLocation* location, CUmemAllocationType type) {
  return guarded([&](Driver&) -> CUresult {
    if (location == nullptr ||
        (type != CU_MEM_ALLOCATION_TYPE_PINNED && type != CU_MEM_ALLOCATION_TYPE_MANAGED))
      return CUDA_ERROR_INVALID_VALUE;
    return type == CU_MEM_ALLOCATION_TYPE_PINNED && location->type == CU_MEM_LOCATION_TYPE_DEVICE
               ? CUDA_SUCCESS
               : CUDA_ERROR_NOT_SUPPORTED;
  });
}

}  // namespace

extern "C" {

CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
  return allocate(address, bytes, nullptr, stream);
}
CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, size_t bytes, CUmemoryPool pool,
                                 CUstream stream) {
  return pool == nullptr ? CUDA_ERROR_INVALID_VALUE : allocate(address, bytes, pool, stream);
}

CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    auto found = find_block(driver, address);
    if (found.has_value() && found->address == address && found->block.kind == Block::Kind::kGraph)
      return free_graph_memory(driver, *stream, address);
    const bool ours =
        found.has_value() && found->address == address &&
        (found->block.kind == Block::Kind::kPool || found->block.kind == Block::Kind::kDevice);
    return ours ? stream->submit(FreeOperation{address, nullptr}) : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice ordinal) {
  return with_device(ordinal, pool, [&](Driver&, Device& device) {
    *pool = device.default_pool;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice ordinal) {
  return with_device(ordinal, pool, [&](Driver&, Device& device) {
    std::lock_guard lock(device.mutex);
    *pool = device.current_pool;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceSetMemPool(CUdevice ordinal, CUmemoryPool handle) {
  return with_device(ordinal, &handle, [&](Driver& driver, Device& device) -> CUresult {
    auto pool = driver.pools.find(handle);
    if (pool == nullptr || pool->device != &device) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(device.mutex);
    device.current_pool = handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemPoolCreate(CUmemoryPool* handle, const CUmemPoolProps* properties) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || properties == nullptr ||
        properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
        properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE)
      return CUDA_ERROR_INVALID_VALUE;
    if (properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE) return CUDA_ERROR_NOT_SUPPORTED;
    auto pool = std::make_shared<Pool>();
    pool->device = driver.device(properties->location.id);
    pool->properties = *properties;
    if (pool->device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    *handle = driver.pools.add(std::move(pool));
    return CUDA_SUCCESS;
  });
}

// Allocations from it live on; the device goes back to its default pool.
CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  return with_pool(handle, &handle, [&](Driver& driver, Pool& pool) -> CUresult {
    if (pool.is_default) return CUDA_ERROR_INVALID_VALUE;
    {
      std::lock_guard lock(pool.device->mutex);
      if (pool.device->current_pool == handle)
        pool.device->current_pool = pool.device->default_pool;
    }
    driver.pools.remove(handle);
    return CUDA_SUCCESS;
  });
}

// A device uses its own pools, and none of another's.
CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* access, size_t count) {
  return with_pool(handle, access, [&](Driver& driver, Pool& pool) -> CUresult {
    for (size_t i = 0; i < count; ++i) {
      const CUmemAccessDesc& each = access[i];
      if (each.location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
      const Device* device = driver.device(each.location.id);
      const CUmemAccess_flags own = device == pool.device ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                                                          : CU_MEM_ACCESS_FLAGS_PROT_NONE;
      if (device == nullptr || (device != pool.device && each.flags != own))
        return CUDA_ERROR_INVALID_DEVICE;
      if (each.flags != own) return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool handle,
                            CUmemLocation* location) {
  return with_pool(handle, flags, [&](Driver& driver, Pool& pool) -> CUresult {
    if (location == nullptr || location->type != CU_MEM_LOCATION_TYPE_DEVICE ||
        driver.device(location->id) == nullptr)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = driver.device(location->id) == pool.device ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                                                        : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetDefaultMemPool(CUmemoryPool* pool, CUmemLocation* location,
                                CUmemAllocationType type) {
  CUresult status = check_pool_place(location, type);
  return status == CUDA_SUCCESS ? cuDeviceGetDefaultMemPool(pool, location->id) : status;
}
CUresult cuMemGetMemPool(CUmemoryPool* pool, CUmemLocation* location, CUmemAllocationType type) {
  CUresult status = check_pool_place(location, type);
  return status == CUDA_SUCCESS ? cuDeviceGetMemPool(pool, location->id) : status;
}
CUresult cuMemSetMemPool(CUmemLocation* location, CUmemAllocationType type, CUmemoryPool pool) {
  CUresult status = check_pool_place(location, type);
  return status == CUDA_SUCCESS ? cuDeviceSetMemPool(location->id, pool) : status;
}

CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t) {
  return with_pool(handle, &handle, [](Driver&, Pool&) { return CUDA_SUCCESS; });
}

CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute which, void* value) {
  return with_pool(handle, value,
                   [&](Driver&, Pool& pool) { return pool_attribute(pool, which, value, true); });
}

CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute which, void* value) {
  return with_pool(handle, value,
                   [&](Driver&, Pool& pool) { return pool_attribute(pool, which, value, false); });
}

}  // extern "C"
