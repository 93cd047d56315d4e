#include "softcuda/jit/compiler.h"

#include <utility>
#include <vector>

namespace longwire::softcuda::jit {
namespace {

using base::Error;
using base::ErrorCode;

// No more than what pays: registers to values, what is known, and what repeats. Not instcombine,
// which does not come to an end on some vectors of conditions.
constexpr const char* kPasses =
    "function(sroa,early-cse<memssa>,simplifycfg,instsimplify,early-cse,adce)";
// Where a function has more, LLVM would take too long: it is interpreted.
constexpr std::size_t kMaxSteps = 20'000;

Error error_of(LLVMErrorRef error) {
  char* text = LLVMGetErrorMessage(error);
  Error made(ErrorCode::kInternal, std::string("LLVM: ") + text);
  LLVMDisposeErrorMessage(text);
  return made;
}

bool processor_is_known() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

}  // namespace

CompiledModule::~CompiledModule() {
  if (LLVMErrorRef error = LLVMOrcResourceTrackerRemove(tracker_); error != nullptr)
    (void)error_of(error);
  LLVMOrcReleaseResourceTracker(tracker_);
}

base::Result<std::unique_ptr<Compiler>> Compiler::create() {
  LW_TRY(load_llvm());
  if (!processor_is_known())
    return Error(ErrorCode::kUnsupported, "the processor has no AVX2 and FMA");
  std::unique_ptr<Compiler> made(new Compiler);
  LW_TRY(made->start());
  return made;
}

base::Status Compiler::start() {
  char* triple = LLVMGetDefaultTargetTriple();
  char *cpu = LLVMGetHostCPUName(), *features = LLVMGetHostCPUFeatures(), *message = nullptr;
  LLVMTargetRef target = nullptr;
  const bool failed = LLVMGetTargetFromTriple(triple, &target, &message) != 0;
  if (!failed)
    machine_ = LLVMCreateTargetMachine(target, triple, cpu, features, LLVMCodeGenLevelDefault,
                                       LLVMRelocPIC, LLVMCodeModelJITDefault);
  for (char* text : {triple, cpu, features, message})
    if (text != nullptr) LLVMDisposeMessage(text);
  if (failed || machine_ == nullptr)
    return Error(ErrorCode::kUnsupported, "LLVM has no code for this machine");
  if (LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit_, nullptr); error != nullptr)
    return error_of(error);
  return {};
}

Compiler::~Compiler() {
  if (jit_ != nullptr)
    if (LLVMErrorRef error = LLVMOrcDisposeLLJIT(jit_); error != nullptr) (void)error_of(error);
  if (machine_ != nullptr) LLVMDisposeTargetMachine(machine_);
}

base::Result<LLVMMemoryBufferRef> Compiler::translate(LLVMModuleRef module) {
  char* message = nullptr;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message) != 0) {
    Error error(ErrorCode::kInternal, std::string("LLVM: ") + message);
    LLVMDisposeMessage(message);
    return error;
  }
  LLVMDisposeMessage(message);
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef failed = LLVMRunPasses(module, kPasses, machine_, options);
  LLVMDisposePassBuilderOptions(options);
  if (failed != nullptr) return error_of(failed);
  LLVMMemoryBufferRef object = nullptr;
  message = nullptr;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine_, module, LLVMObjectFile, &message, &object) !=
      0) {
    Error error(ErrorCode::kInternal, std::string("LLVM: ") + message);
    LLVMDisposeMessage(message);
    return error;
  }
  return object;
}

base::Result<LLVMMemoryBufferRef> Compiler::make_object(interp::KernelPrograms& programs,
                                                        const std::string& prefix, Counts& counts) {
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("softcuda", context);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine_);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
  {
    Values values(context, module);
    for (std::size_t n = 0; n < programs.functions.size(); ++n) {
      const Program& program = programs.functions[n];
      if (program.function == nullptr || program.steps.size() > kMaxSteps) continue;
      const Analysis analysis(programs, program);
      if (!analysis.usable()) continue;
      Emitter(values, programs, program, analysis, counts).emit(prefix + std::to_string(n));
    }
  }
  auto object = translate(module);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  return object;
}

base::Result<std::unique_ptr<CompiledModule>> Compiler::compile(interp::KernelPrograms& programs) {
  std::lock_guard lock(mutex_);
  const std::string prefix = "k" + std::to_string(made_++) + "_";
  Counts counts;
  LW_ASSIGN(LLVMMemoryBufferRef object, make_object(programs, prefix, counts));
  LLVMOrcResourceTrackerRef tracker =
      LLVMOrcJITDylibCreateResourceTracker(LLVMOrcLLJITGetMainJITDylib(jit_));
  auto made = std::make_unique<CompiledModule>(tracker, counts);
  if (LLVMErrorRef error = LLVMOrcLLJITAddObjectFileWithRT(jit_, tracker, object); error != nullptr)
    return error_of(error);
  for (std::size_t n = 0; n < programs.functions.size(); ++n) {
    Program& program = programs.functions[n];
    if (program.function == nullptr || program.steps.size() > kMaxSteps) continue;
    if (!Analysis(programs, program).usable()) continue;
    LLVMOrcExecutorAddress address = 0;
    const std::string name = prefix + std::to_string(n);
    if (LLVMErrorRef error = LLVMOrcLLJITLookup(jit_, &address, name.c_str()); error != nullptr)
      return error_of(error);
    program.native = reinterpret_cast<interp::NativeRun>(address);
  }
  return made;
}

}  // namespace longwire::softcuda::jit
