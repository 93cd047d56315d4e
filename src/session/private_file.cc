#include "session/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/random.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr mode_t kOthers = 077;

Error from_errno(const std::string& what) {
  const ErrorCode code = errno == ENOENT                     ? ErrorCode::kNotFound
                         : errno == EACCES || errno == EPERM ? ErrorCode::kPermissionDenied
                                                             : ErrorCode::kInternal;
  return Error::from_errno(code, what, errno);
}

Status check_private(const struct stat& info, const std::string& path, const char* mode) {
  if (info.st_uid != ::geteuid()) {
    return Error(ErrorCode::kPermissionDenied,
                 path + " belongs to another user: run chown on it, or use another directory");
  }
  if ((info.st_mode & kOthers) != 0) {
    return Error(ErrorCode::kPermissionDenied,
                 path + " is open to other users: run chmod " + mode + " " + path);
  }
  return {};
}

Status write_all(int fd, std::string_view contents, Durability durability,
                 const std::string& path) {
  while (!contents.empty()) {
    const ssize_t n = ::write(fd, contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return from_errno("write " + path);
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  if (durability == Durability::kOnDisk && ::fsync(fd) != 0) return from_errno("write " + path);
  return {};
}

// Renames, or links so that an older file wins.
Status put_in_place(const std::string& temporary, const std::string& path, IfThere if_there) {
  if (if_there == IfThere::kReplace) {
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    return from_errno("rename to " + path);
  }
  if (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST) return {};
  return from_errno("make " + path);
}

void sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const base::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::fsync(fd.get());  // best effort: some file systems cannot
}

}  // namespace

Status ensure_private_directory(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return from_errno(path);
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    std::error_code error;
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return from_errno("make " + path);
    if (::lstat(path.c_str(), &info) != 0) return from_errno(path);
  }
  if (!S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kInvalidArgument, path + " is not a directory");
  }
  return check_private(info, path, "700");
}

FileStamp stamp_of(const std::string& path) noexcept {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size,
          info.st_ctim.tv_sec * std::int64_t{1'000'000'000} + info.st_ctim.tv_nsec};
}

base::Result<std::string> read_private_file(const std::string& path, std::size_t max_bytes) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) return from_errno("read " + path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return from_errno("read " + path);
  if (!S_ISREG(info.st_mode)) return Error(ErrorCode::kInvalidArgument, path + " is not a file");
  LW_TRY(check_private(info, path, "600"));
  std::string contents;
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t n = ::read(fd.get(), block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return from_errno("read " + path);
    if (n == 0) return contents;
    contents.append(block.data(), static_cast<std::size_t>(n));
    if (contents.size() > max_bytes) return Error(ErrorCode::kLimit, path + " is too large");
  }
}

base::Result<base::UniqueFd> lock_beside(const std::string& path) {
  const std::string lock_path = path + ".lock";
  base::UniqueFd fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() || ::flock(fd.get(), LOCK_EX) != 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "lock " + lock_path, errno);
  }
  return fd;
}

Status write_private_file(const std::string& path, std::string_view contents, IfThere if_there,
                          Durability durability) {
  const std::string temporary = path + ".new." + std::to_string(base::SystemRandom().u64());
  const base::UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return from_errno("make " + temporary);
  Status status = write_all(fd.get(), contents, durability, temporary);
  if (status.ok()) status = put_in_place(temporary, path, if_there);
  ::unlink(temporary.c_str());  // gone already after a rename
  if (durability == Durability::kOnDisk) sync_directory_of(path);
  return status;
}

}  // namespace longwire::session
