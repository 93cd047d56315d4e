// printf in a kernel: a format of device memory with its arguments packed as the ABI of PTX has
// varargs, each at a multiple of its size. CUDA C++ Programming Guide, "Formatted Output".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace longwire::softcuda::machine {

struct FormatReader {
  // Bytes of the argument list. May not return.
  std::function<const std::byte*(std::uint64_t at, std::uint32_t bytes)> argument;
  // A %s. May not return.
  std::function<std::string_view(std::uint64_t address)> string;
};

struct FormatResult {
  std::string text;
  std::uint32_t arguments = 0;  // how many were used: what printf returns on the device
};

// Reads all that format_text() will read, and owns no memory while it does.
void check_format(std::string_view format, const FormatReader& reader);
// "%" conversions: flags "#", " ", "0", "+", "-", width, precision, both also "*", sizes h hh l ll,
// types c d i o u x X p e E f F g G a A s %. Others stand in the text as they are.
FormatResult format_text(std::string_view format, const FormatReader& reader);

}  // namespace longwire::softcuda::machine
