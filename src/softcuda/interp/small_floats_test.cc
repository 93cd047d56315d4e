// cvt to and from formats of 4, 6 and 8 bits, and .rs.
#include "softcuda/interp/small_floats.h"

#include <cmath>
#include <limits>

#include "softcuda/interp/half.h"
#include "softcuda/interp/step_test.h"

namespace longwire::softcuda::testing {
namespace {

using interp::SmallFloat;
using std::uint16_t, std::uint32_t;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNaN = std::bit_cast<float>(0x7fc0'0000U);

ir::Instruction cvt(Type d, Type a, ir::Rounding rounding = ir::Rounding::kNearest) {
  ir::Instruction i = op(Op::kCvt, d, a);
  i.modifiers.rounding = rounding;
  i.modifiers.saturate = true;
  return i;
}

TEST(SmallFloats, EveryNumberOfAFormatComesBack) {
  for (const SmallFloat& format : {interp::kE2M1, interp::kE2M3, interp::kE3M2})
    for (uint32_t bits = 0; bits < 1U << format.bits; ++bits) {
      const double value = interp::double_of_small(bits, format);
      EXPECT_EQ(interp::small_of(value, format), bits) << format.bits;
    }
  const double e2m1[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};  // from the ISA's table
  for (uint32_t bits = 0; bits < 8; ++bits)
    EXPECT_EQ(interp::double_of_small(bits, interp::kE2M1), e2m1[bits]);
  EXPECT_EQ(interp::double_of_small(0x1f, interp::kE2M3), 7.5);
  EXPECT_EQ(interp::double_of_small(0x01, interp::kE2M3), 0.125);
  EXPECT_EQ(interp::double_of_small(0x1f, interp::kE3M2), 28);
  EXPECT_EQ(interp::double_of_small(0x01, interp::kE3M2), 0.0625);
}

TEST(SmallFloats, RoundsToEvenAndSaturates) {
  const auto i = cvt(Type::kE2M1x2, Type::kF32);
  EXPECT_EQ(eval<uint16_t>(i, 0.25F, 0.75F), 0x02);  // ties
  EXPECT_EQ(eval<uint16_t>(i, 5.0F, -2.5F), 0x6c);
  EXPECT_EQ(eval<uint16_t>(i, 1e30F, -kInfinity), 0x7f);
  EXPECT_EQ(eval<uint16_t>(i, kNaN, -0.0F), 0x78);  // no NaN: the largest, positive
  EXPECT_EQ(eval<uint16_t>(with(i, [](auto& m) { m.relu = true; }), -3.0F, 3.0F), 0x05);
  EXPECT_EQ(eval<uint16_t>(cvt(Type::kE2M3x2, Type::kF32), 100.0F, -0.0625F), 0x1f20);
  EXPECT_EQ(eval<uint16_t>(cvt(Type::kE3M2x2, Type::kF32), -100.0F, 0.09375F), 0x3f02);
}

TEST(SmallFloats, ToHalves) {
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kF16x2, Type::kE2M1x2), uint16_t{0x7b}), 0x4600'be00U);
  EXPECT_EQ(eval<uint32_t>(with(cvt(Type::kF16x2, Type::kE3M2x2), [](auto& m) { m.relu = true; }),
                           uint16_t{0x1f3f}),
            0x4f00'0000U);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kF16x2, Type::kE2M3x2), uint16_t{0x0120}), 0x3000'8000U);
}

TEST(SmallFloats, PowersOfTwo) {
  auto down = cvt(Type::kUE8M0x2, Type::kF32, ir::Rounding::kZero);
  auto up = cvt(Type::kUE8M0x2, Type::kF32, ir::Rounding::kUp);
  EXPECT_EQ(eval<uint16_t>(down, 1.0F, -3.0F), 0x7f80);
  EXPECT_EQ(eval<uint16_t>(up, 1.0F, -3.0F), 0x7f81);
  EXPECT_EQ(eval<uint16_t>(up, 0x1p-127F, 0x1.8p-127F), 0x0001);
  EXPECT_EQ(eval<uint16_t>(down, kInfinity, kNaN), 0xfeff);
  up.modifiers.saturate = false;
  EXPECT_EQ(eval<uint16_t>(up, 0x1.8p127F, 0.0F), 0xff00);
  down.type2 = Type::kBF16x2;
  EXPECT_EQ(eval<uint16_t>(down, 0x3f80'4040U), 0x7f80);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kBF16x2, Type::kUE8M0x2), uint16_t{0x7fff}), 0x3f80'7fffU);
  EXPECT_EQ(eval<uint32_t>(cvt(Type::kBF16x2, Type::kUE8M0x2), uint16_t{0x00fe}), 0x0040'7f00U);
}

TEST(SmallFloats, RandomBitsAreAddedToWhatIsCutOff) {
  auto i = cvt(Type::kF16x2, Type::kF32, ir::Rounding::kStochastic);
  i.modifiers.saturate = false;
  // 1 + 2^-11 is half way: from 2^12 on the 13 random bits carry.
  const float half_way = 1 + 0x1p-11F;
  EXPECT_EQ(eval<uint32_t>(i, half_way, half_way, 0x0fff'1000U), 0x3c00'3c01U);
  EXPECT_EQ(eval<uint32_t>(i, half_way, -1.0F, 0xf000'ffffU), 0x3c01'bc00U);  // 3 bits are none
  EXPECT_EQ(eval<uint32_t>(i, 65535.0F, 1e9F, 0U), 0x7bff'7c00U);
  i.modifiers.saturate = true;
  EXPECT_EQ(eval<uint32_t>(i, 65535.0F, -1e9F, 0x1fff'0000U), 0x7bff'fbffU);
  EXPECT_EQ(eval<uint32_t>(i, kNaN, -1.0F, 0U) >> 16, 0x7fffU);
  i.type = Type::kBF16x2;
  EXPECT_EQ(eval<uint32_t>(i, std::bit_cast<float>(0x3f80'8000U),
                           std::bit_cast<float>(0x3f80'8000U), 0x7fff'8000U),
            0x3f80'3f81U);
}

TEST(SmallFloats, FourAtRandom) {
  auto run = [](Type type, const float(&values)[4], uint32_t random) {
    auto i = cvt(type, Type::kF32, ir::Rounding::kStochastic);
    i.modifiers.vector = 4;
    OneStep step(i);
    const int d = type == Type::kE2M1x4 ? step.add(uint16_t{0}) : step.add(uint32_t{0});
    const int first = step.add_vector<float>(4);
    for (int n = 0; n < 4; ++n)
      step.at<float>(first + n)[0] = values[n];
    step.add(random);
    step.run();
    return type == Type::kE2M1x4 ? step.at<uint16_t>(d)[0] : step.at<uint32_t>(d)[0];
  };
  // 1.0625 is half way between 1 and 1.125 of e4m3.
  EXPECT_EQ(run(Type::kE4M3x4, {1.0625F, 1, 1.0625F, 1e9F}, 0x8000'7fff), 0x3938'387eU);
  EXPECT_EQ(run(Type::kE5M2x4, {1.125F, -1.125F, 1.125F, 0}, 0x7fff'8000), 0x3cbc'3d00U);
  EXPECT_EQ(run(Type::kE2M3x4, {1.0625F, 1, -1.0625F, 99}, 0x8000'7fff), 0x0908'281fU);
  EXPECT_EQ(run(Type::kE3M2x4, {1.125F, 1, -1.125F, 99}, 0x8000'7fff), 0x0d0c'2c1fU);
  EXPECT_EQ(run(Type::kE2M1x4, {2.5F, 2, 2.5F, -9}, 0x8000'0000), 0x544fU);
  EXPECT_EQ(run(Type::kE2M1x4, {2.5F, 2, 2.5F, -9}, 0x0080'0000), 0x445fU);
}

}  // namespace
}  // namespace longwire::softcuda::testing
