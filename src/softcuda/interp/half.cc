// Instructions of f16, f16x2, bf16 and bf16x2: exact in double, or to odd, then rounded once.
#include "softcuda/interp/half.h"

#include <cmath>

#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/half_select.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using std::uint16_t, std::uint32_t;

struct F16Bits {
  static constexpr uint16_t kNaN = 0x7fff, kExponent = 0x7c00;
  static double value(uint16_t bits) { return float_of_f16(bits); }
  static uint16_t rounded(double v) { return f16_of(v); }
};
struct BF16Bits {
  static constexpr uint16_t kNaN = 0x7fff, kExponent = 0x7f80;
  static double value(uint16_t bits) { return float_of_bf16(bits); }
  static uint16_t rounded(double v) { return bf16_of(v); }
};

template <class H>
uint16_t flush_bits(uint16_t bits) {
  return (bits & H::kExponent) == 0 ? bits & 0x8000 : bits;
}

// What the modifiers make of a result: .sat to [0, 1], .relu to what is not negative, .ftz.
template <class H>
uint16_t finished(double v, const ir::Modifiers& m) {
  if (m.saturate) v = floating::saturate(v);
  uint16_t bits = H::rounded(v);
  if (m.relu && (bits & 0x8000) != 0) bits = 0;
  return m.ftz ? flush_bits<H>(bits) : bits;
}
template <class H>
double operand(uint16_t bits, const ir::Modifiers& m) {
  return H::value(m.ftz ? flush_bits<H>(bits) : bits);
}

// Functions of one, two or three 16-bit numbers, as a step for these, or for both halves of
// registers of 32 bits.
using Modifiers = ir::Modifiers;
template <uint16_t (*F)(uint16_t, const Modifiers&)>
void one(Context& c, const Step& s) {
  const auto* a = c.at<uint16_t>(s.slot(1));
  auto* d = c.at<uint16_t>(s.slot(0));
  each_active(c, [&](int i) { d[i] = F(a[i], s.source->modifiers); });
}
template <uint16_t (*F)(uint16_t, uint16_t, const Modifiers&)>
void two(Context& c, const Step& s) {
  const auto *a = c.at<uint16_t>(s.slot(1)), *b = c.at<uint16_t>(s.slot(2));
  auto* d = c.at<uint16_t>(s.slot(0));
  each_active(c, [&](int i) { d[i] = F(a[i], b[i], s.source->modifiers); });
}
template <uint16_t (*F)(uint16_t, uint16_t, uint16_t, const Modifiers&)>
void three(Context& c, const Step& s) {
  const auto *a = c.at<uint16_t>(s.slot(1)), *b = c.at<uint16_t>(s.slot(2)),
             *e = c.at<uint16_t>(s.slot(3));
  auto* d = c.at<uint16_t>(s.slot(0));
  each_active(c, [&](int i) { d[i] = F(a[i], b[i], e[i], s.source->modifiers); });
}
uint16_t low(uint32_t v) { return static_cast<uint16_t>(v); }
uint16_t high(uint32_t v) { return static_cast<uint16_t>(v >> 16); }
uint32_t joined(uint16_t l, uint16_t h) { return l | (uint32_t{h} << 16); }
template <uint16_t (*F)(uint16_t, const Modifiers&)>
void one_packed(Context& c, const Step& s) {
  const auto* a = c.at<uint32_t>(s.slot(1));
  auto* d = c.at<uint32_t>(s.slot(0));
  const Modifiers& m = s.source->modifiers;
  each_active(c, [&](int i) { d[i] = joined(F(low(a[i]), m), F(high(a[i]), m)); });
}
template <uint16_t (*F)(uint16_t, uint16_t, const Modifiers&)>
void two_packed(Context& c, const Step& s) {
  const auto *a = c.at<uint32_t>(s.slot(1)), *b = c.at<uint32_t>(s.slot(2));
  auto* d = c.at<uint32_t>(s.slot(0));
  const Modifiers& m = s.source->modifiers;
  each_active(
      c, [&](int i) { d[i] = joined(F(low(a[i]), low(b[i]), m), F(high(a[i]), high(b[i]), m)); });
}
template <uint16_t (*F)(uint16_t, uint16_t, uint16_t, const Modifiers&)>
void three_packed(Context& c, const Step& s) {
  const auto *a = c.at<uint32_t>(s.slot(1)), *b = c.at<uint32_t>(s.slot(2)),
             *e = c.at<uint32_t>(s.slot(3));
  auto* d = c.at<uint32_t>(s.slot(0));
  const Modifiers& m = s.source->modifiers;
  each_active(c, [&](int i) {
    d[i] = joined(F(low(a[i]), low(b[i]), low(e[i]), m), F(high(a[i]), high(b[i]), high(e[i]), m));
  });
}

template <class H, HalfOp kOp>
uint16_t arithmetic(uint16_t a, uint16_t b, const Modifiers& m) {
  const double x = operand<H>(a, m), y = operand<H>(b, m);
  return finished<H>(kOp == HalfOp::kMul ? x * y : add_to_odd(x, kOp == HalfOp::kSub ? -y : y), m);
}
template <class H>
uint16_t fma(uint16_t a, uint16_t b, uint16_t e, const Modifiers& m) {
  return finished<H>(add_to_odd(operand<H>(a, m) * operand<H>(b, m), operand<H>(e, m)), m);
}
template <class H, bool kMax>
uint16_t extremum(uint16_t a, uint16_t b, const Modifiers& m) {
  const double x = operand<H>(a, m), y = operand<H>(b, m);
  const bool some_nan = x != x || y != y, both_nan = x != x && y != y;
  if (both_nan || (some_nan && m.nan)) return H::kNaN;
  const double first = m.xorsign_abs ? std::fabs(x) : x, second = m.xorsign_abs ? std::fabs(y) : y;
  double result = kMax ? floating::max(first, second) : floating::min(first, second);
  if (m.xorsign_abs && std::signbit(x) != std::signbit(y)) result = -result;
  return H::rounded(result);
}
template <class H, HalfFunction kFunction>
uint16_t function(uint16_t a, const Modifiers& m) {
  const double x = operand<H>(a, m);
  return finished<H>(kFunction == HalfFunction::kEx2 ? std::exp2(x) : std::tanh(x), m);
}

template <HalfOp kOp>
Handler arithmetic_handler(Type type) {
  switch (type) {
    case Type::kF16:
      return &two<&arithmetic<F16Bits, kOp>>;
    case Type::kBF16:
      return &two<&arithmetic<BF16Bits, kOp>>;
    case Type::kF16x2:
      return &two_packed<&arithmetic<F16Bits, kOp>>;
    case Type::kBF16x2:
      return &two_packed<&arithmetic<BF16Bits, kOp>>;
    default:
      return nullptr;
  }
}
template <bool kMax>
Handler extremum_handler(Type type) {
  switch (type) {
    case Type::kF16:
      return &two<&extremum<F16Bits, kMax>>;
    case Type::kBF16:
      return &two<&extremum<BF16Bits, kMax>>;
    case Type::kF16x2:
      return &two_packed<&extremum<F16Bits, kMax>>;
    case Type::kBF16x2:
      return &two_packed<&extremum<BF16Bits, kMax>>;
    default:
      return nullptr;
  }
}
template <HalfFunction kFunction>
Handler function_handler(Type type) {
  switch (type) {
    case Type::kF16:
      return &one<&function<F16Bits, kFunction>>;
    case Type::kBF16:
      return &one<&function<BF16Bits, kFunction>>;
    case Type::kF16x2:
      return &one_packed<&function<F16Bits, kFunction>>;
    case Type::kBF16x2:
      return &one_packed<&function<BF16Bits, kFunction>>;
    default:
      return nullptr;
  }
}

}  // namespace

Handler select_half_arithmetic(const ir::Instruction& i, HalfOp op) {
  if (is_directed(i.modifiers.rounding)) return nullptr;
  switch (op) {
    case HalfOp::kAdd:
      return arithmetic_handler<HalfOp::kAdd>(i.type);
    case HalfOp::kSub:
      return arithmetic_handler<HalfOp::kSub>(i.type);
    case HalfOp::kMul:
      return arithmetic_handler<HalfOp::kMul>(i.type);
  }
  return nullptr;
}
Handler select_half_fma(const ir::Instruction& i) {
  switch (i.type) {
    case Type::kF16:
      return &three<&fma<F16Bits>>;
    case Type::kBF16:
      return &three<&fma<BF16Bits>>;
    case Type::kF16x2:
      return &three_packed<&fma<F16Bits>>;
    case Type::kBF16x2:
      return &three_packed<&fma<BF16Bits>>;
    default:
      return nullptr;
  }
}
Handler select_half_extremum(const ir::Instruction& i, bool max) {
  return max ? extremum_handler<true>(i.type) : extremum_handler<false>(i.type);
}
Handler select_half_function(const ir::Instruction& i, HalfFunction function) {
  return function == HalfFunction::kEx2 ? function_handler<HalfFunction::kEx2>(i.type)
                                        : function_handler<HalfFunction::kTanh>(i.type);
}

}  // namespace longwire::softcuda::interp
