// How steps go over the 32 lanes: a pure function of scalars for each lane that executes.
#pragma once

#include "softcuda/interp/program.h"

// Lanes do not depend on each other: operands are the same registers or others, never parts.
#if defined(__clang__)
#define LW_LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define LW_LANES _Pragma("GCC ivdep")
#endif

namespace longwire::softcuda::interp {

// d[i] = f(i). All lanes are computed: f must have no effects, and be defined for every value.
template <class D, class F>
inline void each(const Context& c, D* d, F f) {
  if (c.mask == kAllLanes) {
    LW_LANES
    for (int i = 0; i < kLanes; ++i)
      d[i] = f(i);
  } else {
    const Mask mask = c.mask;
    LW_LANES
    for (int i = 0; i < kLanes; ++i)
      d[i] = (mask >> i & 1) != 0 ? static_cast<D>(f(i)) : d[i];
  }
}

// The same for what is slow, or has effects: only lanes that execute.
template <class F>
inline void each_active(const Context& c, F f) {
  for (Mask left = c.mask; left != 0; left &= left - 1)
    f(std::countr_zero(left));
}

template <class F>
inline Mask mask_of(F f) {
  Mask result = 0;
  for (int i = 0; i < kLanes; ++i)
    result |= static_cast<Mask>(f(i) ? 1 : 0) << i;
  return result;
}

// One lane of a register that may be wider than a value of type M: 2, 4, 8 or 16 bytes. The value
// is extended by its sign, or cut.
template <class M>
inline void put(const Context& c, const Slot& slot, int lane, M value) {
  if constexpr (sizeof(M) == 16) {
    c.at<M>(slot)[lane] = value;
  } else {
    // NOLINTBEGIN(bugprone-signed-char-misuse): an s8 is meant to be extended
    switch (slot.bytes) {
      case 2:
        c.at<uint16_t>(slot)[lane] = static_cast<uint16_t>(value);
        break;
      case 4:
        c.at<uint32_t>(slot)[lane] = static_cast<uint32_t>(value);
        break;
      case 8:
        c.at<uint64_t>(slot)[lane] = static_cast<uint64_t>(value);
        break;
      default:
        break;  // "_"
    }
    // NOLINTEND(bugprone-signed-char-misuse)
  }
}
template <class M>
inline M get(const Context& c, const Slot& slot, int lane) {
  if constexpr (sizeof(M) == 16) {
    return c.at<M>(slot)[lane];
  } else {
    switch (slot.bytes) {
      case 2:
        return static_cast<M>(c.at<uint16_t>(slot)[lane]);
      case 4:
        return static_cast<M>(c.at<uint32_t>(slot)[lane]);
      default:
        return static_cast<M>(c.at<uint64_t>(slot)[lane]);
    }
  }
}

// Steps of one, two or three sources; D is the type of the result.
template <class D, class A, D (*F)(A)>
void unary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  each(c, c.at<D>(s.slot(0)), [a](int i) { return F(a[i]); });
}
template <class D, class A, class B, D (*F)(A, B)>
void binary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  const B* b = c.at<B>(s.slot(2));
  each(c, c.at<D>(s.slot(0)), [a, b](int i) { return F(a[i], b[i]); });
}
template <class D, class A, class B, class C, D (*F)(A, B, C)>
void ternary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  const B* b = c.at<B>(s.slot(2));
  const C* third = c.at<C>(s.slot(3));
  each(c, c.at<D>(s.slot(0)), [a, b, third](int i) { return F(a[i], b[i], third[i]); });
}
template <class D, class A, class B, class C, class E, D (*F)(A, B, C, E)>
void quaternary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  const B* b = c.at<B>(s.slot(2));
  const C* third = c.at<C>(s.slot(3));
  const E* fourth = c.at<E>(s.slot(4));
  each(c, c.at<D>(s.slot(0)), [=](int i) { return F(a[i], b[i], third[i], fourth[i]); });
}

// The same for functions that cost more than a few instructions.
template <class D, class A, D (*F)(A)>
void slow_unary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  D* d = c.at<D>(s.slot(0));
  each_active(c, [=](int i) { d[i] = F(a[i]); });
}
template <class D, class A, class B, D (*F)(A, B)>
void slow_binary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  const B* b = c.at<B>(s.slot(2));
  D* d = c.at<D>(s.slot(0));
  each_active(c, [=](int i) { d[i] = F(a[i], b[i]); });
}
template <class D, class A, class B, class C, D (*F)(A, B, C)>
void slow_ternary(Context& c, const Step& s) {
  const A* a = c.at<A>(s.slot(1));
  const B* b = c.at<B>(s.slot(2));
  const C* third = c.at<C>(s.slot(3));
  D* d = c.at<D>(s.slot(0));
  each_active(c, [=](int i) { d[i] = F(a[i], b[i], third[i]); });
}

}  // namespace longwire::softcuda::interp
