#include "softcuda/driver/module.h"

namespace longwire::softcuda::driver {

CUresult place_module(Driver& driver, const std::shared_ptr<Context>& context,
                      std::shared_ptr<const ir::Module> program, bool of_library,
                      std::shared_ptr<Module>& module) {
  auto loaded = context->device.machine->load(*program);
  if (!loaded.ok())
    return loaded.error().code() == base::ErrorCode::kLimit ? CUDA_ERROR_OUT_OF_MEMORY
                                                            : CUDA_ERROR_INVALID_PTX;
  module = std::make_shared<Module>();
  module->context = context;
  module->program = std::move(program);
  module->loaded = std::move(loaded).value();
  module->of_library = of_library;
  return context->add_object([&] { module->handle = driver.modules.add(module); });
}

void unload_module(Driver& driver, CUmodule handle) {
  auto module = driver.modules.remove(handle);
  if (module == nullptr) return;
  std::lock_guard lock(module->mutex);
  module->unloaded = true;
  for (const auto& [id, function] : module->functions)
    driver.functions.remove(function);
  module->functions.clear();
}

CUfunction function_handle(Driver& driver, const std::shared_ptr<Module>& module,
                           ir::FunctionId id) {
  std::lock_guard lock(module->mutex);
  if (module->unloaded) return nullptr;
  CUfunction& handle = module->functions[id];
  if (handle == nullptr) {
    auto function = std::make_shared<Function>();
    function->module = module;
    function->id = id;
    handle = driver.functions.add(std::move(function));
  }
  return handle;
}

std::shared_ptr<Function> find_function(Driver& driver, const std::shared_ptr<Context>& context,
                                        CUfunction handle) {
  if (auto function = driver.functions.find(handle); function != nullptr) return function;
  auto kernel = driver.kernels.find(reinterpret_cast<CUkernel>(handle));
  std::shared_ptr<Module> module;
  if (kernel == nullptr || library_module(driver, context, kernel->library, module) != CUDA_SUCCESS)
    return nullptr;
  auto function = driver.functions.find(function_handle(driver, module, kernel->id));
  std::lock_guard lock(kernel->mutex);
  auto wanted = kernel->attributes.find(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  if (function != nullptr && wanted != kernel->attributes.end())
    function->max_dynamic_shared = wanted->second;
  return function;
}

CUresult library_module(Driver& driver, const std::shared_ptr<Context>& context,
                        const std::shared_ptr<Library>& library, std::shared_ptr<Module>& module) {
  std::lock_guard lock(library->mutex);
  if (library->unloaded) return CUDA_ERROR_INVALID_HANDLE;
  CUmodule& handle = library->modules[context->handle];
  module = driver.modules.find(handle);
  if (module != nullptr) return CUDA_SUCCESS;
  CUresult status = place_module(driver, context, library->program, true, module);
  if (status == CUDA_SUCCESS) handle = module->handle;
  return status;
}

ir::FunctionId find_kernel_id(const ir::Module& program, const char* name) {
  const ir::Function* found = program.find_kernel(name);
  return found == nullptr ? ir::kNone
                          : static_cast<ir::FunctionId>(found - program.functions.data());
}

CUresult find_global(const Module& module, const char* name, CUdeviceptr* address,
                     std::size_t* bytes) {
  const ir::Variable* found = module.program->find_variable(name);
  if (found == nullptr || found->space == ir::Space::kShared) return CUDA_ERROR_NOT_FOUND;
  const auto id = static_cast<ir::VariableId>(found - module.program->variables.data());
  if (address != nullptr) *address = module.loaded->address_of(id);
  if (bytes != nullptr) *bytes = found->bytes;
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver
