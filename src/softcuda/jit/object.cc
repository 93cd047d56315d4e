// ELF-64, "System V ABI" and its "AMD64 Architecture Processor Supplement". The memory: code, then
// for each function that is called by name a jump to it; from the next page on data, then the
// table.
#include "softcuda/jit/object.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <optional>
#include <vector>

namespace longwire::softcuda::jit {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kMaxAlignment = 4096;
constexpr std::size_t kJumpBytes = 16;  // jmp *0(%rip), and the address behind it
constexpr std::uint8_t kJump[] = {0xff, 0x25, 0, 0, 0, 0};
// Unwinding information, as which LLVM marks .eh_frame; our code is never unwound.
constexpr std::uint32_t kUnwindSection = SHT_X86_64_UNWIND;

Error malformed(const char* what) {
  return {ErrorCode::kInvalidArgument, std::string("malformed object: ") + what};
}

// Whether so many bytes from a place on are inside of so many.
bool fits(std::uint64_t at, std::uint64_t bytes, std::uint64_t all) {
  return bytes <= all && at <= all - bytes;
}

std::uint64_t aligned(std::uint64_t at, std::uint64_t alignment) {
  return (at + alignment - 1) / alignment * alignment;
}

}  // namespace

Pages::~Pages() {
  if (place_ != nullptr) ::munmap(place_, bytes_);
}

std::size_t Pages::page_bytes() noexcept {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

base::Result<Pages> Pages::make(std::size_t bytes) {
  void* place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) return Error(ErrorCode::kLimit, "no memory for code");
  Pages made;
  made.place_ = static_cast<std::byte*>(place);
  made.bytes_ = bytes;
  return made;
}

base::Status Pages::seal(std::size_t code) {
  if (::mprotect(place_, code, PROT_READ | PROT_EXEC) != 0 ||
      (code < bytes_ && ::mprotect(place_ + code, bytes_ - code, PROT_READ) != 0))
    return Error(ErrorCode::kPermissionDenied, "memory cannot be made executable");
  return {};
}

class ObjectLoader {
 public:
  ObjectLoader(std::span<const std::byte> file, const ObjectNames& names)
      : file_(file), names_(names) {}

  base::Result<LoadedObject> load() {
    LW_TRY(read_sections());
    LW_TRY(read_symbols());
    LW_TRY(place());
    LW_TRY(copy());
    for (const Elf64_Shdr& section : sections_)
      if (section.sh_type == SHT_RELA) LW_TRY(relocate(section));
    LW_TRY(list_functions());
    LW_TRY(made_.pages_.seal(code_bytes_));
    return std::move(made_);
  }

 private:
  // What the file has at a place. REQUIRES: it is inside.
  template <class T>
  T at(std::uint64_t offset) const {
    T value;
    LW_CHECK(fits(offset, sizeof value, file_.size()));
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }

  base::Status read_sections();
  base::Status check_section(const Elf64_Shdr& section) const;
  base::Status read_symbols();
  base::Result<std::string_view> name_of(const Elf64_Sym& symbol) const;
  base::Status place();
  base::Status copy();
  void add_jump(std::uint64_t at, const void* to);
  base::Status relocate(const Elf64_Shdr& section);
  base::Status apply(const Elf64_Shdr& target, std::uint64_t to, const Elf64_Rela& relocation);
  base::Result<std::uint64_t> address_of(const Elf64_Sym& symbol) const;
  base::Status list_functions();

  static bool is_placed(const Elf64_Shdr& section) noexcept {
    return (section.sh_flags & SHF_ALLOC) != 0 && section.sh_type == SHT_PROGBITS;
  }
  static bool is_code(const Elf64_Shdr& section) noexcept {
    return (section.sh_flags & SHF_EXECINSTR) != 0;
  }
  std::byte* memory(std::uint64_t offset) const { return made_.pages_.all().data() + offset; }

  const std::span<const std::byte> file_;
  const ObjectNames& names_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<std::uint64_t> places_;  // of sections, in the pages
  std::vector<Elf64_Sym> symbols_;
  std::span<const std::byte> strings_;
  std::map<std::string_view, std::uint64_t> jumps_;  // functions that are called by name
  std::uint64_t table_place_ = 0;
  std::size_t code_bytes_ = 0;
  LoadedObject made_;
};

base::Status ObjectLoader::read_sections() {
  if (file_.size() < sizeof(Elf64_Ehdr)) return malformed("it is cut short");
  if (file_.size() > kMaxObjectBytes) return malformed("it is too large");
  const auto header = at<Elf64_Ehdr>(0);
  const bool known = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                     header.e_ident[EI_CLASS] == ELFCLASS64 &&
                     header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_type == ET_REL &&
                     header.e_machine == EM_X86_64 && header.e_shentsize == sizeof(Elf64_Shdr);
  if (!known) return malformed("its header");
  if (header.e_shnum == 0 || header.e_shnum > kMaxObjectSections ||
      !fits(header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr), file_.size()))
    return malformed("its sections");
  for (std::uint64_t n = 0; n < header.e_shnum; ++n) {
    sections_.push_back(at<Elf64_Shdr>(header.e_shoff + n * sizeof(Elf64_Shdr)));
    LW_TRY(check_section(sections_.back()));
  }
  return {};
}

base::Status ObjectLoader::check_section(const Elf64_Shdr& section) const {
  if (section.sh_type == SHT_NULL) return {};
  if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_REL)
    return malformed("a section of a kind that is not for code");
  if (!fits(section.sh_offset, section.sh_size, file_.size()))
    return malformed("a section is cut short");
  if ((section.sh_flags & SHF_ALLOC) == 0) return {};
  constexpr std::uint64_t kFlags = SHF_ALLOC | SHF_EXECINSTR | SHF_MERGE | SHF_STRINGS;
  const bool known = section.sh_type == SHT_PROGBITS || section.sh_type == kUnwindSection;
  if (!known || (section.sh_flags & ~kFlags) != 0) return malformed("a section's flags");
  if (section.sh_addralign > kMaxAlignment ||
      (section.sh_addralign != 0 && !std::has_single_bit(section.sh_addralign)))
    return malformed("a section's alignment");
  return {};
}

base::Status ObjectLoader::read_symbols() {
  const Elf64_Shdr* table = nullptr;
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type != SHT_SYMTAB) continue;
    if (table != nullptr) return malformed("two tables of symbols");
    table = &section;
  }
  if (table == nullptr) return malformed("it has no symbols");
  if (table->sh_size % sizeof(Elf64_Sym) != 0 || table->sh_link >= sections_.size() ||
      sections_[table->sh_link].sh_type != SHT_STRTAB)
    return malformed("its symbols");
  const Elf64_Shdr& strings = sections_[table->sh_link];
  strings_ = file_.subspan(strings.sh_offset, strings.sh_size);
  for (std::uint64_t n = 0; n < table->sh_size / sizeof(Elf64_Sym); ++n)
    symbols_.push_back(at<Elf64_Sym>(table->sh_offset + n * sizeof(Elf64_Sym)));
  return {};
}

base::Result<std::string_view> ObjectLoader::name_of(const Elf64_Sym& symbol) const {
  if (symbol.st_name >= strings_.size()) return malformed("a symbol's name");
  const auto rest = strings_.subspan(symbol.st_name);
  const auto* begin = reinterpret_cast<const char*>(rest.data());
  const void* end = std::memchr(begin, 0, rest.size());
  if (end == nullptr) return malformed("a symbol's name has no end");
  return std::string_view(begin, static_cast<std::size_t>(static_cast<const char*>(end) - begin));
}

// Says where everything comes to lie, and takes the memory.
base::Status ObjectLoader::place() {
  places_.assign(sections_.size(), 0);
  std::uint64_t end = 0;
  auto add = [&](bool code) {
    for (std::size_t n = 0; n < sections_.size(); ++n) {
      const Elf64_Shdr& section = sections_[n];
      if (!is_placed(section) || is_code(section) != code) continue;
      places_[n] = aligned(end, section.sh_addralign == 0 ? 1 : section.sh_addralign);
      end = places_[n] + section.sh_size;
    }
  };
  add(true);
  end = aligned(end, kJumpBytes);
  for (const Elf64_Sym& symbol : symbols_) {
    if (symbol.st_shndx != SHN_UNDEF) continue;
    LW_ASSIGN(const std::string_view name, name_of(symbol));
    if (name.empty() || name == names_.table) continue;
    if (!jumps_.try_emplace(name, end).second) continue;
    if (jumps_.size() > kMaxObjectFunctions) return malformed("it names too much");
    end += kJumpBytes;
  }
  code_bytes_ = Pages::rounded(end);
  end = code_bytes_;
  add(false);
  table_place_ = aligned(end, sizeof(std::uint64_t));
  end = table_place_ + names_.words.size_bytes();
  // Sections may lie on each other in the file, not here.
  if (code_bytes_ == 0 || end > 2 * kMaxObjectBytes) return malformed("the size of its code");
  LW_ASSIGN(made_.pages_, Pages::make(Pages::rounded(end)));
  return {};
}

base::Status ObjectLoader::copy() {
  for (std::size_t n = 0; n < sections_.size(); ++n)
    if (is_placed(sections_[n]) && sections_[n].sh_size != 0)
      std::memcpy(memory(places_[n]), file_.data() + sections_[n].sh_offset, sections_[n].sh_size);
  for (const auto& [name, place] : jumps_) {
    const void* to = names_.function == nullptr ? nullptr : names_.function(name);
    if (to == nullptr) return malformed(("it calls " + std::string(name)).c_str());
    add_jump(place, to);
  }
  if (!names_.words.empty())
    std::memcpy(memory(table_place_), names_.words.data(), names_.words.size_bytes());
  return {};
}

void ObjectLoader::add_jump(std::uint64_t at, const void* to) {
  std::memcpy(memory(at), kJump, sizeof kJump);
  std::memcpy(memory(at + sizeof kJump), &to, sizeof to);
}

base::Status ObjectLoader::relocate(const Elf64_Shdr& section) {
  if (section.sh_info >= sections_.size() || section.sh_size % sizeof(Elf64_Rela) != 0)
    return malformed("its relocations");
  const Elf64_Shdr& target = sections_[section.sh_info];
  if (!is_placed(target)) return {};
  for (std::uint64_t n = 0; n < section.sh_size / sizeof(Elf64_Rela); ++n)
    LW_TRY(apply(target, places_[section.sh_info],
                 at<Elf64_Rela>(section.sh_offset + n * sizeof(Elf64_Rela))));
  return {};
}

base::Status ObjectLoader::apply(const Elf64_Shdr& target, std::uint64_t to,
                                 const Elf64_Rela& relocation) {
  const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
  const std::uint64_t bytes = type == R_X86_64_64 ? sizeof(std::uint64_t) : sizeof(std::int32_t);
  const std::uint64_t which = ELF64_R_SYM(relocation.r_info);
  if (which >= symbols_.size() || !fits(relocation.r_offset, bytes, target.sh_size))
    return malformed("a relocation");
  LW_ASSIGN(const std::uint64_t symbol, address_of(symbols_[which]));
  std::byte* place = memory(to + relocation.r_offset);
  const std::uint64_t value = symbol + static_cast<std::uint64_t>(relocation.r_addend);
  switch (type) {
    case R_X86_64_64:
      std::memcpy(place, &value, sizeof value);
      return {};
    case R_X86_64_PC32:
    case R_X86_64_PLT32: {
      const auto distance =
          static_cast<std::int64_t>(value - reinterpret_cast<std::uint64_t>(place));
      const auto near = static_cast<std::int32_t>(distance);
      if (near != distance) return malformed("a relocation's distance");
      std::memcpy(place, &near, sizeof near);
      return {};
    }
    default:
      return malformed("a relocation of a kind that is not known");
  }
}

base::Result<std::uint64_t> ObjectLoader::address_of(const Elf64_Sym& symbol) const {
  if (symbol.st_shndx == SHN_UNDEF) {
    LW_ASSIGN(const std::string_view name, name_of(symbol));
    const auto jump = jumps_.find(name);
    if (jump == jumps_.end() && name != names_.table) return malformed("a symbol without a name");
    return reinterpret_cast<std::uint64_t>(
        memory(jump != jumps_.end() ? jump->second : table_place_));
  }
  if (symbol.st_shndx >= sections_.size() || !is_placed(sections_[symbol.st_shndx]) ||
      symbol.st_value > sections_[symbol.st_shndx].sh_size)
    return malformed("a symbol's place");
  return reinterpret_cast<std::uint64_t>(memory(places_[symbol.st_shndx] + symbol.st_value));
}

base::Status ObjectLoader::list_functions() {
  for (const Elf64_Sym& symbol : symbols_) {
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    LW_ASSIGN(const std::uint64_t address, address_of(symbol));
    if (!is_code(sections_[symbol.st_shndx])) return malformed("a function that is no code");
    LW_ASSIGN(const std::string_view name, name_of(symbol));
    made_.functions_.emplace(name, reinterpret_cast<const void*>(address));
  }
  return {};
}

base::Result<LoadedObject> LoadedObject::load(std::span<const std::byte> file,
                                              const ObjectNames& names) {
  return ObjectLoader(file, names).load();
}

const void* LoadedObject::function(std::string_view name) const noexcept {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

}  // namespace longwire::softcuda::jit
