// Giving up who one is.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"

namespace longwire::app {

// From now on this process is `user` (group of the same number, and the groups that may use
// graphics devices, where the machine has them), or stays who it is where that is empty; in both
// cases without capabilities, and without a way to gain privileges. Keeps the signal of its
// parent's death. REQUIRES: one thread.
base::Status become_user(std::optional<uid_t> user);

}  // namespace longwire::app
