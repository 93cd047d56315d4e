// One descriptor, one event, one deadline: for connecting and accepting.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace longwire::link {

// True when one of `events` (or an error) is there, false when the deadline has passed.
base::Result<bool> poll_until(int fd, short events, base::Deadline deadline);

// Errors: kTimeout, kUnavailable.
base::Result<base::UniqueFd> accept_until(int listener, base::Deadline deadline);

}  // namespace longwire::link
