#include "softcuda/driver/graph_memory.h"

#include "softcuda/driver/memory.h"

namespace longwire::softcuda::driver {

GraphAllocation::~GraphAllocation() {
  if (parameters.dptr == 0) return;
  GraphMemory& memory = *driver.graph_memory;
  {
    std::lock_guard lock(memory.mutex_);
    memory.known_.erase(parameters.dptr);
    memory.use_[&device].reserved -= parameters.bytesize;
  }
  (void)release_block(device, parameters.dptr);
}

CUresult GraphMemory::allocate(Driver& driver, const CUDA_MEM_ALLOC_NODE_PARAMS& parameters,
                               GraphAllocationPtr& allocation) {
  const CUmemPoolProps& pool = parameters.poolProps;
  if (pool.allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
      pool.location.type != CU_MEM_LOCATION_TYPE_DEVICE || parameters.bytesize == 0 ||
      (parameters.accessDescCount > 0 && parameters.accessDescs == nullptr) ||
      parameters.accessDescCount > driver.devices.size())
    return CUDA_ERROR_INVALID_VALUE;
  if (pool.handleTypes != CU_MEM_HANDLE_TYPE_NONE) return CUDA_ERROR_NOT_SUPPORTED;
  Device* device = driver.device(pool.location.id);
  if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
  auto made = std::make_shared<GraphAllocation>(driver, *device);
  for (std::size_t i = 0; i < parameters.accessDescCount; ++i)
    made->accesses.push_back(parameters.accessDescs[i]);
  for (const CUmemAccessDesc& each : made->accesses)
    if (each.location.type != CU_MEM_LOCATION_TYPE_DEVICE ||
        driver.device(each.location.id) == nullptr)
      return CUDA_ERROR_INVALID_VALUE;
  std::uint64_t address = 0;
  CUresult status = reserve_graph_block(*device, parameters.bytesize, &address);
  if (status != CUDA_SUCCESS) return status;
  std::lock_guard lock(mutex_);
  made->parameters = parameters;
  made->parameters.dptr = address;
  made->parameters.accessDescs = made->accesses.empty() ? nullptr : made->accesses.data();
  known_[address] = made;
  GraphMemoryUse& use = use_[device];
  use.reserved += parameters.bytesize;
  use.reserved_high = std::max(use.reserved_high, use.reserved);
  allocation = std::move(made);
  return CUDA_SUCCESS;
}

GraphAllocationPtr GraphMemory::find(CUdeviceptr address) {
  std::lock_guard lock(mutex_);
  auto found = known_.find(address);
  return found == known_.end() ? nullptr : found->second.lock();
}

bool GraphMemory::begin(const GraphAllocationPtr& allocation) {
  std::lock_guard lock(mutex_);
  if (!live_.emplace(allocation->parameters.dptr, allocation).second) return false;
  GraphMemoryUse& use = use_[&allocation->device];
  use.used += allocation->parameters.bytesize;
  use.used_high = std::max(use.used_high, use.used);
  return true;
}

GraphAllocationPtr GraphMemory::end(CUdeviceptr address) {
  std::lock_guard lock(mutex_);
  auto found = live_.find(address);
  if (found == live_.end()) return nullptr;
  GraphAllocationPtr allocation = std::move(found->second);
  live_.erase(found);
  use_[&allocation->device].used -= allocation->parameters.bytesize;
  return allocation;
}

GraphMemoryUse GraphMemory::use(const Device& device) {
  std::lock_guard lock(mutex_);
  return use_[&device];
}

void GraphMemory::reset_high(const Device& device, bool used) {
  std::lock_guard lock(mutex_);
  GraphMemoryUse& use = use_[&device];
  (used ? use.used_high : use.reserved_high) = used ? use.used : use.reserved;
}

}  // namespace longwire::softcuda::driver
