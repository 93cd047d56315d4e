#include "softcuda/jit/llvm_c.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
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

struct Use {
  std::shared_mutex mutex;
  std::atomic<bool> over{false};
};
Use& the_use() {
  static Use& one = *new Use;  // used until the very end
  return one;
}

// Runs before the library's own destructors, as it is registered after them.
void end_use() {
  the_use().over = true;
  std::lock_guard wait(the_use().mutex);
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
  if (std::atexit(&end_use) != 0) return Error(ErrorCode::kLimit, "no place for an exit handler");
  return {};
}

}  // namespace

std::shared_lock<std::shared_mutex> use_llvm() {
  std::shared_lock lock(the_use().mutex);
  if (the_use().over) lock.unlock();
  return lock;
}

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
