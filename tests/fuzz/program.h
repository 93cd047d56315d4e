// A program that uses OpenCL through the client library, and looks at no result: whatever the node
// says, it goes on. What it does is cut into sections, each of which a fuzz input may leave out.
#pragma once

#include <cstdint>

namespace longwire::fuzz {

enum Section : std::uint32_t {
  kInfos = 1,
  kBuffers = 2,
  kImages = 4,
  kPrograms = 8,
  kEvents = 16,
  kBulk = 32,
  kAllSections = 63,
};

// REQUIRES: process_runtime() gives a runtime.
void run_program(std::uint32_t sections);

}  // namespace longwire::fuzz
