// Integer instructions of one lane. PTX ISA 8.8, "Integer Arithmetic Instructions".
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace longwire::softcuda::interp::integer {

template <class T>
using Unsigned = std::make_unsigned_t<T>;
// In which sums and products of T cannot overflow by C++'s promotions.
template <class T>
using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
template <class T>
struct WideOf;
template <>
struct WideOf<std::uint16_t> {
  using type = std::uint32_t;
};
template <>
struct WideOf<std::int16_t> {
  using type = std::int32_t;
};
template <>
struct WideOf<std::uint32_t> {
  using type = std::uint64_t;
};
template <>
struct WideOf<std::int32_t> {
  using type = std::int64_t;
};
template <>
struct WideOf<std::uint64_t> {
  using type = unsigned __int128;
};
template <>
struct WideOf<std::int64_t> {
  using type = __int128;
};
template <class T>
using Wide = typename WideOf<T>::type;

template <class T>
constexpr int kBits = static_cast<int>(sizeof(T) * 8);

template <class T>
T add(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) + static_cast<Word<T>>(b));
}
template <class T>
T sub(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) - static_cast<Word<T>>(b));
}
template <class T>
T mul_lo(T a, T b) {
  return static_cast<T>(static_cast<Word<T>>(a) * static_cast<Word<T>>(b));
}
template <class T>
T mul_hi(T a, T b) {
  return static_cast<T>((static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b)) >> kBits<T>);
}
template <class T>
Wide<T> mul_wide(T a, T b) {
  return static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b);
}
template <class T>
T mad_lo(T a, T b, T c) {
  return add(mul_lo(a, b), c);
}
template <class T>
T mad_hi(T a, T b, T c) {
  return add(mul_hi(a, b), c);
}
template <class T>
Wide<T> mad_wide(T a, T b, Wide<T> c) {
  return add(mul_wide(a, b), c);
}

inline std::int32_t saturated(std::int64_t value) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(value < kLeast ? kLeast : value > kMost ? kMost : value);
}
inline std::int32_t add_sat(std::int32_t a, std::int32_t b) {
  return saturated(std::int64_t{a} + b);
}
inline std::int32_t sub_sat(std::int32_t a, std::int32_t b) {
  return saturated(std::int64_t{a} - b);
}
inline std::int32_t mad_hi_sat(std::int32_t a, std::int32_t b, std::int32_t c) {
  return saturated(std::int64_t{mul_hi(a, b)} + c);
}

// The 48 bits of a product of 24-bit numbers: .lo is its 32 low bits, .hi its bits 16 to 47.
template <class T>
std::int64_t mul24(T a, T b) {
  auto narrow = [](T v) -> std::int64_t {
    const std::uint32_t bits = static_cast<std::uint32_t>(v) << 8;
    return std::is_signed_v<T> ? static_cast<std::int32_t>(bits) >> 8
                               : static_cast<std::int64_t>(bits >> 8);
  };
  return narrow(a) * narrow(b);
}
template <class T>
T mul24_lo(T a, T b) {
  return static_cast<T>(mul24(a, b));
}
template <class T>
T mul24_hi(T a, T b) {
  return static_cast<T>(static_cast<std::uint64_t>(mul24(a, b)) >> 16);
}
template <class T>
T mad24_lo(T a, T b, T c) {
  return add(mul24_lo(a, b), c);
}
template <class T>
T mad24_hi(T a, T b, T c) {
  return add(mul24_hi(a, b), c);
}
inline std::int32_t mad24_hi_sat(std::int32_t a, std::int32_t b, std::int32_t c) {
  return saturated(std::int64_t{mul24_hi(a, b)} + c);
}

template <class T>
T sad(T a, T b, T c) {
  return add(c, a < b ? sub(b, a) : sub(a, b));
}
// The ISA leaves a division by zero open; devices give all ones, and the dividend as remainder.
template <class T>
T div(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return sub(T{0}, a);
  return static_cast<T>(a / b);
}
template <class T>
T rem(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
  return static_cast<T>(a % b);
}
template <class T>
T abs(T a) {
  return a < 0 ? sub(T{0}, a) : a;
}
template <class T>
T neg(T a) {
  return sub(T{0}, a);
}
template <class T>
T min(T a, T b) {
  return a < b ? a : b;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}
inline std::int32_t min_relu(std::int32_t a, std::int32_t b) { return max(0, min(a, b)); }
inline std::int32_t max_relu(std::int32_t a, std::int32_t b) { return max(0, max(a, b)); }

// Two halves, each on its own.
template <class T, T (*F)(T, T)>
std::uint32_t halves(std::uint32_t a, std::uint32_t b) {
  using U = Unsigned<T>;
  const U low = static_cast<U>(F(static_cast<T>(a), static_cast<T>(b)));
  const U high = static_cast<U>(F(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
  return low | (static_cast<std::uint32_t>(high) << 16);
}
inline std::int16_t min_relu16(std::int16_t a, std::int16_t b) {
  return max<std::int16_t>(0, min(a, b));
}
inline std::int16_t max_relu16(std::int16_t a, std::int16_t b) {
  return max<std::int16_t>(0, max(a, b));
}

template <class T>
std::uint32_t popc(T a) {
  return static_cast<std::uint32_t>(std::popcount(a));
}
template <class T>
std::uint32_t clz(T a) {
  return static_cast<std::uint32_t>(std::countl_zero(a));
}
// The place of the highest bit that is not the sign; shiftamt: how far to shift it up.
template <class T, bool kShift>
std::uint32_t bfind(T a) {
  auto bits = static_cast<Unsigned<T>>(a);
  if (std::is_signed_v<T> && a < 0) bits = static_cast<Unsigned<T>>(~bits);
  if (bits == 0) return ~0U;
  const auto place = static_cast<std::uint32_t>(kBits<T> - 1 - std::countl_zero(bits));
  return kShift ? kBits<T> - 1 - place : place;
}
// The n-th set bit from `base`, upwards or downwards.
inline std::uint32_t fns(std::uint32_t mask, std::uint32_t base, std::int32_t offset) {
  if (base > 31) return ~0U;
  if (offset == 0) return (mask >> base & 1) != 0 ? base : ~0U;
  const int step = offset < 0 ? -1 : 1;
  std::int64_t left = offset < 0 ? -std::int64_t{offset} : offset;
  for (int at = static_cast<int>(base); at >= 0 && at < 32; at += step)
    if ((mask >> at & 1) != 0 && --left == 0) return static_cast<std::uint32_t>(at);
  return ~0U;
}
template <class T>
T brev(T a) {
  T result = 0;
  for (int i = 0; i < kBits<T>; ++i)
    result = static_cast<T>((result << 1) | ((a >> i) & 1));
  return result;
}
template <class T>
T bfe(T a, std::uint32_t b, std::uint32_t c) {
  const unsigned pos = b & 0xff, len = c & 0xff;
  constexpr unsigned kMsb = kBits<T> - 1;
  const auto bits = static_cast<Unsigned<T>>(a);
  bool sign = false;
  if (std::is_signed_v<T> && len != 0)
    sign = (bits >> (pos + len - 1 < kMsb ? pos + len - 1 : kMsb) & 1) != 0;
  Unsigned<T> field = pos > kMsb ? 0 : bits >> pos;
  if (len <= kMsb) {
    const Unsigned<T> mask = (Unsigned<T>{1} << len) - 1;
    field = (field & mask) | (sign ? ~mask : 0);
  }
  if (sign && pos != 0 && pos + len > kMsb)
    field |= pos > kMsb ? ~Unsigned<T>{0} : ~(~Unsigned<T>{0} >> pos);
  return static_cast<T>(field);
}
template <class T>
T bfi(T a, T b, std::uint32_t c, std::uint32_t d) {
  const unsigned pos = c & 0xff, len = d & 0xff;
  if (pos >= kBits<T> || len == 0) return b;
  const T field = len >= kBits<T> ? ~T{0} : (T{1} << len) - 1;
  const T mask = field << pos;
  return (b & ~mask) | ((a << pos) & mask);
}
// `width` ones from bit `at`; wrap: both modulo 32.
inline std::uint32_t bmsk_clamp(std::uint32_t at, std::uint32_t width) {
  if (at > 31 || width == 0) return 0;
  const std::uint32_t ones = width > 31 ? ~0U : (1U << width) - 1;
  return ones << at;
}
inline std::uint32_t bmsk_wrap(std::uint32_t at, std::uint32_t width) {
  return bmsk_clamp(at & 31, width & 31);
}
template <class T, bool kWrap>
T szext(T a, std::uint32_t width) {
  const std::uint32_t n = kWrap ? width & 31 : width;
  if (n == 0) return 0;
  if (n > 31) return a;
  const auto up = static_cast<std::uint32_t>(a) << (32 - n);
  return std::is_signed_v<T> ? static_cast<T>(static_cast<std::int32_t>(up) >> (32 - n))
                             : static_cast<T>(up >> (32 - n));
}

// Four products of bytes; dp2a: two of halves and bytes. A and B are std::int8_t or std::uint8_t.
template <class A, class B>
std::uint32_t dp4a(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  for (int i = 0; i < 4; ++i)
    c += static_cast<std::uint32_t>(static_cast<A>(a >> (8 * i)) * static_cast<B>(b >> (8 * i)));
  return c;
}
template <class A, class B, int kFirst>
std::uint32_t dp2a(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  for (int i = 0; i < 2; ++i)
    c += static_cast<std::uint32_t>(static_cast<A>(a >> (16 * i)) *
                                    static_cast<B>(b >> (8 * (i + kFirst))));
  return c;
}

// Shifts by more than the width give zeros, or copies of the sign.
template <class T>
T shl(T a, std::uint32_t b) {
  return b >= kBits<T> ? 0 : static_cast<T>(static_cast<Word<T>>(a) << b);
}
template <class T>
T shr(T a, std::uint32_t b) {
  constexpr unsigned kMost = kBits<T> - 1;
  if (b > kMost) return std::is_signed_v<T> ? static_cast<T>(a >> kMost) : 0;
  return static_cast<T>(a >> b);
}
template <bool kLeft, bool kWrap>
std::uint32_t shf(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t n = kWrap ? c & 31 : c < 32 ? c : 32;
  const std::uint64_t both = (std::uint64_t{b} << 32) | a;
  return static_cast<std::uint32_t>(kLeft ? (both << n) >> 32 : both >> n);
}

template <class T>
T bit_and(T a, T b) {
  return a & b;
}
template <class T>
T bit_or(T a, T b) {
  return a | b;
}
template <class T>
T bit_xor(T a, T b) {
  return a ^ b;
}
template <class T>
T bit_not(T a) {
  return static_cast<T>(~a);
}
template <class T>
T cnot(T a) {
  return a == 0 ? 1 : 0;
}
// Bit by bit, what `table` has at (a, b, c).
inline std::uint32_t lop3(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) {
  std::uint32_t result = 0;
  for (unsigned row = 0; row < 8; ++row) {
    if ((table >> row & 1) == 0) continue;
    result |= ((row & 4) != 0 ? a : ~a) & ((row & 2) != 0 ? b : ~b) & ((row & 1) != 0 ? c : ~c);
  }
  return result;
}

}  // namespace longwire::softcuda::interp::integer
