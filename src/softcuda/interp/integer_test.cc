// Integer, logic, comparison and data movement: the corners of each.
#include <climits>

#include "softcuda/interp/step_test.h"

namespace longwire::softcuda::testing {
namespace {

using ir::Compare;
using ir::Part;
using std::int16_t, std::int32_t, std::int64_t, std::uint16_t, std::uint32_t, std::uint64_t;

ir::Instruction part(Op o, Type t, Part p) {
  return with(op(o, t), [=](auto& m) { m.part = p; });
}
ir::Instruction saturating(ir::Instruction i) {
  return with(i, [](auto& m) { m.saturate = true; });
}

TEST(IntegerTest, AddSubtract) {
  EXPECT_EQ(eval<uint32_t>(op(Op::kAdd, Type::kU32), ~0U, 2U), 1U);
  EXPECT_EQ(eval<int32_t>(op(Op::kAdd, Type::kS32), INT_MAX, 1), INT_MIN);
  EXPECT_EQ(eval<int32_t>(saturating(op(Op::kAdd, Type::kS32)), INT_MAX, 1), INT_MAX);
  EXPECT_EQ(eval<int32_t>(saturating(op(Op::kSub, Type::kS32)), INT_MIN, 1), INT_MIN);
  EXPECT_EQ(eval<uint16_t>(op(Op::kSub, Type::kU16), uint16_t{0}, uint16_t{1}), 0xffff);
  EXPECT_EQ(eval<uint64_t>(op(Op::kAdd, Type::kU64), ~uint64_t{0}, uint64_t{1}), 0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kAdd, Type::kU16x2), 0xffff'ffffU, 0x0001'0001U), 0U);
}

TEST(IntegerTest, CarryChains) {
  OneStep first(with(op(Op::kAdd, Type::kU32), [](auto& m) { m.carry_out = true; }));
  first.add(0U);
  first.add(~0U);
  first.add(1U);
  first.at<uint32_t>(2)[3] = 0;  // no carry in lane 3
  first.run();
  EXPECT_EQ(first.context().carry, ~(1U << 3));
  OneStep second(with(op(Op::kAddc, Type::kU32), [](auto& m) { m.carry_in = m.carry_out = true; }));
  second.add(0U);
  second.add(5U);
  second.add(6U);
  second.context().carry = first.context().carry;
  second.run();
  EXPECT_EQ(second.at<uint32_t>(0)[0], 12U);
  EXPECT_EQ(second.at<uint32_t>(0)[3], 11U);
  EXPECT_EQ(second.context().carry, 0U);
  OneStep borrow(with(op(Op::kSub, Type::kU32), [](auto& m) { m.carry_out = true; }));
  borrow.add(0U);
  borrow.add(1U);
  borrow.add(2U);
  borrow.run();
  EXPECT_EQ(borrow.context().carry, ~0U);
  OneStep high(with(op(Op::kMadc, Type::kU32), [](auto& m) {
    m.carry_in = true;
    m.part = Part::kHi;
  }));
  high.add(0U);
  high.add(0x8000'0000U);
  high.add(4U);
  high.add(10U);
  high.context().carry = ~0U;
  high.run();
  EXPECT_EQ(high.at<uint32_t>(0)[0], 13U);
}

TEST(IntegerTest, Products) {
  EXPECT_EQ(eval<uint32_t>(part(Op::kMul, Type::kU32, Part::kHi), ~0U, ~0U), 0xffff'fffeU);
  EXPECT_EQ(eval<int32_t>(part(Op::kMul, Type::kS32, Part::kHi), INT_MIN, INT_MIN), 0x4000'0000);
  EXPECT_EQ(eval<int64_t>(part(Op::kMul, Type::kS32, Part::kWide), INT_MIN, -1), int64_t{1} << 31);
  EXPECT_EQ(
      eval<uint16_t>(part(Op::kMul, Type::kU16, Part::kLo), uint16_t{0xffff}, uint16_t{0xffff}), 1);
  EXPECT_EQ(
      eval<uint32_t>(part(Op::kMul, Type::kU16, Part::kWide), uint16_t{0xffff}, uint16_t{0xffff}),
      0xfffe0001U);
  EXPECT_EQ(eval<uint64_t>(part(Op::kMul, Type::kU64, Part::kHi), ~uint64_t{0}, ~uint64_t{0}),
            ~uint64_t{0} - 1);
  EXPECT_EQ(eval<int64_t>(part(Op::kMul, Type::kS64, Part::kHi), INT64_MIN, int64_t{2}), -1);
  EXPECT_EQ(eval<int64_t>(part(Op::kMad, Type::kS32, Part::kWide), -3, 7, int64_t{1} << 40),
            (int64_t{1} << 40) - 21);
  EXPECT_EQ(
      eval<int32_t>(saturating(part(Op::kMad, Type::kS32, Part::kHi)), INT_MIN, INT_MIN, INT_MAX),
      INT_MAX);
  EXPECT_EQ(eval<uint32_t>(part(Op::kMul24, Type::kU32, Part::kLo), 0xff00'0003U, 5U), 15U);
  EXPECT_EQ(eval<int32_t>(part(Op::kMul24, Type::kS32, Part::kLo), 0x00ff'ffff, 3), -3);
  EXPECT_EQ(eval<uint32_t>(part(Op::kMul24, Type::kU32, Part::kHi), 0xff'ffffU, 0xff'ffffU),
            0xffff'fe00U);
}

TEST(IntegerTest, DivisionNeverTraps) {
  EXPECT_EQ(eval<int32_t>(op(Op::kDiv, Type::kS32), INT_MIN, -1), INT_MIN);
  EXPECT_EQ(eval<int32_t>(op(Op::kRem, Type::kS32), INT_MIN, -1), 0);
  EXPECT_EQ(eval<int32_t>(op(Op::kDiv, Type::kS32), -7, 2), -3);
  EXPECT_EQ(eval<int32_t>(op(Op::kRem, Type::kS32), -7, 2), -1);
  EXPECT_EQ(eval<uint32_t>(op(Op::kDiv, Type::kU32), 5U, 0U), ~0U);
  EXPECT_EQ(eval<uint64_t>(op(Op::kRem, Type::kU64), uint64_t{5}, uint64_t{0}), 5U);
  EXPECT_EQ(eval<int64_t>(op(Op::kDiv, Type::kS64), INT64_MIN, int64_t{-1}), INT64_MIN);
}

TEST(IntegerTest, MinimumMaximumAbsolute) {
  EXPECT_EQ(eval<int32_t>(op(Op::kAbs, Type::kS32), INT_MIN), INT_MIN);
  EXPECT_EQ(eval<int16_t>(op(Op::kNeg, Type::kS16), int16_t{-32768}), -32768);
  EXPECT_EQ(eval<int32_t>(op(Op::kMin, Type::kS32), -1, 1), -1);
  EXPECT_EQ(eval<uint32_t>(op(Op::kMin, Type::kU32), ~0U, 1U), 1U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kMax, Type::kS16x2), 0x8000'0005U, 0x0001'fffeU), 0x0001'0005U);
  EXPECT_EQ(eval<int32_t>(with(op(Op::kMax, Type::kS32), [](auto& m) { m.relu = true; }), -5, -3),
            0);
  EXPECT_EQ(eval<uint32_t>(op(Op::kSad, Type::kU32), 3U, 10U, 100U), 107U);
  EXPECT_EQ(eval<int32_t>(op(Op::kSad, Type::kS32), INT_MIN, INT_MAX, 1), 0);
}

TEST(IntegerTest, BitCounts) {
  EXPECT_EQ(eval<uint32_t>(op(Op::kPopc, Type::kB64), ~uint64_t{0}), 64U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kClz, Type::kB32), 0U), 32U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kClz, Type::kB64), uint64_t{1}), 63U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfind, Type::kU32), 0U), ~0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfind, Type::kS32), -1), ~0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfind, Type::kS32), -256), 7U);
  EXPECT_EQ(eval<uint32_t>(with(op(Op::kBfind, Type::kU32), [](auto& m) { m.wrap = true; }), 1U),
            31U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBrev, Type::kB32), 0x8000'0001U), 0x8000'0001U);
  EXPECT_EQ(eval<uint64_t>(op(Op::kBrev, Type::kB64), uint64_t{1}), uint64_t{1} << 63);
  EXPECT_EQ(eval<uint32_t>(op(Op::kFns, Type::kB32), 0b1011'0000U, 0U, 2), 5U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kFns, Type::kB32), 0b1011'0000U, 7U, -3), 4U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kFns, Type::kB32), 0b1011'0000U, 0U, 4), ~0U);
}

// What the ISA says, word by word.
template <class T>
T bfe_of_the_isa(T a, uint32_t b, uint32_t c) {
  const unsigned msb = sizeof(T) * 8 - 1, pos = b & 0xff, len = c & 0xff;
  auto bit = [&](unsigned n) {
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) >> n & 1);
  };
  const T sign = std::is_unsigned_v<T> || len == 0 ? 0 : bit(std::min(pos + len - 1, msb));
  std::make_unsigned_t<T> d = 0;
  for (unsigned i = 0; i <= msb; ++i)
    d |= static_cast<std::make_unsigned_t<T>>(i < len && pos + i <= msb ? bit(pos + i) : sign) << i;
  return static_cast<T>(d);
}
TEST(IntegerTest, BitFields) {
  for (uint32_t pos : {0U, 1U, 7U, 31U, 32U, 40U, 63U, 64U, 255U, 256U})
    for (uint32_t len : {0U, 1U, 8U, 31U, 32U, 33U, 63U, 64U, 255U}) {
      for (int32_t a : {0x1234'5678, INT_MIN, -1, 0x7fff'0000}) {
        EXPECT_EQ(eval<int32_t>(op(Op::kBfe, Type::kS32), a, pos, len),
                  bfe_of_the_isa<int32_t>(a, pos, len))
            << pos << " " << len;
        EXPECT_EQ(eval<uint32_t>(op(Op::kBfe, Type::kU32), static_cast<uint32_t>(a), pos, len),
                  bfe_of_the_isa<uint32_t>(static_cast<uint32_t>(a), pos, len));
      }
      for (int64_t a : {int64_t{0x1234'5678'9abc'def0}, INT64_MIN, int64_t{-1}})
        EXPECT_EQ(eval<int64_t>(op(Op::kBfe, Type::kS64), a, pos, len),
                  bfe_of_the_isa<int64_t>(a, pos, len))
            << pos << " " << len;
    }
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfi, Type::kB32), 0xffU, 0U, 4U, 8U), 0xff0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfi, Type::kB32), ~0U, 0x1234U, 28U, 8U), 0xf000'1234U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBfi, Type::kB32), ~0U, 0x1234U, 32U, 8U), 0x1234U);
  EXPECT_EQ(eval<uint64_t>(op(Op::kBfi, Type::kB64), ~uint64_t{0}, uint64_t{0}, 0U, 200U),
            ~uint64_t{0});
  EXPECT_EQ(eval<uint32_t>(op(Op::kBmsk, Type::kB32), 4U, 8U), 0xff0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBmsk, Type::kB32), 4U, 40U), 0xffff'fff0U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kBmsk, Type::kB32), 32U, 4U), 0U);
  EXPECT_EQ(eval<int32_t>(op(Op::kSzext, Type::kS32), 0x80, 8U), -128);
  EXPECT_EQ(eval<uint32_t>(op(Op::kSzext, Type::kU32), 0x1ffU, 8U), 0xffU);
  EXPECT_EQ(eval<int32_t>(op(Op::kSzext, Type::kS32), 5, 0U), 0);
}

TEST(IntegerTest, DotProducts) {
  EXPECT_EQ(eval<int32_t>(op(Op::kDp4a, Type::kS32, Type::kS32), 0xff02'0304U, 0x0101'0101U, 10),
            18);
  EXPECT_EQ(eval<uint32_t>(op(Op::kDp4a, Type::kU32, Type::kU32), 0xffff'ffffU, 0xffff'ffffU, 0U),
            4U * 255 * 255);
  EXPECT_EQ(eval<int32_t>(part(op(Op::kDp2a, Type::kS32).op, Type::kS32, Part::kLo), 0xffff'0002U,
                          0x0000'0503U, 0),
            6 - 5 + 0);
}

TEST(IntegerTest, Shifts) {
  EXPECT_EQ(eval<uint32_t>(op(Op::kShl, Type::kB32), 1U, 31U), 0x8000'0000U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kShl, Type::kB32), 1U, 32U), 0U);
  EXPECT_EQ(eval<uint16_t>(op(Op::kShl, Type::kB16), uint16_t{1}, 16U), 0);
  EXPECT_EQ(eval<int32_t>(op(Op::kShr, Type::kS32), -8, 1U), -4);
  EXPECT_EQ(eval<int32_t>(op(Op::kShr, Type::kS32), -8, 99U), -1);
  EXPECT_EQ(eval<uint64_t>(op(Op::kShr, Type::kU64), ~uint64_t{0}, 64U), 0U);
  auto shf = [](ir::Mode mode, bool wrap) {
    return with(op(Op::kShf, Type::kB32), [=](auto& m) {
      m.mode = mode;
      m.wrap = wrap;
    });
  };
  EXPECT_EQ(eval<uint32_t>(shf(ir::Mode::kLeft, true), 0x8000'0000U, 1U, 33U), 3U);
  EXPECT_EQ(eval<uint32_t>(shf(ir::Mode::kLeft, false), 0x1234'5678U, 1U, 40U), 0x1234'5678U);
  EXPECT_EQ(eval<uint32_t>(shf(ir::Mode::kRight, true), 2U, 3U, 1U), 0x8000'0001U);
  EXPECT_EQ(eval<uint32_t>(shf(ir::Mode::kRight, false), 2U, 3U, 32U), 3U);
}

TEST(IntegerTest, LogicOfAnyTable) {
  for (uint32_t table = 0; table < 256; ++table) {
    const uint32_t a = 0xf0f0'f0f0, b = 0xcccc'cccc, c = 0xaaaa'aaaa;  // the table's rows
    EXPECT_EQ(eval<uint32_t>(op(Op::kLop3, Type::kB32), a, b, c, table), table * 0x0101'0101U);
  }
  EXPECT_EQ(eval<uint32_t>(op(Op::kCnot, Type::kB32), 0U), 1U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kCnot, Type::kB32), 7U), 0U);
  EXPECT_TRUE(eval<bool>(op(Op::kXor, Type::kPred), true, false));
  EXPECT_FALSE(eval<bool>(op(Op::kNot, Type::kPred), true));
}

TEST(IntegerTest, Permutations) {
  auto prmt = [](ir::Mode mode, uint32_t a, uint32_t b, uint32_t c) {
    return eval<uint32_t>(with(op(Op::kPrmt, Type::kB32), [=](auto& m) { m.mode = mode; }), a, b,
                          c);
  };
  const uint32_t a = 0x8483'8281, b = 0x0807'0605;
  EXPECT_EQ(prmt(ir::Mode::kNone, a, b, 0x7654), b);
  EXPECT_EQ(prmt(ir::Mode::kNone, a, b, 0x0000'c8f0), 0x00ff'0081U);
  EXPECT_EQ(prmt(ir::Mode::kF4e, a, b, 1), 0x0584'8382U);
  EXPECT_EQ(prmt(ir::Mode::kB4e, a, b, 1), 0x0708'8182U);
  EXPECT_EQ(prmt(ir::Mode::kRc8, a, b, 2), 0x8383'8383U);
  EXPECT_EQ(prmt(ir::Mode::kEcl, a, b, 1), 0x8483'8282U);
  EXPECT_EQ(prmt(ir::Mode::kEcr, a, b, 1), 0x8282'8281U);
  EXPECT_EQ(prmt(ir::Mode::kRc16, a, b, 1), 0x8483'8483U);
}

template <class T>
bool compared(Compare how, Type type, T a, T b) {
  OneStep step(with(op(Op::kSetp, type), [=](auto& m) { m.compare = how; }));
  step.add(false);
  step.add(false);
  step.add(a);
  step.add(b);
  step.run();
  EXPECT_EQ(step.mask(0), ~step.mask(1));
  return step.mask(0) != 0;
}
TEST(CompareTest, IntegersAndFloats) {
  EXPECT_TRUE(compared(Compare::kLt, Type::kS32, -1, 1));
  EXPECT_FALSE(compared(Compare::kLo, Type::kU32, ~0U, 1U));
  EXPECT_TRUE(compared(Compare::kHs, Type::kU64, ~uint64_t{0}, uint64_t{1}));
  EXPECT_TRUE(compared(Compare::kGe, Type::kS16, int16_t{0}, int16_t{-1}));
  const float nan = __builtin_nanf(""), one = 1, zero = 0;
  for (Compare how : {Compare::kEq, Compare::kNe, Compare::kLt, Compare::kLe, Compare::kGt,
                      Compare::kGe, Compare::kNum})
    EXPECT_FALSE(compared(how, Type::kF32, nan, one)) << static_cast<int>(how);
  for (Compare how : {Compare::kEqu, Compare::kNeu, Compare::kLtu, Compare::kLeu, Compare::kGtu,
                      Compare::kGeu, Compare::kNan})
    EXPECT_TRUE(compared(how, Type::kF32, one, nan)) << static_cast<int>(how);
  EXPECT_TRUE(compared(Compare::kEq, Type::kF32, zero, -zero));
  EXPECT_FALSE(compared(Compare::kLtu, Type::kF64, 2.0, 1.0));
  EXPECT_TRUE(compared(Compare::kLt, Type::kF16, uint16_t{0xbc00}, uint16_t{0x0001}));
  EXPECT_TRUE(compared(Compare::kNan, Type::kBF16, uint16_t{0x7fc0}, uint16_t{0}));
}

TEST(CompareTest, FlushesWhereItIsTold) {
  const auto flush = [](auto& m) {
    m.ftz = true;
    m.compare = Compare::kEq;
  };
  EXPECT_EQ(eval<uint32_t>(with(op(Op::kSet, Type::kU32, Type::kF32), flush), f32(1), 0.0F), ~0U);
  EXPECT_EQ(eval<uint32_t>(with(op(Op::kSet, Type::kU32, Type::kF32),
                                [](auto& m) { m.compare = Compare::kEq; }),
                           f32(1), 0.0F),
            0U);
}

TEST(CompareTest, CombinesAndSelects) {
  auto set = with(op(Op::kSet, Type::kF32, Type::kS32), [](auto& m) {
    m.compare = Compare::kLt;
    m.combine = ir::Combine::kAnd;
  });
  EXPECT_EQ(eval<float>(set, 1, 2, true), 1.0F);
  EXPECT_EQ(eval<float>(set, 1, 2, false), 0.0F);
  EXPECT_EQ(eval<uint64_t>(op(Op::kSelp, Type::kB64), uint64_t{1}, uint64_t{2}, false), 2U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kSlct, Type::kU32, Type::kF32), 1U, 2U, -0.0F), 1U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kSlct, Type::kU32, Type::kF32), 1U, 2U, __builtin_nanf("")), 2U);
  EXPECT_EQ(eval<uint32_t>(op(Op::kSlct, Type::kU32, Type::kS32), 1U, 2U, -1), 2U);
}

struct Shuffled {
  uint32_t value[32];
  uint32_t inside;
};
Shuffled shuffle(ir::Mode mode, uint32_t b, uint32_t c) {
  OneStep step(with(op(Op::kShfl, Type::kB32), [=](auto& m) { m.mode = mode; }));
  step.add(0U);
  step.add(false);
  step.add(0U);
  step.add(b);
  step.add(c);
  for (uint32_t i = 0; i < 32; ++i)
    step.at<uint32_t>(2)[i] = 100 + i;
  step.run();
  Shuffled result;
  std::memcpy(result.value, step.at<uint32_t>(0), sizeof result.value);
  result.inside = step.mask(1);
  return result;
}
TEST(WarpTest, Shuffles) {
  const auto up = shuffle(ir::Mode::kUp, 1, 0);
  EXPECT_EQ(up.value[0], 100U);
  EXPECT_EQ(up.value[5], 104U);
  EXPECT_EQ(up.inside, ~1U);
  const auto down = shuffle(ir::Mode::kDown, 2, 0x181f);  // segments of 8
  EXPECT_EQ(down.value[0], 102U);
  EXPECT_EQ(down.value[6], 106U);
  EXPECT_EQ(down.inside, 0x3f3f'3f3fU);
  EXPECT_EQ(shuffle(ir::Mode::kBfly, 3, 31).value[4], 107U);
  const auto index = shuffle(ir::Mode::kIdx, 5, 0x181f);
  EXPECT_EQ(index.value[17], 121U);
  EXPECT_EQ(index.inside, ~0U);
}

TEST(WarpTest, VotesMatchesReductions) {
  OneStep ballot(with(op(Op::kVote, Type::kB32), [](auto& m) { m.mode = ir::Mode::kBallot; }));
  ballot.add(0U);
  ballot.add(true);
  ballot.context().mask = 0xff;
  ballot.run();
  EXPECT_EQ(ballot.at<uint32_t>(0)[3], 0xffU);
  EXPECT_EQ(ballot.at<uint32_t>(0)[8], 0U);
  OneStep match(with(op(Op::kMatch, Type::kB32), [](auto& m) { m.mode = ir::Mode::kAny; }));
  match.add(0U);
  match.add(0U);
  for (uint32_t i = 0; i < 32; ++i)
    match.at<uint32_t>(1)[i] = i % 2;
  match.run();
  EXPECT_EQ(match.at<uint32_t>(0)[1], 0xaaaa'aaaaU);
  OneStep sum(with(op(Op::kRedux, Type::kS32), [](auto& m) { m.atomic = ir::AtomicOp::kAdd; }));
  sum.add(0);
  sum.add(-3);
  sum.context().mask = 0xf;
  sum.run();
  EXPECT_EQ(sum.at<int32_t>(0)[2], -12);
  OneStep elect(op(Op::kElect, Type::kNone));
  elect.add(0U);
  elect.add(false);
  elect.context().mask = 0xf0;
  elect.run();
  EXPECT_EQ(elect.at<uint32_t>(0)[7], 4U);
  EXPECT_EQ(elect.mask(1), 0x10U);
}

TEST(MoveTest, PacksAndUnpacks) {
  OneStep pack(op(Op::kMov, Type::kB64));
  pack.add(uint64_t{0});
  const int parts = pack.add_vector<uint16_t>(4);
  for (int n = 0; n < 4; ++n)
    for (int lane = 0; lane < 32; ++lane)
      pack.at<uint16_t>(parts + n)[lane] = static_cast<uint16_t>(n * 100 + lane);
  pack.run();
  EXPECT_EQ(pack.at<uint64_t>(0)[7], 0x0133'00cf'006b'0007ULL);
  OneStep unpack(op(Op::kMov, Type::kB32));
  unpack.add_vector<uint16_t>(2);
  unpack.add(0x1234'5678U);
  unpack.run();
  EXPECT_EQ(unpack.at<uint16_t>(0)[31], 0x5678);
  EXPECT_EQ(unpack.at<uint16_t>(1)[31], 0x1234);
}

}  // namespace
}  // namespace longwire::softcuda::testing
