// Landlock by its bare system calls: Debian 12's libc has no wrappers for them.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace longwire::app {

// The kernel's Landlock version; 0 where it has none or it is switched off.
int landlock_version() noexcept;

struct FileAccess {
  std::vector<std::filesystem::path> read_and_execute;
  std::vector<std::filesystem::path> use;  // read and write what is there: devices
  std::vector<std::filesystem::path> own;  // everything, but no device files
};

// For this process and all that it starts, for good: of files those alone; where the kernel can, no
// TCP port to bind or connect to, no abstract unix socket and no signal to who is not confined with
// it. Paths that do not exist are skipped. REQUIRES: landlock_version() > 0, no new privileges.
base::Status restrict_files(const FileAccess& access);

}  // namespace longwire::app
