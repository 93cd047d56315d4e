/* Minima and maxima of two or three, of sums, with zero, in words and in halves of words: the
   Programming Guide, "DPX". For host and device. */
#pragma once
#include "define.h"

#define LW_DPX static inline __attribute__((host, device))
#define LW_DPX_WORDS(suffix, type)                                                         \
  LW_DPX type lw_min_##suffix(type a, type b) { return b < a ? b : a; }                    \
  LW_DPX type lw_max_##suffix(type a, type b) { return a < b ? b : a; }                    \
  LW_DPX type lw_add_##suffix(type a, type b) { /* modulo 2^n */                           \
    return static_cast<type>(static_cast<unsigned int>(a) + static_cast<unsigned int>(b)); \
  }
LW_DPX_WORDS(s32, int)
LW_DPX_WORDS(u32, unsigned int)
LW_DPX_WORDS(s16, short)
LW_DPX_WORDS(u16, unsigned short)
#undef LW_DPX_WORDS

/* name(a, b, c) of words of `suffix`; then of both halves. Unused operands are b. */
#define LW_DPX_FORM(name, word, word_type, half, half_type, expression_word, expression_half) \
  LW_DPX word_type name##_##word(word_type a, word_type b, word_type c) {                     \
    return expression_word;                                                                   \
  }                                                                                           \
  LW_DPX half_type lw##name##_##half(half_type a, half_type b, half_type c) {                 \
    return expression_half;                                                                   \
  }                                                                                           \
  LW_DPX unsigned int name##_##half##x2(unsigned int a, unsigned int b, unsigned int c) {     \
    const unsigned int low = static_cast<unsigned short>(lw##name##_##half(                   \
        static_cast<half_type>(a), static_cast<half_type>(b), static_cast<half_type>(c)));    \
    const unsigned int high = static_cast<unsigned short>(                                    \
        lw##name##_##half(static_cast<half_type>(a >> 16), static_cast<half_type>(b >> 16),   \
                          static_cast<half_type>(c >> 16)));                                  \
    return high << 16 | low;                                                                  \
  }
#define LW_DPX_THREE(way, word, word_type, half, half_type)   \
  LW_DPX_FORM(__vi##way##3, word, word_type, half, half_type, \
              lw_##way##_##word(lw_##way##_##word(a, b), c),  \
              lw_##way##_##half(lw_##way##_##half(a, b), c))  \
  LW_DPX_FORM(__viadd##way, word, word_type, half, half_type, \
              lw_##way##_##word(lw_add_##word(a, b), c),      \
              lw_##way##_##half(lw_add_##half(a, b), c))
#define LW_DPX_RELU(name)                                                                        \
  LW_DPX int name##_s32_relu(int a, int b, int c) { return lw_max_s32(name##_s32(a, b, c), 0); } \
  LW_DPX unsigned int name##_s16x2_relu(unsigned int a, unsigned int b, unsigned int c) {        \
    return __vimax3_s16x2(name##_s16x2(a, b, c), 0, 0);                                          \
  }
LW_DPX_THREE(max, s32, int, s16, short)
LW_DPX_THREE(min, s32, int, s16, short)
LW_DPX_THREE(max, u32, unsigned int, u16, unsigned short)
LW_DPX_THREE(min, u32, unsigned int, u16, unsigned short)
LW_DPX_RELU(__vimax3)
LW_DPX_RELU(__vimin3)
LW_DPX_RELU(__viaddmax)
LW_DPX_RELU(__viaddmin)
#undef LW_DPX_RELU
#undef LW_DPX_THREE
#undef LW_DPX_FORM

LW_DPX int __vimax_s32_relu(int a, int b) { return __vimax3_s32(a, b, 0); }
LW_DPX int __vimin_s32_relu(int a, int b) { return lw_max_s32(lw_min_s32(a, b), 0); }
LW_DPX unsigned int __vimax_s16x2_relu(unsigned int a, unsigned int b) {
  return __vimax3_s16x2(a, b, 0);
}
LW_DPX unsigned int __vimin_s16x2_relu(unsigned int a, unsigned int b) {
  return __vimin3_s16x2_relu(a, b, b);
}

/* Also whether the first is taken: where both are the same it is. */
#define LW_DPX_CHOICE(way, sign, word, word_type, half, half_type)                              \
  LW_DPX word_type __vib##way##_##word(word_type a, word_type b, bool* first) {                 \
    *first = a sign b;                                                                          \
    return *first ? a : b;                                                                      \
  }                                                                                             \
  LW_DPX unsigned int __vib##way##_##half##x2(unsigned int a, unsigned int b, bool* first_high, \
                                              bool* first_low) {                                \
    *first_high = static_cast<half_type>(a >> 16) sign static_cast<half_type>(b >> 16);         \
    *first_low = static_cast<half_type>(a) sign static_cast<half_type>(b);                      \
    return ((*first_high ? a : b) & 0xffff0000u) | ((*first_low ? a : b) & 0xffffu);            \
  }
LW_DPX_CHOICE(max, >=, s32, int, s16, short)
LW_DPX_CHOICE(min, <=, s32, int, s16, short)
LW_DPX_CHOICE(max, >=, u32, unsigned int, u16, unsigned short)
LW_DPX_CHOICE(min, <=, u32, unsigned int, u16, unsigned short)
#undef LW_DPX_CHOICE
#undef LW_DPX
