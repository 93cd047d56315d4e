// The kernels' tests, on LLVM.
#include "softcuda/interp/builder_test.h"
#include "softcuda/jit/jit.h"

namespace longwire::softcuda::testing {

std::unique_ptr<machine::Backend> make_backend() {
  auto made = jit::create();
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? std::move(*made) : nullptr;
}

}  // namespace longwire::softcuda::testing
