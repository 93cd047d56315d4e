#include "client/opencl/client_test.h"

namespace longwire::client::opencl {
namespace {
std::atomic<Runtime*> g_runtime{nullptr};
}  // namespace

// In place of the driver's.
Runtime* process_runtime() noexcept { return g_runtime; }

namespace testing {
void set_process_runtime(Runtime* runtime) { g_runtime = runtime; }
}  // namespace testing
}  // namespace longwire::client::opencl
