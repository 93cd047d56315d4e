// Compiler: kernels to machine code, in this process.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "softcuda/interp/decode.h"
#include "softcuda/jit/emitter.h"
#include "softcuda/jit/llvm_c.h"
#include "softcuda/jit/object.h"

namespace longwire::softcuda::jit {

// The code of one kernel and all that it calls.
struct CompiledModule {
  LoadedObject code;
  Counts counts;
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
  // where it is as long as the code is used.
  base::Result<std::unique_ptr<CompiledModule>> compile(interp::KernelPrograms& programs);

 private:
  Compiler() = default;
  base::Status start();
  base::Result<std::vector<std::byte>> make_object(const interp::KernelPrograms& programs,
                                                   Counts& counts);
  base::Result<std::vector<std::byte>> translate(LLVMModuleRef module);

  std::mutex mutex_;
  LLVMTargetMachineRef machine_ = nullptr;
};

}  // namespace longwire::softcuda::jit
