#include "softcuda/driver/ipc.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {
namespace {

// Of waiting for a moment in which nothing runs, while other threads put in work.
constexpr int kIdleAttempts = 10'000;

struct Handle {
  std::array<char, 8> magic{};
  std::int32_t process = 0;
  std::int32_t descriptor = 0;
  std::array<std::byte, 16> secret{};
  std::array<std::byte, 32> zero{};
};
static_assert(sizeof(Handle) == CU_IPC_HANDLE_SIZE);

Handle read_handle(const HandleBytes& bytes) noexcept {
  Handle handle;
  std::memcpy(&handle, bytes, sizeof handle);
  return handle;
}

// As a path alone first: to open some other file could wait, or do something.
base::UniqueFd open_of_process(const Handle& handle) {
  const std::string path =
      "/proc/" + std::to_string(handle.process) + "/fd/" + std::to_string(handle.descriptor);
  const base::UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!place.valid() || ::fstat(place.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid())
    return {};
  const std::string again = "/proc/self/fd/" + std::to_string(place.get());
  return base::UniqueFd(::open(again.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
}

std::vector<std::shared_ptr<Context>> all_contexts(Driver& driver) {
  auto handles = driver.contexts.handles_where([](const Context&) { return true; });
  std::sort(handles.begin(), handles.end());  // one order in which to lock them
  std::vector<std::shared_ptr<Context>> all;
  for (CUcontext each : handles)
    if (auto context = driver.contexts.find(each); context != nullptr)
      all.push_back(std::move(context));
  return all;
}

// Runs `body` while nothing runs in any stream, and nothing is put into one. No lock is held while
// it waits: what it waits for may need a call of another thread.
template <class Body>
CUresult while_idle(Driver& driver, Body&& body) {
  for (int attempt = 0; attempt < kIdleAttempts; ++attempt) {
    const auto contexts = all_contexts(driver);
    for (const auto& context : contexts)
      (void)synchronize_context(*context);
    std::vector<std::unique_lock<std::mutex>> locks;
    locks.reserve(contexts.size());
    for (const auto& context : contexts)
      locks.emplace_back(context->order);
    if (std::all_of(contexts.begin(), contexts.end(),
                    [](const auto& context) { return unfinished_work(*context).empty(); }))
      return body();
  }
  return CUDA_ERROR_NOT_READY;
}

// The block at exactly this address, if it still is what was found there.
Block* same_block(Device& device, std::uint64_t address, std::uint64_t id) {
  auto found = device.blocks.find(address);
  return found != device.blocks.end() && found->second.id == id ? &found->second : nullptr;
}

}  // namespace

std::mutex& ipc_mutex() noexcept {
  static std::mutex one;  // nothing is done at its end
  return one;
}

void write_handle(const IpcFile& file, HandleBytes& bytes) {
  const Handle handle{file.trailer.magic, ::getpid(), file.file->fd(), file.trailer.secret, {}};
  std::memcpy(bytes, &handle, sizeof handle);
}

bool is_of_this_process(const HandleBytes& bytes) noexcept {
  return read_handle(bytes).process == ::getpid();
}

std::optional<IpcFile> open_handle(const HandleBytes& bytes, const std::array<char, 8>& magic) {
  const Handle handle = read_handle(bytes);
  if (handle.magic != magic || handle.process <= 0 || handle.descriptor < 0) return std::nullopt;
  base::UniqueFd fd = open_of_process(handle);
  IpcFile opened;
  if (!fd.valid() || !read_trailer(fd.get(), magic, opened.trailer) ||
      opened.trailer.secret != handle.secret)
    return std::nullopt;
  opened.file = std::make_shared<MemoryFile>(fd.release());
  return opened;
}

CUresult export_memory(Driver& driver, CUdeviceptr address, std::shared_ptr<IpcFile>& file) {
  const auto found = find_block(driver, address);
  if (!found.has_value() || found->block.kind != Block::Kind::kDevice)
    return CUDA_ERROR_INVALID_VALUE;
  file = found->block.ipc;
  if (file != nullptr) return CUDA_SUCCESS;
  auto made = std::make_shared<IpcFile>();
  made->trailer.magic = kIpcMemoryFile;
  made->trailer.bytes = found->block.bytes;
  made->trailer.location_type = CU_MEM_LOCATION_TYPE_DEVICE;
  made->trailer.location_id = found->device->ordinal;
  made->file = make_exported_file(made->trailer);
  if (made->file == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  return while_idle(driver, [&]() -> CUresult {
    Device& device = *found->device;
    std::lock_guard lock(device.mutex);
    Block* block = same_block(device, found->address, found->block.id);
    if (block == nullptr) return CUDA_ERROR_INVALID_VALUE;  // freed meanwhile
    if (!device.machine->memory().share(found->address, made->file->fd()).ok())
      return CUDA_ERROR_OUT_OF_MEMORY;
    file = block->ipc = std::move(made);
    return CUDA_SUCCESS;
  });
}

std::optional<CUdeviceptr> find_imported(Device& device, const FileTrailer& trailer,
                                         CUcontext& owner) {
  std::lock_guard lock(device.mutex);
  for (const auto& [address, block] : device.blocks) {
    if (block.kind != Block::Kind::kImported || block.ipc->trailer.secret != trailer.secret)
      continue;
    owner = block.owner;
    return address;
  }
  return std::nullopt;
}

CUresult import_memory(Context& context, IpcFile file, CUdeviceptr* address) {
  machine::Memory& memory = context.device.machine->memory();
  const std::uint64_t bytes = file.trailer.bytes, mapped = whole_pages(bytes);
  const auto place = memory.reserve(mapped, 0, 0);
  if (!place.ok()) return CUDA_ERROR_OUT_OF_MEMORY;
  if (!memory.map(*place, mapped, file.file->fd(), 0).ok() || !memory.allow(*place, bytes).ok()) {
    memory.release_reserved(*place, mapped);
    return CUDA_ERROR_MAP_FAILED;
  }
  file.file = nullptr;  // the mapping has it
  file.opened = 1;
  Block block{bytes, Block::Kind::kImported, context.handle, 0, nullptr, next_block_id()};
  block.ipc = std::make_shared<IpcFile>(std::move(file));
  CUresult status = context.add_object([&] {
    std::lock_guard lock(context.device.mutex);
    context.device.blocks.emplace(*place, block);
    *address = *place;
  });
  if (status != CUDA_SUCCESS) unmap_imported(context.device, *place, block);
  return status;
}

void unmap_imported(Device& device, std::uint64_t address, const Block& block) noexcept {
  const std::uint64_t mapped = whole_pages(block.bytes);
  device.machine->memory().unmap(address, mapped);
  device.machine->memory().release_reserved(address, mapped);
}

}  // namespace longwire::softcuda::driver
