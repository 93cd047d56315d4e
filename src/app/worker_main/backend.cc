#include "app/worker_main/backend.h"

#include "opencl/native_api.h"
#include "worker/opencl/backend.h"
#include "worker/opencl/stdout_pipe.h"
#include "worker/opencl/system_driver.h"

namespace longwire::app {
namespace {

inline constexpr const char* kIcdLoader = "libOpenCL.so.1";

// The vendor driver and the process's stdout are there once per process, and until its end.
struct OpenCl {
  opencl::NativeApi api;
  std::unique_ptr<worker::opencl::StdoutPipe> output;
};

}  // namespace

base::Result<worker::core::Worker::MakeBackend> load_opencl(
    const std::filesystem::path& cache, const worker::opencl::SessionLimits& limits) {
  auto cl = std::make_unique<OpenCl>();
  LW_ASSIGN(cl->api, worker::opencl::load_system_driver(kIcdLoader));
  LW_ASSIGN(cl->output, worker::opencl::StdoutPipe::create());
  const OpenCl& kept = *cl.release();  // on purpose, see above
  return worker::opencl::make_backend(kept.api, kept.output.get(), cache / "builds", limits);
}

}  // namespace longwire::app
