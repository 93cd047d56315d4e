// Floating-point formats of 4, 6 and 8 bits, and how cvt makes them.
#pragma once

#include <cstdint>

#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {

struct SmallFloat {
  int mantissa, bias;
  int bits;            // with the sign
  std::uint32_t most;  // the largest number, without a sign
  std::uint32_t nan;
};

inline constexpr SmallFloat kE2M1{1, 1, 4, 0x7, 0x7};  // no NaN: the largest number, positive
inline constexpr SmallFloat kE2M3{3, 1, 6, 0x1f, 0x1f};
inline constexpr SmallFloat kE3M2{2, 3, 6, 0x1f, 0x1f};
inline constexpr SmallFloat kE4M3{3, 7, 8, 0x7e, 0x7f};
inline constexpr SmallFloat kE5M2{2, 15, 8, 0x7b, 0x7f};
// Halves as cvt.rs has them: of finite results.
inline constexpr SmallFloat kHalf{10, 15, 16, 0x7bff, 0x7fff};
inline constexpr SmallFloat kBrain{7, 127, 16, 0x7f7f, 0x7fff};

// To nearest, ties to even; what is too large becomes the largest (.satfinite).
std::uint32_t small_of(double value, const SmallFloat& format) noexcept;
// .rs: `random`, of so many bits, is added to what is cut off.
std::uint32_t small_of(double value, const SmallFloat& format, std::uint32_t random,
                       int random_bits) noexcept;
// Of formats without infinities and NaN: e2m1, e2m3, e3m2.
double double_of_small(std::uint32_t bits, const SmallFloat& format) noexcept;

// 2^(bits - 127), 0xff a NaN; of the value without its sign.
std::uint32_t ue8m0_of(float value, bool upwards, bool finite) noexcept;
float float_of_ue8m0(std::uint32_t bits) noexcept;

Handler select_small(const ir::Instruction& i);  // nullptr: of none of these

}  // namespace longwire::softcuda::interp
