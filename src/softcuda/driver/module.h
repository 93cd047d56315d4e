// Modules in a context, and the functions and globals in them.
#pragma once

#include <memory>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

CUresult place_module(Driver& driver, const std::shared_ptr<Context>& context,
                      std::shared_ptr<const ir::Module> program, bool of_library,
                      std::shared_ptr<Module>& module);
void unload_module(Driver& driver, CUmodule module);
// The handle of a kernel in a module: always the same for one.
CUfunction function_handle(Driver& driver, const std::shared_ptr<Module>& module,
                           ir::FunctionId id);
// By a CUfunction, or by a CUkernel in its place; nullptr: neither.
std::shared_ptr<Function> find_function(Driver& driver, const std::shared_ptr<Context>& context,
                                        CUfunction handle);
// A library's module in a context, loaded on first use.
CUresult library_module(Driver& driver, const std::shared_ptr<Context>& context,
                        const std::shared_ptr<Library>& library, std::shared_ptr<Module>& module);
// kNone: there is none of that name.
ir::FunctionId find_kernel_id(const ir::Module& program, const char* name);
CUresult find_global(const Module& module, const char* name, CUdeviceptr* address,
                     std::size_t* bytes);

}  // namespace longwire::softcuda::driver
