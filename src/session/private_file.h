// Files that only their owner may touch: keys and lists of whom we trust.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::session {

// Makes the directory (and its parents) with mode 0700, or checks it: ours, and closed to all
// others. Errors: kPermissionDenied with what to do about it.
base::Status ensure_private_directory(const std::string& path);

// The contents of a regular file of ours that nobody else may read or write. Errors: kNotFound,
// kPermissionDenied, kLimit.
base::Result<std::string> read_private_file(const std::string& path, std::size_t max_bytes);

// Differs once a file has been replaced, written or removed; for those who watch one.
struct FileStamp {
  std::uint64_t file = 0;  // its inode; 0: there is none
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::string& path) noexcept;

// Held while a file is read, changed and written; waits for whoever holds it. The lock is a file of
// its own, PATH.lock, since the file itself is replaced.
base::Result<base::UniqueFd> lock_beside(const std::string& path);

enum class IfThere { kReplace, kKeep };
enum class Durability { kOnDisk, kUntilReboot };
// Writes a file of mode 0600 whole or not at all; with kOnDisk it is on the disk when this returns.
// With kKeep a file that is there already stays as it is, which is no error.
base::Status write_private_file(const std::string& path, std::string_view contents, IfThere,
                                Durability = Durability::kOnDisk);

}  // namespace longwire::session
