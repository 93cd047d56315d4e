// Floating point and conversions: every rounding, NaN, subnormals, ties, saturation.
#include <algorithm>
#include <cfenv>
#include <climits>
#include <cmath>
#include <random>
#include <vector>

#include "softcuda/interp/fp8.h"
#include "softcuda/interp/half.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/step_test.h"

namespace longwire::softcuda::testing {
namespace {

using ir::Rounding;
using std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;

constexpr uint32_t kNaN32 = 0x7fff'ffff;
const float kInfinity = INFINITY;

ir::Instruction rounded(Op o, Type t, Rounding r, Type t2 = Type::kNone) {
  return with(op(o, t, t2), [=](auto& m) { m.rounding = r; });
}
ir::Instruction flushing(ir::Instruction i) {
  return with(i, [](auto& m) { m.ftz = true; });
}
ir::Instruction saturating(ir::Instruction i) {
  return with(i, [](auto& m) { m.saturate = true; });
}

// a op b is exact in long double for these; the neighbours of it in float.
TEST(FloatTest, DirectedRoundings) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> numbers(-100, 100);
  for (int n = 0; n < 200; ++n) {
    const float a = numbers(random), b = numbers(random) * 1e-3F;
    const double exact = double{a} * b;
    const float down = eval<float>(rounded(Op::kMul, Type::kF32, Rounding::kDown), a, b);
    const float up = eval<float>(rounded(Op::kMul, Type::kF32, Rounding::kUp), a, b);
    const float zero = eval<float>(rounded(Op::kMul, Type::kF32, Rounding::kZero), a, b);
    EXPECT_LE(down, exact);
    EXPECT_GE(up, exact);
    EXPECT_TRUE(down == up || std::nextafterf(down, kInfinity) == up);
    EXPECT_EQ(zero, exact < 0 ? up : down);
    const float nearest = eval<float>(op(Op::kMul, Type::kF32), a, b);
    EXPECT_EQ(nearest, a * b);
  }
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TEST(FloatTest, DirectedDivisionAndRoots) {
  const float third_down = eval<float>(rounded(Op::kDiv, Type::kF32, Rounding::kDown), 1.0F, 3.0F);
  const float third_up = eval<float>(rounded(Op::kRcp, Type::kF32, Rounding::kUp), 3.0F);
  EXPECT_EQ(std::nextafterf(third_down, 1), third_up);
  const double root_down = eval<double>(rounded(Op::kSqrt, Type::kF64, Rounding::kZero), 2.0);
  const double root_up = eval<double>(rounded(Op::kSqrt, Type::kF64, Rounding::kUp), 2.0);
  EXPECT_EQ(std::nextafter(root_down, 2), root_up);
  const double sum_up = eval<double>(rounded(Op::kAdd, Type::kF64, Rounding::kUp), 1.0, 1e-300);
  EXPECT_EQ(sum_up, std::nextafter(1.0, 2.0));
  EXPECT_EQ(eval<float>(rounded(Op::kMul, Type::kF32, Rounding::kZero), 1e38F, 1e38F),
            0x1.fffffep127F);
}

TEST(FloatTest, FusedIsRoundedOnce) {
  const float a = 1 + 0x1p-23F;
  EXPECT_EQ(eval<float>(op(Op::kFma, Type::kF32), a, a, -(1 + 0x1p-22F)), 0x1p-46F);
  const double b = 1 + 0x1p-52;
  EXPECT_EQ(eval<double>(op(Op::kFma, Type::kF64), b, b, -(1 + 0x1p-51)), 0x1p-104);
  EXPECT_EQ(eval<float>(rounded(Op::kFma, Type::kF32, Rounding::kUp), 1.0F, 1.0F, 0x1p-60F),
            1 + 0x1p-23F);
  EXPECT_EQ(eval<float>(rounded(Op::kFma, Type::kF32, Rounding::kDown), 1.0F, 1.0F, -0x1p-60F),
            1 - 0x1p-24F);
}

TEST(FloatTest, CanonicalNaN) {
  const float odd_nan = f32(0xffc1'2345);
  EXPECT_EQ(bits(eval<float>(op(Op::kAdd, Type::kF32), odd_nan, 1.0F)), kNaN32);
  EXPECT_EQ(bits(eval<float>(op(Op::kSub, Type::kF32), kInfinity, kInfinity)), kNaN32);
  EXPECT_EQ(bits(eval<float>(op(Op::kFma, Type::kF32), 0.0F, kInfinity, 1.0F)), kNaN32);
  EXPECT_EQ(bits(eval<float>(op(Op::kSqrt, Type::kF32), -1.0F)), kNaN32);
  EXPECT_EQ(eval<float>(saturating(op(Op::kAdd, Type::kF32)), odd_nan, 1.0F), 0.0F);
  EXPECT_EQ(eval<uint16_t>(op(Op::kAdd, Type::kF16), uint16_t{0xfe00}, uint16_t{0}), 0x7fff);
  EXPECT_EQ(eval<uint16_t>(op(Op::kMul, Type::kBF16), uint16_t{0x7f80}, uint16_t{0}), 0x7fff);
}

TEST(FloatTest, SubnormalsAreKeptOrFlushed) {
  const float tiny = f32(3), least = 0x1p-126F;
  EXPECT_EQ(bits(eval<float>(op(Op::kAdd, Type::kF32), tiny, tiny)), 6U);
  EXPECT_EQ(bits(eval<float>(flushing(op(Op::kAdd, Type::kF32)), tiny, -0.0F)), 0U);
  EXPECT_EQ(bits(eval<float>(flushing(op(Op::kMul, Type::kF32)), least, -0.5F)), 0x8000'0000U);
  EXPECT_EQ(bits(eval<float>(flushing(op(Op::kAbs, Type::kF32)), f32(0x8000'0003))), 0U);
  EXPECT_EQ(bits(eval<float>(flushing(op(Op::kNeg, Type::kF32)), tiny)), 0x8000'0000U);
  EXPECT_EQ(eval<float>(flushing(op(Op::kRcp, Type::kF32)), tiny), kInfinity);
}

TEST(FloatTest, Saturation) {
  EXPECT_EQ(eval<float>(saturating(op(Op::kAdd, Type::kF32)), 0.75F, 0.75F), 1.0F);
  EXPECT_EQ(bits(eval<float>(saturating(op(Op::kAdd, Type::kF32)), -3.0F, 1.0F)), 0U);
  EXPECT_EQ(eval<uint16_t>(saturating(op(Op::kAdd, Type::kF16)), uint16_t{0x4000}, uint16_t{0}),
            0x3c00);
}

TEST(FloatTest, MinimumMaximum) {
  const float nan = f32(0x7fc0'0000);
  EXPECT_EQ(eval<float>(op(Op::kMin, Type::kF32), nan, 2.0F), 2.0F);
  EXPECT_EQ(eval<float>(op(Op::kMax, Type::kF32), 2.0F, nan), 2.0F);
  EXPECT_EQ(bits(eval<float>(op(Op::kMax, Type::kF32), nan, nan)), kNaN32);
  EXPECT_EQ(
      bits(eval<float>(with(op(Op::kMin, Type::kF32), [](auto& m) { m.nan = true; }), nan, 2.0F)),
      kNaN32);
  EXPECT_EQ(bits(eval<float>(op(Op::kMin, Type::kF32), 0.0F, -0.0F)), 0x8000'0000U);
  EXPECT_EQ(bits(eval<float>(op(Op::kMax, Type::kF32), -0.0F, 0.0F)), 0U);
  EXPECT_EQ(eval<float>(with(op(Op::kMax, Type::kF32), [](auto& m) { m.xorsign_abs = true; }),
                        -3.0F, 2.0F),
            -3.0F);
  EXPECT_EQ(eval<uint16_t>(op(Op::kMax, Type::kF16), uint16_t{0x7e00}, uint16_t{0xbc00}), 0xbc00);
  EXPECT_EQ(eval<uint32_t>(op(Op::kMin, Type::kF16x2), 0x3c00'8000U, 0xbc00'0000U), 0xbc00'8000U);
  EXPECT_EQ(eval<double>(op(Op::kMin, Type::kF64), std::nan(""), 1.0), 1.0);
}

TEST(FloatTest, SignsAndProperties) {
  EXPECT_EQ(eval<float>(op(Op::kCopysign, Type::kF32), -1.0F, 2.0F), -2.0F);
  EXPECT_EQ(eval<uint32_t>(op(Op::kNeg, Type::kBF16x2), 0x3f80'bf80U), 0xbf80'3f80U);
  auto testp = [](ir::Mode mode, float v) {
    return eval<bool>(with(op(Op::kTestp, Type::kF32), [=](auto& m) { m.mode = mode; }), v);
  };
  EXPECT_TRUE(testp(ir::Mode::kSubnormal, f32(1)));
  EXPECT_TRUE(testp(ir::Mode::kNormal, 1));
  EXPECT_FALSE(testp(ir::Mode::kNormal, 0));
  EXPECT_TRUE(testp(ir::Mode::kInfinite, -kInfinity));
  EXPECT_TRUE(testp(ir::Mode::kNotANumber, f32(kNaN32)));
  EXPECT_FALSE(testp(ir::Mode::kFinite, kInfinity));
  EXPECT_TRUE(testp(ir::Mode::kNumber, kInfinity));
}

// Over the range: within the error of the ISA's table (ULPs, or absolute for sin, cos, lg2).
TEST(FloatTest, ApproximationsAreInsideTheirError) {
  for (uint32_t b = 0; b < 0x7f80'0000; b += 0x1'2347) {
    const float x = f32(b);
    const double d = x;
    EXPECT_NEAR(eval<float>(op(Op::kEx2, Type::kF32), -x), std::exp2(-d),
                1e-7 * std::exp2(-d) + 1e-45);
    if (b != 0) {
      EXPECT_NEAR(eval<float>(op(Op::kRsqrt, Type::kF32), x) * std::sqrt(d), 1.0, 1e-6);
    }
    if (x < 100) {
      EXPECT_NEAR(eval<float>(op(Op::kSin, Type::kF32), x), std::sin(d), 0x1p-20);
      EXPECT_NEAR(eval<float>(op(Op::kCos, Type::kF32), x), std::cos(d), 0x1p-20);
    }
    if (b != 0) {
      EXPECT_NEAR(eval<float>(op(Op::kLg2, Type::kF32), x), std::log2(d),
                  1e-7 * std::fabs(std::log2(d)) + 0x1p-22);
    }
    EXPECT_NEAR(eval<float>(op(Op::kTanh, Type::kF32), x), std::tanh(d), 1e-6);
  }
}

// --- 16-bit formats against their sorted lists of values ---

struct List {
  std::vector<double> values;  // of the bits from 0 upwards, to the largest number
  double at(uint64_t n) const { return values[n]; }
};
List list_of(bool f16) {
  List list;
  const uint32_t end = f16 ? 0x7c00 : 0x7f80;
  for (uint32_t b = 0; b < end; ++b)
    list.values.push_back(f16 ? interp::float_of_f16(static_cast<uint16_t>(b))
                              : interp::float_of_bf16(static_cast<uint16_t>(b)));
  return list;
}
uint32_t nearest_in(const List& list, double v) {
  const double magnitude = std::fabs(v);
  const auto above = std::lower_bound(list.values.begin(), list.values.end(), magnitude);
  auto n = static_cast<uint32_t>(above - list.values.begin());
  if (n == list.values.size()) {
    const double most = list.values.back(), step = most - list.values[n - 2];
    n = magnitude >= most + step / 2 ? n : n - 1;
  } else if (n > 0 && *above != magnitude) {
    const double up = *above - magnitude, down = magnitude - list.at(n - 1);
    if (down < up || (down == up && (n - 1) % 2 == 0)) --n;
  }
  return n | (std::signbit(v) ? 0x8000 : 0);
}
TEST(HalfTest, EveryFloatRoundsToItsNearest) {
  const List f16 = list_of(true), bf16 = list_of(false);
  std::mt19937 random(2);
  for (int n = 0; n < 20'000; ++n) {
    const float v = f32(static_cast<uint32_t>(random()));
    if (std::isnan(v)) continue;
    if (std::isfinite(v)) {
      ASSERT_EQ(eval<uint16_t>(op(Op::kCvt, Type::kF16, Type::kF32), v), nearest_in(f16, v)) << v;
      ASSERT_EQ(eval<uint16_t>(op(Op::kCvt, Type::kBF16, Type::kF32), v), nearest_in(bf16, v)) << v;
    }
    const float small = std::ldexp(static_cast<float>(random() % 4096) + 0.5F,
                                   static_cast<int>(random() % 30) - 27);
    ASSERT_EQ(eval<uint16_t>(op(Op::kCvt, Type::kF16, Type::kF32), small), nearest_in(f16, small))
        << small;
  }
}
TEST(HalfTest, DirectedConversions) {
  auto to_f16 = [](float v, Rounding r) {
    return eval<uint16_t>(rounded(Op::kCvt, Type::kF16, r, Type::kF32), v);
  };
  const float v = 1 + 0x1p-12F;
  EXPECT_EQ(to_f16(v, Rounding::kZero), 0x3c00);
  EXPECT_EQ(to_f16(v, Rounding::kUp), 0x3c01);
  EXPECT_EQ(to_f16(-v, Rounding::kUp), 0xbc00);
  EXPECT_EQ(to_f16(-v, Rounding::kDown), 0xbc01);
  EXPECT_EQ(to_f16(1e9F, Rounding::kZero), 0x7bff);
  EXPECT_EQ(to_f16(1e9F, Rounding::kNearest), 0x7c00);
  EXPECT_EQ(to_f16(1e-30F, Rounding::kUp), 1);
}
TEST(HalfTest, ArithmeticIsRoundedOnce) {
  const List f16 = list_of(true), bf16 = list_of(false);
  std::mt19937 random(3);
  for (int n = 0; n < 20'000; ++n) {
    const auto a = static_cast<uint16_t>(random()), b = static_cast<uint16_t>(random()),
               c = static_cast<uint16_t>(random());
    const double x = interp::float_of_f16(a), y = interp::float_of_f16(b),
                 z = interp::float_of_f16(c);
    if (std::isfinite(x) && std::isfinite(y) && std::isfinite(z)) {
      ASSERT_EQ(eval<uint16_t>(op(Op::kAdd, Type::kF16), a, b), nearest_in(f16, x + y));
      ASSERT_EQ(eval<uint16_t>(op(Op::kMul, Type::kF16), a, b), nearest_in(f16, x * y));
      const auto sum = static_cast<double>(static_cast<long double>(x) * y + z);
      if (static_cast<long double>(sum) == static_cast<long double>(x) * y + z) {
        ASSERT_EQ(eval<uint16_t>(op(Op::kFma, Type::kF16), a, b, c), nearest_in(f16, sum));
      }
    }
    const double p = interp::float_of_bf16(a), q = interp::float_of_bf16(b);
    if (std::isfinite(p) && std::isfinite(q)) {
      ASSERT_EQ(eval<uint16_t>(op(Op::kMul, Type::kBF16), a, b), nearest_in(bf16, p * q));
    }
  }
  // A product at a tie, and far below it what breaks the tie.
  EXPECT_EQ(eval<uint16_t>(op(Op::kFma, Type::kBF16), uint16_t{0x3f81}, uint16_t{0x3fc0},
                           uint16_t{0x0080}),
            0x3fc2);
  EXPECT_EQ(eval<uint16_t>(op(Op::kFma, Type::kBF16), uint16_t{0x3f81}, uint16_t{0x3fc0},
                           uint16_t{0x8080}),
            0x3fc1);
  EXPECT_EQ(eval<uint32_t>(op(Op::kAdd, Type::kF16x2), 0x3c00'4000U, 0x3c00'4000U), 0x4000'4400U);
  EXPECT_EQ(eval<uint16_t>(with(op(Op::kFma, Type::kF16), [](auto& m) { m.relu = true; }),
                           uint16_t{0xbc00}, uint16_t{0x3c00}, uint16_t{0}),
            0);
}

// --- cvt ---

TEST(ConvertTest, FloatToInteger) {
  auto cvt = [](Type to, Type from, Rounding r) { return rounded(Op::kCvt, to, r, from); };
  const auto zero = Rounding::kIntZero;
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, zero), -1.9F), -1);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, Rounding::kIntNearest), 2.5F), 2);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, Rounding::kIntDown), -1.1F), -2);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, Rounding::kIntUp), 1.1F), 2);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, zero), 3e9F), INT_MAX);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS32, Type::kF32, zero), -kInfinity), INT_MIN);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kU32, Type::kF32, zero), -5.0F), 0U);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kU32, Type::kF32, zero), f32(kNaN32)), 0U);
  EXPECT_EQ(eval<int64_t>(cvt(Type::kS64, Type::kF32, zero), f32(kNaN32)), INT64_MIN);
  EXPECT_EQ(eval<uint64_t>(cvt(Type::kU64, Type::kF64, zero), 1e30), ~uint64_t{0});
  EXPECT_EQ(eval<uint64_t>(cvt(Type::kU64, Type::kF64, zero), 0x1p63), uint64_t{1} << 63);
  EXPECT_EQ(eval<int32_t>(cvt(Type::kS8, Type::kF32, zero), -300.0F), -128);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kU8, Type::kF32, zero), 300.0F), 255U);
  EXPECT_EQ(eval<uint16_t>(cvt(Type::kU16, Type::kF16, zero), uint16_t{0x7bff}), 65504);
}

TEST(ConvertTest, IntegerToFloat) {
  auto cvt = [](Type to, Type from, Rounding r) { return rounded(Op::kCvt, to, r, from); };
  EXPECT_EQ(eval<float>(cvt(Type::kF32, Type::kS32, Rounding::kNearest), 0x0100'0001), 0x1p24F);
  EXPECT_EQ(eval<float>(cvt(Type::kF32, Type::kS32, Rounding::kUp), 0x0100'0001), 0x1.000002p24F);
  EXPECT_EQ(eval<float>(cvt(Type::kF32, Type::kU32, Rounding::kZero), ~0U), 0x1.fffffep31F);
  EXPECT_EQ(eval<float>(cvt(Type::kF32, Type::kU64, Rounding::kNearest), ~uint64_t{0}), 0x1p64F);
  EXPECT_EQ(eval<double>(cvt(Type::kF64, Type::kU64, Rounding::kDown), ~uint64_t{0}),
            0x1.fffffffffffffp63);
  EXPECT_EQ(eval<double>(cvt(Type::kF64, Type::kU64, Rounding::kNearest), ~uint64_t{0}), 0x1p64);
  EXPECT_EQ(eval<double>(cvt(Type::kF64, Type::kS64, Rounding::kNearest), INT64_MIN), -0x1p63);
  EXPECT_EQ(eval<uint16_t>(cvt(Type::kF16, Type::kU32, Rounding::kNearest), 100'000U), 0x7c00);
  EXPECT_EQ(eval<uint16_t>(cvt(Type::kF16, Type::kS32, Rounding::kNearest), 2049), 0x6800);
  // A tie of float that a 64-bit integer breaks in its last bit.
  EXPECT_EQ(eval<float>(cvt(Type::kF32, Type::kU64, Rounding::kNearest),
                        (uint64_t{1} << 63) + (uint64_t{1} << 39) + 1),
            0x1.000002p63F);
}

TEST(ConvertTest, IntegersAreCutExtendedOrSaturated) {
  EXPECT_EQ(eval<int64_t>(op(Op::kCvt, Type::kS64, Type::kS32), -1), -1);
  EXPECT_EQ(eval<uint64_t>(op(Op::kCvt, Type::kU64, Type::kU32), ~0U), 0xffff'ffffU);
  EXPECT_EQ(eval<int32_t>(op(Op::kCvt, Type::kS32, Type::kS8), 0x180), -128);
  EXPECT_EQ(eval<uint32_t>(op(Op::kCvt, Type::kU8, Type::kU32), 0x1ffU), 0xffU);
  EXPECT_EQ(eval<int32_t>(saturating(op(Op::kCvt, Type::kS8, Type::kS32)), 1000), 127);
  EXPECT_EQ(eval<uint32_t>(saturating(op(Op::kCvt, Type::kU8, Type::kS32)), -1), 0U);
  EXPECT_EQ(eval<int32_t>(saturating(op(Op::kCvt, Type::kS32, Type::kU32)), ~0U), INT_MAX);
  EXPECT_EQ(eval<uint32_t>(saturating(op(Op::kCvtPack, Type::kS16, Type::kS32)), 100'000, -100'000),
            0x7fff'8000U);
  EXPECT_EQ(eval<uint32_t>(saturating(op(Op::kCvtPack, Type::kU8, Type::kS32)), 300, -1, 0x1234U),
            0x1234'ff00U);
}

TEST(ConvertTest, FloatToFloat) {
  EXPECT_EQ(eval<float>(op(Op::kCvt, Type::kF32, Type::kF64), 1e300), kInfinity);
  EXPECT_EQ(eval<float>(rounded(Op::kCvt, Type::kF32, Rounding::kZero, Type::kF64), 1 + 0x1p-30),
            1.0F);
  EXPECT_EQ(eval<float>(rounded(Op::kCvt, Type::kF32, Rounding::kUp, Type::kF64), 1 + 0x1p-30),
            1 + 0x1p-23F);
  EXPECT_EQ(bits(eval<float>(op(Op::kCvt, Type::kF32, Type::kF64), 0x1p-149)), 1U);
  EXPECT_EQ(bits(eval<float>(flushing(op(Op::kCvt, Type::kF32, Type::kF64)), 0x1p-149)), 0U);
  EXPECT_EQ(eval<float>(rounded(Op::kCvt, Type::kF32, Rounding::kIntNearest, Type::kF32), 2.5F),
            2.0F);
  EXPECT_EQ(eval<double>(rounded(Op::kCvt, Type::kF64, Rounding::kIntUp, Type::kF64), 2.1), 3.0);
  EXPECT_EQ(eval<float>(saturating(op(Op::kCvt, Type::kF32, Type::kF32)), 7.0F), 1.0F);
  EXPECT_EQ(eval<uint32_t>(op(Op::kCvt, Type::kF16x2, Type::kF32), 1.0F, 2.0F), 0x3c00'4000U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kCvt, Type::kBF16x2, Type::kF32), 1.0F, 2.0F), 0x3f80'4000U);
  EXPECT_EQ(eval<uint32_t>(rounded(Op::kCvt, Type::kTF32, Rounding::kNearestAway, Type::kF32),
                           f32(0x3f80'1000)),
            0x3f80'2000U);
  EXPECT_EQ(eval<uint32_t>(rounded(Op::kCvt, Type::kTF32, Rounding::kNearest, Type::kF32),
                           f32(0x3f80'1000)),
            0x3f80'0000U);
}

TEST(ConvertTest, EightBitFloats) {
  for (int b = 0; b < 256; ++b) {
    const auto byte = static_cast<uint8_t>(b);
    const float four = interp::float_of_e4m3(byte), five = interp::float_of_e5m2(byte);
    if (!std::isnan(four)) {
      EXPECT_EQ(interp::e4m3_of(four), byte) << b;
    }
    if (std::isfinite(five)) {
      EXPECT_EQ(interp::e5m2_of(five), byte) << b;
    }
  }
  EXPECT_EQ(interp::e4m3_of(1e9), 0x7e);
  EXPECT_EQ(interp::float_of_e4m3(0x7e), 448.0F);
  EXPECT_EQ(interp::e5m2_of(1e9), 0x7b);
  EXPECT_EQ(eval<uint16_t>(op(Op::kCvt, Type::kE4M3x2, Type::kF32), 1.0F, -2.0F), 0x38c0);
  EXPECT_EQ(eval<uint32_t>(op(Op::kCvt, Type::kF16x2, Type::kE5M2x2), uint16_t{0x3cc0}),
            0x3c00'c000U);
}

}  // namespace
}  // namespace longwire::softcuda::testing
