#include "app/installation.h"

#include <unistd.h>

#include <initializer_list>
#include <string>

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

// LONGWIRE_LIBDIR is <libdir> of the prefix, for example lib or lib/x86_64-linux-gnu.
base::Result<fs::path> first_of(const char* what, std::initializer_list<const char*> places) {
  LW_ASSIGN(const fs::path binary, own_binary());
  std::string tried;
  for (const char* place : places) {
    std::error_code error;
    const fs::path candidate = fs::weakly_canonical(binary.parent_path() / place / what, error);
    if (!error && fs::is_regular_file(candidate, error)) return candidate;
    tried += (tried.empty() ? "" : ", ") + candidate.parent_path().string();
  }
  return Error(ErrorCode::kNotFound, std::string("no ") + what + " in " + tried);
}

}  // namespace

base::Result<fs::path> own_binary() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) {
    return Error(ErrorCode::kNotFound, "cannot read /proc/self/exe: " + error.message());
  }
  return path;
}

base::Result<fs::path> find_worker() {
  return first_of("longwire-worker", {".", "../libexec/longwire"});
}

base::Result<fs::path> find_opencl_driver() {
  return first_of("liblongwire_opencl.so",
                  {"../lib", "../" LONGWIRE_LIBDIR "/longwire", "../lib/longwire"});
}

}  // namespace longwire::app
