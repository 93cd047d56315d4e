/* What clang calls where the host makes a __bf16 and its processor has no instruction for that. The
   libgcc of Debian 12 has neither of them; where another library does, any of them will do. */
#pragma once

#include "device/small_float.h"

/* The upper half, to the nearest, ties to even; a NaN keeps its sign. */
extern "C" __attribute__((weak, used)) __bf16 __truncsfbf2(float a) {
  const unsigned int bits = __builtin_bit_cast(unsigned int, a);
  const unsigned int upper = bits >> 16;
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  const unsigned int made = is_nan ? upper | 0x40u : (bits + 0x7fffu + (upper & 1u)) >> 16;
  return __builtin_bit_cast(__bf16, static_cast<unsigned short>(made));
}

/* By way of float, rounded there to odd, so that it is rounded once. */
extern "C" __attribute__((weak, used)) __bf16 __truncdfbf2(double a) {
  return __truncsfbf2(lw_round_to_odd(a));
}
