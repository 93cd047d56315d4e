// Programs that this test writes itself: an ELF header, sections and a dynamic table, no code.
#include "app/longwire/doctor_program.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "app/longwire/elf_file.h"

namespace longwire::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Made {
  std::vector<std::string> needed, sections;
  std::string data;
};

// Header, program headers, then the tables that those name; file offsets are addresses.
std::string image(const Made& made) {
  std::string names(1, '\0'), section_names(1, '\0');
  std::vector<Elf64_Dyn> dynamic;
  const auto add = [&](Elf64_Sxword tag, Elf64_Xword value) {
    Elf64_Dyn entry{};
    entry.d_tag = tag;
    entry.d_un.d_val = value;
    dynamic.push_back(entry);
  };
  for (const std::string& library : made.needed) {
    add(DT_NEEDED, names.size());
    names += library + '\0';
  }
  const std::size_t at_names = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  const std::size_t at_dynamic = at_names + names.size();
  add(DT_STRTAB, at_names);
  add(DT_STRSZ, names.size());
  add(DT_NULL, 0);
  const std::size_t at_section_names = at_dynamic + dynamic.size() * sizeof(Elf64_Dyn);
  std::vector<Elf64_Shdr> sections(1);
  for (const std::string& name : made.sections) {
    sections.emplace_back().sh_name = static_cast<Elf64_Word>(section_names.size());
    section_names += name + '\0';
  }
  Elf64_Shdr& table = sections.emplace_back();
  table.sh_offset = at_section_names;
  table.sh_size = section_names.size();

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  header.e_shoff = at_section_names + section_names.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(sections.size());
  header.e_shstrndx = static_cast<Elf64_Half>(sections.size() - 1);
  Elf64_Phdr load{}, dyn{};
  load.p_type = PT_LOAD;
  load.p_filesz = header.e_shoff;
  dyn.p_type = PT_DYNAMIC;
  dyn.p_offset = at_dynamic;
  dyn.p_filesz = dynamic.size() * sizeof(Elf64_Dyn);

  std::string bytes;
  append(bytes, header);
  append(bytes, load);
  append(bytes, dyn);
  bytes += names;
  for (const Elf64_Dyn& entry : dynamic)
    append(bytes, entry);
  bytes += section_names;
  for (const Elf64_Shdr& section : sections)
    append(bytes, section);
  return bytes + made.data;
}

class DoctorProgramTest : public ::testing::Test {
 protected:
  DoctorProgramTest() { folder_ = ::mkdtemp(folder_.data()); }
  ~DoctorProgramTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& bytes, const char* name = "program") {
    const std::filesystem::path file = std::filesystem::path(folder_) / name;
    std::ofstream(file, std::ios::binary) << bytes;
    ::chmod(file.c_str(), 0755);
    return file;
  }
  Finding check(const Made& made) { return check_cuda_runtime(write(image(made))); }

  std::string folder_ = "/tmp/longwire-doctor-XXXXXX";
};

const std::string kNames = std::string(1, '\0') + "cudaLaunchKernel" + std::string(1, '\0');

TEST_F(DoctorProgramTest, a_shared_runtime_of_ours_is_fine) {
  const Finding found = check({{"libc.so.6", "libcudart.so.12"}, {".nv_fatbin"}, kNames});
  EXPECT_EQ(found.outcome, Outcome::kOk);
  EXPECT_THAT(found.seen, HasSubstr("needs libcudart.so.12"));
}

TEST_F(DoctorProgramTest, an_older_one_is_not) {
  const Finding found = check({{"libcudart.so.11.0"}, {}, ""});
  EXPECT_EQ(found.outcome, Outcome::kProblem);
  EXPECT_THAT(found.mend, HasSubstr("CUDA 12 or 13"));
}

TEST_F(DoctorProgramTest, device_code_without_a_shared_runtime_means_a_static_one) {
  const Finding found = check({{"libc.so.6"}, {".text", ".nv_fatbin"}, ""});
  EXPECT_EQ(found.outcome, Outcome::kProblem);
  EXPECT_THAT(found.seen, HasSubstr("statically"));
  EXPECT_THAT(found.mend, HasSubstr("-cudart shared"));
}

TEST_F(DoctorProgramTest, so_do_the_names_of_its_functions) {
  EXPECT_EQ(check({{"libc.so.6"}, {}, kNames}).outcome, Outcome::kProblem);
  // Beyond the first part that is searched, and across its end.
  const std::size_t before = image({{}, {}, ""}).size();
  const std::string far(std::size_t{1 << 20} - before - 5, 'x');
  EXPECT_EQ(check({{}, {}, far + kNames}).outcome, Outcome::kProblem);
}

TEST_F(DoctorProgramTest, a_program_that_opens_the_runtime_itself_has_none_in_it) {
  const std::string opens = kNames + "libcudart.so" + std::string(1, '\0');
  EXPECT_EQ(check({{"libc.so.6"}, {}, opens}).outcome, Outcome::kSkipped);
}

TEST_F(DoctorProgramTest, others_are_not_judged) {
  EXPECT_EQ(check({{"libc.so.6"}, {".text"}, "mycudaLaunchKernelOrSo"}).outcome, Outcome::kSkipped);
  EXPECT_EQ(check_cuda_runtime("/proc/self/exe").outcome, Outcome::kSkipped);
  const Finding script = check_cuda_runtime(write("#!/bin/sh\n"));
  EXPECT_EQ(script.outcome, Outcome::kSkipped);
  EXPECT_THAT(script.seen, HasSubstr("no program or library"));
  EXPECT_THAT(check_cuda_runtime("/nowhere/at/all").seen, HasSubstr("cannot be read"));
  EXPECT_THAT(check_cuda_runtime("/tmp").seen, HasSubstr("cannot be read"));
}

TEST_F(DoctorProgramTest, reads_names_of_this_very_program) {
  const auto elf = read_elf("/proc/self/exe");
  ASSERT_TRUE(elf);
  EXPECT_THAT(elf->needed, ::testing::Contains("libc.so.6"));
  EXPECT_TRUE(elf->has_section(".text"));
}

// Every byte may be wrong: nothing but an error may come of it.
TEST_F(DoctorProgramTest, broken_tables_are_refused) {
  const std::string whole = image({{"libcudart.so.12"}, {".nv_fatbin"}, ""});
  for (std::size_t length = 0; length < whole.size(); length += 7)
    check_cuda_runtime(write(whole.substr(0, length)));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    check_cuda_runtime(write(changed));
  }
  std::string far = whole;
  Elf64_Ehdr header;
  std::memcpy(&header, far.data(), sizeof header);
  header.e_phoff = ~std::uint64_t{0} - 8;
  std::memcpy(far.data(), &header, sizeof header);
  EXPECT_THAT(check_cuda_runtime(write(far)).seen, HasSubstr("broken"));
}

TEST_F(DoctorProgramTest, programs_are_found_as_a_shell_does) {
  const auto file = write("x", "tool");
  EXPECT_EQ(find_program("tool", "/nowhere:" + folder_), file);
  EXPECT_EQ(find_program("./tool", folder_), "./tool");
  EXPECT_EQ(find_program("absent", folder_), "absent");
}

}  // namespace
}  // namespace longwire::app
