// What compiled code depends on beside the kernel: see key.h.
#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cstring>
#include <span>

#include "softcuda/jit/key.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace longwire::softcuda::jit {
namespace {

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Search {
  std::uintptr_t address = 0;  // of something in the library that is looked for
  std::string found;
};

bool holds(const dl_phdr_info& library, std::uintptr_t address) {
  for (const ElfW(Phdr) & part : std::span(library.dlpi_phdr, library.dlpi_phnum))
    if (part.p_type == PT_LOAD && address - library.dlpi_addr - part.p_vaddr < part.p_memsz)
      return true;
  return false;
}

// The build id among notes: each is a header, a name and contents, at multiples of 4.
std::string build_id_in(std::span<const char> notes) {
  constexpr auto kPadded = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
  ElfW(Nhdr) note;
  while (notes.size() >= sizeof note) {
    std::memcpy(&note, notes.data(), sizeof note);
    notes = notes.subspan(sizeof note);
    const std::size_t name = kPadded(note.n_namesz), contents = kPadded(note.n_descsz);
    if (name > notes.size() || contents > notes.size() - name) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data(), ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0)
      return {notes.data() + name, note.n_descsz};
    notes = notes.subspan(name + contents);
  }
  return {};
}

int look_at(dl_phdr_info* library, std::size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  if (!holds(*library, search.address)) return 0;
  for (const ElfW(Phdr) & part : std::span(library->dlpi_phdr, library->dlpi_phnum)) {
    if (part.p_type != PT_NOTE || !search.found.empty()) continue;
    const auto* begin = reinterpret_cast<const char*>(library->dlpi_addr + part.p_vaddr);
    search.found = build_id_in({begin, part.p_memsz});
  }
  return 1;
}

}  // namespace

std::string build_identity() {
  Search search;
  search.address = reinterpret_cast<std::uintptr_t>(&look_at);
  ::dl_iterate_phdr(&look_at, &search);
  return search.found;
}

std::string file_identity(const std::string& path) {
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return {};
  std::string made = path;
  append(made, '\0');
  append(made, info.st_size);
  append(made, info.st_mtim.tv_sec);
  append(made, info.st_mtim.tv_nsec);
  append(made, info.st_ino);
  return made;
}

#if defined(__x86_64__)
// CPUID: vendor, model and features, and what of them the system saves for its processes.
std::string processor_identity() {
  constexpr unsigned kFamily = 1, kFeatures = 7, kState = 0xd, kExtended = 0x8000'0001;
  constexpr unsigned kHasXgetbv = 1U << 27;
  unsigned a = 0, b = 0, c = 0, d = 0;
  std::string made;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return made;
  for (const unsigned part : {b, c, d})
    append(made, part);
  if (__get_cpuid(kFamily, &a, &b, &c, &d) == 0) return {};
  for (const unsigned part : {a, c, d})  // b is different on each core
    append(made, part);
  if ((c & kHasXgetbv) != 0) {
    unsigned low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    append(made, low);
    append(made, high);
  }
  for (const unsigned sub : {0U, 1U}) {
    if (__get_cpuid_count(kFeatures, sub, &a, &b, &c, &d) == 0) break;
    for (const unsigned part : {a, b, c, d})
      append(made, part);
  }
  if (__get_cpuid_count(kState, 1, &a, &b, &c, &d) != 0) append(made, a);
  if (__get_cpuid(kExtended, &a, &b, &c, &d) != 0) append(made, c), append(made, d);
  return made;
}
#else
std::string processor_identity() { return {}; }
#endif

}  // namespace longwire::softcuda::jit
