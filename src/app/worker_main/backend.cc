#include "app/worker_main/backend.h"

namespace longwire::app {

base::Result<worker::core::Worker::MakeBackend> load_opencl(const std::string& /*tenant*/) {
  return base::Error(base::ErrorCode::kUnsupported, "OpenCL is not wired in yet");
}

}  // namespace longwire::app
