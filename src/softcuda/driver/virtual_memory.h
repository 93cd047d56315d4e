// Virtual memory management: addresses, memory, and which addresses stand for which memory, apart
// from each other. Memory is a part of a file that is kept in memory alone; addresses are a part of
// the machine's own range for them, so that kernels look at them as at any other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "softcuda/driver/driver.h"
#include "softcuda/driver/memory_file.h"
#include "softcuda/machine/free_ranges.h"

namespace longwire::softcuda::driver {

inline constexpr std::uint64_t kMappingGranularity = std::uint64_t{2} << 20;
// Of cuMemCreate, devices and host together; what devices have is counted apart.
inline constexpr std::uint64_t kMaxCreatedBytes = kMaxFileBytes;

// What cuMemCreate made: lives as long as a handle or a mapping has it.
struct Physical {
  Physical() = default;
  ~Physical();
  Physical(const Physical&) = delete;
  Physical& operator=(const Physical&) = delete;

  CUmemAllocationProp properties{};
  std::uint64_t bytes = 0;
  Device* device = nullptr;  // nullptr: host memory
  bool charged = false;      // to the device; not where it is another process's
  // Memory of its own file can be exported; the rest shares one, as descriptors are few.
  std::shared_ptr<MemoryFile> file;
  std::uint64_t offset = 0;
  bool in_common_file = false;

  // Under the lock of VirtualMemory.
  CUmemGenericAllocationHandle handle = 0;
  std::uint64_t references = 0;  // by handle: cuMemCreate, cuMemRetainAllocationHandle
};

struct Mapping {
  std::uint64_t bytes = 0;
  std::shared_ptr<Physical> memory;  // with its handle and other mappings
  std::uint32_t access = 0;          // bit n: device n may use it
};

struct Reservation {
  std::uint64_t bytes = 0;
  Device* device = nullptr;  // in whose range for addresses it lies
};

struct VirtualMemory {
  std::mutex mutex;  // of what follows; taken before a device's
  std::unordered_map<CUmemGenericAllocationHandle, std::shared_ptr<Physical>> handles;
  std::map<std::uint64_t, Reservation> reservations;  // by address, as the next
  std::map<std::uint64_t, Mapping> mappings;
  std::mutex file_mutex;                    // of what follows; taken last
  std::shared_ptr<MemoryFile> common_file;  // with each Physical in it
  machine::FreeRanges common_free{0, kMaxCreatedBytes};
};

VirtualMemory& virtual_memory();  // never destroyed: threads may call until the end

// Memory for `properties`, which have been checked. CUDA_ERROR_OUT_OF_MEMORY.
CUresult make_physical(Driver& driver, const CUmemAllocationProp& properties, std::uint64_t bytes,
                       std::shared_ptr<Physical>& made);
// A descriptor for another process, and memory from one.
CUresult export_physical(const Physical& memory, int* fd);
CUresult import_physical(Driver& driver, int fd, std::shared_ptr<Physical>& made);
// Whether there is such a device, and such a kind of memory.
CUresult check_properties(Driver& driver, const CUmemAllocationProp& properties);

}  // namespace longwire::softcuda::driver
