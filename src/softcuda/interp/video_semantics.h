// What the video instructions do to one lane of a warp. PTX ISA, "Video Instructions".
#pragma once

#include <algorithm>
#include <cstdint>

#include "softcuda/ir/ir.h"

namespace longwire::softcuda::interp::video {

using ir::Op;
using std::int64_t, std::uint32_t;

// `bits` of a value from `first` on.
inline int64_t part(uint32_t value, uint32_t first, uint32_t bits, bool with_sign) noexcept {
  const uint32_t up = value >> first << (32 - bits);
  if (with_sign) return static_cast<std::int32_t>(up) >> (32 - bits);
  return up >> (32 - bits);
}
// Where it goes: first bit | how many << 8.
inline int64_t selected(uint32_t value, uint32_t selector, bool with_sign) noexcept {
  return part(value, selector & 0xff, selector >> 8, with_sign);
}

inline int64_t clamped(__int128 value, uint32_t bits, bool with_sign) noexcept {
  const int64_t most = (int64_t{1} << (with_sign ? bits - 1 : bits)) - 1;
  const int64_t least = with_sign ? -most - 1 : 0;
  return value < least ? least : value > most ? most : static_cast<int64_t>(value);
}

inline bool compared(ir::Compare compare, int64_t a, int64_t b) noexcept {
  switch (compare) {
    case ir::Compare::kEq:
      return a == b;
    case ir::Compare::kNe:
      return a != b;
    case ir::Compare::kLt:
      return a < b;
    case ir::Compare::kLe:
      return a <= b;
    case ir::Compare::kGt:
      return a > b;
    default:
      return a >= b;
  }
}

// The shift of vshl and vshr, which may be by the whole word.
inline int64_t shift_of(const ir::Modifiers& m, int64_t by) noexcept {
  return m.wrap ? by & 31 : std::min<int64_t>(by, 32);
}

inline int64_t primary(const ir::Instruction& i, int64_t a, int64_t b) noexcept {
  switch (i.op) {
    case Op::kVadd:
      return a + b;
    case Op::kVsub:
      return a - b;
    case Op::kVabsdiff:
      return a < b ? b - a : a - b;
    case Op::kVmin:
      return std::min(a, b);
    case Op::kVmax:
      return std::max(a, b);
    case Op::kVavrg:
      return (a + b + (a + b >= 0 ? 1 : 0)) >> 1;
    case Op::kVshl:
      return static_cast<int64_t>(static_cast<std::uint64_t>(a) << shift_of(i.modifiers, b));
    case Op::kVshr:
      return a >> shift_of(i.modifiers, b);
    default:
      return compared(i.modifiers.compare, a, b) ? 1 : 0;
  }
}

// Signed numbers of 33 bits, as the ISA has the results of the first operation.
inline int64_t of_33_bits(int64_t value) noexcept {
  return static_cast<int64_t>(static_cast<std::uint64_t>(value) << 31) >> 31;
}

inline int64_t secondary(ir::AtomicOp op, int64_t value, int64_t c) noexcept {
  switch (op) {
    case ir::AtomicOp::kAdd:
      return value + c;
    case ir::AtomicOp::kMin:
      return std::min(value, c);
    case ir::AtomicOp::kMax:
      return std::max(value, c);
    default:
      return value;
  }
}

struct Types {
  bool d, a, b;  // signed
};
// vset has none for its result, which is unsigned.
inline Types types_of(const ir::Instruction& i) noexcept {
  if (i.op == Op::kVset) return {false, ir::is_signed(i.type), ir::is_signed(i.type2)};
  return {ir::is_signed(i.type), ir::is_signed(i.type2), ir::is_signed(i.type3)};
}

inline uint32_t scalar(const ir::Instruction& i, uint32_t a, uint32_t b, uint32_t c,
                       const uint32_t (&selectors)[3]) noexcept {
  const Types types = types_of(i);
  const uint32_t first = selectors[0] & 0xff, bits = selectors[0] >> 8;
  int64_t value =
      primary(i, selected(a, selectors[1], types.a), selected(b, selectors[2], types.b));
  if (i.modifiers.saturate) value = clamped(value, bits, types.d);
  value = secondary(i.modifiers.atomic, of_33_bits(value), part(c, 0, 32, types.d));
  const auto low = static_cast<uint32_t>(value);
  if (bits == 32) return low;
  const uint32_t mask = ((1U << bits) - 1) << first;
  return (c & ~mask) | (low << first & mask);
}

inline uint32_t simd(const ir::Instruction& i, uint32_t a, uint32_t b, uint32_t c,
                     const uint32_t (&selectors)[3]) noexcept {
  const Types types = types_of(i);
  const uint32_t lanes = i.modifiers.shape.count, bits = 32 / lanes;
  auto element = [&](uint32_t lane, uint32_t selector, bool with_sign) {
    const uint32_t which = selector >> (4 * lane) & 15;
    return part(which < lanes ? a : b, which % lanes * bits, bits, with_sign);
  };
  uint32_t result = c;
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    if ((selectors[0] >> lane & 1) == 0) continue;
    int64_t value =
        primary(i, element(lane, selectors[1], types.a), element(lane, selectors[2], types.b));
    if (i.modifiers.saturate) value = clamped(value, bits, types.d);
    const auto low = static_cast<uint32_t>(value);
    const uint32_t mask = ((1U << bits) - 1) << (lane * bits);
    if (i.modifiers.atomic == ir::AtomicOp::kAdd)
      result += low;
    else
      result = (result & ~mask) | (low << (lane * bits) & mask);
  }
  return result;
}

// negated: 1: the product is, 2: c is.
inline uint32_t mad(const ir::Instruction& i, uint32_t a, uint32_t b, uint32_t c,
                    const uint32_t (&selectors)[3], uint32_t negated) noexcept {
  const Types types = types_of(i);
  const bool with_sign = types.a || types.b || negated != 0;
  __int128 product = static_cast<__int128>(selected(a, selectors[1], types.a)) *
                     selected(b, selectors[2], types.b);
  int lowest = i.modifiers.wrap ? 1 : 0;
  if ((negated & 1) != 0) {
    product = ~product;
    lowest = 1;
  } else if ((negated & 2) != 0) {
    c = ~c;
    lowest = 1;
  }
  const __int128 sum = product + part(c, 0, 32, with_sign) + lowest;
  const __int128 result = sum >> i.modifiers.shape.k;
  return static_cast<uint32_t>(i.modifiers.saturate ? clamped(result, 32, with_sign) : result);
}

}  // namespace longwire::softcuda::interp::video
