// Who is on the other side of a unix socket, and may they come in: the node's own user, root, and
// the members of listen.unix_group.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace longwire::node {

struct LocalUser {
  uid_t user = 0;
  gid_t group = 0;
  pid_t process = 0;
  std::string name;  // "alice", or "1000" for a user without a name
};

// SO_PEERCRED of a connected unix socket.
base::Result<LocalUser> local_user_of(int socket);

// kPermissionDenied says which rule shut them out.
base::Status may_connect(const LocalUser& user, const std::string& group_name);

}  // namespace longwire::node
