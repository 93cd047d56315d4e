#include "app/worker_main/options.h"

#include <charconv>
#include <string>
#include <string_view>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

Status set_sandbox(Cage& cage, std::string_view value) {
  if (value == "off") {
    cage.strictness = Confinement::kOff;
  } else if (value == "log") {
    cage.strictness = Confinement::kLog;
  } else if (value != "enforce") {
    return Error(ErrorCode::kInvalidArgument, "--sandbox is off, log or enforce");
  }
  return {};
}

Status set_first_user(Cage& cage, std::string_view value) {
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, cage.first_user);
  if (error == std::errc() && stop == end) return {};
  return Error(ErrorCode::kInvalidArgument, "--first-user is a number");
}

Status set_scrub(WorkerOptions& options, std::string_view value) {
  using worker::opencl::Scrub;
  if (value == "always") {
    options.scrub = Scrub::kAlways;
  } else if (value == "never") {
    options.scrub = Scrub::kNever;
  } else if (value != "auto") {
    return Error(ErrorCode::kInvalidArgument, "--scrub is auto, always or never");
  }
  return {};
}

Status set(WorkerOptions& options, std::string_view name, std::string_view value) {
  Cage& cage = options.cage;
  if (name == "--cache") {
    cage.cache = value;
  } else if (name == "--temporary") {
    cage.temporary = value;
  } else if (name == "--device") {
    cage.devices.emplace_back(value);
  } else if (name == "--preload") {
    options.preload = value != "off";
  } else if (name == "--first-user") {
    return set_first_user(cage, value);
  } else if (name == "--scrub") {
    return set_scrub(options, value);
  } else if (name == "--sandbox") {
    return set_sandbox(cage, value);
  } else {
    return Error(ErrorCode::kInvalidArgument, "unknown option " + std::string(name));
  }
  return {};
}

}  // namespace

base::Result<WorkerOptions> parse_worker_options(int argc, char** argv) {
  WorkerOptions options;
  for (int i = 1; i + 1 < argc; i += 2)
    LW_TRY(set(options, argv[i], argv[i + 1]));
  if (argc % 2 == 0) {
    return Error(ErrorCode::kInvalidArgument,
                 "longwire-worker is started by longwired, not by hand");
  }
  return options;
}

}  // namespace longwire::app
