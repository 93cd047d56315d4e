#include "softcuda/driver/virtual_memory.h"

#include <fcntl.h>

#include <cstring>

namespace longwire::softcuda::driver {
namespace {

CUresult place_in_own_file(Physical& memory) {
  FileTrailer trailer;
  trailer.magic = kCreatedFile;
  trailer.bytes = memory.bytes;
  trailer.location_type = memory.properties.location.type;
  trailer.location_id = memory.properties.location.id;
  memory.file = make_exported_file(trailer);
  return memory.file != nullptr ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult place_in_common_file(Physical& memory) {
  VirtualMemory& all = virtual_memory();
  std::lock_guard lock(all.file_mutex);
  if (all.common_file == nullptr) all.common_file = make_memory_file(kMaxCreatedBytes);
  if (all.common_file == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  auto offset = all.common_free.take(memory.bytes, kMappingGranularity);
  if (!offset.has_value()) return CUDA_ERROR_OUT_OF_MEMORY;
  memory.file = all.common_file;
  memory.offset = *offset;
  memory.in_common_file = true;
  return CUDA_SUCCESS;
}

}  // namespace

Physical::~Physical() {
  if (charged) device->machine->memory().give_back(bytes);
  if (!in_common_file) return;
  ::fallocate(file->fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
              static_cast<off_t>(bytes));
  VirtualMemory& all = virtual_memory();
  std::lock_guard lock(all.file_mutex);
  all.common_free.give(offset, bytes);
}

VirtualMemory& virtual_memory() {
  static VirtualMemory& one = *new VirtualMemory;
  return one;
}

CUresult check_properties(Driver& driver, const CUmemAllocationProp& properties) {
  if (properties.type != CU_MEM_ALLOCATION_TYPE_PINNED) return CUDA_ERROR_INVALID_VALUE;
  if ((properties.requestedHandleTypes & ~CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) != 0)
    return CUDA_ERROR_NOT_SUPPORTED;
  switch (properties.location.type) {
    case CU_MEM_LOCATION_TYPE_DEVICE:
      return driver.device(properties.location.id) == nullptr ? CUDA_ERROR_INVALID_DEVICE
                                                              : CUDA_SUCCESS;
    case CU_MEM_LOCATION_TYPE_HOST:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA:
    case CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT:
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult make_physical(Driver& driver, const CUmemAllocationProp& properties, std::uint64_t bytes,
                       std::shared_ptr<Physical>& made) {
  if (bytes > kMaxCreatedBytes / 2) return CUDA_ERROR_OUT_OF_MEMORY;
  auto memory = std::make_shared<Physical>();
  memory->properties = properties;
  memory->properties.allocFlags = {};  // compression and so on are hints, and there is none
  memory->bytes = bytes;
  if (properties.location.type == CU_MEM_LOCATION_TYPE_DEVICE)
    memory->device = driver.device(properties.location.id);
  if (memory->device != nullptr) {
    if (!memory->device->machine->memory().take(bytes).ok()) return CUDA_ERROR_OUT_OF_MEMORY;
    memory->charged = true;
  }
  CUresult status = properties.requestedHandleTypes == CU_MEM_HANDLE_TYPE_NONE
                        ? place_in_common_file(*memory)
                        : place_in_own_file(*memory);
  if (status == CUDA_SUCCESS) made = std::move(memory);
  return status;
}

CUresult export_physical(const Physical& memory, int* fd) {
  if (memory.properties.requestedHandleTypes == CU_MEM_HANDLE_TYPE_NONE)
    return CUDA_ERROR_INVALID_VALUE;
  const int copy = ::fcntl(memory.file->fd(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return CUDA_ERROR_OPERATING_SYSTEM;
  std::memcpy(fd, &copy, sizeof copy);
  return CUDA_SUCCESS;
}

CUresult import_physical(Driver& driver, int fd, std::shared_ptr<Physical>& made) {
  FileTrailer trailer;
  if (fd < 0 || !read_trailer(fd, kCreatedFile, trailer) ||
      trailer.bytes % kMappingGranularity != 0)
    return CUDA_ERROR_INVALID_VALUE;
  auto memory = std::make_shared<Physical>();
  memory->properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  memory->properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  memory->properties.location = {static_cast<CUmemLocationType>(trailer.location_type),
                                 trailer.location_id};
  memory->bytes = trailer.bytes;
  if (CUresult status = check_properties(driver, memory->properties); status != CUDA_SUCCESS)
    return status;
  if (trailer.location_type == CU_MEM_LOCATION_TYPE_DEVICE)
    memory->device = driver.device(trailer.location_id);
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return CUDA_ERROR_OPERATING_SYSTEM;
  memory->file = std::make_shared<MemoryFile>(own);
  made = std::move(memory);
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
