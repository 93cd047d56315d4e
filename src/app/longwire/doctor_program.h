// Checks of `longwire doctor PROGRAM`: how a program reaches CUDA, and whether it can reach ours.
#pragma once

#include <filesystem>
#include <string>

#include "app/longwire/doctor_finding.h"

namespace longwire::app {

// The file that a shell would run for `name` with `path` as its PATH; `name` itself where there is
// none.
std::filesystem::path find_program(const std::string& name, const std::string& path);

// "cuda-runtime": the program links the CUDA runtime library dynamically, so that ours can take its
// place. Seen from the outside: the libraries that it names, its sections, and the names of public
// functions among its texts.
Finding check_cuda_runtime(const std::filesystem::path& program);

}  // namespace longwire::app
