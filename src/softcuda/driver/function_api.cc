// Functions: attributes, parameters, names.
#include <algorithm>

#include "softcuda/driver/device_attributes.h"
#include "softcuda/driver/function_attributes.h"
#include "softcuda/driver/module.h"

namespace longwire::softcuda::driver {

int max_threads(const ir::Function& code) {
  std::uint64_t threads = 1;
  for (std::uint32_t each : code.limits.max_threads)
    threads *= each == 0 ? 1 : each;
  const bool said = code.limits.max_threads[0] != 0;
  return static_cast<int>(said ? std::min<std::uint64_t>(threads, machine::kMaxThreadsPerBlock)
                               : machine::kMaxThreadsPerBlock);
}

int max_dynamic_shared(const Driver& driver, const Function& function) {
  const int set = function.max_dynamic_shared.load();
  if (set >= 0) return set;
  (void)driver;
  return std::max(0, kSharedBytesPerBlock - static_cast<int>(function.code().static_shared_bytes));
}

CUresult function_attribute(const Driver& driver, const ir::Module& program,
                            const ir::Function& code, CUfunction_attribute attribute, int* value) {
  constexpr int kTen = 10;
  constexpr int kMaxRegisters = 255;
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = max_threads(code);
      break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = static_cast<int>(code.static_shared_bytes);
      break;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
      *value = static_cast<int>(program.const_bytes);
      break;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      *value = static_cast<int>(code.local_bytes);
      break;
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      *value = static_cast<int>(std::clamp<std::size_t>(code.registers.size(), 1, kMaxRegisters));
      break;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      *value = static_cast<int>(program.target);
      break;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      *value = driver.options.capability_major * kTen + driver.options.capability_minor;
      break;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      *value = std::max(0, kSharedBytesPerBlock - static_cast<int>(code.static_shared_bytes));
      break;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      *value = CU_SHAREDMEM_CARVEOUT_DEFAULT;
      break;
    default:  // the others are of clusters and caches, which there are not
      if (attribute < 0 || attribute >= CU_FUNC_ATTRIBUTE_MAX) return CUDA_ERROR_INVALID_VALUE;
      *value = 0;
  }
  return CUDA_SUCCESS;
}

CUresult check_settable(const Driver& driver, const ir::Function& code,
                        CUfunction_attribute attribute, int value) {
  if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
    const auto all = static_cast<int>(driver.options.machine.shared_bytes_per_block);
    const int most = all - static_cast<int>(code.static_shared_bytes);
    return value < 0 || value > most ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
  }
  if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT)
    return value < CU_SHAREDMEM_CARVEOUT_DEFAULT || value > CU_SHAREDMEM_CARVEOUT_MAX_SHARED
               ? CUDA_ERROR_INVALID_VALUE
               : CUDA_SUCCESS;
  return attribute < 0 || attribute >= CU_FUNC_ATTRIBUTE_MAX ? CUDA_ERROR_INVALID_VALUE
                                                             : CUDA_ERROR_NOT_SUPPORTED;
}

CUresult parameter_info(const ir::Function& code, std::size_t index, std::size_t* offset,
                        std::size_t* bytes) {
  if (index >= code.parameters.size()) return CUDA_ERROR_INVALID_VALUE;
  *offset = code.parameters[index].offset;
  if (bytes != nullptr) *bytes = code.parameters[index].bytes;
  return CUDA_SUCCESS;
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;

namespace {

template <class Body>
CUresult with_function(CUfunction handle, const void* out, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto function = find_function(driver, context, handle);
    if (function == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, *function);
  });
}

}  // namespace

extern "C" {

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction handle) {
  return with_function(handle, value, [&](Driver& driver, Function& function) -> CUresult {
    if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
      *value = max_dynamic_shared(driver, function);
      return CUDA_SUCCESS;
    }
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
      *value = function.carveout;
      return CUDA_SUCCESS;
    }
    return function_attribute(driver, *function.module->program, function.code(), attribute, value);
  });
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  return with_function(handle, &value, [&](Driver& driver, Function& function) -> CUresult {
    CUresult status = check_settable(driver, function.code(), attribute, value);
    if (status != CUDA_SUCCESS) return status;
    if (attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
      function.max_dynamic_shared = value;
    else
      function.carveout = value;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config) {
  return with_function(handle, &config, [&](Driver&, Function&) {
    return is_cache_config(config) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuFuncSetSharedMemConfig(CUfunction handle, CUsharedconfig config) {
  return with_function(handle, &config, [&](Driver&, Function&) {
    return config < CU_SHARED_MEM_CONFIG_DEFAULT_BANK_SIZE ||
                   config > CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
               ? CUDA_ERROR_INVALID_VALUE
               : CUDA_SUCCESS;
  });
}

CUresult cuFuncGetModule(CUmodule* module, CUfunction handle) {
  return with_function(handle, module, [&](Driver&, Function& function) {
    *module = function.module->handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncGetName(const char** name, CUfunction handle) {
  return with_function(handle, name, [&](Driver&, Function& function) {
    *name = function.code().name.c_str();
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncGetParamInfo(CUfunction handle, size_t index, size_t* offset, size_t* bytes) {
  return with_function(handle, offset, [&](Driver&, Function& function) {
    return parameter_info(function.code(), index, offset, bytes);
  });
}

CUresult cuFuncIsLoaded(CUfunctionLoadingState* state, CUfunction handle) {
  return with_function(handle, state, [&](Driver&, Function& function) {
    *state =
        function.prepared ? CU_FUNCTION_LOADING_STATE_LOADED : CU_FUNCTION_LOADING_STATE_UNLOADED;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncLoad(CUfunction handle) {
  return with_function(handle, &handle, [&](Driver&, Function& function) -> CUresult {
    Device& device = function.module->context->device;
    if (!device.machine->prepare(*function.module->loaded, function.id).ok())
      return CUDA_ERROR_LAUNCH_FAILED;
    function.prepared = true;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
