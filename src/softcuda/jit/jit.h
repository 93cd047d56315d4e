// The back end that compiles: kernels to machine code of 32 lanes, by LLVM 19. What it does is what
// the interpreter does, bit for bit.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "softcuda/machine/backend.h"

namespace longwire::softcuda::jit {

struct Statistics {
  std::uint64_t kernels = 0;   // compiled
  std::uint64_t refused = 0;   // that LLVM could not compile: they are interpreted
  std::uint64_t compiled = 0;  // their instructions that have code of their own
  std::uint64_t called = 0;    // and those that call the interpreter
};

class Jit : public machine::Backend {
 public:
  virtual Statistics statistics() const noexcept = 0;
};

// kNotFound: LLVM 19 is not installed. kUnsupported: it cannot be used on this processor.
base::Result<std::unique_ptr<Jit>> create();

}  // namespace longwire::softcuda::jit
