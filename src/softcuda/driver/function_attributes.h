// What functions and kernels answer about themselves.
#pragma once

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

CUresult function_attribute(const Driver& driver, const ir::Module& program,
                            const ir::Function& code, CUfunction_attribute attribute, int* value);
// Whether cuFuncSetAttribute may set it so.
CUresult check_settable(const Driver& driver, const ir::Function& code,
                        CUfunction_attribute attribute, int value);
CUresult parameter_info(const ir::Function& code, std::size_t index, std::size_t* offset,
                        std::size_t* bytes);
// The most dynamic shared memory that a launch may ask for.
int max_dynamic_shared(const Driver& driver, const Function& function);
int max_threads(const ir::Function& code);
inline bool is_cache_config(CUfunc_cache config) noexcept {
  return config >= CU_FUNC_CACHE_PREFER_NONE && config <= CU_FUNC_CACHE_PREFER_EQUAL;
}

}  // namespace longwire::softcuda::driver
