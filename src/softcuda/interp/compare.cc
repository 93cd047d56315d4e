// "Comparison and Selection Instructions".
#include "softcuda/interp/compare_semantics.h"

#include "softcuda/interp/half.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Compare;
using ir::Type;
using std::int16_t, std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t;

// How the operands of a type are read: what stands in registers, and what it is compared as.
template <class T>
struct Plain {
  using Stored = T;
  static T value(T v) { return v; }
};
struct Flushed {
  using Stored = float;
  static float value(float v) { return flushed(v); }
};
struct Half {
  using Stored = uint16_t;
  static float value(uint16_t v) { return float_of_f16(v); }
};
// Subnormals of f16 are flushed to zeros as well.
struct FlushedHalf {
  using Stored = uint16_t;
  static float value(uint16_t v) { return float_of_f16((v & 0x7c00) == 0 ? v & 0x8000 : v); }
};
struct Brain {
  using Stored = uint16_t;
  static float value(uint16_t v) { return float_of_bf16(v); }
};

// The outcome for every lane; the halves of packed types are read 16 bits further on.
using Outcome = Mask (*)(const Context&, const Step&, int a, int b);

template <class R, Compare kCompare>
Mask outcome(const Context& c, const Step& s, int a, int b) {
  const auto *x = c.at<typename R::Stored>(s.slot(a)), *y = c.at<typename R::Stored>(s.slot(b));
  return mask_of([&](int i) { return compare<kCompare>(R::value(x[i]), R::value(y[i])); });
}
template <class R, Compare kCompare, int kShift>
Mask outcome_of_half(const Context& c, const Step& s, int a, int b) {
  const auto *x = c.at<uint32_t>(s.slot(a)), *y = c.at<uint32_t>(s.slot(b));
  return mask_of([&](int i) {
    return compare<kCompare>(R::value(static_cast<uint16_t>(x[i] >> kShift)),
                             R::value(static_cast<uint16_t>(y[i] >> kShift)));
  });
}

// f(constant) for the comparison.
template <class F>
Outcome for_compare(Compare compare, F f) {
// clang-format off
#define CASE(name) \
  case Compare::name: return f(std::integral_constant<Compare, Compare::name>{});
  switch (compare) {
    CASE(kEq) CASE(kNe) CASE(kLt) CASE(kLe) CASE(kGt) CASE(kGe) CASE(kLo) CASE(kLs) CASE(kHi)
    CASE(kHs) CASE(kEqu) CASE(kNeu) CASE(kLtu) CASE(kLeu) CASE(kGtu) CASE(kGeu) CASE(kNum)
    CASE(kNan)
    case Compare::kNone: break;
  }
// clang-format on
#undef CASE
  return nullptr;
}

template <class R>
Outcome whole(Compare compare) {
  return for_compare(compare, [](auto which) -> Outcome { return &outcome<R, which.value>; });
}
template <class R>
Outcome half(Compare compare, bool high) {
  return for_compare(compare, [high](auto which) -> Outcome {
    return high ? &outcome_of_half<R, which.value, 16> : &outcome_of_half<R, which.value, 0>;
  });
}

bool is_packed(Type type) { return type == Type::kF16x2 || type == Type::kBF16x2; }

Outcome outcome_for(Type type, const ir::Modifiers& m, bool high) {
  switch (type) {
    case Type::kB16:
    case Type::kU16:
      return whole<Plain<uint16_t>>(m.compare);
    case Type::kB32:
    case Type::kU32:
      return whole<Plain<uint32_t>>(m.compare);
    case Type::kB64:
    case Type::kU64:
      return whole<Plain<uint64_t>>(m.compare);
    case Type::kS16:
      return whole<Plain<int16_t>>(m.compare);
    case Type::kS32:
      return whole<Plain<int32_t>>(m.compare);
    case Type::kS64:
      return whole<Plain<int64_t>>(m.compare);
    case Type::kF32:
      return m.ftz ? whole<Flushed>(m.compare) : whole<Plain<float>>(m.compare);
    case Type::kF64:
      return whole<Plain<double>>(m.compare);
    case Type::kF16:
      return m.ftz ? whole<FlushedHalf>(m.compare) : whole<Half>(m.compare);
    case Type::kBF16:
      return whole<Brain>(m.compare);
    case Type::kF16x2:
      return m.ftz ? half<FlushedHalf>(m.compare, high) : half<Half>(m.compare, high);
    case Type::kBF16x2:
      return half<Brain>(m.compare, high);
    default:
      return nullptr;
  }
}

Mask combined(ir::Combine combine, Mask a, Mask b) {
  switch (combine) {
    case ir::Combine::kAnd:
      return a & b;
    case ir::Combine::kOr:
      return a | b;
    case ir::Combine::kXor:
      return a ^ b;
    default:
      return a;
  }
}

// setp p q a b c: p = outcome op c, q = !outcome op c. Of packed types p and q are of the two
// halves.
void setp(Context& c, const Step& s, Mask first, Mask second) {
  const auto combine = s.source->modifiers.combine;
  const Mask other = combine == ir::Combine::kNone ? 0 : c.predicate(s.slot(4));
  c.set_predicate(s.slot(0), combined(combine, first, other));
  if (s.has(1)) c.set_predicate(s.slot(1), combined(combine, second, other));
}
template <class R, Compare kCompare>
void setp_whole(Context& c, const Step& s) {
  const Mask first = outcome<R, kCompare>(c, s, 2, 3);
  setp(c, s, first, ~first);
}
void setp_any(Context& c, const Step& s) {
  const auto& i = *s.source;
  const Mask first = outcome_for(i.type, i.modifiers, false)(c, s, 2, 3);
  const Mask second =
      is_packed(i.type) ? outcome_for(i.type, i.modifiers, true)(c, s, 2, 3) : ~first;
  setp(c, s, first, second);
}

template <class R>
Handler fast_setp(Compare compare) {
  switch (compare) {
    case Compare::kEq:
      return &setp_whole<R, Compare::kEq>;
    case Compare::kNe:
      return &setp_whole<R, Compare::kNe>;
    case Compare::kLt:
      return &setp_whole<R, Compare::kLt>;
    case Compare::kLe:
      return &setp_whole<R, Compare::kLe>;
    case Compare::kGt:
      return &setp_whole<R, Compare::kGt>;
    case Compare::kGe:
      return &setp_whole<R, Compare::kGe>;
    default:
      return &setp_any;
  }
}

// set d a b c: all ones, or 1.0, or zero. Of packed types for each half.
uint32_t truth(Type type) {
  switch (type) {
    case Type::kF32:
      return 0x3f80'0000;
    case Type::kF16:
      return 0x3c00;
    case Type::kBF16:
      return 0x3f80;
    case Type::kF16x2:
      return 0x3c00'3c00;
    case Type::kBF16x2:
      return 0x3f80'3f80;
    default:
      return ~0U;
  }
}
void set(Context& c, const Step& s) {
  const auto& i = *s.source;
  const auto combine = i.modifiers.combine;
  const Mask other = combine == ir::Combine::kNone ? 0 : c.predicate(s.slot(3));
  const Mask first = combined(combine, outcome_for(i.type2, i.modifiers, false)(c, s, 1, 2), other);
  Mask second = first;
  if (is_packed(i.type2))
    second = combined(combine, outcome_for(i.type2, i.modifiers, true)(c, s, 1, 2), other);
  const uint32_t ones = truth(i.type);
  auto value = [&](int lane) {
    const uint32_t low = (first >> lane & 1) != 0 ? ones & 0xffff : 0;
    const uint32_t high = (second >> lane & 1) != 0 ? ones & 0xffff'0000 : 0;
    return low | high;
  };
  if (s.slot(0).bytes == 2)
    each(c, c.at<uint16_t>(s.slot(0)),
         [&](int lane) { return static_cast<uint16_t>(value(lane)); });
  else
    each(c, c.at<uint32_t>(s.slot(0)), value);
}

template <class T>
void selp(Context& c, const Step& s) {
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2));
  const Mask p = c.predicate(s.slot(3));
  each(c, c.at<T>(s.slot(0)), [=](int i) { return (p >> i & 1) != 0 ? a[i] : b[i]; });
}
void selp_predicate(Context& c, const Step& s) {
  const Mask p = c.predicate(s.slot(3));
  c.set_predicate(s.slot(0), (p & c.predicate(s.slot(1))) | (~p & c.predicate(s.slot(2))));
}

// slct d a b c: a where c >= 0.
template <class T, class R>
void slct(Context& c, const Step& s) {
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2));
  const auto* third = c.at<typename R::Stored>(s.slot(3));
  each(c, c.at<T>(s.slot(0)), [=](int i) { return R::value(third[i]) >= 0 ? a[i] : b[i]; });
}
template <class T>
Handler slct_handler(const ir::Instruction& i) {
  if (i.type2 == Type::kS32) return &slct<T, Plain<int32_t>>;
  if (i.type2 != Type::kF32) return nullptr;
  return i.modifiers.ftz ? &slct<T, Flushed> : &slct<T, Plain<float>>;
}

}  // namespace

Handler select_Setp(const ir::Instruction& i) {
  if (outcome_for(i.type, i.modifiers, false) == nullptr) return nullptr;
  if (i.type == Type::kS32) return fast_setp<Plain<int32_t>>(i.modifiers.compare);
  if (i.type == Type::kU32 || i.type == Type::kB32)
    return fast_setp<Plain<uint32_t>>(i.modifiers.compare);
  if (i.type == Type::kF32 && !i.modifiers.ftz) return fast_setp<Plain<float>>(i.modifiers.compare);
  return &setp_any;
}
Handler select_Set(const ir::Instruction& i) {
  const int bits = ir::bits_of(i.type);
  const bool fits = bits == 32 || bits == 16;
  return fits && outcome_for(i.type2, i.modifiers, false) != nullptr ? &set : nullptr;
}
Handler select_Selp(const ir::Instruction& i) {
  switch (ir::bits_of(i.type)) {
    case 1:
      return &selp_predicate;
    case 16:
      return &selp<uint16_t>;
    case 32:
      return &selp<uint32_t>;
    case 64:
      return &selp<uint64_t>;
    default:
      return nullptr;
  }
}
Handler select_Slct(const ir::Instruction& i) {
  switch (ir::bits_of(i.type)) {
    case 16:
      return slct_handler<uint16_t>(i);
    case 32:
      return slct_handler<uint32_t>(i);
    case 64:
      return slct_handler<uint64_t>(i);
    default:
      return nullptr;
  }
}

}  // namespace longwire::softcuda::interp
