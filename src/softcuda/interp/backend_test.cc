// The kernels' tests, on the interpreter.
#include "softcuda/interp/builder_test.h"
#include "softcuda/interp/interp.h"

namespace longwire::softcuda::testing {

std::unique_ptr<machine::Backend> make_backend() { return interp::create(); }

}  // namespace longwire::softcuda::testing
