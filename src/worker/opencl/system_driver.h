// The machine's own OpenCL: the system's ICD loader, found at run time.
#pragma once

#include "base/result.h"
#include "opencl/native_api.h"

namespace longwire::worker::opencl {

inline constexpr const char* kSystemLoader = "libOpenCL.so.1";

// Never unloaded: vendor drivers do not survive it. Sets LONGWIRE_DISABLE=1 in this process's
// environment, so that our own driver stays out of the loader's list; hence call it before other
// threads exist. kNotFound: there is no OpenCL here, or it lacks a function of OpenCL 1.2.
base::Result<longwire::opencl::NativeApi> load_system_driver(const char* library = kSystemLoader);

}  // namespace longwire::worker::opencl
