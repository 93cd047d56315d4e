// Compiler: kernels to machine code, in this process.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "softcuda/interp/decode.h"
#include "softcuda/jit/code_cache.h"
#include "softcuda/jit/emitter.h"
#include "softcuda/jit/jit.h"
#include "softcuda/jit/llvm_c.h"
#include "softcuda/jit/object.h"

namespace longwire::softcuda::jit {

// The code of one kernel and all that it calls.
struct CompiledModule {
  LoadedObject code;
  Counts counts;
  bool cached = false;  // it was not made here
};

// Threads: any.
class Compiler {
 public:
  // Without a cache (nullptr) all is compiled. Where the cache knows that LLVM is there, it is
  // loaded when first there is something to compile. kNotFound: LLVM is not there; kUnsupported:
  // not for this processor.
  static base::Result<std::unique_ptr<Compiler>> create(std::unique_ptr<CodeCache> cache);
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // Sets Program::native of all that it has made code of. REQUIRES: decoded with entries; stays
  // where it is as long as the code is used.
  base::Result<std::unique_ptr<CompiledModule>> compile(interp::KernelPrograms& programs);

 private:
  explicit Compiler(std::unique_ptr<CodeCache> cache) : cache_(std::move(cache)) {}
  base::Status start();
  base::Status make_target();
  bool knows_llvm();
  std::vector<std::byte> key(const interp::KernelPrograms& programs) const;
  std::unique_ptr<CompiledModule> find(interp::KernelPrograms& programs);
  base::Status make_object(const interp::KernelPrograms& programs, Counts& counts,
                           std::vector<std::byte>& object);
  base::Status translate(LLVMModuleRef module, std::vector<std::byte>& object);

  std::mutex mutex_;
  std::unique_ptr<CodeCache> cache_;
  std::string build_, processor_;
  std::string llvm_;  // which it is
  LLVMTargetMachineRef machine_ = nullptr;
};

}  // namespace longwire::softcuda::jit
