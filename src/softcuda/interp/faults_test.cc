// What goes wrong in kernels, and what they print.
#include <gmock/gmock.h>

#include <thread>

#include "softcuda/interp/builder_test.h"

namespace longwire::softcuda::testing {
namespace {

using ir::Compare;
using ir::Part;
using ir::Space;
using ir::Special;
using machine::FaultKind;
using ::testing::HasSubstr;

class FaultsTest : public InterpTest {
 protected:
  // A kernel with one instruction of its own.
  template <class F>
  std::optional<machine::Fault> run_one(F emit, std::uint32_t shared = 0, std::uint32_t local = 0) {
    FunctionBuilder b("one");
    b.parameter(8);
    emit(b);
    b.ret();
    b.function().static_shared_bytes = shared;
    b.function().local_bytes = local;
    load({b.finish()});
    memory_ = allocate<std::uint32_t>(16);
    return run({1}, {1}, parameters(memory_));
  }
  void expect_fault(const std::optional<machine::Fault>& fault, FaultKind kind, const char* text) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->kind, kind);
    EXPECT_THAT(fault->message, HasSubstr(text));
  }
  std::uint32_t* memory_ = nullptr;
};

TEST_F(FaultsTest, OutOfBoundsInEachSpace) {
  auto load_from = [](Space space, std::uint64_t address) {
    return [=](FunctionBuilder& b) {
      const auto a = b.r(64), d = b.r(32);
      b.emit(Op::kMov, Type::kU64, {reg(a), imm(address)});
      b.ld(space, Type::kU32, d, at(a));
    };
  };
  expect_fault(run_one(load_from(Space::kShared, 64), 64), FaultKind::kIllegalAddress,
               "ld.shared.u32");
  EXPECT_FALSE(run_one(load_from(Space::kShared, 60), 64).has_value());
  expect_fault(run_one(load_from(Space::kLocal, 4096), 0, 64), FaultKind::kIllegalAddress,
               "ld.local.u32");
  EXPECT_FALSE(run_one(load_from(Space::kLocal, 60), 0, 64).has_value());
  expect_fault(run_one(load_from(Space::kParam, 8)), FaultKind::kIllegalAddress, "ld.param.u32");
  expect_fault(run_one(load_from(Space::kGlobal, 0)), FaultKind::kIllegalAddress,
               "illegal address 0x0");
  expect_fault(run_one(load_from(Space::kGeneric, ~std::uint64_t{3})), FaultKind::kIllegalAddress,
               "block (0,0,0) thread (0,0,0)");
  expect_fault(run_one(load_from(Space::kConst, 64)), FaultKind::kIllegalAddress, "ld.const.u32");
  expect_fault(run_one(load_from(Space::kShared, 2), 64), FaultKind::kMisalignedAddress,
               "misaligned");
}

TEST_F(FaultsTest, GenericAddressesOfSharedAndLocalMemory) {
  const auto fault = run_one(
      [](FunctionBuilder& b) {
        const auto out = b.load_parameter(Type::kU64, 0);
        int n = 0;
        for (Space space : {Space::kShared, Space::kLocal}) {
          const auto a = b.r(64), generic = b.r(64), d = b.r(32);
          b.emit(Op::kMov, Type::kU64, {reg(a), imm(16)});
          b.emit(Op::kCvta, Type::kU64, {reg(generic), reg(a)}).modifiers.space = space;
          b.st(Space::kGeneric, Type::kU32, at(generic, 4),
               imm(40 + static_cast<std::uint64_t>(n)));
          b.ld(space, Type::kU32, d, at(a, 4));
          b.st(Space::kGlobal, Type::kU32, at(out, 4 * n++), reg(d));
          const auto p = b.r(1), is = b.r(32);
          b.emit(Op::kIsspacep, Type::kNone, {reg(p), reg(generic)}).modifiers.space = space;
          b.emit(Op::kSelp, Type::kB32, {reg(is), imm(1), imm(0), reg(p)});
          b.st(Space::kGlobal, Type::kU32, at(out, 4 * n++), reg(is));
        }
      },
      64, 64);
  ASSERT_FALSE(fault.has_value()) << fault->message;
  EXPECT_THAT(std::vector(memory_, memory_ + 4), ::testing::ElementsAre(40, 1, 42, 1));
}

TEST_F(FaultsTest, CheckedMemoryIsExact) {
  machine::MachineOptions options;
  options.check_memory = true;
  start(options);
  expect_fault(run_one([](FunctionBuilder& b) {
                 const auto a = b.load_parameter(Type::kU64, 0);
                 b.st(Space::kGlobal, Type::kU32, at(a, 64), imm(1));
               }),
               FaultKind::kIllegalAddress, "0 bytes past the end of the allocation of 64 bytes");
}

TEST_F(FaultsTest, ReleasedMemoryIsNotAccessible) {
  FunctionBuilder b("after");
  b.parameter(8);
  const auto a = b.load_parameter(Type::kU64, 0);
  b.st(Space::kGlobal, Type::kU32, at(a), imm(1));
  b.ret();
  load({b.finish()});
  auto* memory = allocate<std::uint32_t>(16);
  ASSERT_TRUE(machine_->memory().release(reinterpret_cast<std::uint64_t>(memory)).ok());
  expect_fault(run({1}, {1}, parameters(memory)), FaultKind::kIllegalAddress, "st.global.u32");
}

TEST_F(FaultsTest, RacesInSharedMemory) {
  machine::MachineOptions options;
  options.check_races = true;
  start(options);
  for (bool with_barrier : {false, true}) {
    FunctionBuilder b("race");
    const auto tid = b.mov_special(Special::kTidX);
    const auto a = b.mad(Type::kU32, Part::kLo, reg(tid), imm(4), imm(0));
    b.st(Space::kShared, Type::kU32, at(a), reg(tid));
    if (with_barrier) b.barrier();
    const auto d = b.r(32), other = b.r(32);
    b.emit(Op::kXor, Type::kB32, {reg(other), reg(a), imm(128)});
    b.ld(Space::kShared, Type::kU32, d, at(other));
    b.ret();
    b.function().static_shared_bytes = 256;
    load({b.finish()});
    const auto fault = run({1}, {64}, {});
    if (with_barrier)
      EXPECT_FALSE(fault.has_value());
    else
      expect_fault(fault, FaultKind::kMemoryRace, "of shared memory, which warp");
  }
}

TEST_F(FaultsTest, TrapsAndUnknownFunctions) {
  expect_fault(run_one([](FunctionBuilder& b) { b.emit(Op::kTrap, Type::kNone, {}); }),
               FaultKind::kTrap, "trap at line 1");
  expect_fault(run_one([](FunctionBuilder& b) {
                 const auto a = b.r(64);
                 b.emit(Op::kMov, Type::kU64, {reg(a), imm(12345)});
                 const auto none = b.list(OperandKind::kArguments, {});
                 b.emit(Op::kCall, Type::kNone, {reg(a), none, none});
               }),
               FaultKind::kIllegalInstruction, "a call of what is no function");
}

ir::Function endless() {
  FunctionBuilder b("endless");
  const auto loop = b.label();
  b.place(loop);
  b.branch(loop);
  return b.finish();
}
TEST_F(FaultsTest, TheWatchdogEndsWhatNeverEnds) {
  machine::MachineOptions options;
  options.watchdog_ns = 20'000'000;
  start(options);
  load({endless()});
  expect_fault(run({5}, {96}, {}), FaultKind::kTimeout, "kernel endless ran too long");
}
TEST_F(FaultsTest, StopEndsWhatRuns) {
  load({endless()});
  std::optional<machine::Fault> fault;
  std::atomic<bool> ended{false};
  std::thread runner([&] {
    fault = run({5}, {96}, {});
    ended = true;
  });
  while (!ended)
    machine_->stop();
  runner.join();
  expect_fault(fault, FaultKind::kTimeout, "stopped");
}

TEST_F(FaultsTest, RefusesSizesAndInstructionsThatItDoesNotHave) {
  load({endless()});
  machine::Launch launch;
  launch.module = loaded_.get();
  using base::ErrorCode;
  launch.block = {1025};
  EXPECT_EQ(machine_->run(launch).error().code(), ErrorCode::kInvalidArgument);
  launch.block = {1, 1, 65};
  EXPECT_EQ(machine_->run(launch).error().code(), ErrorCode::kInvalidArgument);
  launch.block = {1};
  launch.grid = {1, 65536};
  EXPECT_EQ(machine_->run(launch).error().code(), ErrorCode::kInvalidArgument);
  launch.grid = {1};
  launch.dynamic_shared_bytes = 1 << 20;
  EXPECT_EQ(machine_->run(launch).error().code(), ErrorCode::kInvalidArgument);
  launch.dynamic_shared_bytes = 0;
  launch.grid = {1000};
  launch.cooperative = true;
  EXPECT_EQ(machine_->run(launch).error().code(), ErrorCode::kLimit);
  FunctionBuilder b("new");
  b.emit(Op::kTex, Type::kB32, {reg(b.r(32)), imm(0)});  // of no geometry
  module_.functions = {b.finish()};
  const auto refused = machine_->load(module_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message(), HasSubstr("line 1: tex.b32"));
}

// printf("%d %s\n", tid, "text") by every thread.
TEST_F(FaultsTest, PrintsInOrderForEachBlock) {
  FunctionBuilder b("print");
  const auto pformat = b.parameter(8), ptext = b.parameter(8);
  const auto format = b.load_parameter(Type::kU64, pformat),
             text = b.load_parameter(Type::kU64, ptext);
  const auto tid = b.mov_special(Special::kTidX);
  b.st(Space::kLocal, Type::kU32, at_offset(0), reg(tid));
  b.st(Space::kLocal, Type::kU64, at_offset(8), reg(text));
  const auto list = b.r(64), generic = b.r(64), result = b.r(32);
  Operand here;
  here.kind = OperandKind::kVariable;
  b.emit(Op::kMov, Type::kU64, {reg(list), here}).modifiers.space = Space::kLocal;
  b.emit(Op::kCvta, Type::kU64, {reg(generic), reg(list)}).modifiers.space = Space::kLocal;
  Operand callee;
  callee.kind = OperandKind::kCallee;
  callee.id = 1;
  const auto results = b.list(OperandKind::kArguments, {reg(result)});
  const auto arguments = b.list(OperandKind::kArguments, {reg(format), reg(generic)});
  b.emit(Op::kCall, Type::kNone, {callee, results, arguments});
  b.ret();
  b.function().local_bytes = 16;
  ir::Function vprintf;
  vprintf.name = "vprintf";
  vprintf.external = true;
  load({b.finish(), vprintf});
  std::string printed;
  machine_->set_printf_sink([&](std::string_view more) { printed += more; });
  auto* strings = allocate<char>(64);
  std::strcpy(strings, "%d %s|");
  std::strcpy(strings + 16, "text");
  expect_runs({2}, {3}, parameters(strings, strings + 16));
  EXPECT_EQ(printed, "0 text|1 text|2 text|0 text|1 text|2 text|");
}

}  // namespace
}  // namespace longwire::softcuda::testing
