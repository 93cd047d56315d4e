// Links of the simulated node that read along.
#pragma once

#include <memory>

#include "link/link.h"

namespace longwire::sim {

// The client's end of a stream: once it has read that the node's agent is away, the link is closed
// by its peer.
std::unique_ptr<link::Link> closing_when_agent_is_away(std::unique_ptr<link::Link> link);

// The planted bug kKeepsBrokenChunk, at the worker's end of a lane: where the lane breaks inside a
// chunk, zeros are read for what is missing of it.
std::unique_ptr<link::Link> keeping_broken_chunks(std::unique_ptr<link::Link> link);

}  // namespace longwire::sim
