// A figure that needs a process, and so a session, of its own.
#pragma once

#include <functional>
#include <vector>

namespace longwire::bench {

// What `measure` returns in a fork of this process, which then exits as any program does. Ends the
// program when the child fails. REQUIRES: this process has not used OpenCL.
std::vector<double> in_child(const std::function<std::vector<double>()>& measure);

}  // namespace longwire::bench
