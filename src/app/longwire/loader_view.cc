#include "app/longwire/loader_view.h"

#include <CL/cl.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/longwire/child_answer.h"
#include "app/longwire/json_fields.h"

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

std::string in_ascii(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string look(const std::string& loader_name, OurDriver ours) {
  ::setenv("LONGWIRE_NODES", kNobody, 1);
  ours == OurDriver::kHidden ? ::setenv("LONGWIRE_DISABLE", "1", 1)
                             : ::unsetenv("LONGWIRE_DISABLE");
  void* const loader = ::dlopen(loader_name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loader == nullptr) return in_ascii({{"error", ::dlerror()}});
  const Json platforms = platforms_of(loader, ours);
  return in_ascii({{"platforms", platforms}, {"drivers", mapped_drivers()}});
}

std::string load(const std::string& path) {
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr ? ::dlerror() : "";
}

}  // namespace

base::Result<LoaderView> view_loader(const std::string& loader, OurDriver ours,
                                     base::Deadline deadline) {
  LW_ASSIGN(ChildAnswer child, ChildAnswer::start([&] { return look(loader, ours); }));
  LW_ASSIGN(const std::string text, child.finish(deadline));
  return parse_loader_view(text);
}

base::Result<LoaderView> parse_loader_view(const std::string& answer) {
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object()) return Error(ErrorCode::kUnavailable, "a driver has ended the process");
  if (json.contains("error")) return Error(ErrorCode::kNotFound, text_field(json, "error"));
  LoaderView view;
  for (const Json& platform : list_field(json, "platforms")) {
    view.platforms.push_back({text_field(platform, "name"), text_field(platform, "version"),
                              static_cast<std::uint32_t>(count_field(platform, "devices"))});
  }
  for (const Json& driver : list_field(json, "drivers")) {
    if (driver.is_string()) view.drivers.push_back(driver);
  }
  return view;
}

base::Status try_library(const std::string& path, base::Deadline deadline) {
  LW_ASSIGN(ChildAnswer child, ChildAnswer::start([&] { return load(path); }));
  LW_ASSIGN(const std::string why, child.finish(deadline));
  if (why.empty()) return {};
  return Error(ErrorCode::kUnavailable, why);
}

}  // namespace longwire::app
