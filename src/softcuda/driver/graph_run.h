// Running a launch of a graph. Steps that do not depend on each other run at the same time where
// there are threads for them (branch_threads.h); one that waits, as a host function may, keeps only
// what depends on it from running.
#pragma once

#include "softcuda/driver/graph_exec.h"

namespace longwire::softcuda::driver {

// To its end, on the calling thread and others. After a failure, which it returns, nothing more is
// begun.
CUresult run_launch(Context& context, const GraphLaunch& launch);

}  // namespace longwire::softcuda::driver
