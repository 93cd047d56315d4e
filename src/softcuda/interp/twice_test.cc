// Grids that run twice: what differs is found, and what is free is the same in both runs.
#include <gmock/gmock.h>

#include <string>

#include "softcuda/interp/builder_test.h"
#include "softcuda/interp/interp.h"
#include "softcuda/ir/linked_text_test.h"

namespace longwire::softcuda::testing {
namespace {

using machine::FaultKind;
using ::testing::HasSubstr;

// The interpreter, but for something that it does beside.
class Planted final : public machine::Backend {
 public:
  explicit Planted(std::function<void()>& beside) : beside_(beside), inner_(interp::create()) {}
  const char* name() const noexcept override { return "the planted one"; }
  base::Status check(const ir::Module& module) const override { return inner_->check(module); }
  base::Result<std::shared_ptr<const machine::Code>> prepare(const machine::LoadedModule& module,
                                                             ir::FunctionId kernel) override {
    LW_ASSIGN(auto code, inner_->prepare(module, kernel));
    return std::shared_ptr<const machine::Code>(std::make_shared<Both>(std::move(code), beside_));
  }
  void forget(const machine::LoadedModule& module) noexcept override { inner_->forget(module); }

 private:
  struct Both final : machine::Code {
    Both(std::shared_ptr<const machine::Code> code, const std::function<void()>& then)
        : inner(std::move(code)), beside(then) {}
    void run(machine::Warp& warp) const override {
      inner->run(warp);
      if (beside) beside();
    }
    std::shared_ptr<const machine::Code> inner;  // with the interpreter
    const std::function<void()>& beside;
  };
  const std::function<void()>& beside_;
  std::unique_ptr<machine::Backend> inner_;
};

constexpr const char* kText = R"(.version 8.5
.target sm_90
.address_size 64
.visible .global .align 4 .b8 table[64];
.visible .global .align 4 .u32 count;
.extern .func (.param .b64 r) malloc(.param .b64 n);
.extern .func free(.param .b64 p);
.extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 a);
.global .align 1 .b8 text[4] = {104, 105, 10, 0};
.visible .entry add(.param .u64 po) {
.reg .b64 %rd<4>; .reg .b32 %r<4>;
ld.param.u64 %rd1, [po]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd2, %r1, 4; add.u64 %rd1, %rd1, %rd2;
ld.global.u32 %r2, [%rd1]; add.u32 %r2, %r2, 1; st.global.u32 [%rd1], %r2;
atom.global.add.u32 %r3, [count], 1; ret; }
.visible .entry free_of_order(.param .u64 po) {
.reg .b64 %rd<8>; .reg .b32 %r<4>; .shared .align 4 .b8 sh[64];
ld.param.u64 %rd1, [po]; mov.u64 %rd2, %clock64; st.global.u64 [%rd1], %rd2;
mov.u64 %rd2, %globaltimer; st.global.u64 [%rd1+8], %rd2; ld.shared.u32 %r1, [sh];
st.global.u32 [%rd1+16], %r1; mov.u32 %r1, %ctaid.x; st.shared.u32 [sh], %r1;
{ .param .b64 n; .param .b64 r; st.param.b64 [n], 100; call (r), malloc, (n);
ld.param.b64 %rd3, [r]; }
st.global.u64 [%rd1+24], %rd3; st.global.u64 [%rd3], %rd3; ld.global.u64 %rd5, [%rd1+32];
{ .param .b64 p; st.param.b64 [p], %rd5; call free, (p); }
st.global.u64 [%rd1+32], %rd3;
{ .param .b64 f; .param .b64 a; .param .b32 r; mov.u64 %rd4, text; cvta.global.u64 %rd4, %rd4;
st.param.b64 [f], %rd4; st.param.b64 [a], 0; call (r), vprintf, (f, a); }
ret; }
.visible .entry bad() { .reg .b64 %rd; mov.u64 %rd, 16; st.global.u64 [%rd], %rd; ret; }
)";

class TwiceTest : public InterpTest {
 protected:
  void SetUp() override {
    machine::MachineOptions options;
    options.threads = 4;
    options.memory_bytes = std::uint64_t{64} << 20;
    auto made =
        machine::Machine::create(options, interp::create(), std::make_unique<Planted>(beside_));
    ASSERT_TRUE(made.ok());
    machine_ = std::move(*made);
    machine_->set_printf_sink([this](std::string_view text) { printed_ += text; });
    program_ = link_text(kText);
    ASSERT_NE(program_, nullptr);
    load_module(*program_);
  }
  void TearDown() override {
    InterpTest::TearDown();
    program_.reset();
  }
  void choose(const char* name) {
    kernel_ = static_cast<ir::FunctionId>(program_->find_kernel(name) - program_->functions.data());
  }
  std::uint64_t global(const char* name) const {
    const auto* found = program_->find_variable(name);
    return loaded_->address_of(static_cast<ir::VariableId>(found - program_->variables.data()));
  }
  void expect_mismatch(const std::optional<machine::Fault>& fault, const std::string& text) {
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->kind, FaultKind::kMismatch);
    EXPECT_THAT(fault->message, HasSubstr("interpreter and the planted one differ"));
    EXPECT_THAT(fault->message, HasSubstr(text));
  }

  std::function<void()> beside_;
  std::string printed_;
  std::unique_ptr<const ir::Module> program_;
};

TEST_F(TwiceTest, WhatIsDoneTwiceIsDoneOnce) {
  choose("add");
  auto* o = allocate<std::uint32_t>(64);
  o[5] = 7;
  for (int i = 0; i < 2; ++i)
    expect_runs({1}, {32}, parameters(o));
  EXPECT_EQ(o[0], 2U);
  EXPECT_EQ(o[5], 9U);
  EXPECT_EQ(*reinterpret_cast<std::uint32_t*>(global("count")), 64U);
  EXPECT_EQ(machine_->threads(), 1U);
}

TEST_F(TwiceTest, APlantedDifferenceIsFound) {
  choose("add");
  auto* o = allocate<std::uint32_t>(2048);
  beside_ = [=] { o[1500] ^= 3; };
  const auto fault = run({1}, {32}, parameters(o));
  expect_mismatch(fault, "kernel add: interpreter and the planted one differ in 1 words of memory");
  expect_mismatch(fault, "byte 6000 of the allocation of 8192 bytes at");
  expect_mismatch(fault, "(device memory): 0x00000000 and 0x00000003");
}

TEST_F(TwiceTest, InGlobalsAndRegisteredMemoryToo) {
  choose("add");
  auto* o = allocate<std::uint32_t>(32);
  const std::uint64_t place = global("table") + 12;
  beside_ = [=] { *reinterpret_cast<std::uint32_t*>(place) ^= 1; };
  expect_mismatch(run({1}, {32}, parameters(o)), "+12 of table: 0x00000000 and 0x00000001");
  std::vector<std::byte> mine(5001, std::byte{9});
  ASSERT_TRUE(
      machine_->memory().add_registered(reinterpret_cast<std::uint64_t>(mine.data()), 5001).ok());
  beside_ = [&] { mine[5000] = std::byte{1}; };
  expect_mismatch(run({1}, {32}, parameters(o)), "registered memory): 0x00000009 and 0x00000001");
}

TEST_F(TwiceTest, WhatOneRunLeavesUndoneIsADifference) {
  choose("add");
  auto* o = allocate<std::uint32_t>(32);
  beside_ = [=] { o[3] -= 1; };
  expect_mismatch(run({1}, {32}, parameters(o)), "0x00000001 and 0x00000000");
}

TEST_F(TwiceTest, ClocksMallocPrintfAndUninitialisedMemoryAreTheSameInBoth) {
  choose("free_of_order");
  auto* o = allocate<std::uint64_t>(8);
  for (int i = 0; i < 3; ++i) {
    const auto fault = run({3}, {1}, parameters(o));
    ASSERT_FALSE(fault.has_value()) << fault->message;
    EXPECT_GT(o[1], o[0]);
  }
  EXPECT_EQ(printed_, "hi\nhi\nhi\nhi\nhi\nhi\nhi\nhi\nhi\n");
  std::size_t left = 0;
  for (const auto& each : machine_->memory().allocations())
    left += each.kind == machine::MemoryKind::kHeap ? 1 : 0;
  EXPECT_EQ(left, 1U);  // all but the last are freed
}

TEST_F(TwiceTest, FaultsOfBothAreFaults) {
  choose("bad");
  const auto fault = run({1}, {32}, {});
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kIllegalAddress);
}

}  // namespace
}  // namespace longwire::softcuda::testing
