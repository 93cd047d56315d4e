// What a user sets of the soft device, by environment variables (docs/SOFTCUDA.md).
#pragma once

#include <cstdint>
#include <string>

#include "softcuda/jit/jit.h"
#include "softcuda/machine/machine.h"

namespace longwire::softcuda::driver {

inline constexpr int kMaxDevices = 16;

// kCheck: every launch runs on both back ends, one after the other, and fails with
// CUDA_ERROR_LAUNCH_FAILED where they do not write the same (machine/run_twice.h); a line on stderr
// names the kernel, the place and both values. For tests: on one thread, with copies of all memory.
enum class BackendChoice : std::uint8_t { kInterpreter, kLlvm, kCheck, kUnknown };

struct Options {
  BackendChoice backend = BackendChoice::kInterpreter;  // LONGWIRE_SOFT_BACKEND=interp|llvm|check
  int devices = 1;                                      // LONGWIRE_SOFT_DEVICES
  int capability_major = 8;                             // LONGWIRE_SOFT_CAPABILITY=8.6
  int capability_minor = 6;
  // Where compiled kernels are kept from process to process: code that is executed, so that whoever
  // can write there can run code as the user (jit/code_cache.h). LONGWIRE_SOFT_CACHE=folder, 0:
  // none; else $XDG_CACHE_HOME/longwire/softcuda, else ~/.cache/longwire/softcuda.
  jit::CacheOptions cache;          // _CACHE, _CACHE_MB
  machine::MachineOptions machine;  // LONGWIRE_SOFT_MEMORY_MB, _THREADS, _WATCHDOG_MS, _MEMCHECK
};

// What makes no sense keeps its default, but for the back end, which somebody relies on.
Options read_options();

}  // namespace longwire::softcuda::driver
