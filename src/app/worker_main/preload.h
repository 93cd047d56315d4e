// Loading the vendors' libraries before a session comes: most of a driver's start is the dynamic
// linker's work (PoCL: 45 of 55 ms), and that needs neither a tenant nor a sandbox. Nothing of a
// vendor is called yet.
#pragma once

#include <string>
#include <vector>

namespace longwire::app {

// The libraries that the system's ICD files name, but for our own driver.
std::vector<std::string> vendor_libraries();

// Loads them. Returns false where one of them has started a thread: sandboxes are put on thread by
// thread, so the worker must then begin anew without this.
bool preload_vendor_libraries();

}  // namespace longwire::app
