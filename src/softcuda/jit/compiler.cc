#include "softcuda/jit/compiler.h"

#include <cstring>
#include <span>

#include "softcuda/jit/key.h"
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
// Against the default it leaves out the second scheduling, of which a processor that reorders by
// itself has nothing: a twelfth of the time.
constexpr LLVMCodeGenOptLevel kLevel = LLVMCodeGenLevelLess;

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

Error too_large() {
  return {ErrorCode::kLimit, "the kernel is too large to be compiled in a bearable time"};
}

Error none_compiled() {
  return {ErrorCode::kUnsupported, "none of the kernel's functions can be compiled"};
}

// How much a module gives code generation to do: its instructions.
std::size_t instructions_in(LLVMModuleRef module) {
  std::size_t count = 0;
  for (auto* f = LLVMGetFirstFunction(module); f != nullptr; f = LLVMGetNextFunction(f))
    for (auto* block = LLVMGetFirstBasicBlock(f); block != nullptr;
         block = LLVMGetNextBasicBlock(block))
      for (auto* i = LLVMGetFirstInstruction(block); i != nullptr; i = LLVMGetNextInstruction(i))
        ++count;
  return count;
}

// In the object, of the n-th function that is reached.
std::string name_of(std::size_t n) { return "f" + std::to_string(n); }

// Under which the cache has file_identity() of LLVM's library.
std::span<const std::byte> key_of_llvm(const std::string& build) {
  return std::as_bytes(std::span(build));
}

// Brings code into this process, for these programs.
base::Status load(interp::KernelPrograms& programs, std::span<const std::byte> object,
                  CompiledModule& module) {
  const std::vector<std::uint64_t> words = Table(programs).words();
  LW_ASSIGN(module.code, LoadedObject::load(object, {kTableName, words, &function_named}));
  std::size_t n = 0;
  for (Program& program : programs.functions)
    if (program.function != nullptr)
      program.native = reinterpret_cast<interp::NativeRun>(
          const_cast<void*>(module.code.function(name_of(n++))));
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Compiler>> Compiler::create(std::unique_ptr<CodeCache> cache) {
  if (!processor_is_known())
    return Error(ErrorCode::kUnsupported, "the processor is no x86-64 with AVX2 and FMA");
  std::unique_ptr<Compiler> made(new Compiler(std::move(cache)));
  if (!made->knows_llvm()) LW_TRY(made->start());
  return made;
}

// Whether what was loaded last is still there. Without a build id nothing can be kept.
bool Compiler::knows_llvm() {
  if (cache_ == nullptr) return false;
  build_ = build_identity();
  processor_ = processor_identity();
  if (build_.empty() || processor_.empty()) cache_.reset();
  if (cache_ == nullptr) return false;
  const auto kept = cache_->find(key_of_llvm(build_));
  if (!kept) return false;
  const std::string known(reinterpret_cast<const char*>(kept->data()), kept->size());
  if (file_identity(known.c_str()) != known) return false;
  llvm_ = known;
  return true;
}

base::Status Compiler::start() {
  if (machine_ != nullptr) return {};
  LW_TRY(load_llvm());
  LW_TRY(make_target());
  if (cache_ == nullptr) return {};
  const std::string found = file_identity(llvm_file());
  if (found.empty()) cache_.reset();  // it may be any
  if (cache_ != nullptr && found != llvm_)
    cache_->keep(key_of_llvm(build_), std::as_bytes(std::span(found)));
  llvm_ = found;
  return {};
}

base::Status Compiler::make_target() {
  char* triple = LLVMGetDefaultTargetTriple();
  char *cpu = LLVMGetHostCPUName(), *features = LLVMGetHostCPUFeatures(), *message = nullptr;
  LLVMTargetRef target = nullptr;
  const bool failed = LLVMGetTargetFromTriple(triple, &target, &message) != 0;
  if (!failed)
    machine_ = LLVMCreateTargetMachine(target, triple, cpu, features, kLevel, LLVMRelocPIC,
                                       LLVMCodeModelSmall);
  for (char* text : {triple, cpu, features, message})
    if (text != nullptr) LLVMDisposeMessage(text);
  if (failed || machine_ == nullptr)
    return Error(ErrorCode::kUnsupported, "LLVM has no code for this machine");
  return {};
}

Compiler::~Compiler() {
  if (machine_ != nullptr) LLVMDisposeTargetMachine(machine_);
}

// Adds the module's object to `object`.
base::Status Compiler::translate(LLVMModuleRef module, std::vector<std::byte>& object) {
  if (instructions_in(module) > kMaxEmitted) return too_large();
  char* message = nullptr;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message) != 0) return error_of(message);
  LLVMDisposeMessage(message);
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef failed = LLVMRunPasses(module, kPasses, machine_, options);
  LLVMDisposePassBuilderOptions(options);
  if (failed != nullptr) return error_of(failed);
  if (instructions_in(module) > kMaxInstructions) return too_large();
  LLVMMemoryBufferRef made = nullptr;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine_, module, LLVMObjectFile, &message, &made) != 0)
    return error_of(message);
  const auto* begin = reinterpret_cast<const std::byte*>(LLVMGetBufferStart(made));
  object.insert(object.end(), begin, begin + LLVMGetBufferSize(made));
  LLVMDisposeMemoryBuffer(made);
  return {};
}

base::Status Compiler::make_object(const interp::KernelPrograms& programs, Counts& counts,
                                   std::vector<std::byte>& object) {
  LLVMContextRef context = LLVMContextCreate();
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("softcuda", context);
  std::size_t emitted = 0;
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine_);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
  {
    const Table table(programs);
    Values values(context, module, table.size());
    std::size_t n = 0;
    for (const Program& program : programs.functions) {
      if (program.function == nullptr) continue;
      const std::string name = name_of(n++);
      if (program.steps.size() > kMaxSteps) continue;
      const Analysis analysis(programs, program);
      if (!analysis.usable()) continue;
      Emitter(values, programs, table, program, analysis, counts).emit(name);
      ++emitted;
    }
  }
  base::Status done = none_compiled();
  if (counts.moves > kMaxMoves)
    done = too_large();
  else if (emitted != 0)
    done = translate(module, object);
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  return done;
}

std::vector<std::byte> Compiler::key(const interp::KernelPrograms& programs) const {
  return key_of(programs, build_ + processor_ + llvm_);
}

std::unique_ptr<CompiledModule> Compiler::find(interp::KernelPrograms& programs) {
  if (cache_ == nullptr) return nullptr;
  const auto value = cache_->find(key(programs));
  auto made = std::make_unique<CompiledModule>();
  made->cached = true;
  if (!value || value->size() < sizeof made->counts) return nullptr;
  std::memcpy(&made->counts, value->data(), sizeof made->counts);
  return load(programs, std::span(*value).subspan(sizeof made->counts), *made).ok()
             ? std::move(made)
             : nullptr;
}

base::Result<std::unique_ptr<CompiledModule>> Compiler::compile(interp::KernelPrograms& programs) {
  std::lock_guard lock(mutex_);
  if (auto found = find(programs)) return found;
  const auto use = use_llvm();
  if (!use.owns_lock()) return Error(ErrorCode::kUnavailable, "the process ends");
  LW_TRY(start());
  auto made = std::make_unique<CompiledModule>();
  // What is kept: the counts, then the object.
  std::vector<std::byte> value(sizeof made->counts);
  LW_TRY(make_object(programs, made->counts, value));
  std::memcpy(value.data(), &made->counts, sizeof made->counts);
  LW_TRY(load(programs, std::span(value).subspan(sizeof made->counts), *made));
  if (cache_ != nullptr) cache_->keep(key(programs), value);
  return made;
}

}  // namespace longwire::softcuda::jit
