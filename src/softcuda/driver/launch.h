// What a launch asks for, checked, as an operation.
#pragma once

#include "softcuda/driver/operation.h"

namespace longwire::softcuda::driver {

struct LaunchRequest {
  CUfunction function = nullptr;
  machine::Dim3 grid, block;
  unsigned int shared_bytes = 0;
  bool cooperative = false;
  void** parameters = nullptr;
  void** extra = nullptr;
};

CUresult make_kernel_operation(const std::shared_ptr<Context>& context,
                               const LaunchRequest& request, KernelOperation& operation);

// A cooperative launch, or one that is none. CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE.
CUresult set_cooperative(KernelOperation& operation, bool cooperative);

}  // namespace longwire::softcuda::driver
