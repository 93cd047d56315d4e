// Kernels from PTX: what compilers make (ir/testdata), and what is written for a test.
#include <gmock/gmock.h>

#include <cmath>

#include "softcuda/interp/interp.h"
#include "softcuda/interp/text_test.h"

namespace longwire::softcuda::testing {
namespace {

using machine::FaultKind;
using ::testing::HasSubstr;

TEST_F(PtxTest, WhatIsMissingOfTheTestDataIsKnown) {
  std::vector<std::string> missing;
  for (const char* name : {"instructions.ptx", "control.ptx", "first.ptx"}) {
    const auto program = link_file(name);
    ASSERT_NE(program, nullptr);
    for (const ir::Function& function : program->functions)
      for (const ir::Instruction& i : function.instructions)
        if (!interp::is_supported(i)) missing.emplace_back(ir::name_of(i.op));
    const base::Status checked = interp::check_supported(*program);
    EXPECT_TRUE(checked.ok()) << checked.error().message();
  }
  EXPECT_THAT(missing, ::testing::IsEmpty());
}

// Where cooperative groups keep their barrier: CUDA's own headers read these registers.
TEST_F(PtxTest, ACooperativeGridHasAWorkspace) {
  load_body(
      "mov.b32 %r1, %envreg1; mov.b32 %r2, %envreg2; mov.b64 %rd1, {%r1, %r2};"
      "setp.eq.u64 %p1, %rd1, 0; @%p1 bra DONE;"
      "atom.add.u32 %r3, [%rd1+4], 1; atom.max.u32 %r4, [%out], %r3; DONE:");
  auto* out = allocate<std::uint32_t>(1);
  for (int round = 0; round < 2; ++round) {  // zeroed for each grid
    out[0] = 0;
    EXPECT_FALSE(run({2}, {8}, parameters(out, out), 0, true).has_value());
    EXPECT_EQ(out[0], 15U);
  }
  out[0] = 77;
  expect_runs({2}, {8}, parameters(out, out));  // no other grid has one
  EXPECT_EQ(out[0], 77U);
}

TEST_F(PtxTest, VectorAddAndMatmul) {
  load_file("first.ptx");
  choose("vectorAdd");
  constexpr int kSize = 32, kCount = kSize * kSize;
  auto *a = allocate<float>(kCount), *b = allocate<float>(kCount), *c = allocate<float>(kCount);
  for (int i = 0; i < kCount; ++i)
    a[i] = static_cast<float>(i % 13), b[i] = static_cast<float>(i % 7);
  expect_runs({8}, {128}, parameters(a, b, c, kCount - 1));
  for (int i = 0; i < kCount; ++i)
    ASSERT_EQ(c[i], i == kCount - 1 ? 0 : a[i] + b[i]);
  choose("matmul");
  expect_runs({2, 2}, {16, 16}, parameters(a, b, c, kSize));
  for (int i = 0; i < kCount; ++i) {
    float sum = 0;
    for (int k = 0; k < kSize; ++k)
      sum += a[i / kSize * kSize + k] * b[k * kSize + i % kSize];
    ASSERT_EQ(c[i], sum);
  }
}

TEST_F(PtxTest, CallsWithStructsAndRecursion) {
  load_file("first.ptx");
  choose("calls");
  auto* o = allocate<float>(32);
  for (int i = 0; i < 32; ++i)
    o[i] = static_cast<float>(i);
  struct {
    int a;
    float b[3];
    double d;
  } s{1, {2, 30, 4}, 5};
  expect_runs({1}, {16}, parameters(o, s));
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(o[i], std::ldexp(static_cast<float>(i), i) + 1 + 30) << i;
  load_file("control.ptx");
  choose("recursion");
  auto* n = allocate<int>(32);
  machine_->set_stack_bytes(4096);
  expect_runs({1}, {15}, parameters(n));
  EXPECT_THAT(std::vector(n, n + 15),
              ::testing::ElementsAre(0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377));
  choose("structs");
  struct {
    int values[40];
  } big;
  for (int i = 0; i < 40; ++i)
    big.values[i] = i;
  n[0] = 1;
  expect_runs({1}, {1}, parameters(big, n));
  EXPECT_EQ(n[0], 4);
}

TEST_F(PtxTest, VariablesConstantsAndIndirectCalls) {
  load_file("first.ptx");
  choose("vars");
  auto* o = allocate<float>(8);
  expect_runs({1}, {8}, parameters(o));
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(o[i], static_cast<float>(i % 4 + 1) + 7) << i;
  expect_runs({1}, {1}, parameters(o));
  EXPECT_EQ(o[0], 1 + 15);  // every thread has counted
  choose("ind");
  o[1] = 2;
  expect_runs({1}, {1}, parameters(o, 1));
  EXPECT_EQ(o[0], 17);
}

// What the ISA leaves open, and both back ends must do alike.
TEST_F(PtxTest, TheFirstOfTwoNansAndNothingFromAbsentLanes) {
  load_body(R"(
ld.global.f64 %d0, [%in]; ld.global.f64 %d1, [%in+8]; mul.wide.u32 %rd1, %r0, 64;
add.u64 %out, %out, %rd1; setp.eq.u32 %p1, %r0, 0; @!%p1 mov.f64 %d1, %d0;
add.f64 %d2, %d0, %d1; st.global.f64 [%out], %d2; mul.f64 %d2, %d1, %d0;
st.global.f64 [%out+8], %d2; fma.rn.f64 %d2, 0d3ff0000000000000, %d1, %d0;
st.global.f64 [%out+16], %d2; mov.f64 %d3, 0d7ff0000000000000; sub.f64 %d2, %d3, %d3;
st.global.f64 [%out+24], %d2; sqrt.rn.f64 %d2, 0dbff0000000000000; st.global.f64 [%out+32], %d2;
add.u32 %r1, %r0, 7; setp.lt.u32 %p2, %r0, 8; @!%p2 bra end; mul.lo.u32 %r1, %r1, 3;
shfl.sync.down.b32 %r2|%p3, %r1, 4, 31, 0xff; st.global.u32 [%out+40], %r2;
end:)");
  auto* in = allocate<std::uint64_t>(2);
  in[0] = 0xfff0'0000'0000'0001;
  in[1] = 0x7ff8'0000'0000'0002;
  auto* out = allocate<std::uint64_t>(8 * 12);
  expect_runs({1}, {12}, parameters(out, in));
  constexpr std::uint64_t kFirst = 0xfff8'0000'0000'0001, kNone = 0xfff8'0000'0000'0000;
  EXPECT_THAT(std::vector(out, out + 5),
              ::testing::ElementsAre(kFirst, in[1], in[1], kNone, kNone));
  for (unsigned i = 0; i < 8; ++i)
    EXPECT_EQ(out[8 * i + 5], i < 4 ? (i + 11) * 3 : 0U) << i;
}

TEST_F(PtxTest, PrintsAndAsserts) {
  std::string printed;
  machine_->set_printf_sink([&](std::string_view text) { printed += text; });
  load_file("first.ptx");
  choose("hello");
  expect_runs({1}, {2}, parameters(3));
  EXPECT_EQ(printed, "hello 0 3.000000\nhello 1 3.000000\n");
  load_file("control.ptx");
  choose("asserts");
  auto* out = allocate<int>(8);
  for (int i = 0; i < 8; ++i)
    out[i] = i + 10;
  expect_runs({1}, {1}, parameters(out, 8));
  EXPECT_EQ(out[0], 14);
  const auto fault = run({1}, {1}, parameters(out, -1));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kAssert);
  EXPECT_THAT(
      printed,
      HasSubstr(
          "control.cu:42: asserts: block: [0,0,0], thread: [0,0,0] Assertion `n >= 0` failed."));
}

TEST_F(PtxTest, SwitchesAndDynamicSharedMemory) {
  load_file("control.ptx");
  choose("cases");
  auto* out = allocate<int>(64);
  auto result_of = [&](int which) {
    for (int i = 0; i < 64; ++i)
      out[i] = i;
    expect_runs({1}, {1}, parameters(out, which));
    return out[0];
  };
  EXPECT_THAT((std::vector{result_of(0), result_of(1), result_of(4), result_of(6), result_of(99)}),
              ::testing::ElementsAre(7, 9, -8, 12, -1));
  choose("shares");
  auto* floats = allocate<float>(32);
  for (int i = 0; i < 32; ++i)
    floats[i] = static_cast<float>(i % 16);
  expect_runs({1}, {32}, parameters(floats), 32 * sizeof(float));
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(floats[i], 5.0F);
  choose("other");
  auto* doubles = allocate<double>(2);
  doubles[0] = 2.5;
  expect_runs({1}, {64}, parameters(doubles));
  EXPECT_EQ(doubles[1], 2.5);
}

TEST_F(PtxTest, AtomicsOverAllBlocks) {
  load_body(R"(
    red.global.add.u32 [%out], 1;
    atom.global.max.s32 %r1, [%out+4], %r0;
    atom.global.add.f32 %f0, [%out+8], 0f3F000000;
    atom.global.add.f64 %d0, [%out+16], 0d3FF0000000000000;
    atom.global.inc.u32 %r2, [%out+24], 9;
    mov.b32 %r3, 0x3C003C00;
    atom.global.add.noftz.f16x2 %r4, [%out+28], %r3;
    atom.global.or.b32 %r5, [%out+32], %r0;
    atom.shared.add.u32 %r6, [sh], 1;
    bar.sync 0;
    mov.u32 %r8, %ctaid.x;
    or.b32 %r9, %r8, %r0;
    setp.ne.u32 %p0, %r9, 0;  // of one block only
    @%p0 bra done;
    ld.shared.u32 %r7, [sh];
    st.global.u32 [%out+36], %r7;
    done:)");
  auto* out = allocate<std::uint32_t>(16);
  auto* in = allocate<std::uint32_t>(1);
  expect_runs({6}, {64}, parameters(out, in));
  EXPECT_EQ(out[0], 384U);
  EXPECT_EQ(out[1], 63U);
  float sum = 0;
  std::memcpy(&sum, &out[2], 4);
  EXPECT_EQ(sum, 192.0F);
  double wide = 0;
  std::memcpy(&wide, &out[4], 8);
  EXPECT_EQ(wide, 384.0);
  EXPECT_EQ(out[6], 384U % 10);
  EXPECT_EQ(out[7], 0x5e00'5e00U);
  EXPECT_EQ(out[8], 63U);
}

TEST_F(PtxTest, BarriersWithReductionsAndCounts) {
  load_body(R"(
    and.b32 %r1, %r0, 3;
    setp.eq.u32 %p0, %r1, 0;
    bar.red.popc.u32 %r2, 0, %p0;
    bar.red.or.pred %p1, 1, %p0;
    barrier.red.and.pred %p2, 2, %p0;
    selp.u32 %r3, 100, 0, %p1;
    selp.u32 %r4, 1000, 0, %p2;
    add.u32 %r2, %r2, %r3;
    add.u32 %r2, %r2, %r4;
    mul.wide.u32 %rd0, %r0, 4;
    add.u64 %rd0, %rd0, %out;
    setp.lt.u32 %p3, %r0, 64;
    @%p3 bar.sync 3, 64;
    @!%p3 bar.arrive 4, 96;
    setp.lt.u32 %p4, %r0, 32;
    @%p4 bar.sync 4, 96;
    st.global.u32 [%rd0], %r2;)");
  auto* out = allocate<std::uint32_t>(128);
  expect_runs({1}, {128}, parameters(out, out));
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(out[i], 32U + 100) << i;
}

TEST_F(PtxTest, AsynchronousCopiesAndMbarriers) {
  load_body(R"(
    mov.u32 %r1, sh;
    setp.ne.u32 %p0, %r0, 0;
    @%p0 bra ready;
    mbarrier.init.shared.b64 [%r1+2048], 64;
    ready: bar.sync 0;
    shl.b32 %r2, %r0, 4;
    add.u32 %r3, %r1, %r2;
    cvt.u64.u32 %rd1, %r2;
    add.u64 %rd2, %in, %rd1;
    cp.async.ca.shared.global [%r3], [%rd2], 16, 12;
    cp.async.commit_group;
    cp.async.wait_group 0;
    mbarrier.arrive.shared.b64 %rd3, [%r1+2048];
    wait: mbarrier.try_wait.shared.b64 %p1, [%r1+2048], %rd3;
    @!%p1 bra wait;
    xor.b32 %r4, %r2, 1008;
    add.u32 %r4, %r4, %r1;
    ld.shared.v4.u32 {%r5, %r6, %r7, %r8}, [%r4];
    add.u64 %rd4, %out, %rd1;
    st.global.v4.u32 [%rd4], {%r5, %r6, %r7, %r8};)");
  auto *out = allocate<std::uint32_t>(256), *in = allocate<std::uint32_t>(256);
  for (std::uint32_t i = 0; i < 256; ++i)
    in[i] = i + 1;
  expect_runs({1}, {64}, parameters(out, in));
  for (std::uint32_t i = 0; i < 256; ++i)
    EXPECT_EQ(out[i], i % 4 == 3 ? 0 : (63 - i / 4) * 4 + i % 4 + 1) << i;
}

// PTX ISA 9.7.13.15: arrive_drop leaves a barrier for good, cp.async.mbarrier.arrive stands for the
// copies before it, pending_count reads a state.
TEST_F(PtxTest, MbarriersOfWhoLeavesAndOfCopies) {
  load_body(R"(
    mov.u32 %r1, sh;
    setp.ne.u32 %p0, %r0, 0;
    @%p0 bra ready;
    mbarrier.init.shared.b64 [%r1+2048], 64;
    mbarrier.init.shared::cta.b64 [%r1+2056], 128;
    ready: bar.sync 0;
    shl.b32 %r2, %r0, 2;
    add.u32 %r3, %r1, %r2;
    cvt.u64.u32 %rd1, %r2;
    add.u64 %rd2, %in, %rd1;
    cp.async.ca.shared.global [%r3], [%rd2], 4;
    cp.async.mbarrier.arrive.noinc.shared.b64 [%r1+2056];
    cp.async.mbarrier.arrive.shared::cta.b64 [%r1+2056];
    mbarrier.arrive.shared.b64 %rd3, [%r1+2056];
    copied: mbarrier.try_wait.shared.b64 %p1, [%r1+2056], %rd3;
    @!%p1 bra copied;
    setp.lt.u32 %p2, %r0, 24;
    @%p2 mbarrier.arrive_drop.shared.b64 _, [%r1+2048];
    @%p2 bra left;
    mbarrier.arrive.shared.b64 %rd3, [%r1+2048];
    first: mbarrier.try_wait.shared.b64 %p1, [%r1+2048], %rd3;
    @!%p1 bra first;
    bar.sync 1, 32;
    mbarrier.arrive.shared.b64 %rd3, [%r1+2048];
    second: mbarrier.try_wait.shared.b64 %p1, [%r1+2048], %rd3;
    @!%p1 bra second;
    left: xor.b32 %r4, %r2, 252;
    add.u32 %r4, %r4, %r1;
    ld.shared.u32 %r5, [%r4];
    bar.sync 0;
    ld.shared.b64 %rd4, [%r1+2048];
    mbarrier.pending_count.b64 %r6, %rd4;
    add.u64 %rd4, %out, %rd1;
    st.global.u32 [%rd4], %r5;
    st.global.u32 [%rd4+256], %r6;)");
  auto *out = allocate<std::uint32_t>(128), *in = allocate<std::uint32_t>(64);
  for (std::uint32_t i = 0; i < 64; ++i)
    in[i] = i + 1;
  expect_runs({1}, {64}, parameters(out, in));
  for (std::uint32_t i = 0; i < 64; ++i) {
    EXPECT_EQ(out[i], 64 - i) << i;
    EXPECT_EQ(out[64 + i], 40U) << i;  // that stayed
  }
}

// PTX ISA 9.7.5 (f16 and bf16 into f32), 9.7.3.11 and 9.7.3.12 (three operands).
TEST_F(PtxTest, MixedPrecisionAndExtremaOfThree) {
  load_body(R"(
    mov.b16 %h1, 0x3c01;                  // 1 + 2^-10
    mov.b16 %h2, 0xc040;                  // -3 in bf16
    mov.f32 %f1, 0f33800000;              // 2^-24
    add.f32.f16 %f2, %h1, %f1;
    add.rp.f32.f16 %f3, %h1, %f1;
    sub.rz.f32.bf16 %f4, %h2, %f1;
    sub.rm.f32.bf16 %f5, %h2, %f1;
    fma.rn.f32.f16 %f6, %h1, %h1, %f1;
    fma.rp.sat.f32.bf16 %f7, %h2, %h2, %f1;
    mov.f32 %f8, 0fC0000000;              // -2
    mov.f32 %f9, 0f7FC00000;
    min.f32 %f10, %f1, %f8, %f2;
    max.abs.f32 %f11, %f1, %f8, %f2;
    max.f32 %f12, %f9, %f8, %f9;
    min.NaN.f32 %f13, %f1, %f9, %f2;
    min.f32 %f14, %f1, %f8;
    st.global.v4.f32 [%out], {%f2, %f3, %f4, %f5};
    st.global.v4.f32 [%out+16], {%f6, %f7, %f10, %f11};
    st.global.v2.f32 [%out+32], {%f12, %f13};
    st.global.f32 [%out+40], %f14;)");
  auto* out = allocate<float>(16);
  expect_runs({1}, {1}, parameters(out, out));
  constexpr float kOne = 1 + 0x1p-10F;
  EXPECT_EQ(out[0], kOne);  // a tie
  EXPECT_EQ(out[1], kOne + 0x1p-23F);
  EXPECT_EQ(out[2], -3);
  EXPECT_EQ(out[3], -3 - 0x1p-22F);
  EXPECT_EQ(out[4], 1 + 0x1p-9F + 0x1p-20F);
  EXPECT_EQ(out[5], 1);
  EXPECT_EQ(out[6], -2);
  EXPECT_EQ(out[7], 2);
  EXPECT_EQ(out[8], -2);
  EXPECT_TRUE(std::isnan(out[9]));
  EXPECT_EQ(out[10], -2);
}

// Hints and orders that change nothing here: PTX ISA 9.7.9.8, 9.7.9.11, 9.7.9.18, 9.7.13.4.
TEST_F(PtxTest, CachePoliciesAndMappedIo) {
  load_body(R"(
    createpolicy.fractional.L2::evict_last.b64 %rd1;
    createpolicy.fractional.L2::evict_first.L2::evict_unchanged.b64 %rd2, 0.5;
    createpolicy.range.global.L2::evict_last.L2::evict_unchanged.b64 %rd3, [%in], 64, 128;
    createpolicy.cvt.L2.b64 %rd4, %rd3;
    ld.global.L2::cache_hint.u32 %r1, [%in], %rd2;
    ld.mmio.relaxed.sys.global.u32 %r2, [%in+4];
    add.u32 %r1, %r1, %r2;
    membar.proxy.alias;
    fence.acquire.sync_restrict::shared::cluster.cluster;
    fence.release.sync_restrict::shared::cta.cluster;
    st.mmio.relaxed.sys.global.u32 [%out], %r1;)");
  auto *out = allocate<std::uint32_t>(1), *in = allocate<std::uint32_t>(2);
  in[0] = 5, in[1] = 6;
  expect_runs({1}, {1}, parameters(out, in));
  EXPECT_EQ(out[0], 11U);
}

TEST_F(PtxTest, MatricesThroughSharedMemory) {
  load_body(R"(
    mov.u32 %r1, sh;
    shl.b32 %r2, %r0, 4;
    add.u32 %r3, %r1, %r2;
    cvt.u64.u32 %rd1, %r2;
    add.u64 %rd2, %in, %rd1;
    ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd2];
    st.shared.v4.u32 [%r3], {%r4, %r5, %r6, %r7};
    bar.sync 0;
    ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r8, %r9, %r10, %r11}, [%r3];
    stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%r3], {%r8, %r9, %r10, %r11};
    bar.sync 0;
    ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r12, %r13, %r14, %r15}, [%r3];
    shl.b32 %r16, %r0, 2;
    cvt.u64.u32 %rd3, %r16;
    add.u64 %rd4, %out, %rd3;
    st.global.u32 [%rd4], %r12;
    st.global.u32 [%rd4+128], %r15;)");
  auto *out = allocate<std::uint32_t>(64), *in = allocate<std::uint32_t>(128);
  for (std::uint32_t i = 0; i < 128; ++i)
    in[i] = (2 * i) | (2 * i + 1) << 16;
  expect_runs({1}, {32}, parameters(out, in));
  for (std::uint32_t t = 0; t < 32; ++t) {
    EXPECT_EQ(out[t], in[t]) << t;
    EXPECT_EQ(out[32 + t], in[96 + t]) << t;
  }
}

TEST_F(PtxTest, WmmaInAllLayouts) {
  load_body(R"(
    .reg .b32 %a<8>, %b<8>, %c<8>;
    wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%a0,%a1,%a2,%a3,%a4,%a5,%a6,%a7}, [%in], 16;
    wmma.load.b.sync.aligned.col.m16n16k16.global.f16 {%b0,%b1,%b2,%b3,%b4,%b5,%b6,%b7}, [%in+512], 16;
    mov.b32 %c0, 0; mov.b32 %c1, 0; mov.b32 %c2, 0; mov.b32 %c3, 0;
    mov.b32 %c4, 0; mov.b32 %c5, 0; mov.b32 %c6, 0; mov.b32 %c7, 0;
    wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 {%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7},
      {%a0,%a1,%a2,%a3,%a4,%a5,%a6,%a7}, {%b0,%b1,%b2,%b3,%b4,%b5,%b6,%b7}, {%f8,%f9,%f10,%f11,%f12,%f13,%f14,%f15};
    wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%out], {%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7}, 16;)");
  auto* out = allocate<float>(256);
  auto* in = allocate<std::uint16_t>(512);
  constexpr std::uint16_t kHalves[] = {0, 0x3c00, 0x4000, 0x4200};  // 0 to 3
  for (int i = 0; i < 512; ++i)
    in[i] = kHalves[i * 7 / 3 % 4];
  expect_runs({1}, {32}, parameters(out, in));
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 16; ++column) {
      int sum = 0;
      for (int k = 0; k < 16; ++k)
        sum += (row * 16 + k) * 7 / 3 % 4 * ((256 + column * 16 + k) * 7 / 3 % 4);
      EXPECT_EQ(out[row * 16 + column], static_cast<float>(sum));
    }
}

}  // namespace
}  // namespace longwire::softcuda::testing
