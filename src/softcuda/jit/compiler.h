// Compiler: kernels to machine code, in this process.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "softcuda/interp/decode.h"
#include "softcuda/jit/emitter.h"
#include "softcuda/jit/llvm_c.h"

namespace longwire::softcuda::jit {

// Keeps the code of one kernel until it goes.
class CompiledModule {
 public:
  CompiledModule(LLVMOrcResourceTrackerRef tracker, Counts counts)
      : counts(counts), tracker_(tracker) {}
  ~CompiledModule();
  CompiledModule(const CompiledModule&) = delete;
  CompiledModule& operator=(const CompiledModule&) = delete;
  const Counts counts;

 private:
  LLVMOrcResourceTrackerRef tracker_;
};

// Threads: any.
class Compiler {
 public:
  // kNotFound: LLVM is not there; kUnsupported: not for this processor.
  static base::Result<std::unique_ptr<Compiler>> create();
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // Sets Program::native of all that it has made code of. REQUIRES: decoded with entries; stays
  // where it is.
  base::Result<std::unique_ptr<CompiledModule>> compile(interp::KernelPrograms& programs);

 private:
  Compiler() = default;
  base::Status start();
  base::Result<LLVMMemoryBufferRef> make_object(interp::KernelPrograms& programs,
                                                const std::string& prefix, Counts& counts);
  base::Result<LLVMMemoryBufferRef> translate(LLVMModuleRef module);

  std::mutex mutex_;
  LLVMTargetMachineRef machine_ = nullptr;
  LLVMOrcLLJITRef jit_ = nullptr;
  std::uint64_t made_ = 0;  // kernels, for names
};

}  // namespace longwire::softcuda::jit
