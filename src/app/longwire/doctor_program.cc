#include "app/longwire/doctor_program.h"

#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "app/longwire/elf_file.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheck = "cuda-runtime";
constexpr const char* kRuntime = "libcudart.so";
constexpr const char* kOurVersions[] = {"libcudart.so.12", "libcudart.so.13"};
// Where compilers put what they compiled for the device.
constexpr const char* kDeviceCode = ".nv_fatbin";
// A program with a static runtime keeps these public names; so does a shared one, as its imports.
constexpr const char* kPublicNames[] = {"cudaLaunchKernel", "__cudaRegisterFatBinary"};
constexpr const char* kRelink =
    "link it dynamically: nvcc -cudart shared, clang -lcudart, CMake "
    "CUDA_RUNTIME_LIBRARY Shared (docs/SOFTCUDA.md)";

Finding judge_shared(const fs::path& program, const std::string& library) {
  if (std::ranges::find(kOurVersions, library) != std::end(kOurVersions))
    return fine(kCheck, program.string() + " needs " + library + ", which ours can be");
  return problem(kCheck,
                 program.string() + " needs " + library + "; ours are libcudart.so.12 and .13",
                 "build it with CUDA 12 or 13");
}

bool has_runtime_inside(const fs::path& program, const ElfFile& elf) {
  const std::vector<bool> names =
      find_strings(program, {kPublicNames[0], kPublicNames[1], kRuntime});
  const bool opens_one_itself = names[2];
  return elf.has_section(kDeviceCode) || ((names[0] || names[1]) && !opens_one_itself);
}

}  // namespace

fs::path find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != name.npos) return name;
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path(folder.empty() ? "." : folder) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return name;
}

Finding check_cuda_runtime(const fs::path& program) {
  const auto elf = read_elf(program);
  if (!elf) return skipped(kCheck, program.string() + ": " + elf.error().message());
  for (const std::string& library : elf->needed) {
    if (library.starts_with(kRuntime)) return judge_shared(program, library);
  }
  if (!has_runtime_inside(program, *elf))
    return skipped(kCheck, program.string() + " has no CUDA runtime; a library of it may");
  return problem(kCheck,
                 program.string() +
                     " has NVIDIA's CUDA runtime linked into it (statically), which "
                     "works with NVIDIA's driver alone",
                 kRelink);
}

}  // namespace longwire::app
