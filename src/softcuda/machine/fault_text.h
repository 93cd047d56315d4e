// What a fault says to people.
#pragma once

#include <cstdint>
#include <string>

#include "softcuda/machine/machine.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::machine {

// "kernel scale: ld.global.f32 at line 12: block (1,0,0) thread (3,0,0): ". lane < 0: no thread.
std::string describe_place(const Warp& warp, int lane, const ir::Place& place);
// "illegal address 0x7f..., 4 bytes past the end of the allocation of 1024 bytes at 0x7f..."
std::string describe_address(FaultKind kind, std::uint64_t address, const Memory& memory);

}  // namespace longwire::softcuda::machine
