#include "app/worker_main/backend.h"

#include <dlfcn.h>

#include "opencl/native_api.h"
#include "worker/opencl/backend.h"
#include "worker/opencl/stdout_pipe.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

inline constexpr const char* kIcdLoader = "libOpenCL.so.1";

// The vendor driver and the process's stdout are there once per process, and until its end.
struct OpenCl {
  opencl::NativeApi api;
  std::unique_ptr<worker::opencl::StdoutPipe> output;
};

void* resolve(const char* name, void* library) { return ::dlsym(library, name); }

}  // namespace

base::Result<worker::core::Worker::MakeBackend> load_opencl() {
  void* const library = ::dlopen(kIcdLoader, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error(ErrorCode::kNotFound, std::string("this node has no OpenCL: ") + ::dlerror());
  }
  auto cl = std::make_unique<OpenCl>();
  std::vector<std::string> missing;
  if (!opencl::NativeApi::load(cl->api, resolve, library, missing)) {
    return Error(ErrorCode::kUnsupported, std::string(kIcdLoader) + " has no " +
                                              (missing.empty() ? "OpenCL 1.2" : missing.front()));
  }
  LW_ASSIGN(cl->output, worker::opencl::StdoutPipe::create());
  const OpenCl& kept = *cl.release();  // on purpose, see above
  return worker::opencl::make_backend(kept.api, kept.output.get());
}

}  // namespace longwire::app
