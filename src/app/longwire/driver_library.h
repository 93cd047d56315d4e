// Our OpenCL driver, loaded into this process as a program's ICD loader does it.
#pragma once

#include <CL/cl_icd.h>

#include <string>

#include "base/result.h"

namespace longwire::app {

struct DriverLibrary {
  cl_platform_id platform = nullptr;
  const cl_icd_dispatch* cl = nullptr;  // its functions
};

// It takes its nodes from the environment. Never unloaded. kUnavailable: it is not there, or has no
// platform, since no node is configured.
base::Result<DriverLibrary> load_driver(const std::string& path);

// Of a device; empty where it does not know.
std::string device_text(const cl_icd_dispatch& cl, cl_device_id device, cl_device_info what);

}  // namespace longwire::app
