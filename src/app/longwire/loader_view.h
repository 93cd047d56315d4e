// What the system's OpenCL loader makes of this machine, seen from a child process as a program
// would.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longwire::app {

struct PlatformFacts {
  std::string name;     // "Longwire"
  std::string version;  // "OpenCL 3.0 Longwire 0.1.0"
  std::uint32_t devices = 0;
};

struct LoaderView {
  std::vector<PlatformFacts> platforms;
  std::vector<std::string> drivers;  // files of ours that came into the process
};

// With our driver shown, but no node asked; or hidden, and the devices of the others counted.
enum class OurDriver { kShown, kHidden };

// `loader` as dlopen() takes it. Errors: kNotFound (there is no such library), kTimeout,
// kUnavailable (a driver has crashed).
base::Result<LoaderView> view_loader(const std::string& loader, OurDriver ours,
                                     base::Deadline deadline);
// What the child says; a driver that it has loaded may have put in anything. Errors: kNotFound,
// kUnavailable.
base::Result<LoaderView> parse_loader_view(const std::string& answer);
// Whether a library can be loaded here. Errors: kUnavailable, with the dynamic linker's reason.
base::Status try_library(const std::string& path, base::Deadline deadline);

}  // namespace longwire::app
