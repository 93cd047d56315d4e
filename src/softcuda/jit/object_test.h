// An object as LLVM makes it, small: for tests and for the fuzzer.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace longwire::softcuda::jit {

// sum(): the second word of the table and the first of .rodata. other(): goes on at "named".
class ObjectFile {
 public:
  enum Section { kNull, kText, kData, kRelocations, kSymbols, kStrings, kSections };
  enum Symbol { kNoSymbol, kSum, kOther, kTable, kNamed, kDataSymbol };

  ObjectFile() {
    file_.resize(sizeof(Elf64_Ehdr));
    const std::uint8_t code[] = {0x48, 0x8b, 0x05, 0, 0, 0, 0,  // mov table+8(%rip), %rax
                                 0x03, 0x05, 0,    0, 0, 0,     // add .rodata(%rip), %eax
                                 0xc3,                          // ret
                                 0xe9, 0,    0,    0, 0};       // jmp named
    const std::uint32_t data[] = {40};
    section(kText, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code, sizeof code).sh_addralign = 16;
    section(kData, SHT_PROGBITS, SHF_ALLOC | SHF_MERGE, data, sizeof data).sh_addralign = 4;
    const Elf64_Rela relocations[] = {
        {3, ELF64_R_INFO(std::uint64_t{kTable}, R_X86_64_PC32), 8 - 4},
        {9, ELF64_R_INFO(std::uint64_t{kDataSymbol}, R_X86_64_PC32), -4},
        {15, ELF64_R_INFO(std::uint64_t{kNamed}, R_X86_64_PLT32), -4}};
    section(kRelocations, SHT_RELA, SHF_INFO_LINK, relocations, sizeof relocations).sh_info = kText;
    const char names[] = "\0sum\0other\0table\0named";
    section(kStrings, SHT_STRTAB, 0, names, sizeof names);
    constexpr unsigned char kFunction = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    constexpr unsigned char kNothing = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);
    const Elf64_Sym symbols[] = {{},
                                 {1, kFunction, STV_DEFAULT, kText, 0, 14},
                                 {5, kFunction, STV_DEFAULT, kText, 14, 5},
                                 {11, kNothing, STV_HIDDEN, SHN_UNDEF, 0, 0},
                                 {17, kNothing, STV_DEFAULT, SHN_UNDEF, 0, 0},
                                 {0, ELF64_ST_INFO(STB_LOCAL, STT_SECTION), 0, kData, 0, 0}};
    section(kSymbols, SHT_SYMTAB, 0, symbols, sizeof symbols).sh_link = kStrings;
  }

  Elf64_Shdr& at(Section which) { return sections_[which]; }
  template <class T>
  T& inside(Section which, std::size_t index) {
    return reinterpret_cast<T*>(file_.data() + sections_[which].sh_offset)[index];
  }
  Elf64_Rela& relocation(std::size_t index) { return inside<Elf64_Rela>(kRelocations, index); }
  Elf64_Sym& symbol(Symbol which) { return inside<Elf64_Sym>(kSymbols, which); }
  Elf64_Ehdr& header() { return header_; }

  std::vector<std::byte> bytes() {
    std::vector<std::byte> all = file_;
    const auto* table = reinterpret_cast<const std::byte*>(sections_);
    all.insert(all.end(), table, table + sizeof sections_);
    if (header_.e_shoff == 0) header_.e_shoff = file_.size();
    std::memcpy(all.data(), &header_, sizeof header_);
    return all;
  }

 private:
  Elf64_Shdr& section(Section which, std::uint32_t type, std::uint64_t flags, const void* bytes,
                      std::size_t size) {
    file_.resize((file_.size() + 15) / 16 * 16);
    sections_[which].sh_type = type;
    sections_[which].sh_flags = flags;
    sections_[which].sh_offset = file_.size();
    sections_[which].sh_size = size;
    const auto* begin = static_cast<const std::byte*>(bytes);
    file_.insert(file_.end(), begin, begin + size);
    file_.resize((file_.size() + 15) / 16 * 16);
    return sections_[which];
  }

  static Elf64_Ehdr relocatable() {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_REL;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof header;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = kSections;
    header.e_shstrndx = kStrings;
    return header;
  }

  std::vector<std::byte> file_;
  Elf64_Shdr sections_[kSections] = {};
  Elf64_Ehdr header_ = relocatable();
};

}  // namespace longwire::softcuda::jit
