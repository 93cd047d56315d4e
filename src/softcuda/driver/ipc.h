// Memory and events that processes of one user share. A handle names a file in memory that its
// maker holds open, by process and descriptor, and the file's secret: so a handle opens what it was
// made for or nothing. The system lets only processes of the same user open each other's files.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "softcuda/driver/driver.h"
#include "softcuda/driver/memory_file.h"

namespace longwire::softcuda::driver {

struct IpcFile {
  std::shared_ptr<MemoryFile> file;  // nullptr: another process's, which has been mapped
  FileTrailer trailer;
  std::uint64_t opened = 0;  // how often by this process; under ipc_mutex()
};

// Held while handles of memory are made, opened and closed: so that one is opened once. Taken
// before all others.
std::mutex& ipc_mutex() noexcept;

// What cuIpcGet…Handle gives out, and its file again; no value: it is none of ours, of another
// kind, or what it was made for is gone.
using HandleBytes = char[CU_IPC_HANDLE_SIZE];
void write_handle(const IpcFile& file, HandleBytes& bytes);
std::optional<IpcFile> open_handle(const HandleBytes& bytes, const std::array<char, 8>& magic);
bool is_of_this_process(const HandleBytes& bytes) noexcept;

// Where `address` lies becomes memory that others may map, if it is not yet: waits for all work, as
// none may write meanwhile. CUDA_ERROR_INVALID_VALUE: cuMemAlloc gave no such memory.
CUresult export_memory(Driver& driver, CUdeviceptr address, std::shared_ptr<IpcFile>& file);
// Maps it for a context. REQUIRES: ipc_mutex() is held, as for the next.
CUresult import_memory(Context& context, IpcFile file, CUdeviceptr* address);
// The block, of any context, that it is mapped at.
std::optional<CUdeviceptr> find_imported(Device& device, const FileTrailer& trailer,
                                         CUcontext& owner);
// Of a block that is imported memory, when it goes.
void unmap_imported(Device& device, std::uint64_t address, const Block& block) noexcept;

}  // namespace longwire::softcuda::driver
