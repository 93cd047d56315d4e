// Functions that kernels call and the machine provides: vprintf, malloc, free, __assertfail,
// cudaGraphSetConditional.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "softcuda/machine/warp_fiber.h"

namespace longwire::softcuda::machine::externals {

struct Call {
  WarpFiber& warp;
  Block& block;
  int lane;
  const ir::Place& place;
};

// False: there is no such function, or it has other parameters.
bool call(const Call& call, std::string_view name, std::span<const std::uint64_t> arguments,
          std::uint64_t& result);

}  // namespace longwire::softcuda::machine::externals
