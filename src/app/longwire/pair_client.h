// The client's half of `longwire pair HOST:PORT CODE`.
#pragma once

#include <string>

#include "base/result.h"

namespace longwire::app {

// Returns the name under which the node is now trusted. Errors: kUnauthenticated (a wrong code),
// kPermissionDenied (the node is not waiting), kUnavailable.
base::Result<std::string> pair_as_client(const std::string& node, const std::string& code,
                                         const std::string& home);

}  // namespace longwire::app
