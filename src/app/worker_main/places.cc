#include "app/worker_main/places.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "session/handover.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

// Plain names stay readable; any other is hex, which no plain name starts with ("x-" has a dash).
std::string folder_of(const std::string& tenant) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  const bool plain = !tenant.empty() && tenant.size() <= 64 &&
                     tenant.find_first_not_of(kPlain) == std::string::npos;
  if (plain) return tenant;
  const std::string name = tenant.substr(0, 100);
  return "x-" + session::to_hex(
                    std::span(reinterpret_cast<const std::uint8_t*>(name.data()), name.size()));
}

}  // namespace

base::Result<fs::path> enter_cache_of(const std::string& tenant, const fs::path& cache) {
  const fs::path place = cache / "tenants" / folder_of(tenant);
  std::error_code error;
  fs::create_directories(place / "pocl", error);
  if (!error) fs::create_directories(place / "tmp", error);
  if (error) {
    return Error(ErrorCode::kPermissionDenied,
                 "cannot make the cache " + place.string() + ": " + error.message());
  }
  fs::permissions(place, fs::perms::owner_all, error);
  const std::string home = place.string();
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("XDG_CACHE_HOME", home.c_str(), 1);
  ::setenv("TMPDIR", (home + "/tmp").c_str(), 1);
  ::setenv("POCL_CACHE_DIR", (home + "/pocl").c_str(), 1);
  ::setenv("CUDA_CACHE_PATH", (home + "/cuda").c_str(), 1);
  ::setenv("NEO_CACHE_DIR", (home + "/neo").c_str(), 1);
  if (::chdir(home.c_str()) != 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "chdir " + home, errno);
  }
  return place;
}

}  // namespace longwire::app
