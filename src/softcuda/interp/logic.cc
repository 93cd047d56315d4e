// "Logic and Shift Instructions".
#include "softcuda/interp/integer_semantics.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using std::uint16_t, std::uint32_t, std::uint64_t;

template <Mask (*F)(Mask, Mask)>
void binary_of_predicates(Context& c, const Step& s) {
  c.set_predicate(s.slot(0), F(c.predicate(s.slot(1)), c.predicate(s.slot(2))));
}
void not_of_predicate(Context& c, const Step& s) {
  c.set_predicate(s.slot(0), ~c.predicate(s.slot(1)));
}

// .b16, .b32 and .b64
template <class F>
Handler for_bits(ir::Type type, F f) {
  switch (type) {
    case ir::Type::kB16:
      return f(uint16_t{});
    case ir::Type::kB32:
      return f(uint32_t{});
    case ir::Type::kB64:
      return f(uint64_t{});
    default:
      return nullptr;
  }
}

template <std::uint16_t (*F16)(uint16_t, uint16_t), uint32_t (*F32)(uint32_t, uint32_t),
          uint64_t (*F64)(uint64_t, uint64_t)>
Handler logic(const ir::Instruction& i) {
  switch (i.type) {
    case ir::Type::kPred:
      return &binary_of_predicates<F32>;
    case ir::Type::kB16:
      return &binary<uint16_t, uint16_t, uint16_t, F16>;
    case ir::Type::kB32:
      return &binary<uint32_t, uint32_t, uint32_t, F32>;
    case ir::Type::kB64:
      return &binary<uint64_t, uint64_t, uint64_t, F64>;
    default:
      return nullptr;
  }
}

// lop3 d a b c table, or d p a b c table q with a predicate: p = (d != 0) and/or q.
void lop3(Context& c, const Step& s) {
  const auto combine = s.source->modifiers.combine;
  const int first = combine == ir::Combine::kNone ? 1 : 2;
  const auto *x = c.at<uint32_t>(s.slot(first)), *y = c.at<uint32_t>(s.slot(first + 1)),
             *z = c.at<uint32_t>(s.slot(first + 2)), *table = c.at<uint32_t>(s.slot(first + 3));
  uint32_t result[kLanes];
  for (int i = 0; i < kLanes; ++i)
    result[i] = integer::lop3(x[i], y[i], z[i], table[0]);
  each(c, c.at<uint32_t>(s.slot(0)), [&](int i) { return result[i]; });
  if (combine == ir::Combine::kNone) return;
  const Mask some = mask_of([&](int i) { return result[i] != 0; });
  const Mask other = c.predicate(s.slot(6));
  c.set_predicate(s.slot(1), combine == ir::Combine::kAnd ? some & other : some | other);
}

}  // namespace

Handler select_And(const ir::Instruction& i) {
  return logic<&integer::bit_and<uint16_t>, &integer::bit_and<uint32_t>,
               &integer::bit_and<uint64_t>>(i);
}
Handler select_Or(const ir::Instruction& i) {
  return logic<&integer::bit_or<uint16_t>, &integer::bit_or<uint32_t>, &integer::bit_or<uint64_t>>(
      i);
}
Handler select_Xor(const ir::Instruction& i) {
  return logic<&integer::bit_xor<uint16_t>, &integer::bit_xor<uint32_t>,
               &integer::bit_xor<uint64_t>>(i);
}
Handler select_Not(const ir::Instruction& i) {
  if (i.type == ir::Type::kPred) return &not_of_predicate;
  return for_bits(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &unary<T, T, &integer::bit_not<T>>;
  });
}
Handler select_Cnot(const ir::Instruction& i) {
  return for_bits(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &unary<T, T, &integer::cnot<T>>;
  });
}
Handler select_Lop3(const ir::Instruction& i) { return i.type == ir::Type::kB32 ? &lop3 : nullptr; }
Handler select_Shl(const ir::Instruction& i) {
  return for_bits(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &binary<T, T, uint32_t, &integer::shl<T>>;
  });
}
Handler select_Shr(const ir::Instruction& i) {
  return for_integer(i.type, [](auto zero) -> Handler {
    using T = decltype(zero);
    return &binary<T, T, uint32_t, &integer::shr<T>>;
  });
}
Handler select_Shf(const ir::Instruction& i) {
  const bool left = i.modifiers.mode == ir::Mode::kLeft, wrap = i.modifiers.wrap;
  if (i.type != ir::Type::kB32) return nullptr;
  if (left)
    return wrap ? &ternary<uint32_t, uint32_t, uint32_t, uint32_t, &integer::shf<true, true>>
                : &ternary<uint32_t, uint32_t, uint32_t, uint32_t, &integer::shf<true, false>>;
  return wrap ? &ternary<uint32_t, uint32_t, uint32_t, uint32_t, &integer::shf<false, true>>
              : &ternary<uint32_t, uint32_t, uint32_t, uint32_t, &integer::shf<false, false>>;
}

}  // namespace longwire::softcuda::interp
