// Running a grid twice: with two back ends, one after the other, on the same memory. What the first
// wrote is kept aside, what was there before is put back, and in the end both must have written the
// same bytes: allocations of every kind, registered memory of the program, globals of modules.
//
// So that nothing but the back ends can differ, such a machine has one thread, which runs blocks,
// warps and atomics in one order; clocks count how often they are read; a block finds its shared
// and local memory zeroed; what kernels print is compared, and printed once; what they allocate
// with malloc() stands at the same addresses, and what they free goes at the end of the run.
//
// Not for kernels that wait for the program, a copy or another kernel while they run: the second
// run would wait as well, and what others write meanwhile counts as a difference.
// Nor for kernels that read shared or local memory which they have not written, where the back end
// runs warps in turn (Code::in_turn): there it is zeroed once, not for every warp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::machine {

// Of one run: what it does beside writing memory.
struct Replay {
  std::uint64_t clock = 0;
  std::uint64_t printed = 0;  // a hash of the text
  bool silent = false;        // prints nothing
  std::vector<std::uint64_t> allocated;
  std::set<std::uint64_t> freed;  // still allocated
};

struct Run {
  const char* name = "";  // of the back end
  std::function<base::Result<std::optional<Fault>>(Replay&)> run;
};

// kMismatch: names the kernel, the place that differs and both values. The memory is then as the
// second run left it. kLimit: no memory for the copies. REQUIRES: nobody else writes the memory.
base::Result<std::optional<Fault>> run_twice(Memory& memory, const Launch& launch, const Run& first,
                                             const Run& second);

}  // namespace longwire::softcuda::machine
