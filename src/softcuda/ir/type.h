// The fundamental types of PTX, and the enumerations of instruction modifiers. PTX ISA 8.8, "State
// Spaces, Types, and Variables" and "Instruction Set".
#pragma once

#include <cstdint>

namespace longwire::softcuda::ir {

enum class Type : std::uint8_t {
  kNone,
  kPred,
  kB8,
  kB16,
  kB32,
  kB64,
  kB128,
  kU8,
  kU16,
  kU32,
  kU64,
  kS8,
  kS16,
  kS32,
  kS64,
  kF16,
  kF16x2,
  kBF16,
  kBF16x2,
  kTF32,
  kF32,
  kF64,
  kF32x2,
  kE4M3,
  kE5M2,
  kE4M3x2,
  kE5M2x2,
  kU16x2,
  kS16x2,
  kU4,
  kS4,
  kB1,  // operands of mma
  kU8x4,
  kS8x4,
  kE2M1x2,  // of cvt; in registers of 8, 16 and 32 bits
  kE2M3x2,
  kE3M2x2,
  kUE8M0x2,
  kE2M1x4,
  kE2M3x4,
  kE3M2x4,
  kE4M3x4,
  kE5M2x4,
  kU2,  // of cvt.pack
  kS2,
};
inline constexpr int kTypes = static_cast<int>(Type::kS2) + 1;

int bits_of(Type type) noexcept;    // of a register or memory element; kPred: 1
bool is_float(Type type) noexcept;  // also the packed ones
bool is_signed(Type type) noexcept;
const char* name_of(Type type) noexcept;  // "f16x2"

enum class Rounding : std::uint8_t {
  kNone,
  kNearest /*rn*/,
  kZero /*rz*/,
  kDown /*rm*/,
  kUp /*rp*/,
  kNearestAway /*rna*/,
  kIntNearest /*rni*/,
  kIntZero /*rzi*/,
  kIntDown /*rmi*/,
  kIntUp /*rpi*/,
  kStochastic /*rs*/,
};
enum class Compare : std::uint8_t {
  kNone,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kLo,
  kLs,
  kHi,
  kHs,  // unsigned
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,  // true where an operand is NaN
  kNum,
  kNan,
};
enum class Combine : std::uint8_t { kNone, kAnd, kOr, kXor, kPopc };
enum class AtomicOp : std::uint8_t {
  kNone,
  kAnd,
  kOr,
  kXor,
  kCas,
  kExch,
  kAdd,
  kInc,
  kDec,
  kMin,
  kMax,
};
enum class Part : std::uint8_t { kNone, kLo, kHi, kWide };
enum class Order : std::uint8_t { kWeak, kRelaxed, kAcquire, kRelease, kAcqRel, kSc, kMmio };
enum class Scope : std::uint8_t { kNone, kCta, kCluster, kGpu, kSys };
enum class Mode : std::uint8_t {
  kNone,
  kUp,
  kDown,
  kBfly,
  kIdx,  // shfl
  kAll,
  kAny,
  kUni,
  kBallot,  // vote; match has kAll and kAny
  kF4e,
  kB4e,
  kRc8,
  kEcl,
  kEcr,
  kRc16,  // prmt
  kFinite,
  kInfinite,
  kNumber,
  kNotANumber,
  kNormal,
  kSubnormal,  // testp
  kSync,
  kArrive,
  kRedPopc,
  kRedAnd,
  kRedOr,
  kWait,  // bar, barrier
  kLeft,
  kRight,  // shf.l, shf.r
  k1d,
  k2d,
  k3d,
  kArray1d,
  kArray2d,
  kCube,
  kArrayCube,
  k2dms,
  kArray2dms,  // tex, suld, sust
  kWidth,
  kHeight,
  kDepth,
  kChannelDataType,
  kChannelOrder,
  kNormalizedCoordinates,
  kArraySize,
  kMipmapLevels,
  kSamples,
  kFilterMode,
  kAddressMode0,
  kAddressMode1,
  kAddressMode2,
  kMemoryLayout,  // txq, suq
};

// mma.m16n8k16.row.col, ldmatrix.m8n8.x4
struct MatrixShape {
  std::uint8_t m = 0, n = 0;
  std::uint16_t k = 0;
  std::uint8_t count = 1;  // .x1 .x2 .x4
  bool a_column = false;   // .col for A
  bool b_row = false;      // .row for B
};

}  // namespace longwire::softcuda::ir
