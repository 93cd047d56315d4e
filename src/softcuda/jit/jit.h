// The back end that compiles: kernels to machine code of 32 lanes, by LLVM 19. What it does is what
// the interpreter does, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "softcuda/machine/backend.h"

namespace longwire::softcuda::jit {

// What is compiled at most. LLVM takes longer than in proportion: about 1 s for 20,000 of its
// instructions behind the passes, 10 s for kMaxInstructions (which are 3,000 to 8,000 of PTX, with
// fewer the more branches there are). A function with more steps than kMaxSteps, and a kernel that
// passes one of the others (with all that it calls), is interpreted: launches work, and
// Statistics::refused counts it. That is found out within a second.
inline constexpr std::size_t kMaxSteps = 20'000;
inline constexpr std::size_t kMaxEmitted = 160'000;      // of LLVM's instructions, as emitted
inline constexpr std::size_t kMaxInstructions = 80'000;  // behind the passes

struct Statistics {
  std::uint64_t kernels = 0;   // compiled
  std::uint64_t cached = 0;    // that were found in the code cache
  std::uint64_t refused = 0;   // that are interpreted: too large, or LLVM could not
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
