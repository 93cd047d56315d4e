#include "app/longwire/driver_library.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using GetPlatforms = cl_int(CL_API_CALL*)(cl_uint, cl_platform_id*, cl_uint*);

}  // namespace

base::Result<DriverLibrary> load_driver(const std::string& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Error(ErrorCode::kUnavailable, ::dlerror());
  const auto find = reinterpret_cast<cl_api_clGetExtensionFunctionAddress>(
      ::dlsym(library, "clGetExtensionFunctionAddress"));
  if (find == nullptr) return Error(ErrorCode::kUnavailable, path + " is no driver");
  const auto get_platforms = reinterpret_cast<GetPlatforms>(find("clIcdGetPlatformIDsKHR"));
  DriverLibrary driver;
  cl_uint count = 0;
  if (get_platforms == nullptr || get_platforms(1, &driver.platform, &count) != CL_SUCCESS ||
      count == 0) {
    return Error(ErrorCode::kUnavailable, "the driver has no platform");
  }
  // The ICD convention: every object begins with a pointer to its driver's table of functions.
  driver.cl = *reinterpret_cast<cl_icd_dispatch* const*>(driver.platform);
  return driver;
}

std::string device_text(const cl_icd_dispatch& cl, cl_device_id device, cl_device_info what) {
  std::array<char, 4096> text{};
  std::size_t size = 0;
  if (cl.clGetDeviceInfo(device, what, text.size(), text.data(), &size) != CL_SUCCESS) return "";
  return std::string(text.data(), size > 0 ? std::min(size, text.size()) - 1 : 0);
}

}  // namespace longwire::app
