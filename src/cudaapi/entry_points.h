// What the generated exports of a CUDA driver library share with its own code.
#pragma once

#include <cstdint>
#include <span>

#define LONGWIRE_CUDA_EXACT_NAMES  // who defines the functions wants no macros over their names
#pragma GCC visibility push(default)
#include "cudaapi/cuda.h"
#pragma GCC visibility pop

namespace longwire::cudaapi {

// One version of a function, as cuGetProcAddress sees it.
struct EntryPoint {
  const char* name;  // without version
  int version;       // since which CUDA version
  void* function;
  int per_thread_version;  // 0: no form for the calling thread's default stream
  void* per_thread;
};

// In order of names, then versions.
std::span<const EntryPoint> entry_points();

// While one lives, stream 0 is the calling thread's own stream in this thread.
class PerThreadStream {
 public:
  PerThreadStream() noexcept { ++depth(); }
  ~PerThreadStream() { --depth(); }
  PerThreadStream(const PerThreadStream&) = delete;
  PerThreadStream& operator=(const PerThreadStream&) = delete;
  static bool active() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept {
    static thread_local int depth = 0;
    return depth;
  }
};

// What a function without an implementation answers.
CUresult not_supported() noexcept;

}  // namespace longwire::cudaapi
