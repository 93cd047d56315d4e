// The smallest question to a session's worker, for measuring: answered by the worker alone.
#pragma once

#include "client/core/node_session.h"

namespace longwire::app {

base::Status ask_worker(client::core::NodeSession& session, base::Deadline deadline);

}  // namespace longwire::app
