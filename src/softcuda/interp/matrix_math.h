// A product of small matrices as mma and wmma.mma have it, elements as bits of their types.
#pragma once

#include <cstdint>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::interp {

inline constexpr int kMaxRows = 32, kMaxColumns = 32, kMaxDepth = 256;

// Row by row; an element of f16, s8, s4 and so on stands in its low bits.
struct Matrices {
  int rows, columns, depth;
  std::uint32_t a[16 * kMaxDepth + 32 * 16];  // rows x depth
  std::uint32_t b[32 * 16 + 8 * kMaxDepth];   // depth x columns
  double a64[16 * 16], b64[16 * 8];           // f64 only
  std::uint64_t c[kMaxRows * 16];             // rows x columns; the result comes here
};

// c = a * b + c. Products of floating-point types are added in double and rounded once, f64 is a
// chain of fma by rising k, integers wrap or saturate.
void multiply(const ir::Instruction& i, Matrices& m) noexcept;

}  // namespace longwire::softcuda::interp
