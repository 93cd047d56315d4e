#pragma once

#include <string>

#include "picture.h"

namespace microscopy {

// Writes an 8-bit RGB file. Throws std::runtime_error when it cannot.
void write_png(const std::string& path, const Picture& picture);

}  // namespace microscopy
