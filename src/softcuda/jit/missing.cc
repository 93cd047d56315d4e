// In place of the back end, where LLVM's headers were missing when this was built.
#include "softcuda/jit/jit.h"

namespace longwire::softcuda::jit {

base::Result<std::unique_ptr<Jit>> create(const CacheOptions&, void (*)(const base::Error&)) {
  return base::Error(base::ErrorCode::kUnsupported, "this build has no LLVM (llvm-19-dev)");
}

}  // namespace longwire::softcuda::jit
