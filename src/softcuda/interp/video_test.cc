// Corners of the video instructions, from the pseudocode of the ISA.
#include "softcuda/interp/step_test.h"
#include "softcuda/interp/video_semantics.h"

namespace longwire::softcuda::testing {
namespace {

using ir::AtomicOp;
using std::int32_t, std::uint32_t;

constexpr uint32_t kWord = 32 << 8, kH1 = 16 | 16 << 8, kH0 = 16 << 8, kB2 = 16 | 8 << 8;

ir::Instruction video(Op which, Type d, Type a, Type b, int lanes = 1) {
  ir::Instruction i = op(which, d, a);
  i.type3 = b;
  i.modifiers.shape.count = static_cast<std::uint8_t>(lanes);
  return i;
}
ir::Instruction saturating(ir::Instruction i) {
  return with(i, [](auto& m) { m.saturate = true; });
}
ir::Instruction then(ir::Instruction i, AtomicOp second) {
  return with(i, [=](auto& m) { m.atomic = second; });
}
uint32_t run(const ir::Instruction& i, uint32_t a, uint32_t b, uint32_t c, uint32_t to = kWord,
             uint32_t of_a = kWord, uint32_t of_b = kWord) {
  return eval<uint32_t>(i, a, b, c, to, of_a, of_b);
}

TEST(VideoTest, PartsAreExtendedByTheirType) {
  const auto s = video(Op::kVadd, Type::kS32, Type::kS32, Type::kU32);
  EXPECT_EQ(run(s, 0x00ff'0000, 0x8000'1234, 0, kWord, kB2, kH1), 0x7fffU);
  const auto u = video(Op::kVsub, Type::kU32, Type::kU32, Type::kS32);
  EXPECT_EQ(run(u, 0x00ff'0000, 0x8000'1234, 0, kWord, kB2, kH1), 0x80ffU);
  EXPECT_EQ(
      run(video(Op::kVabsdiff, Type::kU32, Type::kS32, Type::kU32), 0x8000'0000, 0xffff'ffff, 0),
      0x7fff'ffffU);  // of 33 bits, cut
  EXPECT_EQ(run(video(Op::kVmin, Type::kS32, Type::kS32, Type::kU32), 0xffff'ffff, 1, 0),
            0xffff'ffffU);
  EXPECT_EQ(run(video(Op::kVmax, Type::kS32, Type::kS32, Type::kU32), 0xffff'ffff, 1, 0), 1U);
}

TEST(VideoTest, SaturatesToWhereItGoes) {
  const auto s = saturating(video(Op::kVadd, Type::kS32, Type::kS32, Type::kS32));
  EXPECT_EQ(run(s, 0x7fff'ffff, 1, 0), 0x7fff'ffffU);
  EXPECT_EQ(run(s, 0x8000'0000, 0xffff'ffff, 0), 0x8000'0000U);
  EXPECT_EQ(run(s, 40000, 0, 0x1111'2222, kH1), 0x7fff'2222U);
  EXPECT_EQ(run(s, static_cast<uint32_t>(-300), 0, 0x1111'2222, kB2), 0x1180'2222U);
  const auto u = saturating(video(Op::kVsub, Type::kU32, Type::kU32, Type::kU32));
  EXPECT_EQ(run(u, 1, 2, 0), 0U);
  // Without it what is over is cut.
  EXPECT_EQ(run(video(Op::kVadd, Type::kU32, Type::kU32, Type::kU32), 0x1ffff, 0, 0x5555'5555, kH0),
            0x5555'ffffU);
}

TEST(VideoTest, ASecondOperation) {
  const auto s = video(Op::kVsub, Type::kS32, Type::kS32, Type::kS32);
  EXPECT_EQ(run(then(s, AtomicOp::kAdd), 5, 7, 10), 8U);
  EXPECT_EQ(run(then(s, AtomicOp::kMin), 5, 7, 10), 0xffff'fffeU);
  EXPECT_EQ(run(then(s, AtomicOp::kMax), 5, 7, 10), 10U);
  // The first result has 33 bits: 2^32 - 1 is more than any c of s32.
  const auto wide = video(Op::kVadd, Type::kS32, Type::kU32, Type::kU32);
  EXPECT_EQ(run(then(wide, AtomicOp::kMin), 0xffff'ffff, 0, 10), 10U);
}

TEST(VideoTest, ShiftsAndComparisons) {
  auto shift = [](Op which, bool wraps, Type a) {
    return with(video(which, Type::kU32, a, Type::kU32), [=](auto& m) { m.wrap = wraps; });
  };
  EXPECT_EQ(run(shift(Op::kVshl, false, Type::kU32), 1, 40, 0), 0U);
  EXPECT_EQ(run(shift(Op::kVshl, true, Type::kU32), 1, 40, 0), 256U);
  EXPECT_EQ(run(shift(Op::kVshr, false, Type::kS32), 0x8000'0000, 99, 0), 0xffff'ffffU);
  EXPECT_EQ(run(shift(Op::kVshr, true, Type::kU32), 0x8000'0000, 33, 0), 0x4000'0000U);
  auto set = [](ir::Compare compare) {
    return with(video(Op::kVset, Type::kS32, Type::kU32, Type::kNone),
                [=](auto& m) { m.compare = compare; });
  };
  EXPECT_EQ(run(set(ir::Compare::kLt), 0xffff'ffff, 0xffff'ffff, 0), 1U);
  EXPECT_EQ(run(set(ir::Compare::kEq), 0xffff'ffff, 0xffff'ffff, 0), 0U);
  EXPECT_EQ(run(then(set(ir::Compare::kNe), AtomicOp::kAdd), 1, 2, 41), 42U);
}

TEST(VideoTest, LanesAreChosenFromBothSources) {
  const auto two = video(Op::kVadd, Type::kS32, Type::kS32, Type::kS32, 2);
  EXPECT_EQ(run(two, 0x7fff'ffff, 0x0001'0002, 0, 3, 0x10, 0x32), 0x8000'0001U);
  EXPECT_EQ(run(saturating(two), 0x7fff'8000, 0x0001'ffff, 0, 3, 0x10, 0x32), 0x7fff'8000U);
  EXPECT_EQ(run(two, 0x1111'2222, 0x3333'4444, 0xaaaa'bbbb, 2, 0x20, 0x11), 0x5555'bbbbU);
  EXPECT_EQ(run(then(two, AtomicOp::kAdd), 0xffff'0005, 0x0000'0001, 100, 3, 0x10, 0x32), 105U);
  const auto four = video(Op::kVavrg, Type::kS32, Type::kS32, Type::kS32, 4);
  // (1 + 2 + 1) >> 1, (-1 - 2) >> 1, (127 + 127 + 1) >> 1, (-128 + 127) >> 1
  EXPECT_EQ(run(four, 0x807f'ff01, 0x7f7f'fe02, 0, 15, 0x3210, 0x7654), 0xff7f'fe02U);
  const auto absdiff = video(Op::kVabsdiff, Type::kU32, Type::kU32, Type::kU32, 4);
  EXPECT_EQ(run(then(absdiff, AtomicOp::kAdd), 0xff00'0a05, 0x00ff'050a, 1000, 15, 0x3210, 0x7654),
            1520U);
  const auto set = with(video(Op::kVset, Type::kU32, Type::kU32, Type::kNone, 4),
                        [](auto& m) { m.compare = ir::Compare::kGe; });
  EXPECT_EQ(run(set, 0x0102'0304, 0x0201'0304, 0xee00'0000, 7, 0x3210, 0x7654), 0xee01'0101U);
}

TEST(VideoTest, ProductsAreScaledAndSaturated) {
  auto mad = [](Type a, Type b, auto change) {
    return with(video(Op::kVmad, Type::kS32, a, b), change);
  };
  auto run_mad = [](const ir::Instruction& i, uint32_t a, uint32_t b, uint32_t c, uint32_t negated,
                    uint32_t of_a = kWord) {
    return eval<uint32_t>(i, a, b, c, kWord, of_a, kWord, negated);
  };
  auto plain = [](auto&) {};
  EXPECT_EQ(run_mad(mad(Type::kS32, Type::kS32, plain), 3, 5, 7, 0), 22U);
  EXPECT_EQ(run_mad(mad(Type::kS32, Type::kS32, plain), 3, 5, 7, 1), 0xffff'fff8U);
  EXPECT_EQ(run_mad(mad(Type::kS32, Type::kS32, plain), 3, 5, 7, 2), 8U);
  EXPECT_EQ(run_mad(mad(Type::kU32, Type::kU32, [](auto& m) { m.wrap = true; }), 3, 5, 7, 0), 23U);
  EXPECT_EQ(run_mad(mad(Type::kU32, Type::kU32, [](auto& m) { m.shape.k = 15; }), 1 << 20, 1 << 10,
                    1 << 15, 0),
            0x8001U);
  EXPECT_EQ(run_mad(mad(Type::kU32, Type::kU32, [](auto& m) { m.saturate = true; }), 0xffff'ffff,
                    0xffff'ffff, 0, 0),
            0xffff'ffffU);
  EXPECT_EQ(run_mad(mad(Type::kS32, Type::kU32, [](auto& m) { m.saturate = true; }), 0x8000'0000,
                    0xffff'ffff, 0, 0),
            0x8000'0000U);
  EXPECT_EQ(run_mad(mad(Type::kU32, Type::kU32, [](auto& m) { m.shape.k = 7; }), 0x8000'ffff, 128,
                    0, 0, kH1),
            0x8000U);
}

}  // namespace
}  // namespace longwire::softcuda::testing
