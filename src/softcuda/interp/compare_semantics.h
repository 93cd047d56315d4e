// Comparisons of one lane. PTX ISA 8.8, "Comparison and Selection Instructions".
#pragma once

#include <type_traits>

#include "softcuda/ir/type.h"

namespace longwire::softcuda::interp {

// Of integers and floats alike: only floats have unordered values.
template <ir::Compare kCompare, class T>
constexpr bool compare(T a, T b) noexcept {
  using C = ir::Compare;
  const bool unordered = !(a == a) || !(b == b);
  switch (kCompare) {
    case C::kEq:
      return a == b;
    case C::kNe:
      return !unordered && a != b;
    case C::kLt:
    case C::kLo:
      return a < b;
    case C::kLe:
    case C::kLs:
      return a <= b;
    case C::kGt:
    case C::kHi:
      return a > b;
    case C::kGe:
    case C::kHs:
      return a >= b;
    case C::kEqu:
      return unordered || a == b;
    case C::kNeu:
      return unordered || a != b;
    case C::kLtu:
      return unordered || a < b;
    case C::kLeu:
      return unordered || a <= b;
    case C::kGtu:
      return unordered || a > b;
    case C::kGeu:
      return unordered || a >= b;
    case C::kNum:
      return !unordered;
    case C::kNan:
      return unordered;
    case C::kNone:
      break;
  }
  return false;
}

}  // namespace longwire::softcuda::interp
