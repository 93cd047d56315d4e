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
// Version 2: moving files between directories of its own. Version 3: truncating them. Version 5:
// ioctl on devices.
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;
constexpr std::uint64_t kIoctlDevice = std::uint64_t{1} << 15;
// Version 4: TCP. Version 6: sockets without a path, and signals, to who is not confined with us.
constexpr std::uint64_t kBindTcp = 1;
constexpr std::uint64_t kConnectTcp = 2;
constexpr std::uint64_t kAbstractSockets = 1;
constexpr std::uint64_t kSignals = 2;

// struct landlock_ruleset_attr of version 6; the headers of Debian 12 have that of version 1.
struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

std::uint64_t added_since(int version) {
  return (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0) |
         (version >= 5 ? kIoctlDevice : 0);
}

std::size_t ruleset_bytes(int version) {
  return (version >= 6 ? 3 : version >= 4 ? 2 : 1) * sizeof(std::uint64_t);
}

Ruleset everything(int version) {
  Ruleset ruleset{};
  ruleset.handled_access_fs = kHandled | added_since(version);
  if (version >= 4) ruleset.handled_access_net = kBindTcp | kConnectTcp;
  if (version >= 6) ruleset.scoped = kAbstractSockets | kSignals;
  return ruleset;
}

Status allow(int ruleset, const std::filesystem::path& path, std::uint64_t access) {
  const base::UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info {};
  if (!place.valid() || ::fstat(place.get(), &info) != 0) return {};  // not on this machine
  landlock_path_beneath_attr rule{};
  rule.allowed_access =
      S_ISDIR(info.st_mode) ? access : access & (kOnFiles | kTruncate | kIoctlDevice);
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
  const int version = landlock_version();
  const std::uint64_t added = added_since(version);
  const Ruleset attributes = everything(version);
  const base::UniqueFd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, ruleset_bytes(version), 0)));
  if (!ruleset.valid()) return Error::from_errno(ErrorCode::kInternal, "landlock", errno);
  LW_TRY(allow_all(ruleset.get(), access.read_and_execute, kReadExecute));
  LW_TRY(allow_all(ruleset.get(), access.use, kUse | (added & (kTruncate | kIoctlDevice))));
  LW_TRY(allow_all(ruleset.get(), access.own, kOwn | (added & ~kIoctlDevice)));
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "landlock", errno);
  }
  return {};
}

}  // namespace longwire::app
