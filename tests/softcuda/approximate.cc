#include "approximate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace longwire::softcuda::approximate {
namespace {

double exp2_of(double x) { return std::exp2(x); }
double log2_of(double x) { return std::log2(x); }
double sin_of(double x) { return std::sin(x); }
double cos_of(double x) { return std::cos(x); }
double tanh_of(double x) { return std::tanh(x); }
double sqrt_of(double x) { return std::sqrt(x); }
double reciprocal_of(double x) { return 1 / x; }
double reverse_root_of(double x) { return 1 / std::sqrt(x); }

constexpr double kTwo10_987 = 4.9245e-4;  // 2^-10.987, a little less
constexpr double kTwo9_9 = 1.0466e-3;     // 2^-9.9
constexpr double kTwo22_9 = 1.27767e-7;   // 2^-22.9
constexpr double kTwo20_5 = 6.7434e-7;    // 2^-20.5, of angles to 2 pi
constexpr double kTwo14_7 = 3.7571e-5;    // 2^-14.7, to 100 pi and, of ours, beyond
constexpr double kTwoPi = 6.283185307179586;

constexpr auto kF16 = Format::kF16, kBF16 = Format::kBF16, kF64 = Format::kF64;
constexpr auto kF32 = Format::kF32;

// clang-format off
constexpr Form kForms[] = {
    // 9.7.3.8 div
    {"div.approx.f32",       kF32, 2, nullptr, Bound::kUlp, 2},
    {"div.approx.ftz.f32",   kF32, 2, nullptr, Bound::kUlp, 2},
    {"div.full.f32",         kF32, 2, nullptr, Bound::kUlp, 2},
    {"div.full.ftz.f32",     kF32, 2, nullptr, Bound::kUlp, 2},
    // 9.7.3.13 rcp; 9.7.3.14 rcp.approx.ftz.f64, whose error is not documented: the format's
    {"rcp.approx.f32",       kF32, 1, reciprocal_of, Bound::kUlp, 1},
    {"rcp.approx.ftz.f32",   kF32, 1, reciprocal_of, Bound::kUlp, 1},
    {"rcp.approx.ftz.f64",   kF64, 1, reciprocal_of, Bound::kRelative, 0x1p-20, true},
    // 9.7.3.15 sqrt
    {"sqrt.approx.f32",      kF32, 1, sqrt_of, Bound::kRelative, 0x1p-23},
    {"sqrt.approx.ftz.f32",  kF32, 1, sqrt_of, Bound::kRelative, 0x1p-23},
    // 9.7.3.16 rsqrt; the error of f64 is not documented: ours is two roundings
    {"rsqrt.approx.f32",     kF32, 1, reverse_root_of, Bound::kRelative, kTwo22_9},
    {"rsqrt.approx.ftz.f32", kF32, 1, reverse_root_of, Bound::kRelative, kTwo22_9},
    {"rsqrt.approx.f64",     kF64, 1, reverse_root_of, Bound::kRelative, 0x1p-51},
    // 9.7.3.17 rsqrt.approx.ftz.f64: the format's
    {"rsqrt.approx.ftz.f64", kF64, 1, reverse_root_of, Bound::kRelative, 0x1p-20, true},
    // 9.7.3.18 sin, 9.7.3.19 cos
    {"sin.approx.f32",       kF32, 1, sin_of, Bound::kCircle},
    {"sin.approx.ftz.f32",   kF32, 1, sin_of, Bound::kCircle},
    {"cos.approx.f32",       kF32, 1, cos_of, Bound::kCircle},
    {"cos.approx.ftz.f32",   kF32, 1, cos_of, Bound::kCircle},
    // 9.7.3.20 lg2
    {"lg2.approx.f32",       kF32, 1, log2_of, Bound::kLogarithm, 0x1p-22},
    {"lg2.approx.ftz.f32",   kF32, 1, log2_of, Bound::kLogarithm, 0x1p-22},
    // 9.7.3.21 ex2: of the correctly rounded result
    {"ex2.approx.f32",       kF32, 1, exp2_of, Bound::kUlp, 2},
    {"ex2.approx.ftz.f32",   kF32, 1, exp2_of, Bound::kUlp, 2},
    // 9.7.3.22 tanh
    {"tanh.approx.f32",      kF32, 1, tanh_of, Bound::kRelative, 0x1p-11},
    // 9.7.4.9 tanh
    {"tanh.approx.f16",      kF16, 1, tanh_of, Bound::kAbsolute, kTwo10_987},
    {"tanh.approx.f16x2",    kF16, 1, tanh_of, Bound::kAbsolute, kTwo10_987, false, true},
    {"tanh.approx.bf16",     kBF16, 1, tanh_of, Bound::kAbsolute, 0x1p-8},
    {"tanh.approx.bf16x2",   kBF16, 1, tanh_of, Bound::kAbsolute, 0x1p-8, false, true},
    // 9.7.4.10 ex2
    {"ex2.approx.f16",       kF16, 1, exp2_of, Bound::kRelative, kTwo9_9},
    {"ex2.approx.f16x2",     kF16, 1, exp2_of, Bound::kRelative, kTwo9_9, false, true},
    {"ex2.approx.ftz.bf16",  kBF16, 1, exp2_of, Bound::kRelative, 0x1p-7},
    {"ex2.approx.ftz.bf16x2", kBF16, 1, exp2_of, Bound::kRelative, 0x1p-7, false, true},
};
// clang-format on

struct Layout {
  int mantissa_bits, least_exponent, most_exponent;  // of normal numbers
  std::uint64_t nan;                                 // the one that results have
};
constexpr Layout kLayouts[] = {{10, -14, 15, 0x7fff},
                               {7, -126, 127, 0x7fff},
                               {23, -126, 127, 0x7fff'ffff},
                               {52, -1022, 1023, 0x7fff'ffff'0000'0000}};

const Layout& layout_of(Format format) { return kLayouts[static_cast<int>(format)]; }

bool is_subnormal(const Layout& layout, double v) {
  return v != 0 && std::fabs(v) < std::ldexp(1.0, layout.least_exponent);
}

double unit_in_last_place(const Layout& layout, double v) {
  const int exponent = std::max(std::ilogb(v), layout.least_exponent);
  return std::ldexp(1.0, exponent - layout.mantissa_bits);
}

double allowed_error(const Form& form, double a, double exact) {
  const Layout& layout = layout_of(form.format);
  const double relative = form.error * std::fabs(exact);
  // No result of a format can be closer than this where it has no more digits.
  const double half_step = std::ldexp(0.5, layout.least_exponent - layout.mantissa_bits);
  switch (form.bound) {
    case Bound::kUlp:
      return form.error * unit_in_last_place(layout, exact);
    case Bound::kRelative:
      return std::max(relative, half_step);
    case Bound::kAbsolute:
      return form.error;
    case Bound::kLogarithm:
      return a > 0.5 && a < 2 ? form.error : relative;
    case Bound::kCircle:
      return std::fabs(a) <= kTwoPi ? kTwo20_5 : kTwo14_7;
  }
  return 0;
}

bool same(double a, double b) { return a == b && std::signbit(a) == std::signbit(b); }

// Of a source that is a number other than 0, and an exact result that is one too.
bool is_near(const Form& form, double a, double exact, double result) {
  const Layout& layout = layout_of(form.format);
  if (form.flushes()) {
    if (is_subnormal(layout, result)) return false;
    const double least = std::ldexp(1.0, layout.least_exponent);
    if (result == 0 && std::fabs(exact) < least) return std::signbit(result) == std::signbit(exact);
  }
  // What is beyond all numbers is as far as infinity, which stands for the next power of two.
  const double most = std::ldexp(1.0, layout.most_exponent - 1) * 2;
  const double beyond = layout.most_exponent < 1023 ? 2 * most : most;
  exact = std::copysign(std::min(std::fabs(exact), beyond), exact);
  if (std::isinf(result)) result = std::copysign(beyond, result);
  return std::fabs(result - exact) <= allowed_error(form, a, exact);
}

bool is_right(const Form& form, double a, double exact, std::uint64_t bits) {
  const double result = value_of(form.format, bits);
  if (std::isnan(exact)) {
    const bool any = form.format == Format::kF64 && !form.gross;
    return std::isnan(result) && (any || bits == layout_of(form.format).nan);
  }
  if (a == 0 || std::isinf(a)) return same(result, exact);
  return is_near(form, a, exact, result);
}

double flushed(const Form& form, double v) {
  return form.flushes() && is_subnormal(layout_of(form.format), v) ? std::copysign(0.0, v) : v;
}

// "For 2^126 < |b| < 2^128, if a is infinity, div.approx.f32 returns NaN, otherwise it returns a
// sign-preserving zero." Below 2^-126 nothing is said of it.
bool is_right_quotient(const Form& form, double a, double b, std::uint64_t bits) {
  const double result = value_of(form.format, bits), size = std::fabs(b);
  double exact = a / b;
  if (form.divides_fast() && size > 0x1p126 && !std::isinf(b) && !std::isnan(a))
    exact = std::isinf(a) ? std::nan("") : std::copysign(0.0, exact);
  if (std::isnan(exact)) return bits == layout_of(form.format).nan;
  if (exact == 0 || std::isinf(exact)) return same(result, exact);
  if (form.divides_fast() && size < 0x1p-126) return !std::isnan(result);
  return is_near(form, a, exact, result);
}

}  // namespace

bool Form::flushes() const { return std::strstr(instruction, ".ftz") != nullptr; }
bool Form::divides_fast() const { return std::strncmp(instruction, "div.approx", 10) == 0; }

std::span<const Form> forms() { return kForms; }

int bytes_of(Format format) {
  constexpr int kBytes[] = {2, 2, 4, 8};
  return kBytes[static_cast<int>(format)];
}

double value_of(Format format, std::uint64_t bits) {
  if (format == Format::kF64) return std::bit_cast<double>(bits);
  if (format == Format::kF32) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  if (format == Format::kBF16) return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  const int exponent = static_cast<int>(bits >> 10 & 0x1f),
            mantissa = static_cast<int>(bits & 0x3ff);
  double size =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 0x1f) size = mantissa == 0 ? HUGE_VAL : std::nan("");
  return (bits & 0x8000) != 0 ? -size : size;
}

bool is_allowed(const Form& form, std::uint64_t a, std::uint64_t b, std::uint64_t result) {
  if (form.gross) a &= 0xffff'ffff'0000'0000;
  const double x = flushed(form, value_of(form.format, a));
  if (form.sources == 2)
    return is_right_quotient(form, x, flushed(form, value_of(form.format, b)), result);
  if (form.gross && (result & 0xffff'ffff) != 0) return false;
  return is_right(form, x, form.exact(x), result);
}

Verdict verdict_f32(const Form& form, float a, double exact, std::uint32_t result) {
  const auto nearest = static_cast<float>(exact);
  const double value = std::bit_cast<float>(result);
  const Layout& layout = layout_of(Format::kF32);
  if (std::bit_cast<std::uint32_t>(nearest) == result && !is_subnormal(layout, value) &&
      exact == exact)
    return {true, true, 0};
  const double wanted = flushed(form, nearest);
  Verdict verdict{is_right(form, a, exact, result), value == wanted || std::isnan(exact), 0};
  if (!verdict.nearest && std::isfinite(value) && std::isfinite(wanted))
    verdict.share = std::fabs(value - exact) / allowed_error(form, a, exact);
  return verdict;
}

std::string name_of(const Form& form) {
  std::string name = form.instruction;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

std::string ptx() {
  std::string text = ".version 8.5\n.target sm_90\n.address_size 64\n";
  for (const Form& form : forms()) {
    const int bytes = bytes_of(form.format) * (form.packed ? 2 : 1);
    const std::string bits = ".b" + std::to_string(8 * bytes), size = std::to_string(bytes);
    text += ".visible .entry " + name_of(form) +
            "(.param .u64 pd, .param .u64 pa, .param .u64 pb, .param .u32 pn) {\n"
            ".reg .b64 %d, %a, %b, %o; .reg .b32 %n, %i, %t; .reg .pred %p;\n"
            ".reg " +
            bits +
            " %x, %y, %r;\n"
            "ld.param.u64 %d, [pd]; ld.param.u64 %a, [pa]; ld.param.u64 %b, [pb];\n"
            "ld.param.u32 %n, [pn]; mov.u32 %i, %ctaid.x; mov.u32 %t, %ntid.x;\n"
            "mul.lo.u32 %i, %i, %t; mov.u32 %t, %tid.x; add.u32 %i, %i, %t;\n"
            "setp.ge.u32 %p, %i, %n; @%p bra done;\n"
            "mul.wide.u32 %o, %i, " +
            size +
            "; add.u64 %a, %a, %o; add.u64 %d, %d, %o;\n"
            "ld.global" +
            bits + " %x, [%a];\n";
    if (form.sources == 2) text += "add.u64 %b, %b, %o; ld.global" + bits + " %y, [%b];\n";
    text += std::string(form.instruction) + (form.sources == 2 ? " %r, %x, %y;\n" : " %r, %x;\n") +
            "st.global" + bits + " [%d], %r;\ndone: ret; }\n";
  }
  return text;
}

CUresult launch(CUfunction kernel, void* results, void* a, void* b, unsigned count) {
  constexpr unsigned kBlock = 256;
  void* parameters[] = {&results, &a, &b, &count};
  const CUresult started = cuLaunchKernel(kernel, (count + kBlock - 1) / kBlock, 1, 1, kBlock, 1, 1,
                                          0, nullptr, parameters, nullptr);
  return started == CUDA_SUCCESS ? cuCtxSynchronize() : started;
}

}  // namespace longwire::softcuda::approximate
