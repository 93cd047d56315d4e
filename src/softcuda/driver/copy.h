// Copies: from what the API says of both sides to addresses, with every bound checked.
#pragma once

#include "softcuda/driver/operation.h"

namespace longwire::softcuda::driver {

CUresult make_copy(const CUDA_MEMCPY3D& asked, CopyOperation& copy);
// What a plain copy of `bytes` is. Each side: device memory, or the program's.
CUresult make_flat_copy(CUdeviceptr to, CUmemorytype to_type, CUdeviceptr from,
                        CUmemorytype from_type, std::size_t bytes, CopyOperation& copy);
// The source is read now, whenever the copy runs.
void take_source(CopyOperation& copy);
CUDA_MEMCPY3D copy_of_2d(const CUDA_MEMCPY2D& copy);
CUresult make_memset(const CUDA_MEMSET_NODE_PARAMS& parameters);

}  // namespace longwire::softcuda::driver
