// Stream memory operations: cuStreamWaitValue32 and so on, one at a time.
#pragma once

#include "softcuda/driver/objects.h"

namespace longwire::softcuda::driver {

// Waits for the value, or writes it. A wait ends when the context has a fault.
CUresult run_stream_value(Context& context, const CUstreamBatchMemOpParams& operation);

}  // namespace longwire::softcuda::driver
