// Whole kernels: what blocks, warps and barriers do together.
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "softcuda/interp/builder_test.h"

namespace longwire::softcuda::testing {
namespace {

using ir::Compare;
using ir::Part;
using ir::Space;
using ir::Special;
using machine::FaultKind;

class GridsTest : public InterpTest {};

// y[i] = a * x[i] + y[i] for i < n
ir::Function saxpy() {
  FunctionBuilder b("saxpy");
  const auto n = b.parameter(4), a = b.parameter(4), x = b.parameter(8), y = b.parameter(8);
  const auto body = b.label(), end = b.label();
  const auto i = b.global_index();
  const auto p = b.compare(Compare::kGe, Type::kS32, reg(i), reg(b.load_parameter(Type::kU32, n)));
  b.branch_if(p, end);
  b.place(body);
  const auto xs = b.load_parameter(Type::kU64, x), ys = b.load_parameter(Type::kU64, y);
  const auto xa = b.mad(Type::kS32, Part::kWide, reg(i), imm(4), reg(xs));
  const auto ya = b.mad(Type::kS32, Part::kWide, reg(i), imm(4), reg(ys));
  const auto xv = b.r(32), yv = b.r(32), factor = b.load_parameter(Type::kF32, a);
  b.ld(Space::kGlobal, Type::kF32, xv, at(xa));
  b.ld(Space::kGlobal, Type::kF32, yv, at(ya));
  b.emit(Op::kFma, Type::kF32, {reg(yv), reg(xv), reg(factor), reg(yv)});
  b.st(Space::kGlobal, Type::kF32, at(ya), reg(yv));
  b.place(end);
  b.ret();
  return b.finish();
}

TEST_F(GridsTest, SaxpyOverManyBlocks) {
  load({saxpy()});
  constexpr int kCount = 100'003;
  auto *x = allocate<float>(kCount), *y = allocate<float>(kCount);
  for (int i = 0; i < kCount; ++i)
    x[i] = static_cast<float>(i), y[i] = 1;
  expect_runs({(kCount + 255) / 256}, {256}, parameters(kCount, 2.0F, x, y));
  for (int i = 0; i < kCount; ++i)
    ASSERT_EQ(y[i], 2.0F * static_cast<float>(i) + 1) << i;
}

TEST_F(GridsTest, AccessOutsideOfMemoryIsAFault) {
  load({saxpy()});
  auto* y = allocate<float>(64);
  auto* x = allocate<float>(64);  // behind y: what lies past its end is nobody's
  const auto fault = run({3}, {64}, parameters(1000, 2.0F, x, y));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kIllegalAddress);
  EXPECT_THAT(fault->message, ::testing::HasSubstr("kernel saxpy: ld.global.f32 at line"));
  EXPECT_THAT(fault->message, ::testing::HasSubstr("thread ("));
  EXPECT_THAT(fault->message, ::testing::HasSubstr("allocation of 256 bytes"));
  expect_runs({1}, {64}, parameters(64, 2.0F, x, y));  // the machine goes on
}

TEST_F(GridsTest, MisalignedAccessIsAFault) {
  load({saxpy()});
  auto *x = allocate<float>(64), *y = allocate<float>(64);
  const auto fault =
      run({1}, {32}, parameters(32, 2.0F, reinterpret_cast<std::uint64_t>(x) + 2, y));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kMisalignedAddress);
}

// Tiles of 16 x 16 in shared memory; c = a * b, all n x n, n a multiple of 16.
ir::Function tiled_matmul() {
  FunctionBuilder f("matmul");
  const auto pa = f.parameter(8), pb = f.parameter(8), pc = f.parameter(8), pn = f.parameter(4);
  const auto tx = f.mov_special(Special::kTidX), ty = f.mov_special(Special::kTidY);
  const auto row =
      f.mad(Type::kS32, Part::kLo, reg(f.mov_special(Special::kCtaidY)), imm(16), reg(ty));
  const auto column =
      f.mad(Type::kS32, Part::kLo, reg(f.mov_special(Special::kCtaidX)), imm(16), reg(tx));
  const auto n = f.load_parameter(Type::kU32, pn);
  const auto a = f.load_parameter(Type::kU64, pa), b = f.load_parameter(Type::kU64, pb);
  const auto sum = f.r(32), tile = f.r(32), k = f.r(32);
  f.emit(Op::kMov, Type::kF32, {reg(sum), immf(0)});
  f.emit(Op::kMov, Type::kU32, {reg(tile), imm(0)});
  const auto own = f.mad(Type::kU32, Part::kLo, reg(ty), imm(64), imm(0));
  const auto own_place = f.mad(Type::kU32, Part::kLo, reg(tx), imm(4), reg(own));
  const auto loop = f.label();
  f.place(loop);
  const auto from_column = f.r(32), from_row = f.r(32);
  f.emit(Op::kAdd, Type::kS32, {reg(from_column), reg(tile), reg(tx)});
  f.emit(Op::kAdd, Type::kS32, {reg(from_row), reg(tile), reg(ty)});
  const auto ia = f.mad(Type::kS32, Part::kLo, reg(row), reg(n), reg(from_column));
  const auto ib = f.mad(Type::kS32, Part::kLo, reg(from_row), reg(n), reg(column));
  const auto value = f.r(32);
  f.ld(Space::kGlobal, Type::kF32, value,
       at(f.mad(Type::kS32, Part::kWide, reg(ia), imm(4), reg(a))));
  f.st(Space::kShared, Type::kF32, at(own_place), reg(value));
  f.ld(Space::kGlobal, Type::kF32, value,
       at(f.mad(Type::kS32, Part::kWide, reg(ib), imm(4), reg(b))));
  f.st(Space::kShared, Type::kF32, at(own_place, 1024), reg(value));
  f.barrier();
  f.emit(Op::kMov, Type::kU32, {reg(k), imm(0)});
  const auto inner = f.label();
  f.place(inner);
  const auto left = f.r(32), right = f.r(32);
  f.ld(Space::kShared, Type::kF32, left,
       at(f.mad(Type::kU32, Part::kLo, reg(k), imm(4), reg(own))));
  const auto column_place = f.mad(Type::kU32, Part::kLo, reg(tx), imm(4), imm(1024));
  f.ld(Space::kShared, Type::kF32, right,
       at(f.mad(Type::kU32, Part::kLo, reg(k), imm(64), reg(column_place))));
  f.emit(Op::kFma, Type::kF32, {reg(sum), reg(left), reg(right), reg(sum)});
  f.emit(Op::kAdd, Type::kS32, {reg(k), reg(k), imm(1)});
  f.branch_if(f.compare(Compare::kLt, Type::kS32, reg(k), imm(16)), inner);
  f.place(f.label());
  f.barrier();
  f.emit(Op::kAdd, Type::kS32, {reg(tile), reg(tile), imm(16)});
  f.branch_if(f.compare(Compare::kLt, Type::kS32, reg(tile), reg(n)), loop);
  f.place(f.label());
  const auto ic = f.mad(Type::kS32, Part::kLo, reg(row), reg(n), reg(column));
  const auto c = f.load_parameter(Type::kU64, pc);
  f.st(Space::kGlobal, Type::kF32, at(f.mad(Type::kS32, Part::kWide, reg(ic), imm(4), reg(c))),
       reg(sum));
  f.ret();
  f.function().static_shared_bytes = 2048;
  return f.finish();
}

TEST_F(GridsTest, TiledMatrixProduct) {
  load({tiled_matmul()});
  constexpr int kSize = 64;
  auto *a = allocate<float>(kSize * kSize), *b = allocate<float>(kSize * kSize),
       *c = allocate<float>(kSize * kSize);
  for (int i = 0; i < kSize * kSize; ++i)
    a[i] = static_cast<float>(i % 7), b[i] = static_cast<float>(i % 5);
  expect_runs({4, 4}, {16, 16}, parameters(a, b, c, kSize));
  for (int row = 0; row < kSize; ++row)
    for (int column = 0; column < kSize; ++column) {
      float sum = 0;
      for (int k = 0; k < kSize; ++k)
        sum += a[row * kSize + k] * b[k * kSize + column];
      ASSERT_EQ(c[row * kSize + column], sum);
    }
}

// Each warp adds up its numbers by shuffles, and its first lane writes the sum.
ir::Function shuffle_sum() {
  FunctionBuilder b("sum");
  const auto px = b.parameter(8), py = b.parameter(8);
  const auto i = b.global_index();
  const auto x = b.load_parameter(Type::kU64, px), y = b.load_parameter(Type::kU64, py);
  const auto v = b.r(32), other = b.r(32);
  b.ld(Space::kGlobal, Type::kU32, v, at(b.mad(Type::kS32, Part::kWide, reg(i), imm(4), reg(x))));
  for (std::uint64_t by = 16; by != 0; by /= 2) {
    b.emit(Op::kShfl, Type::kB32,
           {reg(other), nothing(), reg(v), imm(by), imm(31), imm(0xffff'ffff)})
        .modifiers.mode = ir::Mode::kBfly;
    b.emit(Op::kAdd, Type::kU32, {reg(v), reg(v), reg(other)});
  }
  const auto lane = b.mov_special(Special::kLaneid);
  const auto p = b.compare(Compare::kNe, Type::kU32, reg(lane), imm(0));
  const auto warp = b.r(32);
  b.emit(Op::kShr, Type::kU32, {reg(warp), reg(i), imm(5)});
  auto& store = b.st(Space::kGlobal, Type::kU32,
                     at(b.mad(Type::kU32, Part::kWide, reg(warp), imm(4), reg(y))), reg(v));
  store.guard = p;
  store.guard_negated = true;
  b.ret();
  return b.finish();
}

TEST_F(GridsTest, ShuffleReduction) {
  load({shuffle_sum()});
  auto *x = allocate<std::uint32_t>(512), *y = allocate<std::uint32_t>(16);
  std::iota(x, x + 512, 0U);
  expect_runs({2}, {256}, parameters(x, y));
  for (std::uint32_t w = 0; w < 16; ++w)
    EXPECT_EQ(y[w], 32 * 32 * w + 31 * 16);
}

TEST_F(GridsTest, ManySmallGridsFromSeveralThreads) {
  load({shuffle_sum()});
  auto *x = allocate<std::uint32_t>(256), *y = allocate<std::uint32_t>(8 * 4);
  std::iota(x, x + 256, 0U);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int n = 0; n < 50; ++n)
        expect_runs({2}, {128}, parameters(x, y + 8 * t));
    });
  for (auto& thread : threads)
    thread.join();
  for (std::uint32_t w = 0; w < 32; ++w)
    EXPECT_EQ(y[w], 32 * 32 * (w % 8) + 31 * 16);
}

// if (tid < 32) bar.sync 0; else bar.sync 1: nobody can go on.
TEST_F(GridsTest, BarriersThatCannotEndAreFound) {
  FunctionBuilder b("stuck");
  const auto tid = b.mov_special(Special::kTidX);
  const auto p = b.compare(Compare::kLt, Type::kU32, reg(tid), imm(32));
  const auto first = b.label(), second = b.label();
  b.branch_if(p, second);
  b.place(first);
  b.barrier(1);
  b.ret();
  b.place(second);
  b.barrier(0);
  b.ret();
  load({b.finish()});
  const auto fault = run({1}, {64}, {});
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kIllegalInstruction);
  EXPECT_THAT(fault->message, ::testing::HasSubstr("barrier 0 cannot end: 32 of 64 threads"));
}

// Half of the lanes come to a barrier on one way, half on another.
TEST_F(GridsTest, DivergedLanesMeetAtABarrier) {
  FunctionBuilder b("meet");
  const auto out = b.parameter(8);
  const auto tid = b.mov_special(Special::kTidX);
  const auto bit = b.r(32), value = b.r(32);
  b.emit(Op::kAnd, Type::kB32, {reg(bit), reg(tid), imm(1)});
  const auto p = b.compare(Compare::kEq, Type::kU32, reg(bit), imm(0));
  const auto odd = b.label(), even = b.label(), end = b.label();
  b.branch_if(p, even);
  b.place(odd);
  b.emit(Op::kMov, Type::kU32, {reg(value), imm(1)});
  b.barrier();
  b.branch(end);
  b.place(even);
  b.emit(Op::kMov, Type::kU32, {reg(value), imm(2)});
  b.barrier();
  b.place(end);
  const auto base = b.load_parameter(Type::kU64, out);
  b.st(Space::kGlobal, Type::kU32, at(b.mad(Type::kU32, Part::kWide, reg(tid), imm(4), reg(base))),
       reg(value));
  b.ret();
  load({b.finish()});
  auto* y = allocate<std::uint32_t>(64);
  expect_runs({1}, {64}, parameters(y));
  for (std::uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(y[i], i % 2 == 0 ? 2U : 1U);
}

// Of blocks of two warps and a half the last ends at once; the others turn their numbers round by
// shared memory, the second after more barriers than the first, which ends before.
ir::Function turned() {
  FunctionBuilder b("turned");
  const auto out = b.parameter(8);
  const auto tid = b.mov_special(Special::kTidX), block = b.mov_special(Special::kCtaidX);
  const auto both = b.label(), second = b.label(), end = b.label();
  b.branch_if(b.compare(Compare::kGe, Type::kU32, reg(tid), imm(64)), end);
  b.place(both);
  const auto place = b.mad(Type::kU32, Part::kLo, reg(tid), imm(4), imm(0)), opposite = b.r(32);
  const auto value = b.mad(Type::kU32, Part::kLo, reg(block), imm(1000), reg(tid));
  b.st(Space::kShared, Type::kU32, at(place), reg(value));
  b.emit(Op::kSub, Type::kU32, {reg(opposite), imm(4 * 63), reg(place)});
  b.barrier();
  b.ld(Space::kShared, Type::kU32, value, at(opposite));
  const auto base = b.load_parameter(Type::kU64, out);
  const auto index = b.mad(Type::kU32, Part::kLo, reg(block), imm(64), reg(tid));
  b.st(Space::kGlobal, Type::kU32,
       at(b.mad(Type::kU32, Part::kWide, reg(index), imm(4), reg(base))), reg(value));
  b.branch_if(b.compare(Compare::kLt, Type::kU32, reg(tid), imm(32)), end);
  b.place(second);
  b.barrier();
  b.barrier();
  b.place(end);
  b.ret();
  b.function().static_shared_bytes = 256;
  return b.finish();
}

TEST_F(GridsTest, WarpsGoOnInOtherBlocksTogether) {
  load({turned()});
  constexpr std::uint32_t kBlocks = 500;
  auto* y = allocate<std::uint32_t>(64 * kBlocks);
  for (int run = 0; run < 3; ++run) {
    std::fill_n(y, 64 * kBlocks, 0);
    expect_runs({kBlocks}, {80}, parameters(y));
    for (std::uint32_t i = 0; i < 64 * kBlocks; ++i)
      ASSERT_EQ(y[i], i / 64 * 1000 + 63 - i % 64);
  }
}

}  // namespace
}  // namespace longwire::softcuda::testing
