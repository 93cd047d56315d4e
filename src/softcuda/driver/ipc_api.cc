// Memory and events of other processes of the same user.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/ipc.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/shared_event.h"

using namespace longwire::softcuda::driver;

namespace {

CUresult open_memory(CUdeviceptr* address, const CUipcMemHandle& handle, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (address == nullptr || flags != CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::lock_guard lock(ipc_mutex());
    auto file = open_handle(handle.reserved, kIpcMemoryFile);
    if (!file.has_value()) return CUDA_ERROR_INVALID_HANDLE;
    if (is_of_this_process(handle.reserved)) return CUDA_ERROR_INVALID_CONTEXT;
    CUcontext owner = nullptr;
    const auto before = find_imported(context->device, file->trailer, owner);
    if (!before.has_value()) return import_memory(*context, std::move(*file), address);
    if (owner != context->handle) return CUDA_ERROR_INVALID_CONTEXT;  // one context of a device
    const auto found = find_block(driver, *before);
    if (!found.has_value()) return CUDA_ERROR_INVALID_HANDLE;
    ++found->block.ipc->opened;
    *address = *before;
    return CUDA_SUCCESS;
  });
}

}  // namespace

extern "C" {

CUresult cuIpcGetMemHandle(CUipcMemHandle* handle, CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::lock_guard lock(ipc_mutex());
    std::shared_ptr<IpcFile> file;
    CUresult status = export_memory(driver, address, file);
    if (status == CUDA_SUCCESS) write_handle(*file, handle->reserved);
    return status;
  });
}

CUresult cuIpcOpenMemHandle(CUdeviceptr* address, CUipcMemHandle handle, unsigned int flags) {
  return open_memory(address, handle, flags);
}
CUresult cuIpcOpenMemHandle_v2(CUdeviceptr* address, CUipcMemHandle handle, unsigned int flags) {
  return open_memory(address, handle, flags);
}

CUresult cuIpcCloseMemHandle(CUdeviceptr address) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (CUresult status = check_unsafe(driver); status != CUDA_SUCCESS) return status;
    std::lock_guard lock(ipc_mutex());
    const auto found = find_block(driver, address);
    if (!found.has_value() || found->address != address ||
        found->block.kind != Block::Kind::kImported)
      return CUDA_ERROR_INVALID_VALUE;
    if (--found->block.ipc->opened > 0) return CUDA_SUCCESS;
    if (auto owner = driver.contexts.find(found->block.owner); owner != nullptr)
      (void)synchronize_context(*owner);  // work that was put in before may use it
    return release_block(*found->device, address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuIpcGetEventHandle(CUipcEventHandle* handle, CUevent event_handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto event = driver.events.find(event_handle);
    if (event == nullptr || event->shared == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    write_handle(event->shared->file(), handle->reserved);
    return CUDA_SUCCESS;
  });
}

CUresult cuIpcOpenEventHandle(CUevent* handle, CUipcEventHandle of_process) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto file = open_handle(of_process.reserved, kIpcEventFile);
    if (!file.has_value()) return CUDA_ERROR_INVALID_HANDLE;
    auto shared = SharedEvent::of(std::move(*file));
    if (shared == nullptr) return CUDA_ERROR_MAP_FAILED;
    auto event = std::make_shared<Event>();
    event->context = context;
    event->flags = CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING;
    event->shared = std::move(shared);
    return context->add_object([&] { *handle = driver.events.add(std::move(event)); });
  });
}

}  // extern "C"
