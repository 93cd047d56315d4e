// Parameters of graphs' nodes, as the driver wants them.
#pragma once

#include "cudart/driver_table.h"

namespace longwire::cudart {

cudaError_t make_kernel_node(const DriverTable& cu, const cudaKernelNodeParams* asked,
                             CUDA_KERNEL_NODE_PARAMS& node);

// Any type of node. What the driver answers with, an allocation's address, comes back after.
cudaError_t make_node(const DriverTable& cu, const cudaGraphNodeParams* asked,
                      CUgraphNodeParams& node);
void take_answers(const CUgraphNodeParams& node, cudaGraphNodeParams& asked) noexcept;

}  // namespace longwire::cudart
