#include "cudart/driver_table.h"

#include <dlfcn.h>

namespace longwire::cudart {
namespace {

// Takes the place of what an older driver does not have. Every function that may be missing takes
// its arguments in registers and on the caller's stack, so that one answer fits all.
CUresult missing() { return CUDA_ERROR_NOT_SUPPORTED; }

void fill(void* library, DriverTable& table) {
  auto find = [library](const char* name) {
    void* found = dlsym(library, name);
    return found != nullptr ? found : reinterpret_cast<void*>(&missing);
  };
#define LW_FIND(name) table.name = reinterpret_cast<decltype(table.name)>(find(#name));
  LW_DRIVER_FUNCTIONS(LW_FIND)
#undef LW_FIND
}

FoundDriver open_driver() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {};
  static DriverTable table;
  fill(library, table);
  int version = 0;
  if (table.cuDriverGetVersion(&version) != CUDA_SUCCESS) return {};
  const CUresult result = table.cuInit(0);
  return {&table, to_runtime(result)};
}

}  // namespace

const FoundDriver& driver() {
  static const FoundDriver found = open_driver();
  return found;
}

}  // namespace longwire::cudart
