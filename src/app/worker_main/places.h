// A tenant's corner of the node's cache: what vendor drivers keep of the kernels they build must
// not be read, nor written, by another tenant's sessions.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "app/worker_main/options.h"
#include "base/result.h"

namespace longwire::app {

struct TenantPlace {
  std::filesystem::path path;
  std::optional<uid_t> user;  // the tenant's own, where tenants have users
};

// Makes `cage.cache`/tenants/NAME, or /tenants-FIRST/NAME where tenants have users from FIRST on:
// then whoever owns the folder is the tenant's user, for good, and a new folder gets the first
// number that no other has. REQUIRES: root, where cage.first_user is not 0.
base::Result<TenantPlace> make_place_of(const std::string& tenant, const Cage& cage);

// Goes there, and points the environment there (POCL_CACHE_DIR, XDG_CACHE_HOME, HOME,
// CUDA_CACHE_PATH, NEO_CACHE_DIR; TMPDIR to `temporary` unless that is empty). To be called before
// a vendor driver is used.
base::Status enter_place(const std::filesystem::path& place,
                         const std::filesystem::path& temporary);

}  // namespace longwire::app
