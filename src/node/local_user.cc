#include "node/local_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;

inline constexpr std::size_t kDatabaseBytes = std::size_t{64} << 10;
inline constexpr int kMaxGroups = 256;

std::string name_of_user(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> space(kDatabaseBytes);
  if (::getpwuid_r(user, &entry, space.data(), space.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

bool is_member(const LocalUser& user, gid_t wanted) {
  if (user.group == wanted) return true;
  std::array<gid_t, kMaxGroups> groups{};
  int count = kMaxGroups;
  if (::getgrouplist(user.name.c_str(), user.group, groups.data(), &count) < 0) count = kMaxGroups;
  for (int i = 0; i < count; ++i) {
    if (groups[static_cast<std::size_t>(i)] == wanted) return true;
  }
  return false;
}

}  // namespace

base::Result<LocalUser> local_user_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "SO_PEERCRED", errno);
  }
  return LocalUser{credentials.uid, credentials.gid, credentials.pid,
                   name_of_user(credentials.uid)};
}

base::Status may_connect(const LocalUser& user, const std::string& group_name) {
  if (user.user == ::geteuid() || user.user == 0) return {};
  const std::string who = "user " + user.name;
  if (group_name.empty()) {
    return Error(ErrorCode::kPermissionDenied,
                 who + " is not the node's own user, and no listen.unix_group is set");
  }
  group entry{};
  group* found = nullptr;
  std::vector<char> space(kDatabaseBytes);
  if (::getgrnam_r(group_name.c_str(), &entry, space.data(), space.size(), &found) != 0 ||
      found == nullptr) {
    return Error(ErrorCode::kPermissionDenied, "there is no group " + group_name);
  }
  if (is_member(user, found->gr_gid)) return {};
  return Error(ErrorCode::kPermissionDenied, who + " is not in group " + group_name);
}

}  // namespace longwire::node
