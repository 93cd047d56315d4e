#include "app/worker_main/places.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <string_view>

#include "app/tenant_user_range.h"
#include "base/unique_fd.h"
#include "session/handover.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Status;

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

Error cannot_make(const fs::path& place, int error) {
  return Error::from_errno(ErrorCode::kPermissionDenied, "cannot make the cache " + place.string(),
                           error);
}

// Files of a tenant that has a user are never mixed with those of a time when it had none, or
// another.
std::string tenants_folder(const Cage& cage) {
  return cage.first_user == 0 ? "tenants" : "tenants-" + std::to_string(cage.first_user);
}

std::optional<uid_t> owner_of(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return info.st_uid;
}

bool is_tenant_user(const Cage& cage, uid_t user) {
  return user >= cage.first_user && user - cage.first_user < kMaxTenantUsers;
}

// The first user that no tenant of `tenants` has.
base::Result<uid_t> free_user(const Cage& cage, const fs::path& tenants) {
  std::set<uid_t> taken;
  std::error_code error;
  for (fs::directory_iterator i(tenants, error), end; !error && i != end; i.increment(error)) {
    if (const auto owner = owner_of(i->path())) taken.insert(*owner);
  }
  for (uid_t user = cage.first_user; is_tenant_user(cage, user); ++user) {
    if (!taken.contains(user)) return user;
  }
  return Error(ErrorCode::kLimit, "the node has more tenants than users for them");
}

base::Result<uid_t> user_of(const Cage& cage, const fs::path& place) {
  // Two workers of new tenants must not choose the same.
  const base::UniqueFd tenants(
      ::open(place.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!tenants.valid() || ::flock(tenants.get(), LOCK_EX) != 0) return cannot_make(place, errno);
  const auto owner = owner_of(place);
  if (owner && is_tenant_user(cage, *owner)) return *owner;
  LW_ASSIGN(const uid_t user, free_user(cage, place.parent_path()));
  if (::lchown(place.c_str(), user, user) != 0) return cannot_make(place, errno);
  return user;
}

}  // namespace

base::Result<TenantPlace> make_place_of(const std::string& tenant, const Cage& cage) {
  const fs::path tenants = cage.cache / tenants_folder(cage);
  TenantPlace place{tenants / folder_of(tenant), std::nullopt};
  std::error_code error;
  fs::create_directories(place.path, error);
  if (error) return cannot_make(place.path, error.value());
  fs::permissions(place.path, fs::perms::owner_all, error);
  if (cage.first_user == 0) return place;
  for (const fs::path& way : {cage.cache, tenants}) {
    fs::permissions(way, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add,
                    error);
    if (error) return cannot_make(way, error.value());
  }
  LW_ASSIGN(place.user, user_of(cage, place.path));
  if (!cage.temporary.empty() && ::lchown(cage.temporary.c_str(), *place.user, *place.user) != 0) {
    return cannot_make(cage.temporary, errno);
  }
  return place;
}

Status enter_place(const fs::path& place, const fs::path& temporary) {
  std::error_code error;
  fs::create_directories(place / "pocl", error);
  if (!error && temporary.empty()) fs::create_directories(place / "tmp", error);
  if (error) return cannot_make(place, error.value());
  const std::string home = place.string();
  ::setenv("HOME", home.c_str(), 1);
  ::setenv("XDG_CACHE_HOME", home.c_str(), 1);
  ::setenv("TMPDIR", temporary.empty() ? (home + "/tmp").c_str() : temporary.c_str(), 1);
  ::setenv("POCL_CACHE_DIR", (home + "/pocl").c_str(), 1);
  ::setenv("CUDA_CACHE_PATH", (home + "/cuda").c_str(), 1);
  ::setenv("NEO_CACHE_DIR", (home + "/neo").c_str(), 1);
  if (::chdir(home.c_str()) != 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "chdir " + home, errno);
  }
  return {};
}

}  // namespace longwire::app
