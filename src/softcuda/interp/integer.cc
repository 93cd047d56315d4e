// "Integer Arithmetic Instructions". Roots that floating-point types share ask float_select.h.
#include "softcuda/interp/float_select.h"
#include "softcuda/interp/integer_semantics.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using std::int16_t, std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t,
    std::int8_t, std::uint8_t;

template <class T, T (*F)(T, T)>
constexpr Handler kBinary = &binary<T, T, T, F>;
template <class T, T (*F)(T, T, T)>
constexpr Handler kTernary = &ternary<T, T, T, T, F>;
template <class T, T (*F)(T, T)>
constexpr Handler kHalves = &binary<uint32_t, uint32_t, uint32_t, &integer::halves<T, F>>;

bool is_packed(Type type) { return type == Type::kU16x2 || type == Type::kS16x2; }

// --- carry chains: CC.CF of each lane ---

template <class T, bool kSubtract>
void add_with_carry(Context& c, const Step& s) {
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2));
  T* d = c.at<T>(s.slot(0));
  const bool in = s.source->modifiers.carry_in, out = s.source->modifiers.carry_out;
  Mask carry = 0;
  each_active(c, [&](int i) {
    using Sum = unsigned __int128;
    const unsigned flag = in ? c.carry >> i & 1 : 0;
    // a - b - borrow; the flag is the borrow.
    const Sum sum = kSubtract ? Sum{a[i]} - b[i] - flag : Sum{a[i]} + b[i] + flag;
    d[i] = static_cast<T>(sum);
    carry |= static_cast<Mask>((sum >> (sizeof(T) * 8)) & 1) << i;
  });
  if (out) c.carry = (c.carry & ~c.mask) | carry;
}

template <class T, bool kHigh>
void mad_with_carry(Context& c, const Step& s) {
  using U = integer::Unsigned<T>;
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2)), *third = c.at<T>(s.slot(3));
  T* d = c.at<T>(s.slot(0));
  const bool in = s.source->modifiers.carry_in, out = s.source->modifiers.carry_out;
  Mask carry = 0;
  each_active(c, [&](int i) {
    const T product = kHigh ? integer::mul_hi(a[i], b[i]) : integer::mul_lo(a[i], b[i]);
    unsigned __int128 sum = static_cast<U>(product);
    sum += static_cast<U>(third[i]);
    sum += in ? c.carry >> i & 1 : 0;
    d[i] = static_cast<T>(sum);
    carry |= static_cast<Mask>((sum >> (sizeof(T) * 8)) & 1) << i;
  });
  if (out) c.carry = (c.carry & ~c.mask) | carry;
}

template <bool kSubtract>
Handler carry_handler(Type type) {
  switch (ir::bits_of(type)) {
    case 32:
      return &add_with_carry<uint32_t, kSubtract>;
    case 64:
      return &add_with_carry<uint64_t, kSubtract>;
    default:
      return nullptr;
  }
}

Handler mad_carry_handler(const ir::Instruction& i) {
  const bool high = i.modifiers.part == ir::Part::kHi;
  return for_integer(i.type, [high](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (sizeof(T) == 2) return nullptr;
    return high ? &mad_with_carry<T, true> : &mad_with_carry<T, false>;
  });
}

Handler integer_mul(const ir::Instruction& i) {
  return for_integer(i.type, [&](auto zero) -> Handler {
    using T = decltype(zero);
    switch (i.modifiers.part) {
      case ir::Part::kLo:
        return kBinary<T, &integer::mul_lo<T>>;
      case ir::Part::kHi:
        return kBinary<T, &integer::mul_hi<T>>;
      case ir::Part::kWide:
        if constexpr (sizeof(T) < 8) return &binary<integer::Wide<T>, T, T, &integer::mul_wide<T>>;
        return nullptr;
      default:
        return nullptr;
    }
  });
}

Handler integer_mad(const ir::Instruction& i) {
  if (i.modifiers.carry_in || i.modifiers.carry_out) return mad_carry_handler(i);
  if (i.modifiers.saturate)
    return i.type == Type::kS32 && i.modifiers.part == ir::Part::kHi
               ? kTernary<int32_t, &integer::mad_hi_sat>
               : nullptr;
  return for_integer(i.type, [&](auto zero) -> Handler {
    using T = decltype(zero);
    switch (i.modifiers.part) {
      case ir::Part::kLo:
        return kTernary<T, &integer::mad_lo<T>>;
      case ir::Part::kHi:
        return kTernary<T, &integer::mad_hi<T>>;
      case ir::Part::kWide:
        if constexpr (sizeof(T) < 8)
          return &ternary<integer::Wide<T>, T, T, integer::Wide<T>, &integer::mad_wide<T>>;
        return nullptr;
      default:
        return nullptr;
    }
  });
}

template <bool kMax>
Handler integer_min_max(const ir::Instruction& i) {
  const bool relu = i.modifiers.relu;
  if (i.type == Type::kU16x2 && !relu)
    return kMax ? kHalves<uint16_t, &integer::max<uint16_t>>
                : kHalves<uint16_t, &integer::min<uint16_t>>;
  if (i.type == Type::kS16x2 && relu)
    return kMax ? kHalves<int16_t, &integer::max_relu16> : kHalves<int16_t, &integer::min_relu16>;
  if (i.type == Type::kS16x2)
    return kMax ? kHalves<int16_t, &integer::max<int16_t>>
                : kHalves<int16_t, &integer::min<int16_t>>;
  if (relu)
    return i.type != Type::kS32 ? nullptr
           : kMax               ? kBinary<int32_t, &integer::max_relu>
                                : kBinary<int32_t, &integer::min_relu>;
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return kMax ? kBinary<T, &integer::max<T>> : kBinary<T, &integer::min<T>>;
  });
}

}  // namespace

Handler select_Add(const ir::Instruction& i) {
  if (ir::is_float(i.type)) return select_float_add(i);
  if (i.modifiers.carry_out) return carry_handler<false>(i.type);
  if (i.modifiers.saturate)
    return i.type == Type::kS32 ? kBinary<int32_t, &integer::add_sat> : nullptr;
  if (is_packed(i.type)) return kHalves<uint16_t, &integer::add<uint16_t>>;
  return for_integer(
      i.type, [](auto zero) { return kBinary<decltype(zero), &integer::add<decltype(zero)>>; });
}
Handler select_Sub(const ir::Instruction& i) {
  if (ir::is_float(i.type)) return select_float_sub(i);
  if (i.modifiers.carry_out) return carry_handler<true>(i.type);
  if (i.modifiers.saturate)
    return i.type == Type::kS32 ? kBinary<int32_t, &integer::sub_sat> : nullptr;
  return for_integer(
      i.type, [](auto zero) { return kBinary<decltype(zero), &integer::sub<decltype(zero)>>; });
}
Handler select_Addc(const ir::Instruction& i) {
  return i.modifiers.carry_in ? carry_handler<false>(i.type) : nullptr;
}
Handler select_Subc(const ir::Instruction& i) {
  return i.modifiers.carry_in ? carry_handler<true>(i.type) : nullptr;
}
Handler select_Mul(const ir::Instruction& i) {
  return ir::is_float(i.type) ? select_float_mul(i) : integer_mul(i);
}
Handler select_Mad(const ir::Instruction& i) {
  return ir::is_float(i.type) ? select_Fma(i) : integer_mad(i);
}
Handler select_Madc(const ir::Instruction& i) {
  return i.modifiers.carry_in ? mad_carry_handler(i) : nullptr;
}

Handler select_Mul24(const ir::Instruction& i) {
  const bool high = i.modifiers.part == ir::Part::kHi;
  if (i.type == Type::kS32)
    return high ? kBinary<int32_t, &integer::mul24_hi<int32_t>>
                : kBinary<int32_t, &integer::mul24_lo<int32_t>>;
  if (i.type == Type::kU32)
    return high ? kBinary<uint32_t, &integer::mul24_hi<uint32_t>>
                : kBinary<uint32_t, &integer::mul24_lo<uint32_t>>;
  return nullptr;
}
Handler select_Mad24(const ir::Instruction& i) {
  const bool high = i.modifiers.part == ir::Part::kHi;
  if (i.modifiers.saturate)
    return i.type == Type::kS32 && high ? kTernary<int32_t, &integer::mad24_hi_sat> : nullptr;
  if (i.type == Type::kS32)
    return high ? kTernary<int32_t, &integer::mad24_hi<int32_t>>
                : kTernary<int32_t, &integer::mad24_lo<int32_t>>;
  if (i.type == Type::kU32)
    return high ? kTernary<uint32_t, &integer::mad24_hi<uint32_t>>
                : kTernary<uint32_t, &integer::mad24_lo<uint32_t>>;
  return nullptr;
}
Handler select_Sad(const ir::Instruction& i) {
  return for_integer(
      i.type, [](auto zero) { return kTernary<decltype(zero), &integer::sad<decltype(zero)>>; });
}
Handler select_Div(const ir::Instruction& i) {
  if (ir::is_float(i.type)) return select_float_div(i);
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &slow_binary<T, T, T, &integer::div<T>>;
  });
}
Handler select_Rem(const ir::Instruction& i) {
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &slow_binary<T, T, T, &integer::rem<T>>;
  });
}
Handler select_Abs(const ir::Instruction& i) {
  if (ir::is_float(i.type)) return select_float_abs(i);
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (std::is_signed_v<T>) return &unary<T, T, &integer::abs<T>>;
    return nullptr;
  });
}
Handler select_Neg(const ir::Instruction& i) {
  if (ir::is_float(i.type)) return select_float_neg(i);
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (std::is_signed_v<T>) return &unary<T, T, &integer::neg<T>>;
    return nullptr;
  });
}
Handler select_Min(const ir::Instruction& i) {
  return ir::is_float(i.type) ? select_float_min(i) : integer_min_max<false>(i);
}
Handler select_Max(const ir::Instruction& i) {
  return ir::is_float(i.type) ? select_float_max(i) : integer_min_max<true>(i);
}

Handler select_Popc(const ir::Instruction& i) {
  if (i.type == Type::kB32) return &unary<uint32_t, uint32_t, &integer::popc<uint32_t>>;
  if (i.type == Type::kB64) return &unary<uint32_t, uint64_t, &integer::popc<uint64_t>>;
  return nullptr;
}
Handler select_Clz(const ir::Instruction& i) {
  if (i.type == Type::kB32) return &unary<uint32_t, uint32_t, &integer::clz<uint32_t>>;
  if (i.type == Type::kB64) return &unary<uint32_t, uint64_t, &integer::clz<uint64_t>>;
  return nullptr;
}
Handler select_Bfind(const ir::Instruction& i) {
  const bool shift = i.modifiers.wrap;
  return for_integer(i.type, [shift](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (sizeof(T) == 2) return nullptr;
    return shift ? &unary<uint32_t, T, &integer::bfind<T, true>>
                 : &unary<uint32_t, T, &integer::bfind<T, false>>;
  });
}
Handler select_Fns(const ir::Instruction&) {
  return &slow_ternary<uint32_t, uint32_t, uint32_t, int32_t, &integer::fns>;
}
Handler select_Brev(const ir::Instruction& i) {
  if (i.type == Type::kB32) return &unary<uint32_t, uint32_t, &integer::brev<uint32_t>>;
  if (i.type == Type::kB64) return &unary<uint64_t, uint64_t, &integer::brev<uint64_t>>;
  return nullptr;
}
Handler select_Bfe(const ir::Instruction& i) {
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    if constexpr (sizeof(T) == 2) return nullptr;
    return &ternary<T, T, uint32_t, uint32_t, &integer::bfe<T>>;
  });
}
Handler select_Bfi(const ir::Instruction& i) {
  if (i.type == Type::kB32)
    return &quaternary<uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, &integer::bfi<uint32_t>>;
  if (i.type == Type::kB64)
    return &quaternary<uint64_t, uint64_t, uint64_t, uint32_t, uint32_t, &integer::bfi<uint64_t>>;
  return nullptr;
}
Handler select_Bmsk(const ir::Instruction& i) {
  return i.modifiers.wrap ? kBinary<uint32_t, &integer::bmsk_wrap>
                          : kBinary<uint32_t, &integer::bmsk_clamp>;
}
Handler select_Szext(const ir::Instruction& i) {
  const bool wrap = i.modifiers.wrap;
  if (i.type == Type::kS32)
    return wrap ? &binary<int32_t, int32_t, uint32_t, &integer::szext<int32_t, true>>
                : &binary<int32_t, int32_t, uint32_t, &integer::szext<int32_t, false>>;
  if (i.type == Type::kU32)
    return wrap ? kBinary<uint32_t, &integer::szext<uint32_t, true>>
                : kBinary<uint32_t, &integer::szext<uint32_t, false>>;
  return nullptr;
}

Handler select_Dp4a(const ir::Instruction& i) {
  const bool a = ir::is_signed(i.type), b = ir::is_signed(i.type2);
  if (a)
    return b ? kTernary<uint32_t, &integer::dp4a<int8_t, int8_t>>
             : kTernary<uint32_t, &integer::dp4a<int8_t, uint8_t>>;
  return b ? kTernary<uint32_t, &integer::dp4a<uint8_t, int8_t>>
           : kTernary<uint32_t, &integer::dp4a<uint8_t, uint8_t>>;
}
template <int kFirst>
static Handler dp2a_handler(const ir::Instruction& i) {
  const bool a = ir::is_signed(i.type), b = ir::is_signed(i.type2);
  if (a)
    return b ? kTernary<uint32_t, &integer::dp2a<int16_t, int8_t, kFirst>>
             : kTernary<uint32_t, &integer::dp2a<int16_t, uint8_t, kFirst>>;
  return b ? kTernary<uint32_t, &integer::dp2a<uint16_t, int8_t, kFirst>>
           : kTernary<uint32_t, &integer::dp2a<uint16_t, uint8_t, kFirst>>;
}
Handler select_Dp2a(const ir::Instruction& i) {
  return i.modifiers.part == ir::Part::kHi ? dp2a_handler<2>(i) : dp2a_handler<0>(i);
}

}  // namespace longwire::softcuda::interp
