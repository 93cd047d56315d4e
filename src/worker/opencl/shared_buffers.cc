#include "worker/opencl/shared_buffers.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace longwire::worker::opencl {
namespace {

// What a buffer stands on. The native context lives as long as its buffers.
struct Storage {
  const NativeApi& api;
  cl_context context;
  void* bytes;
  ~Storage() { api.clSVMFree(context, bytes); }
};

void CL_CALLBACK on_buffer_gone(cl_mem, void* user) { delete static_cast<Storage*>(user); }

bool shares_memory(const NativeApi& api, const Context& context) {
  return api.clSVMAlloc != nullptr && api.clSVMFree != nullptr &&
         std::ranges::all_of(context.devices,
                             [](const Ref<Device>& device) { return device->shares_memory; });
}

}  // namespace

SharedBuffer create_shared_buffer(const NativeApi& api, const Context& context, cl_mem_flags flags,
                                  std::size_t size_bytes, std::span<const std::byte> data) {
  if (!shares_memory(api, context)) return {};
  void* const bytes = api.clSVMAlloc(
      context.native, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, size_bytes, 0);
  if (bytes == nullptr) return {};
  std::unique_ptr<Storage> storage(new Storage{api, context.native, bytes});
  cl_int status = CL_SUCCESS;
  cl_mem native =
      api.clCreateBuffer(context.native, flags | CL_MEM_USE_HOST_PTR, size_bytes, bytes, &status);
  if (status != CL_SUCCESS) return {};
  if (api.clSetMemObjectDestructorCallback(native, on_buffer_gone, storage.get()) != CL_SUCCESS) {
    api.clReleaseMemObject(native);
    return {};
  }
  (void)storage.release();  // on_buffer_gone() has it
  if (!data.empty()) std::memcpy(bytes, data.data(), std::min(data.size(), size_bytes));
  return {native, static_cast<std::byte*>(bytes)};
}

}  // namespace longwire::worker::opencl
