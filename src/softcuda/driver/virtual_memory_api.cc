// Virtual memory management: cuMemAddressReserve, cuMemCreate, cuMemMap, cuMemSetAccess.
#include "softcuda/driver/virtual_memory.h"

#include <bit>
#include <cstring>

#include "softcuda/driver/context.h"
#include "softcuda/driver/memory.h"

using namespace longwire::softcuda::driver;
namespace machine = longwire::softcuda::machine;

namespace {

using Mappings = std::map<std::uint64_t, Mapping>;

template <class Body>
CUresult with_virtual_memory(Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    VirtualMemory& all = virtual_memory();
    std::lock_guard lock(all.mutex);
    return body(driver, all);
  });
}

template <class Body>
CUresult with_physical(CUmemGenericAllocationHandle handle, const void* out, Body&& body) {
  return with_virtual_memory([&](Driver& driver, VirtualMemory& all) -> CUresult {
    auto found = all.handles.find(handle);
    if (found == all.handles.end() || out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, all, found->second);
  });
}

bool is_multiple(std::uint64_t value, std::uint64_t of) { return value % of == 0; }

// The handle of what has none, or one more reference of that which it has.
CUmemGenericAllocationHandle refer(VirtualMemory& all, const std::shared_ptr<Physical>& memory) {
  if (memory->references++ == 0) {
    memory->handle = next_handle();
    all.handles.emplace(memory->handle, memory);
  }
  return memory->handle;
}

// Where new addresses are taken: of the current context's device, else of the first.
Device& device_for_addresses(Driver& driver) {
  std::shared_ptr<Context> context;
  return current_context(driver, context) == CUDA_SUCCESS ? context->device : *driver.devices[0];
}

machine::Memory& memory_of(Device& device) { return device.machine->memory(); }

// The reservation that has all of these addresses; nullptr: none has.
const Reservation* reservation_of(const VirtualMemory& all, std::uint64_t address,
                                  std::uint64_t bytes) {
  auto next = all.reservations.upper_bound(address);
  if (next == all.reservations.begin()) return nullptr;
  const auto& [begin, found] = *std::prev(next);
  const std::uint64_t into = address - begin;
  return into < found.bytes && bytes <= found.bytes - into ? &found : nullptr;
}

Mappings::iterator mapping_at(VirtualMemory& all, std::uint64_t address) {
  auto next = all.mappings.upper_bound(address);
  if (next == all.mappings.begin()) return all.mappings.end();
  auto found = std::prev(next);
  return address - found->first < found->second.bytes ? found : all.mappings.end();
}

bool is_mapped_somewhere(VirtualMemory& all, std::uint64_t address, std::uint64_t bytes) {
  auto next = all.mappings.lower_bound(address);
  return (next != all.mappings.end() && next->first - address < bytes) ||
         mapping_at(all, address) != all.mappings.end();
}

// Whole mappings without a gap from `address` to its end; none: that is not what is there.
std::vector<Mappings::iterator> whole_mappings(VirtualMemory& all, std::uint64_t address,
                                               std::uint64_t bytes) {
  std::vector<Mappings::iterator> found;
  if (bytes == 0 || bytes > ~address) return {};
  const std::uint64_t end = address + bytes;
  for (auto each = all.mappings.find(address); address != end; ++each) {
    if (each == all.mappings.end() || each->first != address || each->second.bytes > end - address)
      return {};
    found.push_back(each);
    address += each->second.bytes;
  }
  return found;
}

unsigned int block_flags(const Physical& memory) {
  return (memory.device == nullptr ? kHostMapped : 0U) |
         (memory.properties.requestedHandleTypes != 0 ? kExportMapped : 0U);
}

CUresult map(VirtualMemory& all, std::uint64_t address, std::uint64_t bytes,
             const std::shared_ptr<Physical>& memory) {
  const Reservation* reserved = reservation_of(all, address, bytes);
  if (bytes > memory->bytes || reserved == nullptr || is_mapped_somewhere(all, address, bytes))
    return CUDA_ERROR_INVALID_VALUE;
  Device& device = *reserved->device;
  if (!memory_of(device).map(address, bytes, memory->file->fd(), memory->offset).ok())
    return CUDA_ERROR_OUT_OF_MEMORY;
  all.mappings.emplace(address, Mapping{bytes, memory, 0});
  Block block{bytes, Block::Kind::kMapped, nullptr, block_flags(*memory), nullptr, next_block_id()};
  std::lock_guard lock(device.mutex);
  device.blocks.insert_or_assign(address, block);
  return CUDA_SUCCESS;
}

void forbid_all(Driver& driver, std::uint64_t address, const Mapping& mapping) {
  for (const auto& device : driver.devices)
    if ((mapping.access >> device->ordinal & 1) != 0) memory_of(*device).forbid(address);
}

void unmap(Driver& driver, VirtualMemory& all, Mappings::iterator which) {
  const auto [address, mapping] = *which;
  Device& device = *reservation_of(all, address, mapping.bytes)->device;
  forbid_all(driver, address, mapping);
  {
    std::lock_guard lock(device.mutex);
    device.blocks.erase(address);
  }
  memory_of(device).unmap(address, mapping.bytes);
  all.mappings.erase(which);
}

// What was put into streams before may still use the memory.
void finish_all_work(Driver& driver) {
  for (CUcontext handle : driver.contexts.handles_where([](const Context&) { return true; }))
    if (auto context = driver.contexts.find(handle); context != nullptr)
      (void)synchronize_context(*context);
}

// Who may use a mapping: the device whose memory it is, any where it is the host's.
CUresult check_access(Driver& driver, const CUmemAccessDesc& wanted,
                      const std::vector<Mappings::iterator>& mappings) {
  if (wanted.flags == CU_MEM_ACCESS_FLAGS_PROT_READ) return CUDA_ERROR_NOT_SUPPORTED;
  if (wanted.flags != CU_MEM_ACCESS_FLAGS_PROT_NONE &&
      wanted.flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE)
    return CUDA_ERROR_INVALID_VALUE;
  const bool device = wanted.location.type == CU_MEM_LOCATION_TYPE_DEVICE;
  const bool host = wanted.location.type == CU_MEM_LOCATION_TYPE_HOST ||
                    wanted.location.type == CU_MEM_LOCATION_TYPE_HOST_NUMA ||
                    wanted.location.type == CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT;
  if (!device && !host) return CUDA_ERROR_INVALID_VALUE;
  Device* of = device ? driver.device(wanted.location.id) : nullptr;
  if (device && of == nullptr) return CUDA_ERROR_INVALID_DEVICE;
  for (const auto& each : mappings) {
    const Device* owner = each->second.memory->device;
    if (host && owner != nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (device && owner != nullptr && owner != of) return CUDA_ERROR_INVALID_DEVICE;  // no peers
  }
  return CUDA_SUCCESS;
}

CUresult set_access(Driver& driver, const CUmemAccessDesc& wanted,
                    const std::vector<Mappings::iterator>& mappings) {
  if (wanted.location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_SUCCESS;  // it has it
  Device& device = *driver.device(wanted.location.id);
  const std::uint32_t bit = std::uint32_t{1} << device.ordinal;
  for (const auto& each : mappings) {
    auto& [address, mapping] = *each;
    if (wanted.flags == CU_MEM_ACCESS_FLAGS_PROT_NONE) {
      if ((mapping.access & bit) != 0) memory_of(device).forbid(address);
      mapping.access &= ~bit;
      continue;
    }
    if (!memory_of(device).allow(address, mapping.bytes).ok()) return CUDA_ERROR_OUT_OF_MEMORY;
    mapping.access |= bit;
  }
  return CUDA_SUCCESS;
}

static_assert(kMaxDevices <= 32);

}  // namespace

extern "C" {

CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment,
                             CUdeviceptr wanted, unsigned long long flags) {
  return with_virtual_memory([&](Driver& driver, VirtualMemory& all) -> CUresult {
    const std::uint64_t aligned = alignment == 0 ? kMappingGranularity : alignment;
    if (address == nullptr || flags != 0 || bytes == 0 || !std::has_single_bit(aligned) ||
        !is_multiple(bytes, machine::kMappingAlignment) ||
        !is_multiple(wanted, machine::kMappingAlignment))
      return CUDA_ERROR_INVALID_VALUE;
    Device& device = device_for_addresses(driver);
    auto place = memory_of(device).reserve(bytes, aligned, wanted);
    if (!place.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
    all.reservations.emplace(*place, Reservation{bytes, &device});
    *address = *place;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  return with_virtual_memory([&](Driver&, VirtualMemory& all) -> CUresult {
    auto found = all.reservations.find(address);
    if (found == all.reservations.end() || found->second.bytes != bytes ||
        is_mapped_somewhere(all, address, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    memory_of(*found->second.device).release_reserved(address, bytes);
    all.reservations.erase(found);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* properties,
                                       CUmemAllocationGranularity_flags option) {
  return guarded([&](Driver& driver) -> CUresult {
    if (granularity == nullptr || properties == nullptr ||
        (option != CU_MEM_ALLOC_GRANULARITY_MINIMUM &&
         option != CU_MEM_ALLOC_GRANULARITY_RECOMMENDED))
      return CUDA_ERROR_INVALID_VALUE;
    CUresult status = check_properties(driver, *properties);
    if (status == CUDA_SUCCESS) *granularity = kMappingGranularity;
    return status;
  });
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes,
                     const CUmemAllocationProp* properties, unsigned long long flags) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || properties == nullptr || flags != 0 || bytes == 0 ||
        !is_multiple(bytes, kMappingGranularity))
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Physical> memory;
    CUresult status = check_properties(driver, *properties);
    if (status == CUDA_SUCCESS) status = make_physical(driver, *properties, bytes, memory);
    if (status != CUDA_SUCCESS) return status;
    VirtualMemory& all = virtual_memory();
    std::lock_guard lock(all.mutex);
    *handle = refer(all, memory);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  return with_physical(handle, &handle, [&](Driver&, VirtualMemory& all, auto& memory) {
    if (--memory->references == 0) all.handles.erase(handle);  // mappings may have it still
    return CUDA_SUCCESS;
  });
}

CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset,
                  CUmemGenericAllocationHandle handle, unsigned long long flags) {
  return with_physical(handle, &handle, [&](Driver&, VirtualMemory& all, auto& memory) -> CUresult {
    if (bytes == 0 || offset != 0 || flags != 0 || !is_multiple(address, kMappingGranularity) ||
        !is_multiple(bytes, kMappingGranularity))
      return CUDA_ERROR_INVALID_VALUE;
    return map(all, address, bytes, memory);
  });
}

CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  return guarded([&](Driver& driver) -> CUresult {
    finish_all_work(driver);
    VirtualMemory& all = virtual_memory();
    std::lock_guard lock(all.mutex);
    const auto mappings = whole_mappings(all, address, bytes);
    if (mappings.empty()) return CUDA_ERROR_INVALID_VALUE;
    for (const auto& each : mappings)
      unmap(driver, all, each);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc* access,
                        size_t count) {
  return with_virtual_memory([&](Driver& driver, VirtualMemory& all) -> CUresult {
    const auto mappings = whole_mappings(all, address, bytes);
    if (mappings.empty() || access == nullptr || count == 0) return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count; ++i)
      if (CUresult status = check_access(driver, access[i], mappings); status != CUDA_SUCCESS)
        return status;
    for (size_t i = 0; i < count; ++i)
      if (CUresult status = set_access(driver, access[i], mappings); status != CUDA_SUCCESS)
        return status;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAccess(unsigned long long* flags, const CUmemLocation* location,
                        CUdeviceptr address) {
  return with_virtual_memory([&](Driver& driver, VirtualMemory& all) -> CUresult {
    auto mapping = mapping_at(all, address);
    if (flags == nullptr || location == nullptr || mapping == all.mappings.end())
      return CUDA_ERROR_INVALID_VALUE;
    bool allowed = mapping->second.memory->device == nullptr;
    if (location->type == CU_MEM_LOCATION_TYPE_DEVICE) {
      if (driver.device(location->id) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
      allowed = (mapping->second.access >> location->id & 1) != 0;
    } else if (location->type != CU_MEM_LOCATION_TYPE_HOST &&
               location->type != CU_MEM_LOCATION_TYPE_HOST_NUMA) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    *flags = allowed ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                      CUmemAllocationHandleType type, unsigned long long flags) {
  return with_physical(handle, shareable, [&](Driver&, VirtualMemory&, auto& memory) -> CUresult {
    if (type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR || flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    return export_physical(*memory, static_cast<int*>(shareable));
  });
}

CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                        CUmemAllocationHandleType type) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Physical> memory;
    const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(shareable));
    CUresult status = import_physical(driver, fd, memory);
    if (status != CUDA_SUCCESS) return status;
    VirtualMemory& all = virtual_memory();
    std::lock_guard lock(all.mutex);
    *handle = refer(all, memory);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties,
                                                CUmemGenericAllocationHandle handle) {
  return with_physical(handle, properties, [&](Driver&, VirtualMemory&, auto& memory) {
    *properties = memory->properties;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* address) {
  return with_virtual_memory([&](Driver&, VirtualMemory& all) -> CUresult {
    auto mapping = mapping_at(all, reinterpret_cast<std::uint64_t>(address));
    if (handle == nullptr || mapping == all.mappings.end()) return CUDA_ERROR_INVALID_VALUE;
    *handle = refer(all, mapping->second.memory);
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
