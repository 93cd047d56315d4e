// The worker's concrete links: over whatever socket the agent has handed over, with TLS by the
// session's pre-shared key where the session is encrypted.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "link/link.h"
#include "session/handover.h"

namespace longwire::app {

// `session`: the Adopt that began the session, for its id, its secret and whether it is encrypted.
base::Result<std::unique_ptr<link::Link>> make_session_link(base::UniqueFd socket,
                                                            const session::Adopt& session,
                                                            base::Deadline deadline);

// The Hello of a lane, or of a client that comes back, on its link. Refuses what does not belong to
// the session.
base::Result<session::Hello> meet_client(link::Link& link, const session::Adopt& session,
                                         base::Deadline deadline);
// `received` of this side, where the session is resumed.
base::Status welcome_client(link::Link& link, const session::Adopt& session,
                            wire::Sequence received, base::Deadline deadline);
base::Status refuse_client(link::Link& link, const base::Error& why, base::Deadline deadline);

}  // namespace longwire::app
