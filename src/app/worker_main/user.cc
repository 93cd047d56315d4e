#include "app/worker_main/user.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr const char* kDeviceGroups[] = {"render", "video"};

Error refused(const char* what) {
  return Error::from_errno(ErrorCode::kPermissionDenied, what, errno);
}

std::vector<gid_t> device_groups() {
  std::vector<gid_t> groups;
  for (const char* name : kDeviceGroups) {
    const group* found = ::getgrnam(name);
    if (found != nullptr) groups.push_back(found->gr_gid);
  }
  return groups;
}

Status change_user(uid_t user) {
  const std::vector<gid_t> groups = device_groups();
  if (::setgroups(groups.size(), groups.data()) != 0) return refused("setgroups");
  if (::setresgid(user, user, user) != 0) return refused("setresgid");
  if (::setresuid(user, user, user) != 0) return refused("setresuid");
  return {};
}

Status drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return refused("capset");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return {};
}

}  // namespace

Status become_user(std::optional<uid_t> user) {
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
  if (user) LW_TRY(change_user(*user));
  LW_TRY(drop_capabilities());
  // The agent has seen to it already; without it, neither Landlock nor seccomp would take us.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no new privileges");
  // Whoever changes his user loses it.
  if (death_signal != 0) ::prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0);
  return {};
}

}  // namespace longwire::app
