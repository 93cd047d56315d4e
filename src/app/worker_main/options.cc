#include "app/worker_main/options.h"

#include <string_view>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

base::Status set_sandbox(WorkerOptions& options, std::string_view value) {
  if (value == "off") {
    options.sandbox = Confinement::kOff;
  } else if (value == "log") {
    options.sandbox = Confinement::kLog;
  } else if (value != "enforce") {
    return Error(ErrorCode::kInvalidArgument, "--sandbox is off, log or enforce");
  }
  return {};
}

}  // namespace

base::Result<WorkerOptions> parse_worker_options(int argc, char** argv) {
  WorkerOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--cache") {
      options.cache = value;
    } else if (name == "--probe") {
      options.probe = value;
    } else if (name == "--preload") {
      options.preload = value != "off";
    } else if (name == "--sandbox") {
      LW_TRY(set_sandbox(options, value));
    } else {
      return Error(ErrorCode::kInvalidArgument, "unknown option " + std::string(name));
    }
  }
  if (argc % 2 == 0) {
    return Error(ErrorCode::kInvalidArgument,
                 "longwire-worker is started by longwired, not by hand");
  }
  return options;
}

}  // namespace longwire::app
