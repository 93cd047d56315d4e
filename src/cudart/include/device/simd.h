/* Four bytes or two halves in a word: the Programming Guide's SIMD functions. */
#pragma once
#include "define.h"

/* One element, as a number with sign and as one without. */
struct LwElement {
  int s, u;
};
template <int kBits>
LW_DEVICE LwElement lw_element(int word, int at) {
  const unsigned int u = static_cast<unsigned int>(word) >> at & ((1U << kBits) - 1);
  return {static_cast<int>(u << (32 - kBits)) >> (32 - kBits), static_cast<int>(u)};
}
template <int kBits, class Function>
LW_DEVICE int lw_each(int a, int b, Function function) {
  unsigned int made = 0;
  for (int at = 0; at < 32; at += kBits) {
    const int element = function(lw_element<kBits>(a, at), lw_element<kBits>(b, at));
    made |= (static_cast<unsigned int>(element) & ((1U << kBits) - 1)) << at;
  }
  return static_cast<int>(made);
}
LW_DEVICE int lw_clamp(int value, int least, int most) {
  return value < least ? least : value > most ? most : value;
}
LW_DEVICE int lw_distance(int a, int b) { return a > b ? a - b : b - a; }

#define LW_SIMD2(name, bits, expression)                             \
  LW_C int __nv_##name(int left, int right) {                        \
    return lw_each<bits>(left, right, [](LwElement a, LwElement b) { \
      (void)a, (void)b;                                              \
      return expression;                                             \
    });                                                              \
  }
#define LW_SIMD1(name, bits, expression)                                              \
  LW_C int __nv_##name(int word) {                                                    \
    return lw_each<bits>(word, 0, [](LwElement a, LwElement) { return expression; }); \
  }
#define LW_SIMD_COMPARE(name, count, bits, expression)   \
  LW_SIMD2(vcmp##name##count, bits, expression ? -1 : 0) \
  LW_SIMD2(vset##name##count, bits, expression ? 1 : 0)

#define LW_SIMD_ALL(count, bits)                                                                \
  LW_SIMD1(vabs##count, bits, a.s < 0 ? -a.s : a.s)                                             \
  LW_SIMD1(vabsss##count, bits, lw_clamp(a.s < 0 ? -a.s : a.s, 0, (1 << (bits - 1)) - 1))       \
  LW_SIMD1(vneg##count, bits, -a.s)                                                             \
  LW_SIMD1(vnegss##count, bits, lw_clamp(-a.s, -(1 << (bits - 1)), (1 << (bits - 1)) - 1))      \
  LW_SIMD2(vadd##count, bits, a.s + b.s)                                                        \
  LW_SIMD2(vaddss##count, bits, lw_clamp(a.s + b.s, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)) \
  LW_SIMD2(vaddus##count, bits, lw_clamp(a.u + b.u, 0, (1 << bits) - 1))                        \
  LW_SIMD2(vsub##count, bits, a.s - b.s)                                                        \
  LW_SIMD2(vsubss##count, bits, lw_clamp(a.s - b.s, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)) \
  LW_SIMD2(vsubus##count, bits, lw_clamp(a.u - b.u, 0, (1 << bits) - 1))                        \
  LW_SIMD2(vavgs##count, bits, (a.s + b.s + (a.s + b.s >= 0 ? 1 : 0)) >> 1)                     \
  LW_SIMD2(vavgu##count, bits, (a.u + b.u + 1) >> 1)                                            \
  LW_SIMD2(vhaddu##count, bits, (a.u + b.u) >> 1)                                               \
  LW_SIMD2(vabsdiffs##count, bits, lw_distance(a.s, b.s))                                       \
  LW_SIMD2(vabsdiffu##count, bits, lw_distance(a.u, b.u))                                       \
  LW_SIMD2(vmaxs##count, bits, a.s > b.s ? a.s : b.s)                                           \
  LW_SIMD2(vmaxu##count, bits, a.u > b.u ? a.u : b.u)                                           \
  LW_SIMD2(vmins##count, bits, a.s < b.s ? a.s : b.s)                                           \
  LW_SIMD2(vminu##count, bits, a.u < b.u ? a.u : b.u)                                           \
  LW_SIMD_COMPARE(eq, count, bits, a.u == b.u)                                                  \
  LW_SIMD_COMPARE(ne, count, bits, a.u != b.u)                                                  \
  LW_SIMD_COMPARE(ges, count, bits, a.s >= b.s)                                                 \
  LW_SIMD_COMPARE(geu, count, bits, a.u >= b.u)                                                 \
  LW_SIMD_COMPARE(gts, count, bits, a.s > b.s)                                                  \
  LW_SIMD_COMPARE(gtu, count, bits, a.u > b.u)                                                  \
  LW_SIMD_COMPARE(les, count, bits, a.s <= b.s)                                                 \
  LW_SIMD_COMPARE(leu, count, bits, a.u <= b.u)                                                 \
  LW_SIMD_COMPARE(lts, count, bits, a.s < b.s)                                                  \
  LW_SIMD_COMPARE(ltu, count, bits, a.u < b.u)

LW_SIMD_ALL(2, 16)
LW_SIMD_ALL(4, 8)
#undef LW_SIMD_ALL
#undef LW_SIMD_COMPARE
#undef LW_SIMD1
#undef LW_SIMD2

/* Sums of distances. */
#define LW_SIMD_SUM(name, bits, member)                                                   \
  LW_C int __nv_##name(int a, int b) {                                                    \
    int sum = 0;                                                                          \
    for (int at = 0; at < 32; at += bits)                                                 \
      sum += lw_distance(lw_element<bits>(a, at).member, lw_element<bits>(b, at).member); \
    return sum;                                                                           \
  }
LW_SIMD_SUM(vsads2, 16, s)
LW_SIMD_SUM(vsads4, 8, s)
LW_SIMD_SUM(vsadu2, 16, u)
LW_SIMD_SUM(vsadu4, 8, u)
#undef LW_SIMD_SUM
