// Parameters of nodes: from what the API says to checked operations. A context may have to be
// current, and modules may be loaded, so the GraphLock is not held meanwhile.
#pragma once

#include "softcuda/driver/graph.h"

namespace longwire::softcuda::driver {

// NULL is the current one.
CUresult find_context(Driver& driver, CUcontext handle, std::shared_ptr<Context>& context);

CUresult make_operation(Driver& driver, const CUDA_KERNEL_NODE_PARAMS& parameters,
                        Operation& operation);
CUresult make_operation(Driver& driver, const CUDA_MEMCPY3D& copy, CUcontext context,
                        Operation& operation);
CUresult make_operation(Driver& driver, const CUDA_MEMSET_NODE_PARAMS& parameters,
                        CUcontext context, Operation& operation);
CUresult make_operation(const CUDA_HOST_NODE_PARAMS& parameters, Operation& operation);
CUresult make_operation(Driver& driver, const CUDA_BATCH_MEM_OP_NODE_PARAMS& parameters,
                        Operation& operation);
CUresult make_event_record(Driver& driver, CUevent event, Operation& operation);
CUresult make_event_wait(Driver& driver, CUevent event, Operation& operation);
// Takes memory, and fills in its address.
CUresult make_allocation(Driver& driver, CUDA_MEM_ALLOC_NODE_PARAMS& parameters,
                         Operation& operation);
CUresult make_free(Driver& driver, CUdeviceptr address, Operation& operation);

CUDA_KERNEL_NODE_PARAMS newest(const CUDA_KERNEL_NODE_PARAMS_v1& parameters) noexcept;

// Any of them but those with graphs of their own: child graphs and conditional nodes. `creating`:
// also those that only a new node can be made of.
CUresult make_operation(Driver& driver, CUgraphNodeParams& parameters, bool creating,
                        Operation& operation);

// All dependencies are plain ones here.
CUresult check_edges(const CUgraphEdgeData* edges, std::size_t count) noexcept;

}  // namespace longwire::softcuda::driver
