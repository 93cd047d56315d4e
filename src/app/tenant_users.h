// Whether the tenants of this node can have users of their own: then not even a worker that has
// broken out of its other walls is the user that owns the node's key, or another tenant's files.
#pragma once

#include <string>

#include "node/config.h"

namespace longwire::app {

// Why they cannot; empty where they can.
std::string no_tenant_users_because(const node::NodeConfig& config);

}  // namespace longwire::app
