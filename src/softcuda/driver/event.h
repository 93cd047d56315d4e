// Recording events.
#pragma once

#include <vector>

#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {

// The event stands for all that is in the stream by now, and for `after`. REQUIRES: the stream
// captures nothing.
CUresult record_event(Stream& stream, Event& event, std::vector<CompletionPtr> after = {});

}  // namespace longwire::softcuda::driver
