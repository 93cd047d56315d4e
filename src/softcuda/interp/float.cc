// "Floating Point Instructions" of f32 and f64; the 16-bit types are in half.cc.
#include <cmath>

#include "softcuda/interp/float_select.h"
#include "softcuda/interp/float_semantics.h"
#include "softcuda/interp/fused.h"
#include "softcuda/interp/half_select.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using std::uint16_t, std::uint32_t, std::uint64_t;

// What stands between an operation and its operands and result.
template <bool kFtz, bool kSaturate>
struct Form {
  template <class T>
  static T in(T v) {
    return kFtz ? floating::flush(v) : v;
  }
  template <class T>
  static T out(T v) {
    if (kSaturate) v = floating::saturate(v);
    return kFtz ? floating::flush(floating::canonical(v)) : floating::canonical(v);
  }
};

// Not inlined, so that a rounding mode that is set around it holds for all of it.
template <class T, T (*F)(T), class Form>
[[gnu::noinline]] void one(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  each(c, c.at<T>(s.slot(0)), [=](int i) { return Form::out(F(Form::in(a[i]))); });
}
template <class T, T (*F)(T, T), class Form>
[[gnu::noinline]] void two(Context& c, const Step& s) {
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2));
  each(c, c.at<T>(s.slot(0)), [=](int i) { return Form::out(F(Form::in(a[i]), Form::in(b[i]))); });
}
template <float (*F)(float, float), class Form>
void of_three(Context& c, const Step& s) {
  const auto *a = c.at<float>(s.slot(1)), *b = c.at<float>(s.slot(2)), *e = c.at<float>(s.slot(3));
  const bool magnitudes = s.source->modifiers.xorsign_abs;
  auto in = [=](float v) { return magnitudes ? std::fabs(Form::in(v)) : Form::in(v); };
  each(c, c.at<float>(s.slot(0)),
       [=](int i) { return Form::out(F(F(in(a[i]), in(b[i])), in(e[i]))); });
}
template <class T, class Form>
[[gnu::noinline]] void fused(Context& c, const Step& s) {
  T a[kLanes], b[kLanes], third[kLanes], result[kLanes];
  const T *x = c.at<T>(s.slot(1)), *y = c.at<T>(s.slot(2)), *z = c.at<T>(s.slot(3));
  for (int i = 0; i < kLanes; ++i) {
    a[i] = Form::in(x[i]);
    b[i] = Form::in(y[i]);
    third[i] = Form::in(z[i]);
  }
  fused_multiply_add(result, a, b, third);
  each(c, c.at<T>(s.slot(0)),
       [&](int i) { return Form::out(floating::settled(result[i], a[i], b[i], third[i])); });
}
// Library functions: only for lanes that execute.
template <class T, T (*F)(T), class Form>
void approximate(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  T* d = c.at<T>(s.slot(0));
  each_active(c, [=](int i) { d[i] = Form::out(F(Form::in(a[i]))); });
}

// sin and cos: all lanes as if near, then those that are not.
template <float (*Near)(float), float (*F)(float), class Form>
void circular(Context& c, const Step& s) {
  const float* a = c.at<float>(s.slot(1));
  float* d = c.at<float>(s.slot(0));
  float in[kLanes];
  bool far[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    in[i] = Form::in(a[i]);
    far[i] = !(std::fabs(in[i]) < static_cast<float>(functions::kFar));
  }
  each(c, d, [&](int i) { return Form::out(Near(in[i])); });
  each_active(c, [&](int i) {
    if (far[i]) d[i] = Form::out(F(in[i]));
  });
}

template <Handler H>
void directed(Context& c, const Step& s) {
  RoundingScope scope(s.source->modifiers.rounding);
  H(c, s);
}
template <Handler H>
Handler rounded(const ir::Instruction& i) {
  return is_directed(i.modifiers.rounding) ? &directed<H> : H;
}

// f(form) for what the modifiers say.
template <class F>
Handler for_form(const ir::Instruction& i, F f) {
  const bool ftz = i.modifiers.ftz, saturate = i.modifiers.saturate;
  if (ftz) return saturate ? f(Form<true, true>{}) : f(Form<true, false>{});
  return saturate ? f(Form<false, true>{}) : f(Form<false, false>{});
}

template <float (*F32)(float, float), double (*F64)(double, double)>
Handler arithmetic(const ir::Instruction& i) {
  if (i.type == Type::kF64) return rounded<&two<double, F64, Form<false, false>>>(i);
  if (i.type != Type::kF32) return nullptr;
  return for_form(i, [&](auto form) { return rounded<&two<float, F32, decltype(form)>>(i); });
}
template <float (*F32)(float), double (*F64)(double)>
Handler root(const ir::Instruction& i) {
  if (i.type == Type::kF64) return rounded<&one<double, F64, Form<false, false>>>(i);
  if (i.type != Type::kF32) return nullptr;
  return for_form(i, [&](auto form) { return rounded<&one<float, F32, decltype(form)>>(i); });
}
template <float (*Near)(float), float (*F)(float)>
Handler circle(const ir::Instruction& i) {
  if (i.type != Type::kF32) return nullptr;
  return for_form(i, [](auto form) -> Handler { return &circular<Near, F, decltype(form)>; });
}
template <float (*F)(float)>
Handler smooth(const ir::Instruction& i) {
  if (i.type != Type::kF32) return nullptr;
  return for_form(i, [](auto form) -> Handler { return &one<float, F, decltype(form)>; });
}
template <float (*F)(float)>
Handler approximation(const ir::Instruction& i) {
  if (i.type != Type::kF32) return nullptr;
  return for_form(i, [](auto form) -> Handler { return &approximate<float, F, decltype(form)>; });
}

// --- "Mixed Precision Floating Point Instructions": f16 or bf16 sources of an f32 result ---

template <bool kBrain>
float widened(uint16_t bits) {
  return kBrain ? float_of_bf16(bits) : float_of_f16(bits);
}
template <bool kBrain, float (*F)(float, float), class Form>
[[gnu::noinline]] void mixed(Context& c, const Step& s) {
  const auto* a = c.at<uint16_t>(s.slot(1));
  const auto* b = c.at<float>(s.slot(2));
  each(c, c.at<float>(s.slot(0)), [=](int i) { return Form::out(F(widened<kBrain>(a[i]), b[i])); });
}
template <bool kBrain, class Form>
[[gnu::noinline]] void mixed_fused(Context& c, const Step& s) {
  const auto *a = c.at<uint16_t>(s.slot(1)), *b = c.at<uint16_t>(s.slot(2));
  float x[kLanes], y[kLanes], result[kLanes];
  for (int i = 0; i < kLanes; ++i)
    x[i] = widened<kBrain>(a[i]), y[i] = widened<kBrain>(b[i]);
  fused_multiply_add(result, x, y, c.at<float>(s.slot(3)));
  each(c, c.at<float>(s.slot(0)), [&](int i) { return Form::out(result[i]); });
}
template <float (*F)(float, float)>
Handler mixed_arithmetic(const ir::Instruction& i) {
  return for_form(i, [&](auto form) {
    using Of = decltype(form);
    return i.type2 == Type::kBF16 ? rounded<&mixed<true, F, Of>>(i)
                                  : rounded<&mixed<false, F, Of>>(i);
  });
}
Handler mixed_fma(const ir::Instruction& i) {
  return for_form(i, [&](auto form) {
    using Of = decltype(form);
    return i.type2 == Type::kBF16 ? rounded<&mixed_fused<true, Of>>(i)
                                  : rounded<&mixed_fused<false, Of>>(i);
  });
}

// Two floats in a register of 64 bits, each on its own.
template <float (*F)(float, float)>
[[gnu::noinline]] void two_of_pairs(Context& c, const Step& s) {
  const auto *a = c.at<uint64_t>(s.slot(1)), *b = c.at<uint64_t>(s.slot(2));
  const bool ftz = s.source->modifiers.ftz;
  auto part = [ftz](uint64_t x, uint64_t y, int shift) -> uint64_t {
    auto in = [&](uint64_t bits) {
      const auto v = std::bit_cast<float>(static_cast<uint32_t>(bits >> shift));
      return ftz ? flushed(v) : v;
    };
    const float result = floating::canonical(F(in(x), in(y)));
    return uint64_t{std::bit_cast<uint32_t>(ftz ? flushed(result) : result)} << shift;
  };
  each(c, c.at<uint64_t>(s.slot(0)),
       [=](int i) { return part(a[i], b[i], 0) | part(a[i], b[i], 32); });
}

// The same of three, for fma.
[[gnu::noinline]] void fused_pairs(Context& c, const Step& s) {
  const auto *a = c.at<uint64_t>(s.slot(1)), *b = c.at<uint64_t>(s.slot(2)),
             *third = c.at<uint64_t>(s.slot(3));
  float x[kLanes], y[kLanes], z[kLanes], result[2][kLanes];
  const bool ftz = s.source->modifiers.ftz;
  for (int half = 0; half < 2; ++half) {
    auto in = [&](uint64_t bits) {
      const auto v = std::bit_cast<float>(static_cast<uint32_t>(bits >> (32 * half)));
      return ftz ? flushed(v) : v;
    };
    for (int i = 0; i < kLanes; ++i)
      x[i] = in(a[i]), y[i] = in(b[i]), z[i] = in(third[i]);
    fused_multiply_add(result[half], x, y, z);
  }
  each(c, c.at<uint64_t>(s.slot(0)), [&](int i) {
    auto out = [&](float v) -> uint64_t {
      v = floating::canonical(v);
      return std::bit_cast<uint32_t>(ftz ? flushed(v) : v);
    };
    return out(result[0][i]) | out(result[1][i]) << 32;
  });
}

template <class T, T kBits, bool kClear>
void change_sign(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  each(c, c.at<T>(s.slot(0)),
       [=](int i) { return static_cast<T>(kClear ? a[i] & ~kBits : a[i] ^ kBits); });
}
template <bool kClear>
void change_sign_flushed(Context& c, const Step& s) {
  const auto* a = c.at<float>(s.slot(1));
  each(c, c.at<uint32_t>(s.slot(0)), [=](int i) {
    const auto bits = std::bit_cast<uint32_t>(flushed(a[i]));
    return kClear ? bits & 0x7fff'ffff : bits ^ 0x8000'0000;
  });
}
template <bool kClear>
Handler sign_handler(const ir::Instruction& i) {
  switch (i.type) {
    case Type::kF32:
      if (i.modifiers.ftz) return &change_sign_flushed<kClear>;
      return &change_sign<uint32_t, 0x8000'0000, kClear>;
    case Type::kF64:
      return &change_sign<uint64_t, uint64_t{1} << 63, kClear>;
    case Type::kF16:
    case Type::kBF16:
      return &change_sign<std::uint16_t, 0x8000, kClear>;
    case Type::kF16x2:
    case Type::kBF16x2:
      return &change_sign<uint32_t, 0x8000'8000, kClear>;
    default:
      return nullptr;
  }
}

template <bool kMax, class Form>
Handler extremum_of_floats(const ir::Modifiers& m, int operands) {
  using namespace floating;
  constexpr auto kPlain = kMax ? &max<float> : &min<float>;
  constexpr auto kNan = kMax ? &max_nan<float> : &min_nan<float>;
  if (operands > 3) return m.nan ? &of_three<kNan, Form> : &of_three<kPlain, Form>;
  if (m.xorsign_abs)
    return m.nan ? &two<float, &with_xor_sign<kNan>, Form>
                 : &two<float, &with_xor_sign<kPlain>, Form>;
  return m.nan ? &two<float, kNan, Form> : &two<float, kPlain, Form>;
}
template <bool kMax>
Handler extremum(const ir::Instruction& i) {
  if (i.type == Type::kF64)
    return kMax ? &two<double, &floating::max<double>, Form<false, false>>
                : &two<double, &floating::min<double>, Form<false, false>>;
  if (i.type != Type::kF32) return select_half_extremum(i, kMax);
  return i.modifiers.ftz
             ? extremum_of_floats<kMax, Form<true, false>>(i.modifiers, i.operand_count)
             : extremum_of_floats<kMax, Form<false, false>>(i.modifiers, i.operand_count);
}

// copysign d a b: the sign of a on b.
template <class T, T kSign>
void copysign(Context& c, const Step& s) {
  const T *a = c.at<T>(s.slot(1)), *b = c.at<T>(s.slot(2));
  each(c, c.at<T>(s.slot(0)), [=](int i) { return (a[i] & kSign) | (b[i] & ~kSign); });
}

template <class T>
bool has_property(T v, ir::Mode property) {
  switch (property) {
    case ir::Mode::kFinite:
      return std::isfinite(v);
    case ir::Mode::kInfinite:
      return std::isinf(v);
    case ir::Mode::kNumber:
      return !std::isnan(v);
    case ir::Mode::kNotANumber:
      return std::isnan(v);
    case ir::Mode::kNormal:
      return std::isnormal(v);
    case ir::Mode::kSubnormal:
      return std::fpclassify(v) == FP_SUBNORMAL;
    default:
      return false;
  }
}
template <class T>
void testp(Context& c, const Step& s) {
  const T* a = c.at<T>(s.slot(1));
  const ir::Mode property = s.source->modifiers.mode;
  c.set_predicate(s.slot(0), mask_of([=](int i) { return has_property(a[i], property); }));
}

}  // namespace

Handler select_float_add(const ir::Instruction& i) {
  if (i.type2 != Type::kNone) return mixed_arithmetic<&floating::add<float>>(i);
  if (i.type == Type::kF32x2) return rounded<&two_of_pairs<&floating::add<float>>>(i);
  if (auto half = select_half_arithmetic(i, HalfOp::kAdd)) return half;
  return arithmetic<&floating::add<float>, &floating::add<double>>(i);
}
Handler select_float_sub(const ir::Instruction& i) {
  if (i.type2 != Type::kNone) return mixed_arithmetic<&floating::sub<float>>(i);
  if (i.type == Type::kF32x2) return rounded<&two_of_pairs<&floating::sub<float>>>(i);
  if (auto half = select_half_arithmetic(i, HalfOp::kSub)) return half;
  return arithmetic<&floating::sub<float>, &floating::sub<double>>(i);
}
Handler select_float_mul(const ir::Instruction& i) {
  if (i.type == Type::kF32x2) return rounded<&two_of_pairs<&floating::mul<float>>>(i);
  if (auto half = select_half_arithmetic(i, HalfOp::kMul)) return half;
  return arithmetic<&floating::mul<float>, &floating::mul<double>>(i);
}
// .full is exact here, .approx where its error is documented.
Handler select_float_div(const ir::Instruction& i) {
  if (i.modifiers.approximate)
    return i.modifiers.ftz ? &two<float, &floating::div_fast, Form<true, false>>
                           : &two<float, &floating::div_fast, Form<false, false>>;
  return arithmetic<&floating::div<float>, &floating::div<double>>(i);
}
Handler select_float_abs(const ir::Instruction& i) { return sign_handler<true>(i); }
Handler select_float_neg(const ir::Instruction& i) { return sign_handler<false>(i); }
Handler select_float_min(const ir::Instruction& i) { return extremum<false>(i); }
Handler select_float_max(const ir::Instruction& i) { return extremum<true>(i); }

Handler select_Fma(const ir::Instruction& i) {
  if (i.type2 != Type::kNone) return mixed_fma(i);
  if (i.type == Type::kF64) return rounded<&fused<double, Form<false, false>>>(i);
  if (i.type == Type::kF32x2) return rounded<&fused_pairs>(i);
  if (i.type != Type::kF32) return select_half_fma(i);
  return for_form(i, [&](auto form) { return rounded<&fused<float, decltype(form)>>(i); });
}
Handler select_Rcp(const ir::Instruction& i) {
  if (i.type == Type::kF64 && i.modifiers.approximate)
    return &one<double, &floating::rcp_gross, Form<false, false>>;
  return root<&floating::rcp<float>, &floating::rcp<double>>(i);
}
Handler select_Sqrt(const ir::Instruction& i) {
  return root<&floating::sqrt<float>, &floating::sqrt<double>>(i);
}
Handler select_Rsqrt(const ir::Instruction& i) {
  if (i.type != Type::kF64) return approximation<&floating::rsqrt>(i);
  return i.modifiers.ftz ? &approximate<double, &floating::rsqrt_gross, Form<false, false>>
                         : &approximate<double, &floating::rsqrt, Form<false, false>>;
}
Handler select_Sin(const ir::Instruction& i) {
  return circle<&floating::sin_near, &floating::sin>(i);
}
Handler select_Cos(const ir::Instruction& i) {
  return circle<&floating::cos_near, &floating::cos>(i);
}
Handler select_Lg2(const ir::Instruction& i) { return smooth<&floating::lg2>(i); }
Handler select_Ex2(const ir::Instruction& i) {
  if (auto half = select_half_function(i, HalfFunction::kEx2)) return half;
  return smooth<&floating::ex2>(i);
}
Handler select_Tanh(const ir::Instruction& i) {
  if (auto half = select_half_function(i, HalfFunction::kTanh)) return half;
  return approximation<&floating::tanh>(i);
}
Handler select_Copysign(const ir::Instruction& i) {
  if (i.type == Type::kF32) return &copysign<uint32_t, 0x8000'0000>;
  if (i.type == Type::kF64) return &copysign<uint64_t, uint64_t{1} << 63>;
  return nullptr;
}
Handler select_Testp(const ir::Instruction& i) {
  if (i.type == Type::kF32) return &testp<float>;
  if (i.type == Type::kF64) return &testp<double>;
  return nullptr;
}

}  // namespace longwire::softcuda::interp
