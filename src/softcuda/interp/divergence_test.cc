// Lanes of a warp that go different ways.
#include <gmock/gmock.h>

#include "softcuda/interp/builder_test.h"

namespace longwire::softcuda::testing {
namespace {

using ir::Compare;
using ir::Part;
using ir::Space;
using ir::Special;
using machine::FaultKind;

class DivergenceTest : public InterpTest {
 protected:
  // out[i] = value, at the end of a kernel whose first parameter is `out`.
  static void store_result(FunctionBuilder& b, ir::RegisterId index, ir::RegisterId value) {
    const auto out = b.load_parameter(Type::kU64, 0);
    b.st(Space::kGlobal, Type::kU32,
         at(b.mad(Type::kU32, Part::kWide, reg(index), imm(4), reg(out))), reg(value));
    b.ret();
  }
};

// for (i = 0; i < tid; ++i) if (i % 2) for (j = 0; j < i; ++j) ++n; n also counts who is active.
TEST_F(DivergenceTest, NestedLoops) {
  FunctionBuilder b("nested");
  b.parameter(8);
  const auto tid = b.mov_special(Special::kTidX);
  const auto i = b.r(32), j = b.r(32), n = b.r(32), odd = b.r(32);
  b.emit(Op::kMov, Type::kU32, {reg(i), imm(0)});
  b.emit(Op::kMov, Type::kU32, {reg(n), imm(0)});
  const auto outer = b.label(), body = b.label(), inner_start = b.label(), inner = b.label(),
             next = b.label(), end = b.label();
  b.place(outer);
  b.branch_if(b.compare(Compare::kGe, Type::kU32, reg(i), reg(tid)), end);
  b.place(body);
  b.emit(Op::kAnd, Type::kB32, {reg(odd), reg(i), imm(1)});
  b.branch_if(b.compare(Compare::kEq, Type::kU32, reg(odd), imm(0)), next);
  b.place(inner_start);
  b.emit(Op::kMov, Type::kU32, {reg(j), imm(0)});
  b.place(inner);
  b.emit(Op::kAdd, Type::kU32, {reg(n), reg(n), imm(1)});
  b.emit(Op::kAdd, Type::kU32, {reg(j), reg(j), imm(1)});
  b.branch_if(b.compare(Compare::kLt, Type::kU32, reg(j), reg(i)), inner);
  b.place(next);
  b.emit(Op::kAdd, Type::kU32, {reg(i), reg(i), imm(1)});
  b.branch(outer);
  b.place(end);
  const auto active = b.r(32);
  b.emit(Op::kActivemask, Type::kB32, {reg(active)});
  const auto together = b.compare(Compare::kEq, Type::kU32, reg(active), imm(0xffff'ffff));
  const auto value = b.r(32), added = b.r(32);
  b.emit(Op::kAdd, Type::kU32, {reg(added), reg(n), imm(1'000'000)});
  b.emit(Op::kSelp, Type::kB32, {reg(value), reg(added), reg(n), reg(together)});
  store_result(b, tid, value);
  load({b.finish()});
  auto* out = allocate<std::uint32_t>(32);
  expect_runs({1}, {32}, parameters(out));
  for (std::uint32_t t = 0; t < 32; ++t) {
    std::uint32_t wanted = 1'000'000;  // all lanes have come together again
    for (std::uint32_t k = 1; k < t; k += 2)
      wanted += k;
    EXPECT_EQ(out[t], wanted) << t;
  }
}

// Every lane of every warp takes one lock in turn: while (atomicCAS(lock, 0, 1) != 0); ++*count;
// lock = 0. With lanes in lockstep only forward progress of all of them ends this.
ir::Function spin_lock() {
  FunctionBuilder b("lock");
  const auto plock = b.parameter(8), pcount = b.parameter(8);
  const auto lock = b.load_parameter(Type::kU64, plock),
             count = b.load_parameter(Type::kU64, pcount);
  const auto old = b.r(32), n = b.r(32);
  const auto loop = b.label(), critical = b.label();
  b.place(loop);
  b.emit(Op::kAtom, Type::kB32, {reg(old), at(lock), imm(0), imm(1)}).modifiers.atomic =
      ir::AtomicOp::kCas;
  b.branch_if(b.compare(Compare::kNe, Type::kU32, reg(old), imm(0)), loop);
  b.place(critical);
  b.ld(Space::kGlobal, Type::kU32, n, at(count)).modifiers.volatile_ = true;
  b.emit(Op::kAdd, Type::kU32, {reg(n), reg(n), imm(1)});
  b.st(Space::kGlobal, Type::kU32, at(count), reg(n)).modifiers.volatile_ = true;
  b.emit(Op::kMembar, Type::kNone, {});
  b.emit(Op::kAtom, Type::kB32, {reg(old), at(lock), imm(0)}).modifiers.atomic =
      ir::AtomicOp::kExch;
  b.ret();
  return b.finish();
}
TEST_F(DivergenceTest, SpinLockInsideAWarp) {
  load({spin_lock()});
  auto *lock = allocate<std::uint32_t>(1), *count = allocate<std::uint32_t>(1);
  expect_runs({8}, {64}, parameters(lock, count));
  EXPECT_EQ(*count, 512U);
}

// Lane 0 waits for a flag that lane 1 sets further down.
TEST_F(DivergenceTest, ALaneWaitsForAnotherOfItsWarp) {
  FunctionBuilder b("wait");
  const auto pflag = b.parameter(8);
  const auto flag = b.load_parameter(Type::kU64, pflag);
  const auto tid = b.mov_special(Special::kTidX);
  const auto loop = b.label(), write = b.label(), end = b.label();
  b.branch_if(b.compare(Compare::kNe, Type::kU32, reg(tid), imm(0)), write);
  b.place(loop);
  const auto value = b.r(32);
  b.ld(Space::kGlobal, Type::kU32, value, at(flag)).modifiers.volatile_ = true;
  b.branch_if(b.compare(Compare::kEq, Type::kU32, reg(value), imm(0)), loop);
  b.place(write);
  b.st(Space::kGlobal, Type::kU32, at(flag), imm(1)).modifiers.volatile_ = true;
  b.place(end);
  b.ret();
  load({b.finish()});
  auto* flag_place = allocate<std::uint32_t>(1);
  expect_runs({1}, {2}, parameters(flag_place));
  EXPECT_EQ(*flag_place, 1U);
}

// Blocks wait for the block behind them, so all must run: with one thread as well.
TEST_F(DivergenceTest, BlocksThatWaitForLaterOnes) {
  machine::MachineOptions options;
  options.threads = 1;
  start(options);
  FunctionBuilder b("chain");
  const auto pflags = b.parameter(8);
  const auto flags = b.load_parameter(Type::kU64, pflags);
  const auto block = b.mov_special(Special::kCtaidX), blocks = b.mov_special(Special::kNctaidX);
  const auto own = b.mad(Type::kU32, Part::kWide, reg(block), imm(4), reg(flags));
  const auto next = b.r(32), value = b.r(32);
  b.emit(Op::kAdd, Type::kU32, {reg(next), reg(block), imm(1)});
  const auto loop = b.label(), end = b.label();
  b.branch_if(b.compare(Compare::kEq, Type::kU32, reg(next), reg(blocks)), end);
  b.place(loop);
  b.ld(Space::kGlobal, Type::kU32, value, at(own, 4)).modifiers.volatile_ = true;
  b.branch_if(b.compare(Compare::kEq, Type::kU32, reg(value), imm(0)), loop);
  b.place(end);
  b.st(Space::kGlobal, Type::kU32, at(own), imm(1)).modifiers.volatile_ = true;
  b.ret();
  load({b.finish()});
  auto* place = allocate<std::uint32_t>(20);
  expect_runs({20}, {32}, parameters(place));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(place[i], 1U);
  const auto fault = run({20}, {32}, parameters(place), 0, true);
  EXPECT_FALSE(fault.has_value());
}

// Lanes whose masks name each other wait, though they come at different times.
TEST_F(DivergenceTest, ShufflesWaitForTheLanesOfTheirMask) {
  FunctionBuilder b("sync");
  b.parameter(8);
  const auto tid = b.mov_special(Special::kTidX);
  const auto value = b.r(32), got = b.r(32);
  const auto late = b.label(), meet = b.label();
  b.emit(Op::kMov, Type::kU32, {reg(value), imm(7)});
  b.branch_if(b.compare(Compare::kLt, Type::kU32, reg(tid), imm(16)), meet);
  b.place(late);
  b.emit(Op::kMov, Type::kU32, {reg(value), reg(tid)});
  b.place(meet);
  b.emit(Op::kShfl, Type::kB32,
         {reg(got), nothing(), reg(value), imm(16), imm(31), imm(0xffff'ffff)})
      .modifiers.mode = ir::Mode::kBfly;
  store_result(b, tid, got);
  load({b.finish()});
  auto* out = allocate<std::uint32_t>(32);
  expect_runs({1}, {32}, parameters(out));
  for (std::uint32_t t = 0; t < 32; ++t)
    EXPECT_EQ(out[t], t < 16 ? t + 16 : 7U);
}

// f(n) = n < 2 ? n : f(n - 1) + f(n - 2), each lane with its own n.
ir::Function fibonacci() {
  FunctionBuilder f("fibonacci", false);
  const auto n = f.r(32), result = f.r(32), less = f.r(32), a = f.r(32), b = f.r(32);
  f.register_parameter(n);
  f.register_result(result);
  const auto deeper = f.label(), end = f.label();
  f.emit(Op::kMov, Type::kU32, {reg(result), reg(n)});
  f.branch_if(f.compare(Compare::kLt, Type::kU32, reg(n), imm(2)), end);
  f.place(deeper);
  Operand self;
  self.kind = OperandKind::kCallee;
  self.id = 1;
  for (auto [to, by] : {std::pair{a, -1}, std::pair{b, -2}}) {
    f.emit(Op::kAdd, Type::kS32, {reg(less), reg(n), imm(static_cast<std::uint32_t>(by))});
    const auto results = f.list(OperandKind::kArguments, {reg(to)});
    const auto arguments = f.list(OperandKind::kArguments, {reg(less)});
    f.emit(Op::kCall, Type::kNone, {self, results, arguments});
  }
  f.emit(Op::kAdd, Type::kU32, {reg(result), reg(a), reg(b)});
  f.place(end);
  f.ret();
  f.function().call_depth = ir::kNone;
  return f.finish();
}
ir::Function calls_fibonacci(bool indirect) {
  FunctionBuilder b("main");
  b.parameter(8);
  const auto tid = b.mov_special(Special::kTidX);
  const auto value = b.r(32), address = b.r(64);
  Operand callee;
  callee.kind = indirect ? OperandKind::kFunction : OperandKind::kCallee;
  callee.id = 1;
  if (indirect) {
    b.emit(Op::kMov, Type::kU64, {reg(address), callee});
    callee = reg(address);
  }
  const auto results = b.list(OperandKind::kArguments, {reg(value)});
  const auto arguments = b.list(OperandKind::kArguments, {reg(tid)});
  b.emit(Op::kCall, Type::kNone, {callee, results, arguments});
  const auto out = b.load_parameter(Type::kU64, 0);
  b.st(Space::kGlobal, Type::kU32, at(b.mad(Type::kU32, Part::kWide, reg(tid), imm(4), reg(out))),
       reg(value));
  b.ret();
  b.function().call_depth = ir::kNone;
  return b.finish();
}
TEST_F(DivergenceTest, RecursionWithADepthForEachLane) {
  for (bool indirect : {false, true}) {
    load({calls_fibonacci(indirect), fibonacci()});
    auto* out = allocate<std::uint32_t>(20);
    expect_runs({1}, {20}, parameters(out));
    std::uint32_t a = 0, b = 1;
    for (int t = 0; t < 20; ++t) {
      EXPECT_EQ(out[t], a) << t;
      b += a;
      a = b - a;
    }
  }
}
TEST_F(DivergenceTest, RecursionTooDeepIsAFault) {
  load({calls_fibonacci(false), fibonacci()});
  auto* out = allocate<std::uint32_t>(20);
  machine_->set_stack_bytes(128);
  const auto fault = run({1}, {20}, parameters(out));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kStackOverflow);
  EXPECT_THAT(fault->message, ::testing::HasSubstr("recursion too deep"));
}

}  // namespace
}  // namespace longwire::softcuda::testing
