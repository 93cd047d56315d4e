// What a program hands to cuModuleLoadData: a pointer without a size, to PTX text, to a fat binary,
// or to the wrapper that compilers put around one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace longwire::softcuda::fatbin {

// As compilers lay it out beside the container.
struct Wrapper {
  std::uint32_t magic;
  std::uint32_t version;
  const void* data;
  const void* filename_or_fatbins;
};

// The PTX in `image` for a device of compute capability `capability`. REQUIRES: `image` points to
// one of the three; what its headers say of its size is believed, up to the named limits.
// kInvalidArgument: not one of them; kUnsupported: machine code (cubin).
// What cuLinkComplete made has several texts, to be linked again.
base::Result<std::vector<std::string>> ptx_of_image(const void* image, std::uint32_t capability);

}  // namespace longwire::softcuda::fatbin
