// Libraries and kernels: device code without a context, loaded into each on first use.
#include "softcuda/driver/function_attributes.h"
#include "softcuda/driver/image.h"
#include "softcuda/driver/module.h"

using namespace longwire::softcuda::driver;
namespace ir = longwire::softcuda::ir;

namespace {

template <class Body>
CUresult with_library(CUlibrary handle, const void* out, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto library = driver.libraries.find(handle);
    if (library == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, library);
  });
}

template <class Body>
CUresult with_kernel(CUkernel handle, const void* out, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    auto kernel = driver.kernels.find(handle);
    if (kernel == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, kernel);
  });
}

CUkernel kernel_handle(Driver& driver, const std::shared_ptr<Library>& library, ir::FunctionId id) {
  std::lock_guard lock(library->mutex);
  if (library->unloaded) return nullptr;
  CUkernel& handle = library->kernels[id];
  if (handle == nullptr) {
    auto kernel = std::make_shared<Kernel>();
    kernel->library = library;
    kernel->id = id;
    handle = driver.kernels.add(std::move(kernel));
  }
  return handle;
}

// The library's module in the current context.
CUresult current_module(Driver& driver, const std::shared_ptr<Library>& library,
                        std::shared_ptr<Module>& module) {
  std::shared_ptr<Context> context;
  CUresult status = current_context(driver, context);
  return status != CUDA_SUCCESS ? status : library_module(driver, context, library, module);
}

CUresult global(CUdeviceptr* address, size_t* bytes, CUlibrary handle, const char* name,
                bool managed) {
  return with_library(
      handle, name, [&](Driver& driver, const std::shared_ptr<Library>& library) -> CUresult {
        const ir::Variable* variable = library->program->find_variable(name);
        if (variable == nullptr || variable->managed != managed) return CUDA_ERROR_NOT_FOUND;
        std::shared_ptr<Module> module;
        CUresult status = current_module(driver, library, module);
        return status != CUDA_SUCCESS ? status : find_global(*module, name, address, bytes);
      });
}

}  // namespace

extern "C" {

CUresult cuLibraryLoadData(CUlibrary* handle, const void* image, CUjit_option* jit_options,
                           void** jit_values, unsigned int jit_count, CUlibraryOption* options,
                           void** values, unsigned int count) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || image == nullptr ||
        (count > 0 && (options == nullptr || values == nullptr)))
      return CUDA_ERROR_INVALID_VALUE;
    JitOptions jit;
    auto library = std::make_shared<Library>();
    CUresult status = jit.read(jit_count, jit_options, jit_values);
    if (status == CUDA_SUCCESS) status = load_image(driver, image, jit, library->program);
    if (status != CUDA_SUCCESS) return status;
    *handle = driver.libraries.add(library);
    library->handle = *handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option* jit_options,
                               void** jit_values, unsigned int jit_count, CUlibraryOption* options,
                               void** values, unsigned int count) {
  return guarded([&](Driver&) -> CUresult {
    if (library == nullptr || path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::string bytes;
    if (CUresult status = read_file(path, bytes); status != CUDA_SUCCESS) return status;
    return cuLibraryLoadData(library, bytes.c_str(), jit_options, jit_values, jit_count, options,
                             values, count);
  });
}

CUresult cuLibraryUnload(CUlibrary handle) {
  return guarded([&](Driver& driver) -> CUresult {
    auto library = driver.libraries.remove(handle);
    if (library == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(library->mutex);
    library->unloaded = true;
    for (const auto& [context, module] : library->modules)
      unload_module(driver, module);
    for (const auto& [id, kernel] : library->kernels)
      driver.kernels.remove(kernel);
    return CUDA_SUCCESS;
  });
}

CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary handle, const char* name) {
  return with_library(handle, kernel,
                      [&](Driver& driver, const std::shared_ptr<Library>& library) -> CUresult {
                        if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
                        const ir::FunctionId id = find_kernel_id(*library->program, name);
                        if (id == ir::kNone) return CUDA_ERROR_NOT_FOUND;
                        *kernel = kernel_handle(driver, library, id);
                        return CUDA_SUCCESS;
                      });
}

CUresult cuLibraryGetKernelCount(unsigned int* count, CUlibrary handle) {
  return with_library(handle, count, [&](Driver&, const std::shared_ptr<Library>& library) {
    *count = 0;
    for (const ir::Function& function : library->program->functions)
      *count += function.kernel;
    return CUDA_SUCCESS;
  });
}

CUresult cuLibraryEnumerateKernels(CUkernel* kernels, unsigned int count, CUlibrary handle) {
  return with_library(
      handle, kernels, [&](Driver& driver, const std::shared_ptr<Library>& library) {
        const auto& all = library->program->functions;
        unsigned int found = 0;
        for (std::size_t id = 0; id < all.size() && found < count; ++id)
          if (all[id].kernel)
            kernels[found++] = kernel_handle(driver, library, static_cast<ir::FunctionId>(id));
        return CUDA_SUCCESS;
      });
}

CUresult cuLibraryGetModule(CUmodule* handle, CUlibrary library_handle) {
  return with_library(library_handle, handle,
                      [&](Driver& driver, const std::shared_ptr<Library>& library) -> CUresult {
                        std::shared_ptr<Module> module;
                        CUresult status = current_module(driver, library, module);
                        if (status == CUDA_SUCCESS) *handle = module->handle;
                        return status;
                      });
}

CUresult cuLibraryGetGlobal(CUdeviceptr* address, size_t* bytes, CUlibrary library,
                            const char* name) {
  return global(address, bytes, library, name, false);
}
// None is: host code and a kernel have no function in common.
CUresult cuLibraryGetUnifiedFunction(void** function, CUlibrary handle, const char* name) {
  return guarded([&](Driver& driver) -> CUresult {
    if (function == nullptr || name == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return driver.libraries.find(handle) == nullptr ? CUDA_ERROR_INVALID_HANDLE
                                                    : CUDA_ERROR_NOT_FOUND;
  });
}

CUresult cuLibraryGetManaged(CUdeviceptr* address, size_t* bytes, CUlibrary library,
                             const char* name) {
  return global(address, bytes, library, name, true);
}

CUresult cuKernelGetFunction(CUfunction* function, CUkernel handle) {
  return with_kernel(handle, function,
                     [&](Driver& driver, const std::shared_ptr<Kernel>& kernel) -> CUresult {
                       std::shared_ptr<Module> module;
                       CUresult status = current_module(driver, kernel->library, module);
                       if (status != CUDA_SUCCESS) return status;
                       *function = function_handle(driver, module, kernel->id);
                       return *function == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
                     });
}

CUresult cuKernelGetLibrary(CUlibrary* library, CUkernel handle) {
  return with_kernel(handle, library, [&](Driver&, const std::shared_ptr<Kernel>& kernel) {
    *library = kernel->library->handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuKernelGetName(const char** name, CUkernel handle) {
  return with_kernel(handle, name, [&](Driver&, const std::shared_ptr<Kernel>& kernel) {
    *name = kernel->code().name.c_str();
    return CUDA_SUCCESS;
  });
}

CUresult cuKernelGetParamInfo(CUkernel handle, size_t index, size_t* offset, size_t* bytes) {
  return with_kernel(handle, offset, [&](Driver&, const std::shared_ptr<Kernel>& kernel) {
    return parameter_info(kernel->code(), index, offset, bytes);
  });
}

CUresult cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel handle,
                              CUdevice device) {
  return with_kernel(
      handle, value, [&](Driver& driver, const std::shared_ptr<Kernel>& kernel) -> CUresult {
        if (driver.device(device) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
        std::lock_guard lock(kernel->mutex);
        if (auto set = kernel->attributes.find(attribute); set != kernel->attributes.end()) {
          *value = set->second;
          return CUDA_SUCCESS;
        }
        return function_attribute(driver, *kernel->library->program, kernel->code(), attribute,
                                  value);
      });
}

CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel handle,
                              CUdevice device) {
  return with_kernel(handle, &value,
                     [&](Driver& driver, const std::shared_ptr<Kernel>& kernel) -> CUresult {
                       if (driver.device(device) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
                       CUresult status = check_settable(driver, kernel->code(), attribute, value);
                       if (status != CUDA_SUCCESS) return status;
                       std::lock_guard lock(kernel->mutex);
                       kernel->attributes[attribute] = value;
                       return CUDA_SUCCESS;
                     });
}

CUresult cuKernelSetCacheConfig(CUkernel handle, CUfunc_cache config, CUdevice device) {
  return with_kernel(handle, &config,
                     [&](Driver& driver, const std::shared_ptr<Kernel>&) -> CUresult {
                       if (driver.device(device) == nullptr) return CUDA_ERROR_INVALID_DEVICE;
                       return is_cache_config(config) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
                     });
}

}  // extern "C"
