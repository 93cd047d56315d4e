// Modules.
#include "softcuda/driver/image.h"
#include "softcuda/driver/module.h"

using namespace longwire::softcuda::driver;
namespace ir = longwire::softcuda::ir;

namespace {

CUresult load(CUmodule* handle, const void* image, unsigned int count, CUjit_option* options,
              void** values) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    JitOptions jit;
    std::shared_ptr<const ir::Module> program;
    std::shared_ptr<Module> module;
    CUresult status = jit.read(count, options, values);
    if (status == CUDA_SUCCESS) status = load_image(driver, image, jit, program);
    if (status == CUDA_SUCCESS) status = place_module(driver, context, program, false, module);
    if (status == CUDA_SUCCESS) *handle = module->handle;
    return status;
  });
}

template <class Body>
CUresult with_module(CUmodule handle, const void* out, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    auto module = driver.modules.find(handle);
    if (module == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, module);
  });
}

}  // namespace

extern "C" {

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return load(module, image, 0, nullptr, nullptr);
}
CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int count,
                            CUjit_option* options, void** values) {
  return load(module, image, count, options, values);
}
CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return load(module, image, 0, nullptr, nullptr);
}

CUresult cuModuleLoad(CUmodule* module, const char* path) {
  return in_context([&](Driver&, const std::shared_ptr<Context>&) -> CUresult {
    if (module == nullptr || path == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::string bytes;
    if (CUresult status = read_file(path, bytes); status != CUDA_SUCCESS) return status;
    return load(module, bytes.c_str(), 0, nullptr, nullptr);
  });
}

CUresult cuModuleUnload(CUmodule handle) {
  return with_module(handle, &handle, [&](Driver& driver, const std::shared_ptr<Module>& module) {
    if (module->of_library) return CUDA_ERROR_NOT_PERMITTED;
    unload_module(driver, handle);
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  return guarded([&](Driver&) {
    if (mode == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *mode = CU_MODULE_LAZY_LOADING;
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
  return with_module(handle, function,
                     [&](Driver& driver, const std::shared_ptr<Module>& module) -> CUresult {
                       if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
                       const ir::FunctionId id = find_kernel_id(*module->program, name);
                       if (id == ir::kNone) return CUDA_ERROR_NOT_FOUND;
                       *function = function_handle(driver, module, id);
                       return *function == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
                     });
}

CUresult cuModuleGetFunctionCount(unsigned int* count, CUmodule handle) {
  return with_module(handle, count, [&](Driver&, const std::shared_ptr<Module>& module) {
    *count = 0;
    for (const ir::Function& function : module->program->functions)
      *count += function.kernel;
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleEnumerateFunctions(CUfunction* functions, unsigned int count, CUmodule handle) {
  return with_module(handle, functions, [&](Driver& driver, const std::shared_ptr<Module>& module) {
    const auto& all = module->program->functions;
    unsigned int found = 0;
    for (std::size_t id = 0; id < all.size() && found < count; ++id)
      if (all[id].kernel)
        functions[found++] = function_handle(driver, module, static_cast<ir::FunctionId>(id));
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule handle,
                              const char* name) {
  return with_module(handle, name, [&](Driver&, const std::shared_ptr<Module>& module) {
    return find_global(*module, name, address, bytes);
  });
}

}  // extern "C"
