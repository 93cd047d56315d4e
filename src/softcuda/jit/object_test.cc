// The loader of objects: what is in order runs, whatever else is an error.
#include "softcuda/jit/object.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <random>

#include "softcuda/jit/object_test.h"

namespace longwire::softcuda::jit {
namespace {

constexpr std::uint64_t kWords[] = {1, 2};
int add_one(int number) { return number + 1; }

const void* named(std::string_view name) {
  return name == "named" ? reinterpret_cast<const void*>(&add_one) : nullptr;
}

const ObjectNames kNames{"table", kWords, &named};

base::Result<LoadedObject> load(ObjectFile& file) {
  return LoadedObject::load(file.bytes(), kNames);
}

// Which pages of this process may be both written and executed.
int writable_code() {
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  for (std::string line; std::getline(maps, line);)
    found += line.find(" rwx") != std::string::npos ? 1 : 0;
  return found;
}

template <class F>
F* code(const LoadedObject& object, const char* name) {
  return reinterpret_cast<F*>(const_cast<void*>(object.function(name)));
}

TEST(Object, RunsWhatIsInIt) {
  ObjectFile file;
  const auto object = load(file);
  ASSERT_TRUE(object.ok()) << object.error().message();
  auto sum = code<int()>(*object, "sum");
  auto other = code<int(int)>(*object, "other");
  ASSERT_NE(sum, nullptr);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(object->function("table"), nullptr);
  EXPECT_EQ(sum(), 42);
  EXPECT_EQ(other(6), 7);
  EXPECT_EQ(writable_code(), 0);
}

TEST(Object, IsRefused) {
  using Change = std::function<void(ObjectFile&)>;
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  const Change changes[] = {
      [](auto& f) { f.header().e_ident[0] = 0; },
      [](auto& f) { f.header().e_type = ET_DYN; },
      [](auto& f) { f.header().e_machine = EM_AARCH64; },
      [](auto& f) { f.header().e_shentsize = 1; },
      [](auto& f) { f.header().e_shnum = 0; },
      [](auto& f) { f.header().e_shnum = 0xffff; },
      [](auto& f) { f.header().e_shoff = ~std::uint64_t{0} - 63; },
      [](auto& f) { f.at(ObjectFile::kText).sh_offset = kFar; },
      [](auto& f) { f.at(ObjectFile::kText).sh_size = ~std::uint64_t{0}; },
      [](auto& f) { f.at(ObjectFile::kText).sh_addralign = 3; },
      [](auto& f) { f.at(ObjectFile::kText).sh_addralign = kFar; },
      [](auto& f) { f.at(ObjectFile::kText).sh_flags |= SHF_WRITE; },
      [](auto& f) { f.at(ObjectFile::kText).sh_flags = SHF_ALLOC; },
      [](auto& f) { f.at(ObjectFile::kData).sh_flags |= SHF_WRITE; },
      [](auto& f) { f.at(ObjectFile::kData).sh_flags |= SHF_TLS; },
      [](auto& f) { f.at(ObjectFile::kData).sh_type = SHT_NOBITS; },
      [](auto& f) { f.at(ObjectFile::kData).sh_type = SHT_INIT_ARRAY; },
      [](auto& f) { f.at(ObjectFile::kData).sh_type = SHT_REL; },
      [](auto& f) { f.at(ObjectFile::kData).sh_type = SHT_SYMTAB; },
      [](auto& f) { f.at(ObjectFile::kSymbols).sh_type = SHT_NULL; },
      [](auto& f) { f.at(ObjectFile::kSymbols).sh_size -= 1; },
      [](auto& f) { f.at(ObjectFile::kSymbols).sh_link = ObjectFile::kData; },
      [](auto& f) { f.at(ObjectFile::kSymbols).sh_link = 1000; },
      [](auto& f) { f.at(ObjectFile::kStrings).sh_size = 3; },
      [](auto& f) { f.at(ObjectFile::kRelocations).sh_info = 1000; },
      [](auto& f) { f.at(ObjectFile::kRelocations).sh_size -= 1; },
      [](auto& f) { f.relocation(0).r_offset = 17; },
      [](auto& f) { f.relocation(0).r_offset = ~std::uint64_t{0}; },
      [](auto& f) { f.relocation(0).r_addend = std::int64_t{1} << 31; },
      [](auto& f) { f.relocation(0).r_addend = std::int64_t{1} << 62; },
      [](auto& f) { f.relocation(0).r_info = ELF64_R_INFO(std::uint64_t{1000}, R_X86_64_PC32); },
      [](auto& f) { f.relocation(0).r_info = ELF64_R_INFO(std::uint64_t{1}, R_X86_64_GOTPCREL); },
      [](auto& f) { f.relocation(0).r_info = ELF64_R_INFO(std::uint64_t{0}, R_X86_64_PC32); },
      [](auto& f) { f.symbol(ObjectFile::kSum).st_value = 1000; },
      [](auto& f) { f.symbol(ObjectFile::kSum).st_shndx = ObjectFile::kData; },
      [](auto& f) { f.symbol(ObjectFile::kSum).st_shndx = ObjectFile::kStrings; },
      [](auto& f) { f.symbol(ObjectFile::kSum).st_shndx = SHN_ABS; },
      [](auto& f) { f.symbol(ObjectFile::kSum).st_name = 1000; },
      [](auto& f) { f.symbol(ObjectFile::kNamed).st_name = 1; },  // "sum": not to be called
      [](auto& f) { f.symbol(ObjectFile::kNamed).st_name = 0; },
  };
  int number = 0;
  for (const Change& change : changes) {
    ObjectFile file;
    change(file);
    EXPECT_FALSE(load(file).ok()) << "change " << number;
    ++number;
  }
}

TEST(Object, CutShortAnywhere) {
  const auto bytes = ObjectFile().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(LoadedObject::load(std::span(bytes).first(size), kNames).ok()) << size;
}

// Damaged at random: an error or none, but nothing else.
TEST(Object, Damaged) {
  std::mt19937 random(1);  // NOLINT: the same each time
  const auto whole = ObjectFile().bytes();
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (unsigned n = 0; n <= random() % 4; ++n)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    static_cast<void>(LoadedObject::load(bytes, kNames).ok());
  }
}

}  // namespace
}  // namespace longwire::softcuda::jit
