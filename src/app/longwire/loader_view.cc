#include "app/longwire/loader_view.h"

#include <CL/cl.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/longwire/child_answer.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using Json = nlohmann::json;

constexpr cl_uint kMaxPlatforms = 64;
constexpr const char* kDriverFile = "liblongwire_opencl.so";
// Named so that our platform shows; never connected to, as nobody asks for its devices.
constexpr const char* kNobody = "unix:/nonexistent/longwire-doctor.sock";

// --- in the child ---

template <class Function>
Function function(void* loader, const char* name) {
  return reinterpret_cast<Function>(::dlsym(loader, name));
}

using GetPlatforms = decltype(&clGetPlatformIDs);
using GetPlatformInfo = decltype(&clGetPlatformInfo);
using GetDevices = decltype(&clGetDeviceIDs);

std::string text_of(GetPlatformInfo info, cl_platform_id platform, cl_platform_info what) {
  std::array<char, 1024> text{};
  if (info(platform, what, text.size() - 1, text.data(), nullptr) != CL_SUCCESS) return "";
  return text.data();
}

Json platforms_of(void* loader, OurDriver ours) {
  const auto get = function<GetPlatforms>(loader, "clGetPlatformIDs");
  const auto info = function<GetPlatformInfo>(loader, "clGetPlatformInfo");
  const auto devices = function<GetDevices>(loader, "clGetDeviceIDs");
  Json list = Json::array();
  std::array<cl_platform_id, kMaxPlatforms> platforms{};
  cl_uint count = 0;
  if (get == nullptr || info == nullptr || devices == nullptr ||
      get(kMaxPlatforms, platforms.data(), &count) != CL_SUCCESS) {
    return list;
  }
  for (cl_uint i = 0; i < std::min(count, kMaxPlatforms); ++i) {
    cl_uint found = 0;
    if (ours == OurDriver::kHidden &&
        devices(platforms[i], CL_DEVICE_TYPE_ALL, 0, nullptr, &found) != CL_SUCCESS) {
      found = 0;
    }
    list.push_back({{"name", text_of(info, platforms[i], CL_PLATFORM_NAME)},
                    {"version", text_of(info, platforms[i], CL_PLATFORM_VERSION)},
                    {"devices", found}});
  }
  return list;
}

// Of ours, those that the loader has mapped into this process.
Json mapped_drivers() {
  std::vector<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    if (path == std::string::npos || !line.ends_with(kDriverFile)) continue;
    const std::string file = line.substr(path);
    if (std::ranges::find(files, file) == files.end()) files.push_back(file);
  }
  return files;
}

std::string look(const std::string& loader_name, OurDriver ours) {
  ::setenv("LONGWIRE_NODES", kNobody, 1);
  ours == OurDriver::kHidden ? ::setenv("LONGWIRE_DISABLE", "1", 1)
                             : ::unsetenv("LONGWIRE_DISABLE");
  void* const loader = ::dlopen(loader_name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loader == nullptr) return Json{{"error", ::dlerror()}}.dump();
  const Json platforms = platforms_of(loader, ours);
  return Json{{"platforms", platforms}, {"drivers", mapped_drivers()}}.dump(
      -1, ' ', true, Json::error_handler_t::replace);
}

std::string load(const std::string& path) {
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr ? ::dlerror() : "";
}

}  // namespace

base::Result<LoaderView> view_loader(const std::string& loader, OurDriver ours,
                                     base::Deadline deadline) {
  LW_ASSIGN(ChildAnswer child, ChildAnswer::start([&] { return look(loader, ours); }));
  LW_ASSIGN(const std::string text, child.finish(deadline));
  const Json answer = Json::parse(text, nullptr, false);
  if (!answer.is_object()) return Error(ErrorCode::kUnavailable, "a driver has ended the process");
  if (answer.contains("error")) return Error(ErrorCode::kNotFound, answer["error"]);
  LoaderView view;
  for (const Json& platform : answer["platforms"]) {
    view.platforms.push_back(
        {platform.value("name", ""), platform.value("version", ""), platform.value("devices", 0u)});
  }
  for (const Json& driver : answer["drivers"])
    view.drivers.push_back(driver);
  return view;
}

base::Status try_library(const std::string& path, base::Deadline deadline) {
  LW_ASSIGN(ChildAnswer child, ChildAnswer::start([&] { return load(path); }));
  LW_ASSIGN(const std::string why, child.finish(deadline));
  if (why.empty()) return {};
  return Error(ErrorCode::kUnavailable, why);
}

}  // namespace longwire::app
