#include "app/longwire/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// Reads whole structs and tables at places that the file names, and nothing beyond its end.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& file) : in_(file, std::ios::binary) {
    in_.seekg(0, std::ios::end);
    if (in_) size_ = static_cast<std::uint64_t>(in_.tellg());
  }

  explicit operator bool() const { return static_cast<bool>(in_); }

  bool read(std::uint64_t at, void* to, std::uint64_t bytes) {
    if (at > size_ || bytes > size_ - at) return false;
    in_.seekg(static_cast<std::streamoff>(at));
    return static_cast<bool>(in_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)));
  }

  template <class T>
  std::optional<T> at(std::uint64_t where) {
    T value{};
    if (!read(where, &value, sizeof value)) return std::nullopt;
    return value;
  }

  std::optional<std::string> text(std::uint64_t where, std::uint64_t bytes) {
    if (bytes > kMaxElfTable || bytes > size_) return std::nullopt;
    std::string table(bytes, '\0');
    if (!read(where, table.data(), bytes)) return std::nullopt;
    return table;
  }

 private:
  std::ifstream in_;
  std::uint64_t size_ = 0;
};

// The name at an offset of a table of names; "" where there is none.
std::string name_at(const std::string& table, std::uint64_t offset) {
  if (offset >= table.size()) return "";
  const std::size_t end = table.find('\0', offset);
  return table.substr(offset, end == table.npos ? end : end - offset);
}

bool is_ours(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB;
}

Error broken() { return {ErrorCode::kInvalidArgument, "its tables are broken"}; }

Result<std::vector<Elf64_Shdr>> section_headers(Bytes& bytes, const Elf64_Ehdr& header) {
  std::vector<Elf64_Shdr> sections;
  if (header.e_shoff == 0) return sections;
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > kMaxElfNames) return broken();
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto section = bytes.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return broken();
    sections.push_back(*section);
  }
  return sections;
}

Result<std::vector<std::string>> section_names(Bytes& bytes, const Elf64_Ehdr& header,
                                               const std::vector<Elf64_Shdr>& sections) {
  std::vector<std::string> names;
  if (header.e_shstrndx >= sections.size()) return names;
  const Elf64_Shdr& table = sections[header.e_shstrndx];
  const auto text = bytes.text(table.sh_offset, table.sh_size);
  if (!text) return broken();
  for (const Elf64_Shdr& section : sections)
    names.push_back(name_at(*text, section.sh_name));
  return names;
}

Result<std::vector<Elf64_Phdr>> segments(Bytes& bytes, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> all;
  if (header.e_phoff == 0) return all;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxElfNames) return broken();
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = bytes.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return broken();
    all.push_back(*segment);
  }
  return all;
}

// Where in the file an address of the program lies.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& all, std::uint64_t address) {
  for (const Elf64_Phdr& segment : all) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  }
  return std::nullopt;
}

struct Dynamic {
  std::vector<std::uint64_t> needed;  // offsets of names
  std::uint64_t names_address = 0, names_bytes = 0;
};

Result<Dynamic> dynamic_of(Bytes& bytes, const Elf64_Phdr& segment) {
  Dynamic dynamic;
  for (std::uint64_t i = 0; i < segment.p_filesz / sizeof(Elf64_Dyn); ++i) {
    const auto entry = bytes.at<Elf64_Dyn>(segment.p_offset + i * sizeof(Elf64_Dyn));
    if (!entry) return broken();
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) dynamic.names_address = entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRSZ) dynamic.names_bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_NEEDED) dynamic.needed.push_back(entry->d_un.d_val);
    if (dynamic.needed.size() > kMaxElfNames) return broken();
  }
  return dynamic;
}

Result<std::vector<std::string>> needed_libraries(Bytes& bytes, const Elf64_Ehdr& header) {
  std::vector<std::string> names;
  LW_ASSIGN(const std::vector<Elf64_Phdr> all, segments(bytes, header));
  const auto found = std::ranges::find(all, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
  if (found == all.end()) return names;
  LW_ASSIGN(const Dynamic dynamic, dynamic_of(bytes, *found));
  if (dynamic.needed.empty()) return names;
  const auto table = offset_of(all, dynamic.names_address);
  const auto text = table ? bytes.text(*table, dynamic.names_bytes) : std::nullopt;
  if (!text) return broken();
  for (std::uint64_t offset : dynamic.needed)
    names.push_back(name_at(*text, offset));
  return names;
}

}  // namespace

bool ElfFile::has_section(std::string_view name) const {
  return std::ranges::find(sections, name) != sections.end();
}

Result<ElfFile> read_elf(const std::filesystem::path& file) {
  std::error_code error;
  Bytes bytes(file);
  if (!std::filesystem::is_regular_file(file, error) || !bytes)
    return Error(ErrorCode::kNotFound, "it cannot be read");
  const auto header = bytes.at<Elf64_Ehdr>(0);
  if (!header || !is_ours(*header))
    return Error(ErrorCode::kInvalidArgument, "it is no program or library for this machine");
  ElfFile elf;
  LW_ASSIGN(const std::vector<Elf64_Shdr> sections, section_headers(bytes, *header));
  LW_ASSIGN(elf.sections, section_names(bytes, *header, sections));
  LW_ASSIGN(elf.needed, needed_libraries(bytes, *header));
  return elf;
}

std::vector<bool> find_strings(const std::filesystem::path& file,
                               const std::vector<std::string>& texts) {
  constexpr std::size_t kPart = 1U << 20U;
  std::vector<bool> found(texts.size());
  std::size_t longest = 0;
  for (const std::string& text : texts)
    longest = std::max(longest, text.size() + 2);
  std::ifstream in(file, std::ios::binary);
  std::string window;
  for (std::uint64_t seen = 0; in && seen < kMaxElfSearch; seen += kPart) {
    // What may begin in one part and end in the next stays.
    window.erase(0, window.size() > longest ? window.size() - longest : 0);
    const std::size_t kept = window.size();
    window.resize(kept + kPart);
    in.read(window.data() + kept, kPart);
    window.resize(kept + static_cast<std::size_t>(in.gcount()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string whole = '\0' + texts[i] + '\0';
      found[i] = found[i] || window.find(whole) != window.npos;
    }
  }
  return found;
}

}  // namespace longwire::app
