// LLVM 19 by its C interface, loaded when it is first needed: the driver that programs load depends
// on libc alone, and on LLVM only where this back end is chosen. Names are those of llvm-c; inside
// this namespace they are pointers into the library.
#pragma once

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <string>

#include <shared_mutex>

#include "base/result.h"

namespace longwire::softcuda::jit {

// clang-format off
#define LW_LLVM_FUNCTIONS(X) \
  X(ContextCreate) X(ContextDispose) X(ModuleCreateWithNameInContext) X(DisposeModule) \
  X(SetTarget) X(SetModuleDataLayout) X(DisposeMessage) \
  X(Int1TypeInContext) X(IntTypeInContext) X(FloatTypeInContext) X(DoubleTypeInContext) \
  X(HalfTypeInContext) X(PointerTypeInContext) X(VoidTypeInContext) X(VectorType) X(FunctionType) \
  X(TypeOf) X(GetTypeKind) X(GetVectorSize) X(GetElementType) X(GetIntTypeWidth) \
  X(AddGlobal) X(SetGlobalConstant) X(SetVisibility) X(ArrayType2) \
  X(AddFunction) X(GetParam) X(AppendBasicBlockInContext) X(GetBasicBlockTerminator) \
  X(CreateEnumAttribute) X(GetEnumAttributeKindForName) X(CreateStringAttribute) X(AddAttributeAtIndex) X(AddCallSiteAttribute) \
  X(CreateBuilderInContext) X(DisposeBuilder) X(PositionBuilderAtEnd) X(GetInsertBlock) \
  X(ConstInt) X(ConstIntGetZExtValue) X(ConstReal) X(ConstNull) X(ConstVector) X(GetPoison) \
  X(BuildAdd) X(BuildSub) X(BuildMul) X(BuildUDiv) X(BuildSDiv) \
  X(BuildAnd) X(BuildOr) X(BuildXor) X(BuildNot) X(BuildNeg) X(BuildShl) X(BuildLShr) X(BuildAShr) \
  X(BuildFAdd) X(BuildFSub) X(BuildFMul) X(BuildFDiv) X(BuildFNeg) \
  X(BuildICmp) X(BuildFCmp) X(BuildSelect) X(BuildTrunc) X(BuildZExt) X(BuildSExt) X(BuildBitCast) \
  X(BuildFPExt) X(BuildFPTrunc) X(BuildSIToFP) X(BuildUIToFP) X(BuildFPToSI) X(BuildFPToUI) X(BuildIntToPtr) X(BuildPtrToInt) \
  X(BuildAlloca) X(BuildLoad2) X(BuildStore) X(BuildGEP2) X(SetAlignment) X(SetVolatile) \
  X(BuildBr) X(BuildCondBr) X(BuildSwitch) X(AddCase) X(BuildRet) X(BuildUnreachable) \
  X(BuildCall2) X(BuildInsertElement) X(BuildExtractElement) X(BuildShuffleVector) \
  X(BuildPhi) X(AddIncoming) X(GetFirstInstruction) X(GetNextInstruction) X(GetFirstFunction) X(GetNextFunction) X(GetFirstBasicBlock) X(GetNextBasicBlock) X(GetEntryBasicBlock) X(PositionBuilderBefore) X(BuildAtomicRMW) X(BuildAtomicCmpXchg) X(BuildExtractValue) \
  X(LookupIntrinsicID) X(GetIntrinsicDeclaration) X(GlobalGetValueType) \
  X(VerifyFunction) X(VerifyModule) X(RunPasses) X(CreatePassBuilderOptions) X(DisposePassBuilderOptions) \
  X(GetTargetFromTriple) X(GetDefaultTargetTriple) X(GetHostCPUName) X(GetHostCPUFeatures) \
  X(CreateTargetMachine) X(DisposeTargetMachine) X(CreateTargetDataLayout) X(DisposeTargetData) \
  X(TargetMachineEmitToMemoryBuffer) X(DisposeMemoryBuffer) \
  X(GetErrorMessage) X(DisposeErrorMessage) \
  X(GetBufferStart) X(GetBufferSize)
// clang-format on

#define X(name) extern decltype(&::LLVM##name) LLVM##name;
LW_LLVM_FUNCTIONS(X)
#undef X

// To be held by who uses the library. When the process ends, its static objects are destroyed while
// threads of ours go on: not before those that use it are done; from then on nobody may, and what
// comes back owns nothing.
std::shared_lock<std::shared_mutex> use_llvm();
// Loads the library, once; later calls say what the first found. kNotFound: it is not installed.
base::Status load_llvm();
// The file that it came from. REQUIRES: it is loaded.
std::string llvm_file();

}  // namespace longwire::softcuda::jit
