// What is compiled, and what of it calls the interpreter.
#include "softcuda/jit/jit.h"

#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {
namespace {

std::unique_ptr<machine::Backend> compiler() {
  auto made = create();
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? std::move(*made) : nullptr;
}

TEST(Jit, WhatCompilersMakeIsCompiled) {
  auto made = create();
  ASSERT_TRUE(made.ok()) << made.error().message();
  Jit& jit = **made;
  Device device(std::move(*made));
  const auto program = link_file("first.ptx");
  ASSERT_NE(program, nullptr);
  device.load(*program);
  for (const char* name : {"vectorAdd", "matmul"}) {
    EXPECT_TRUE(device.machine().prepare(device.loaded(), device.kernel(name)).ok());
    EXPECT_EQ(jit.statistics().called, 0U) << name;
  }
  EXPECT_EQ(jit.statistics().kernels, 2U);
  EXPECT_EQ(jit.statistics().refused, 0U);
  EXPECT_GT(jit.statistics().compiled, 50U);
}

// What lanes hold that jump back from the end of the text is still of use.
TEST(Jit, LoopsThatEndTheText) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po) {
.reg .b64 %rd<3>; .reg .b32 %r<4>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; mov.u32 %r0, %tid.x; mov.u32 %r1, 1; bra.uni loop;
done: mad.wide.u32 %rd1, %r0, 4, %rd0; st.global.u32 [%rd1], %r1; ret;
next: add.u32 %r1, %r1, 1; setp.gt.u32 %p0, %r1, 9; @%p0 bra done;
loop: setp.lt.u32 %p1, %r0, %r1; @%p1 bra next;
bra.uni next; })");
  ASSERT_NE(program, nullptr);
  Device device(compiler());
  device.load(*program);
  auto* out = device.allocate<std::uint32_t>(32);
  EXPECT_FALSE(device.run("k", {1}, {32}, out).has_value());
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], 10U) << i;
}

// What a kernel's code has found of one machine's memory says nothing of another's.
TEST(Jit, MemoryOfAnotherMachineIsNotTaken) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po, .param .u32 at) {
.reg .b64 %rd<3>; .reg .b32 %r<4>;
ld.param.u64 %rd0, [po]; ld.param.u32 %r1, [at]; mov.u32 %r0, %tid.x; add.u32 %r0, %r0, %r1;
mad.wide.u32 %rd1, %r0, 4, %rd0; st.global.u32 [%rd1], %r1; ret; })");
  ASSERT_NE(program, nullptr);
  for (const std::size_t words : {65536U, 64U}) {
    Device device(compiler());
    device.load(*program);
    auto* out = device.allocate<std::uint32_t>(words);
    EXPECT_FALSE(device.run("k", {1}, {32}, out, 0U).has_value());
    const bool outside = device.run("k", {1}, {32}, out, 4096U).has_value();
    EXPECT_EQ(outside, words == 64);
  }
}

// Arithmetic of f32 gives one NaN, wherever its bits are looked at; what is only moved keeps its
// own.
TEST(Jit, BitsOfNaNs) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po, .param .u64 pi) {
.reg .b64 %rd<4>; .reg .b32 %r<9>; .reg .f32 %f<9>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; ld.param.u64 %rd1, [pi]; mov.u32 %r0, %tid.x; and.b32 %r7, %r0, 1;
mad.wide.u32 %rd2, %r0, 24, %rd0; setp.eq.u32 %p0, %r7, 0; ld.global.f32 %f0, [%rd1];
add.f32 %f1, %f0, 0f3F800000; st.global.f32 [%rd2], %f1;
mov.b32 %r1, %f1; st.global.u32 [%rd2+4], %r1;
neg.f32 %f2, %f1; st.global.f32 [%rd2+8], %f2;
mov.f32 %f3, 0f00000000; mov.u32 %r2, 0;
loop: fma.rn.f32 %f3, %f0, %f0, %f3; add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 3; @%p1 bra loop;
st.global.f32 [%rd2+12], %f3;
selp.f32 %f4, %f0, %f1, %p0; st.global.f32 [%rd2+16], %f4;
@%p0 bra even; mul.f32 %f5, %f0, %f1; bra.uni both;
even: mov.f32 %f5, %f0;
both: st.global.f32 [%rd2+20], %f5; ret; })");
  ASSERT_NE(program, nullptr);
  Device device(compiler());
  device.load(*program);
  constexpr std::uint32_t kOne = 0x7fff'ffff, kOther = 0x7fc0'1234;
  auto* in = device.allocate<std::uint32_t>(1);
  auto* out = device.allocate<std::uint32_t>(6 * 32);
  *in = kOther;
  EXPECT_FALSE(device.run("k", {1}, {32}, out, in).has_value());
  for (int lane = 0; lane < 32; ++lane) {
    const std::uint32_t moved = lane % 2 == 0 ? kOther : kOne;
    const std::uint32_t expected[] = {kOne, kOne, ~0U, kOne, moved, moved};
    for (int n = 0; n < 6; ++n)
      EXPECT_EQ(out[6 * lane + n], expected[n]) << lane << " " << n;
  }
}

// A lane that left the loop and one that is not through the half of it wait for each other: more
// rounds than the code makes at once, with other lanes at each of its blocks.
TEST(Jit, LoopsThatLanesLeaveOneByOneLetOthersRun) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po, .param .u64 pflag) {
.reg .b64 %rd<4>; .reg .b32 %r<6>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; ld.param.u64 %rd1, [pflag]; mov.u32 %r0, %tid.x; mov.u32 %r1, 0;
setp.eq.u32 %p0, %r0, 5;
loop: add.u32 %r1, %r1, 1; @%p0 bra out;
ld.volatile.global.u32 %r2, [%rd1]; setp.ne.u32 %p1, %r2, 0; @%p1 bra seen;
setp.lt.u32 %p2, %r0, 40; @%p2 bra loop;
seen: add.u32 %r1, %r0, 100; bra.uni done;
out: mov.u32 %r1, 7; st.volatile.global.u32 [%rd1], %r1;
done: mad.wide.u32 %rd2, %r0, 4, %rd0; st.global.u32 [%rd2], %r1;
mov.u32 %r3, 0;
long: add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, 200000; and.pred %p2, %p1, %p0; @%p2 bra long;
add.u32 %r3, %r3, %r1; st.global.u32 [%rd2+128], %r3; ret; })");
  ASSERT_NE(program, nullptr);
  Device device(compiler());
  device.load(*program);
  auto* out = device.allocate<std::uint32_t>(2 * 32);
  auto* flag = device.allocate<std::uint32_t>(1);
  *flag = 0;
  EXPECT_FALSE(device.run("k", {1}, {32}, out, flag).has_value());
  for (unsigned i = 0; i < 32; ++i) {
    const unsigned expected = i == 5 ? 7 : 100 + i;
    EXPECT_EQ(out[i], expected) << i;
    EXPECT_EQ(out[32 + i], expected + (i == 5 ? 200'000 : 1)) << i;
  }
}

// Of so many instructions, or so many branches, that LLVM would take minutes.
TEST(Jit, EnormousKernelsAreInterpreted) {
  const std::string head = R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po) {
.reg .b64 %rd<3>; .reg .b32 %r<4>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; mov.u32 %r0, %tid.x; mov.u32 %r1, 0;
)";
  const std::string tail = "mad.wide.u32 %rd1, %r0, 4, %rd0; st.global.u32 [%rd1], %r1; ret; }";
  std::string steps, branches;
  for (std::size_t n = 0; n < kMaxSteps + 1; ++n)
    steps += "add.u32 %r1, %r1, %r0;\n";
  constexpr unsigned kBranches = 1500;
  std::uint32_t expected_of_branches = 0;  // of the last lane, which is never less: it adds
  for (unsigned n = 0; n < kBranches; ++n) {
    const std::string label = "L" + std::to_string(n);
    expected_of_branches = (expected_of_branches + 1) ^ 5;
    branches += "setp.lt.u32 %p1, %r0, " + std::to_string(n % 32) + "; @%p1 bra " + label +
                "; add.u32 %r1, %r1, 1; " + label + ": xor.b32 %r1, %r1, 5;\n";
  }
  for (const std::string& body : {steps, branches}) {
    auto made = create();
    ASSERT_TRUE(made.ok()) << made.error().message();
    Jit& jit = **made;
    Device device(std::move(*made));
    const auto program = link_text(head + body + tail);
    ASSERT_NE(program, nullptr);
    device.load(*program);
    auto* out = device.allocate<std::uint32_t>(32);
    EXPECT_FALSE(device.run("k", {1}, {32}, out).has_value());
    const std::uint32_t expected = body == steps ? 31 * (kMaxSteps + 1) : expected_of_branches;
    EXPECT_EQ(out[31], expected);
    EXPECT_EQ(jit.statistics().refused, 1U);
    EXPECT_EQ(jit.statistics().kernels, 0U);
  }
}

}  // namespace
}  // namespace longwire::softcuda::jit
