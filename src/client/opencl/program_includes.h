// Headers of the program's own machine: `#include "x.h"` with -I names files that the node does not
// have, so their text goes with the source. What is not found here is left to the node's compiler.
//
// This is textual: conditionals around an #include still decide, `#pragma once` is honoured, and
// #line keeps messages pointing at the right file. `#include TEXT(PLACE/x.h)`, where PLACE is an
// object-like macro (of -D or #define) and TEXT makes a string of it, is resolved too; other
// computed includes are not.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longwire::client::opencl {

inline constexpr std::size_t kMaxIncludeDepth = 64;
inline constexpr std::size_t kMaxIncludedBytes = std::size_t{64} << 20;

// The text of a file; nothing where it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
std::optional<std::string> read_text_file(const std::string& path);

// The directories of -I options, in order. Quotes group words, as a shell does.
std::vector<std::string> include_directories(std::string_view options);

// Object-like macros by name: those of the -D options.
using Macros = std::map<std::string, std::string>;
Macros macro_definitions(std::string_view options);

struct IncludeSearch {
  std::vector<std::string> directories;
  std::vector<std::string> embedded;  // names that clCompileProgram was given headers for
  Macros macros;
  FileReader read = read_text_file;
};

// `source` with the text of the files that it includes and that are found.
std::string with_includes(const std::string& source, const IncludeSearch& search);

}  // namespace longwire::client::opencl
