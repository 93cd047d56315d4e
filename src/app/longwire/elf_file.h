// What an ELF file for 64 bits, little endian, says of itself: the libraries that it needs, the
// names of its sections, and whether texts are among its bytes. Nothing of it is executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace longwire::app {

inline constexpr std::size_t kMaxElfNames = 4096;  // sections, and needed libraries, of a file
inline constexpr std::size_t kMaxElfTable = 16U << 20U;  // bytes of a table of names
inline constexpr std::uint64_t kMaxElfSearch = std::uint64_t{1} << 30U;  // bytes searched for texts

struct ElfFile {
  std::vector<std::string> needed;    // DT_NEEDED
  std::vector<std::string> sections;  // their names; none where they were stripped

  bool has_section(std::string_view name) const;
};

// kNotFound: it cannot be read. kInvalidArgument: it is no such ELF file, or a broken one.
base::Result<ElfFile> read_elf(const std::filesystem::path& file);

// Which of the texts are in the file, each as a whole C string (a zero before and behind it).
std::vector<bool> find_strings(const std::filesystem::path& file,
                               const std::vector<std::string>& texts);

}  // namespace longwire::app
