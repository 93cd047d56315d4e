// A graph for people: in the DOT language of Graphviz.
#pragma once

#include <string>

#include "softcuda/driver/graph.h"

namespace longwire::softcuda::driver {

// REQUIRES: the caller has the GraphLock. `flags` are of CUgraphDebugDot_flags.
std::string dot_of(const Graph& graph, unsigned int flags);
bool write_dot(const char* path, const std::string& text);

}  // namespace longwire::softcuda::driver
