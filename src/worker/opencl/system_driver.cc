#include "worker/opencl/system_driver.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace longwire::worker::opencl {

base::Result<longwire::opencl::NativeApi> load_system_driver(const char* library) {
  ::setenv("LONGWIRE_DISABLE", "1", 1);
  void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return base::Error(base::ErrorCode::kNotFound,
                       std::string("this node has no OpenCL: ") + ::dlerror());
  }
  longwire::opencl::NativeApi api;
  std::vector<std::string> missing;
  const auto resolve = [](const char* name, void* from) { return ::dlsym(from, name); };
  if (!longwire::opencl::NativeApi::load(api, resolve, handle, missing)) {
    return base::Error(base::ErrorCode::kNotFound,
                       std::string(library) + " lacks " + missing.front());
  }
  return api;
}

}  // namespace longwire::worker::opencl
