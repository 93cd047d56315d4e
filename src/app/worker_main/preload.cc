#include "app/worker_main/preload.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace longwire::app {
namespace {

namespace fs = std::filesystem;

inline constexpr const char* kVendors = "/etc/OpenCL/vendors";
inline constexpr std::size_t kMaxVendors = 32;

// As ocl-icd has it: a folder of .icd files, one of them, or a library.
fs::path place_of_vendors() {
  for (const char* variable : {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && value[0] == '/') return value;
  }
  return kVendors;
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
    line.pop_back();
  }
  return line;
}

}  // namespace

std::vector<std::string> vendor_libraries() {
  std::vector<std::string> libraries;
  std::error_code error;
  for (fs::directory_iterator i(place_of_vendors(), error), end; !error && i != end;
       i.increment(error)) {
    if (i->path().extension() != ".icd" || libraries.size() >= kMaxVendors) continue;
    std::string library = first_line(i->path());
    if (!library.empty() && library.find("longwire") == std::string::npos) {
      libraries.push_back(std::move(library));
    }
  }
  return libraries;
}

bool preload_vendor_libraries() {
  for (const std::string& library : vendor_libraries()) {
    // One that does not load will show as such to the ICD loader, too.
    [[maybe_unused]] void* const kept = ::dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL);
  }
  std::error_code error;
  const auto threads = std::distance(fs::directory_iterator("/proc/self/task", error), {});
  return !error && threads == 1;
}

}  // namespace longwire::app
