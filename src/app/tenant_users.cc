#include "app/tenant_users.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "app/tenant_user_range.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kNeeded =
    1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN | 1u << CAP_KILL | 1u << CAP_DAC_OVERRIDE;

bool may_change_users() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  return ::geteuid() == 0 && ::syscall(SYS_capget, &header, sets.data()) == 0 &&
         (sets[0].effective & kNeeded) == kNeeded;
}

// A container may have few of the machine's numbers.
bool exist_here(std::uint32_t first) {
  for (const char* map : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    std::ifstream lines(map);
    std::uint64_t inside = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    bool found = false;
    while (lines >> inside >> outside >> count) {
      const bool begins = first >= inside && first - inside < count;
      found = found || (begins && kMaxTenantUsers <= count - (first - inside));
    }
    if (!found) return false;
  }
  return true;
}

// The nearest folder above `path`, or itself, that keeps other users out.
fs::path closed_above(const fs::path& path) {
  std::error_code error;
  for (fs::path folder = fs::absolute(path, error);; folder = folder.parent_path()) {
    struct stat info {};
    const bool there = ::stat(folder.c_str(), &info) == 0;
    // The cache itself the workers open, as far as needed.
    if (there && folder != path && (info.st_mode & S_IXOTH) == 0) return folder;
    if (folder == folder.parent_path()) return {};
  }
}

}  // namespace

std::string no_tenant_users_because(const node::NodeConfig& config) {
  const std::uint32_t first = config.worker.first_user;
  if (first == 0) return "worker.first_user is 0";
  if (!may_change_users()) return "this node is not run by root";
  if (!exist_here(first)) {
    return "there is no user number " + std::to_string(first) + " here (worker.first_user)";
  }
  const fs::path closed = closed_above(config.state.cache);
  if (!closed.empty()) return "other users cannot get past " + closed.string() + " to the cache";
  return {};
}

}  // namespace longwire::app
