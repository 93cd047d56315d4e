// Key: all that decides what machine code becomes of a kernel, as bytes. Two kernels with one key
// have the same code, whatever process they are in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "softcuda/interp/decode.h"

namespace longwire::softcuda::jit {

// Of the processor that runs this, as far as code depends on it; empty: not known.
std::string processor_identity();
// Of the program or library that this is in: the linker's build id. Empty: it has none.
std::string build_identity();
// Of a file: its path, size and time of change. Empty: there is none.
std::string file_identity(const std::string& path);

// `surroundings` is what else decides: the three above, of the compiler.
std::vector<std::byte> key_of(const interp::KernelPrograms& programs,
                              std::string_view surroundings);

}  // namespace longwire::softcuda::jit
