// Checks of `longwire doctor`: does the system's OpenCL loader find our driver, and the right one.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/longwire/doctor_finding.h"
#include "base/result.h"

namespace longwire::app {

inline constexpr const char* kIcdFolder = "/etc/OpenCL/vendors";
inline constexpr std::size_t kMaxIcdFiles = 256;  // of a folder that are looked at
// A vendor's library may take its time to start.
inline constexpr int kLoaderTimeoutMs = 20'000;

using Variable = std::function<std::optional<std::string>(const char* name)>;

// Where a check of the driver looks: tests make the fault there.
struct DriverPlaces {
  Variable variable;
  std::filesystem::path icd_folder = kIcdFolder;
  std::filesystem::path own_driver;  // of this installation
  std::string loader = "libOpenCL.so.1";
};

// "icd": a file in the folder names our driver, which is there, for this machine.
Finding check_icd(const DriverPlaces& places);
// "icd-variables": none of the loader's variables hides that file.
Finding check_icd_variables(const DriverPlaces& places);
// "disabled": LONGWIRE_DISABLE.
Finding check_disabled(const DriverPlaces& places);
// "library": our driver loads in this system.
Finding check_library(const DriverPlaces& places);
// "loader": what the system's loader really loads, asked in a child with this environment.
Finding check_loader(const DriverPlaces& places);

// What the loader finds without us, "Portable Computing Language (1 device)", one per platform:
// what a node here can lend. Errors: kNotFound (no loader), kTimeout, kUnavailable (it crashed).
base::Result<std::vector<std::string>> vendor_platforms(const std::string& loader);

Findings check_driver(const DriverPlaces& places);

}  // namespace longwire::app
