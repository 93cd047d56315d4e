#include "softcuda/jit/compiler.h"

#include <string>
#include <utility>

#include "softcuda/jit/runtime.h"
#include "softcuda/jit/table.h"

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

Error error_of(char* message) {
  Error made(ErrorCode::kInternal, std::string("LLVM: ") + message);
  LLVMDisposeMessage(message);
  return made;
}

bool processor_is_known() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

// Of a function in the object.
std::string name_of(std::size_t function) { return "f" + std::to_string(function); }

}  // namespace

base::Result<std::unique_ptr<Compiler>> Compiler::create() {
  LW_TRY(load_llvm());
  if (!processor_is_known())
    return Error(ErrorCode::kUnsupported, "the processor is no x86-64 with AVX2 and FMA");
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
                                       LLVMRelocPIC, LLVMCodeModelSmall);
  for (char* text : {triple, cpu, features, message})
    if (text != nullptr) LLVMDisposeMessage(text);
  if (failed || machine_ == nullptr)
    return Error(ErrorCode::kUnsupported, "LLVM has no code for this machine");
  return {};
}

Compiler::~Compiler() {
  if (machine_ != nullptr) LLVMDisposeTargetMachine(machine_);
}

base::Result<std::vector<std::byte>> Compiler::translate(LLVMModuleRef module) {
  char* message = nullptr;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message) != 0) return error_of(message);
  LLVMDisposeMessage(message);
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef failed = LLVMRunPasses(module, kPasses, machine_, options);
  LLVMDisposePassBuilderOptions(options);
  if (failed != nullptr) return error_of(failed);
  LLVMMemoryBufferRef object = nullptr;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine_, module, LLVMObjectFile, &message, &object) != 0)
    return error_of(message);
  const auto* begin = reinterpret_cast<const std::byte*>(LLVMGetBufferStart(object));
  std::vector<std::byte> bytes(begin, begin + LLVMGetBufferSize(object));
  LLVMDisposeMemoryBuffer(object);
  return bytes;
}

base::Result<std::vector<std::byte>> Compiler::make_object(const interp::KernelPrograms& programs,
                                                           Counts& counts) {
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("softcuda", context);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine_);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
  {
    const Table table(programs);
    Values values(context, module, table.size());
    for (std::size_t n = 0; n < programs.functions.size(); ++n) {
      const Program& program = programs.functions[n];
      if (program.function == nullptr || program.steps.size() > kMaxSteps) continue;
      const Analysis analysis(programs, program);
      if (!analysis.usable()) continue;
      Emitter(values, programs, table, program, analysis, counts).emit(name_of(n));
    }
  }
  auto object = translate(module);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  return object;
}

base::Result<std::unique_ptr<CompiledModule>> Compiler::compile(interp::KernelPrograms& programs) {
  std::lock_guard lock(mutex_);
  auto made = std::make_unique<CompiledModule>();
  LW_ASSIGN(const std::vector<std::byte> object, make_object(programs, made->counts));
  const std::vector<std::uint64_t> words = Table(programs).words();
  LW_ASSIGN(made->code, LoadedObject::load(object, {kTableName, words, &function_named}));
  for (std::size_t n = 0; n < programs.functions.size(); ++n)
    programs.functions[n].native =
        reinterpret_cast<interp::NativeRun>(made->code.function(name_of(n)));
  return made;
}

}  // namespace longwire::softcuda::jit
