// Private to link/sim: the two ends of a simulated link.
#pragma once

#include <memory>
#include <utility>

#include "link/sim/sim_network.h"

namespace longwire::link {

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_sim_links(SimNetwork& network,
                                                                       const SimProfile& profile);

}  // namespace longwire::link
