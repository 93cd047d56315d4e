// The back end that compiles: kernels to machine code of 32 lanes, by LLVM 19. What it does is what
// the interpreter does, bit for bit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "softcuda/machine/backend.h"

namespace longwire::softcuda::jit {

struct Statistics {
  std::uint64_t kernels = 0;   // compiled
  std::uint64_t cached = 0;    // that were found in the code cache
  std::uint64_t refused = 0;   // that LLVM could not compile: they are interpreted
  std::uint64_t compiled = 0;  // their instructions that have code of their own
  std::uint64_t called = 0;    // and those that call the interpreter
};

class Jit : public machine::Backend {
 public:
  virtual Statistics statistics() const noexcept = 0;
};

// Where compiled code is kept between processes (code_cache.h).
struct CacheOptions {
  static constexpr std::uint64_t kDefaultBytes = std::uint64_t{256} << 20;
  std::string folder;  // empty: it is not kept
  std::uint64_t most_bytes = kDefaultBytes;
};

// kNotFound: LLVM 19 is not installed. kUnsupported: it cannot be used on this processor. Without
// the folder, or where it is not safe to use, all is compiled; `complain` is told why.
base::Result<std::unique_ptr<Jit>> create(const CacheOptions& cache = {},
                                          void (*complain)(const base::Error&) = nullptr);

}  // namespace longwire::softcuda::jit
