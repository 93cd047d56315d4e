// Stream memory operations: cuStreamWaitValue32 and so on, one at a time.
#pragma once

#include "softcuda/driver/objects.h"

namespace longwire::softcuda::driver {

struct Driver;

// Whether all of a batch may be run.
CUresult check_stream_values(Driver& driver, unsigned int count,
                             const CUstreamBatchMemOpParams* parts, unsigned int flags);
// Waits for the value, or writes it. A wait ends when the context has a fault.
CUresult run_stream_value(Context& context, const CUstreamBatchMemOpParams& operation);

}  // namespace longwire::softcuda::driver
