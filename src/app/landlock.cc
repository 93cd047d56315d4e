#include "app/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/unique_fd.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::uint64_t kReadExecute =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kUse =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kOwn = kReadExecute | LANDLOCK_ACCESS_FS_WRITE_FILE |
                               LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                               LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                               LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
// Every right of version 1; those named above are given back, path by path.
constexpr std::uint64_t kHandled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
// What can be granted on a file that is no directory.
constexpr std::uint64_t kOnFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
// Version 2: moving files between directories of its own. Version 3: truncating them.
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;

std::uint64_t added_since(int version) {
  return (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
}

Status allow(int ruleset, const std::filesystem::path& path, std::uint64_t access) {
  const base::UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info {};
  if (!place.valid() || ::fstat(place.get(), &info) != 0) return {};  // not on this machine
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(info.st_mode) ? access : access & (kOnFiles | kTruncate);
  rule.parent_fd = place.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "landlock: " + path.string(), errno);
  }
  return {};
}

Status allow_all(int ruleset, const std::vector<std::filesystem::path>& paths,
                 std::uint64_t access) {
  for (const auto& path : paths)
    LW_TRY(allow(ruleset, path, access));
  return {};
}

}  // namespace

int landlock_version() noexcept {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Status restrict_files(const FileAccess& access) {
  const std::uint64_t added = added_since(landlock_version());
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kHandled | added;
  const base::UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset.valid()) return Error::from_errno(ErrorCode::kInternal, "landlock", errno);
  LW_TRY(allow_all(ruleset.get(), access.read_and_execute, kReadExecute));
  LW_TRY(allow_all(ruleset.get(), access.use, kUse | (added & kTruncate)));
  LW_TRY(allow_all(ruleset.get(), access.own, kOwn | added));
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "landlock", errno);
  }
  return {};
}

}  // namespace longwire::app
