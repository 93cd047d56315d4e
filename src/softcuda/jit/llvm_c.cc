#include "softcuda/jit/llvm_c.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace longwire::softcuda::jit {

#define X(name) decltype(&::LLVM##name) LLVM##name = nullptr;
LW_LLVM_FUNCTIONS(X)
#undef X

namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kNames[] = {"libLLVM.so.19.1", "libLLVM-19.so.1", "libLLVM-19.so"};

// What the headers call by the native target's name.
template <class F>
bool call(void* library, const char* name) {
  auto function = reinterpret_cast<F>(::dlsym(library, name));
  if (function != nullptr) function();
  return function != nullptr;
}

bool start_target(void* library) {
  using Start = void (*)();
  return call<Start>(library, "LLVMInitializeX86TargetInfo") &&
         call<Start>(library, "LLVMInitializeX86Target") &&
         call<Start>(library, "LLVMInitializeX86TargetMC") &&
         call<Start>(library, "LLVMInitializeX86AsmPrinter");
}

base::Status load_once() {
  void* library = nullptr;
  for (const char* name : kNames)
    if (library == nullptr) library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr)
    return Error(ErrorCode::kNotFound, "LLVM 19 is not installed (Debian's package libllvm19)");
#define X(name)                                                                           \
  LLVM##name = reinterpret_cast<decltype(&::LLVM##name)>(::dlsym(library, "LLVM" #name)); \
  if (LLVM##name == nullptr) return Error(ErrorCode::kNotFound, "LLVM lacks LLVM" #name);
  LW_LLVM_FUNCTIONS(X)
#undef X
  if (!start_target(library))
    return Error(ErrorCode::kNotFound, "LLVM has no code for this machine");
  return {};
}

}  // namespace

std::string llvm_file() {
  Dl_info info;
  if (::dladdr(reinterpret_cast<const void*>(LLVMContextCreate), &info) == 0) return {};
  std::error_code none;
  return std::filesystem::canonical(info.dli_fname, none).string();
}

base::Status load_llvm() {
  static const base::Status status = load_once();
  return status;
}

}  // namespace longwire::softcuda::jit
