// f16 and bf16 as bits, and what they are as float: exact. Back: half_round.h.
#pragma once

#include <bit>
#include <cstdint>

namespace longwire::softcuda::interp {

inline float float_of_f16(std::uint16_t h) noexcept {
  const std::uint32_t sign = std::uint32_t{h & 0x8000U} << 16;
  const std::uint32_t exponent = h >> 10 & 0x1f;
  const std::uint32_t mantissa = h & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f80'0000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float tiny = static_cast<float>(mantissa) * 0x1p-24F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(tiny));
}

inline float float_of_bf16(std::uint16_t h) noexcept {
  return std::bit_cast<float>(std::uint32_t{h} << 16);
}

// Subnormal inputs as zeros of their sign (.ftz).
inline float flushed(float v) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  return (bits & 0x7f80'0000) == 0 ? std::bit_cast<float>(bits & 0x8000'0000) : v;
}

}  // namespace longwire::softcuda::interp
