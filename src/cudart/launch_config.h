// What a launch is to be like, as the driver wants it.
#pragma once

#include <cstdint>

#include "cudart/api.h"

namespace longwire::cudart {

// false: there is none, or it is none.
inline bool to_driver(const cudaLaunchConfig_t* config, CUlaunchConfig& asked) {
  static_assert(sizeof(cudaLaunchAttribute) == sizeof(CUlaunchAttribute));
  if (config == nullptr || config->dynamicSmemBytes > UINT32_MAX) return false;
  asked = {config->gridDim.x,
           config->gridDim.y,
           config->gridDim.z,
           config->blockDim.x,
           config->blockDim.y,
           config->blockDim.z,
           static_cast<unsigned int>(config->dynamicSmemBytes),
           to_driver(config->stream),
           reinterpret_cast<CUlaunchAttribute*>(config->attrs),
           config->numAttrs};
  return true;
}

}  // namespace longwire::cudart
