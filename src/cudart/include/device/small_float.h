/* What __half and __nv_bfloat16 have in common: the CUDA Math API's "Half Precision" and "Bfloat16
   Precision Intrinsics". The compiler's own types do the arithmetic. */
#ifndef LONGWIRE_SMALL_FLOAT_H
#define LONGWIRE_SMALL_FLOAT_H

#include "vector_functions.h"

#define LW_ANY static inline __host__ __device__
#define LW_ONLY_DEVICE static inline __device__

/* Of two neighbours in float the one that is odd, where `value` is neither: rounding that again is
   rounding once. */
LW_ANY float lw_round_to_odd(double value) {
  const float nearest = static_cast<float>(value);
  const unsigned int bits = __builtin_bit_cast(unsigned int, nearest);
  if (value != value || nearest == value || (bits & 1u) != 0) return nearest;
  return __builtin_bit_cast(float, (nearest < value) == (value > 0) ? bits + 1 : bits - 1);
}

/* type holds a native; type##2 two of them. The …_raw are their bits. */
#define LW_SMALL_TYPES(type, type2, native)                                                       \
  struct type##_raw {                                                                             \
    unsigned short x;                                                                             \
  };                                                                                              \
  struct type2##_raw {                                                                            \
    unsigned short x, y;                                                                          \
  };                                                                                              \
  struct __attribute__((aligned(2))) type {                                                       \
    native lw;                                                                                    \
    type() = default;                                                                             \
    __host__ __device__ constexpr type(native value) : lw(value) {}                               \
    __host__ __device__ constexpr type(float value) : lw(static_cast<native>(value)) {}           \
    __host__ __device__ constexpr type(double value) : lw(static_cast<native>(value)) {}          \
    __host__ __device__ constexpr type(int value) : lw(static_cast<native>(value)) {}             \
    __host__ __device__ constexpr type(unsigned int value) : lw(static_cast<native>(value)) {}    \
    __host__ __device__ constexpr type(long long value) : lw(static_cast<native>(value)) {}       \
    __host__ __device__ constexpr type(unsigned long long value)                                  \
        : lw(static_cast<native>(value)) {}                                                       \
    __host__ __device__ constexpr type(type##_raw raw) : lw(__builtin_bit_cast(native, raw.x)) {} \
    __host__ __device__ constexpr operator float() const { return static_cast<float>(lw); }       \
    __host__ __device__ constexpr operator type##_raw() const {                                   \
      return type##_raw{__builtin_bit_cast(unsigned short, lw)};                                  \
    }                                                                                             \
    __host__ __device__ type operator+() const { return *this; }                                  \
    __host__ __device__ type operator-() const { return type(static_cast<native>(-lw)); }         \
    __host__ __device__ type& operator+=(const type& b);                                          \
    __host__ __device__ type& operator-=(const type& b);                                          \
    __host__ __device__ type& operator*=(const type& b);                                          \
    __host__ __device__ type& operator/=(const type& b);                                          \
  };                                                                                              \
  struct __attribute__((aligned(4))) type2 {                                                      \
    type x, y;                                                                                    \
    type2() = default;                                                                            \
    __host__ __device__ constexpr type2(const type& low, const type& high) : x(low), y(high) {}   \
    __host__ __device__ constexpr type2(const type2##_raw& raw)                                   \
        : x(type##_raw{raw.x}), y(type##_raw{raw.y}) {}                                           \
    __host__ __device__ constexpr operator type2##_raw() const {                                  \
      return type2##_raw{static_cast<type##_raw>(x).x, static_cast<type##_raw>(y).x};             \
    }                                                                                             \
  };

#define LW_SMALL_OPERATOR(type, type2, native, sign)                       \
  LW_ANY type operator sign(const type& a, const type& b) {                \
    return type(static_cast<native>(a.lw sign b.lw));                      \
  }                                                                        \
  inline __host__ __device__ type& type::operator sign##=(const type& b) { \
    return *this = *this sign b;                                           \
  }                                                                        \
  LW_ANY type2 operator sign(const type2& a, const type2& b) {             \
    return type2{a.x sign b.x, a.y sign b.y};                              \
  }                                                                        \
  LW_ANY type2& operator sign##=(type2& a, const type2& b) { return a = a sign b; }
#define LW_SMALL_SIGNS(type2)                          \
  LW_ANY type2 operator+(const type2& a) { return a; } \
  LW_ANY type2 operator-(const type2& a) { return {-a.x, -a.y}; }
#define LW_SMALL_RELATION(type, sign) \
  LW_ANY bool operator sign(const type& a, const type& b) { return a.lw sign b.lw; }
#define LW_SMALL_OPERATORS(type, type2, native) \
  LW_SMALL_OPERATOR(type, type2, native, +)     \
  LW_SMALL_OPERATOR(type, type2, native, -)     \
  LW_SMALL_OPERATOR(type, type2, native, *)     \
  LW_SMALL_OPERATOR(type, type2, native, /)     \
  LW_SMALL_SIGNS(type2)                         \
  LW_SMALL_RELATION(type, ==)                   \
  LW_SMALL_RELATION(type, !=)                   \
  LW_SMALL_RELATION(type, <)                    \
  LW_SMALL_RELATION(type, <=)                   \
  LW_SMALL_RELATION(type, >)                    \
  LW_SMALL_RELATION(type, >=)

/* name(a, b) and name2(a, b), each in its own expression of a and b. */
#define LW_SMALL_BINARY(type, type2, name, expression)          \
  LW_ANY type name(type a, type b) { return expression; }       \
  LW_ANY type2 name##2(type2 left, type2 right) {               \
    return type2{name(left.x, right.x), name(left.y, right.y)}; \
  }
#define LW_SMALL_UNARY(type, type2, name, name2, expression) \
  LW_ANY type name(type a) { return expression; }            \
  LW_ANY type2 name2(type2 both) { return type2{name(both.x), name(both.y)}; }
#define LW_SMALL_COMPARE(type, type2, name, sign)                                               \
  LW_ANY bool __h##name(type a, type b) { return a.lw sign b.lw; }                              \
  LW_ANY type2 __h##name##2(type2 a, type2 b) {                                                 \
    return type2{type(__h##name(a.x, b.x) ? 1.f : 0.f), type(__h##name(a.y, b.y) ? 1.f : 0.f)}; \
  }                                                                                             \
  LW_ANY bool __hb##name##2(type2 a, type2 b) { return __h##name(a.x, b.x) && __h##name(a.y, b.y); }

LW_ANY float lw_clamp_unit(float a) { return a > 0 ? a < 1 ? a : 1 : 0; }

#ifdef __CUDA_ARCH__
#define LW_SMALL_FMA(type, native)                            \
  LW_ANY type __hfma(type a, type b, type c) {                \
    return type(__builtin_elementwise_fma(a.lw, b.lw, c.lw)); \
  }
#else /* products of 16 bits are exact in double */
#define LW_SMALL_FMA(type, native)                                                   \
  LW_ANY type __hfma(type a, type b, type c) {                                       \
    return type(static_cast<double>(static_cast<float>(a)) * static_cast<float>(b) + \
                static_cast<float>(c));                                              \
  }
#endif

#define LW_SMALL_ARITHMETIC(type, type2, native)                                                  \
  LW_SMALL_BINARY(type, type2, __hadd, a + b)                                                     \
  LW_SMALL_BINARY(type, type2, __hsub, a - b)                                                     \
  LW_SMALL_BINARY(type, type2, __hmul, a* b)                                                      \
  LW_SMALL_BINARY(type, type2, __hadd_rn, a + b)                                                  \
  LW_SMALL_BINARY(type, type2, __hsub_rn, a - b)                                                  \
  LW_SMALL_BINARY(type, type2, __hmul_rn, a* b)                                                   \
  LW_SMALL_BINARY(type, type2, __hadd_sat, type(lw_clamp_unit(a + b)))                            \
  LW_SMALL_BINARY(type, type2, __hsub_sat, type(lw_clamp_unit(a - b)))                            \
  LW_SMALL_BINARY(type, type2, __hmul_sat, type(lw_clamp_unit(a* b)))                             \
  LW_SMALL_BINARY(type, type2, __hmin,                                                            \
                  type(__builtin_fminf(static_cast<float>(a), static_cast<float>(b))))            \
  LW_SMALL_BINARY(type, type2, __hmax,                                                            \
                  type(__builtin_fmaxf(static_cast<float>(a), static_cast<float>(b))))            \
  LW_ANY type __hdiv(type a, type b) { return a / b; }                                            \
  LW_ANY type2 __h2div(type2 a, type2 b) { return a / b; }                                        \
  LW_SMALL_UNARY(type, type2, __hneg, __hneg2, -a)                                                \
  LW_SMALL_UNARY(type, type2, __habs, __habs2, type(__builtin_fabsf(static_cast<float>(a))))      \
  LW_ANY bool __hisnan(type a) { return a.lw != a.lw; }                                           \
  LW_ANY int __hisinf(type a) {                                                                   \
    const float value = a;                                                                        \
    return value == __builtin_inff() ? 1 : value == -__builtin_inff() ? -1 : 0;                   \
  }                                                                                               \
  LW_SMALL_FMA(type, native)                                                                      \
  LW_ANY type __hfma_relu(type a, type b, type c) {                                               \
    const type made = __hfma(a, b, c);                                                            \
    return made.lw < static_cast<native>(0.f) ? type(0.f) : made;                                 \
  }                                                                                               \
  LW_ANY type __hfma_sat(type a, type b, type c) { return type(lw_clamp_unit(__hfma(a, b, c))); } \
  LW_ANY type2 __hfma2(type2 a, type2 b, type2 c) {                                               \
    return type2{__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};                                   \
  }                                                                                               \
  LW_SMALL_COMPARE(type, type2, eq, ==)                                                           \
  LW_SMALL_COMPARE(type, type2, ne, !=)                                                           \
  LW_SMALL_COMPARE(type, type2, lt, <)                                                            \
  LW_SMALL_COMPARE(type, type2, le, <=)                                                           \
  LW_SMALL_COMPARE(type, type2, gt, >)                                                            \
  LW_SMALL_COMPARE(type, type2, ge, >=)

/* To integers, which hold the nearest that they can; a NaN is 0, and the least of 64 bits. */
template <class Integer>
LW_ANY Integer lw_saturated(float whole) {
  constexpr bool is_signed = Integer(-1) < Integer(0);
  constexpr unsigned long long top = 1ull << (8 * sizeof(Integer) - 1);
  constexpr Integer least = is_signed ? static_cast<Integer>(top) : Integer(0);
  constexpr Integer most = static_cast<Integer>(is_signed ? top - 1 : top + (top - 1));
  if (whole != whole) return sizeof(Integer) == 8 ? static_cast<Integer>(top) : Integer(0);
  if (whole <= static_cast<float>(least)) return least;
  return whole >= static_cast<float>(most) ? most : static_cast<Integer>(whole);
}
#define LW_SMALL_INTEGER(type, from, to, name, integer)                                            \
  LW_ANY integer from##2##name##_rn(type a) { return lw_saturated<integer>(__builtin_rintf(a)); }  \
  LW_ANY integer from##2##name##_rz(type a) { return lw_saturated<integer>(__builtin_truncf(a)); } \
  LW_ANY integer from##2##name##_rd(type a) { return lw_saturated<integer>(__builtin_floorf(a)); } \
  LW_ANY integer from##2##name##_ru(type a) { return lw_saturated<integer>(__builtin_ceilf(a)); }  \
  LW_ANY type __##name##2##to##_rn(integer a) { return type(+a); }
/* `from` and `to`: what the type is called in the names of functions. */
#define LW_SMALL_INTEGERS(type, from, to)                  \
  LW_SMALL_INTEGER(type, from, to, short, short)           \
  LW_SMALL_INTEGER(type, from, to, ushort, unsigned short) \
  LW_SMALL_INTEGER(type, from, to, int, int)               \
  LW_SMALL_INTEGER(type, from, to, uint, unsigned int)     \
  LW_SMALL_INTEGER(type, from, to, ll, long long)          \
  LW_SMALL_INTEGER(type, from, to, ull, unsigned long long)

/* Through float: the Math API promises no more. */
#define LW_SMALL_FUNCTION(type, type2, name, expression) \
  LW_ONLY_DEVICE type h##name(type from) {               \
    const float a = from;                                \
    return type(static_cast<float>(expression));         \
  }                                                      \
  LW_ONLY_DEVICE type2 h2##name(type2 both) { return type2{h##name(both.x), h##name(both.y)}; }
#define LW_SMALL_FUNCTIONS(type, type2)                 \
  LW_SMALL_FUNCTION(type, type2, exp, __nv_expf(a))     \
  LW_SMALL_FUNCTION(type, type2, exp2, __nv_exp2f(a))   \
  LW_SMALL_FUNCTION(type, type2, exp10, __nv_exp10f(a)) \
  LW_SMALL_FUNCTION(type, type2, log, __nv_logf(a))     \
  LW_SMALL_FUNCTION(type, type2, log2, __nv_log2f(a))   \
  LW_SMALL_FUNCTION(type, type2, log10, __nv_log10f(a)) \
  LW_SMALL_FUNCTION(type, type2, sin, __nv_sinf(a))     \
  LW_SMALL_FUNCTION(type, type2, cos, __nv_cosf(a))     \
  LW_SMALL_FUNCTION(type, type2, sqrt, __nv_sqrtf(a))   \
  LW_SMALL_FUNCTION(type, type2, rsqrt, __nv_rsqrtf(a)) \
  LW_SMALL_FUNCTION(type, type2, rcp, 1 / a)            \
  LW_SMALL_FUNCTION(type, type2, floor, __nv_floorf(a)) \
  LW_SMALL_FUNCTION(type, type2, ceil, __nv_ceilf(a))   \
  LW_SMALL_FUNCTION(type, type2, trunc, __nv_truncf(a)) \
  LW_SMALL_FUNCTION(type, type2, rint, __nv_rintf(a))   \
  LW_SMALL_FUNCTION(type, type2, tanh, __nv_tanhf(a))

/* Shuffles, loads and atomics. */
#define LW_SMALL_SHUFFLE(type, bits, name, by)                                                   \
  LW_ONLY_DEVICE type name(unsigned int mask, type value, by delta, int width = 32) {            \
    return __builtin_bit_cast(                                                                   \
        type,                                                                                    \
        static_cast<bits>(name(mask, static_cast<unsigned int>(__builtin_bit_cast(bits, value)), \
                               delta, width)));                                                  \
  }
#define LW_SMALL_SHUFFLES(type, bits)                                            \
  LW_SMALL_SHUFFLE(type, bits, __shfl_sync, int)                                 \
  LW_SMALL_SHUFFLE(type, bits, __shfl_up_sync, unsigned int)                     \
  LW_SMALL_SHUFFLE(type, bits, __shfl_down_sync, unsigned int)                   \
  LW_SMALL_SHUFFLE(type, bits, __shfl_xor_sync, int)                             \
  LW_ONLY_DEVICE type __ldg(const type* from) {                                  \
    return __builtin_bit_cast(type, __ldg(reinterpret_cast<const bits*>(from))); \
  }
#define LW_SMALL_ATOMIC(type, bits, carrier, letter, ptx)                   \
  LW_ONLY_DEVICE type atomicAdd(type* at, type value) {                     \
    carrier old;                                                            \
    __asm__ __volatile__("atom.add.noftz." ptx " %0, [%1], %2;"             \
                         : "=" letter(old)                                  \
                         : "l"(at), letter(__builtin_bit_cast(bits, value)) \
                         : "memory");                                       \
    return __builtin_bit_cast(type, old);                                   \
  }
#define LW_SMALL_ATOMIC_BY_EXCHANGE(type, bits)                        \
  LW_ONLY_DEVICE type atomicAdd(type* at, type value) {                \
    bits* const word = reinterpret_cast<bits*>(at);                    \
    bits seen = *static_cast<volatile bits*>(word), expected;          \
    do {                                                               \
      expected = seen;                                                 \
      const type sum = __builtin_bit_cast(type, expected) + value;     \
      seen = atomicCAS(word, expected, __builtin_bit_cast(bits, sum)); \
    } while (seen != expected);                                        \
    return __builtin_bit_cast(type, seen);                             \
  }

#endif
