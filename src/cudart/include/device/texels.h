/* How a texel's four values become what a program asks for, by its type. */
#pragma once
#include "define.h"

/* scalar: of T's parts; carrier: the type in which the instruction gives it; channels: T's. */
template <class T>
struct __lw_texel;

#define LW_TEXEL(type, of, as, count, ...)                 \
  template <>                                              \
  struct __lw_texel<type> {                                \
    using scalar = of;                                     \
    using carrier = as;                                    \
    static constexpr int channels = count;                 \
    template <class V>                                     \
    static __attribute__((device)) type from(const V& v) { \
      return __VA_ARGS__;                                  \
    }                                                      \
  };
#define LW_PART(part) static_cast<scalar>(v.part)
#define LW_TEXELS(of, vector, as)                          \
  LW_TEXEL(of, of, as, 1, LW_PART(x))                      \
  LW_TEXEL(vector##1, of, as, 1, {LW_PART(x)})             \
  LW_TEXEL(vector##2, of, as, 2, {LW_PART(x), LW_PART(y)}) \
  LW_TEXEL(vector##4, of, as, 4, {LW_PART(x), LW_PART(y), LW_PART(z), LW_PART(w)})
LW_TEXEL(char, char, int, 1, LW_PART(x))
LW_TEXELS(signed char, char, int)
LW_TEXELS(unsigned char, uchar, unsigned int)
LW_TEXELS(short, short, int)
LW_TEXELS(unsigned short, ushort, unsigned int)
LW_TEXELS(int, int, int)
LW_TEXELS(unsigned int, uint, unsigned int)
LW_TEXELS(float, float, float)
#undef LW_TEXEL
#undef LW_TEXELS
#undef LW_PART

template <class Carrier>
struct __lw_four {
  Carrier x, y, z, w;
};
