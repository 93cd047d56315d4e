// Asynchronous copies of many bytes and what tells of their end, the cluster's barrier, the stack,
// and forms of old ISAs.
#include <numeric>

#include "softcuda/interp/half.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/text_test.h"

namespace longwire::softcuda::testing {
namespace {

using machine::FaultKind;
using std::uint32_t;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using AsyncTest = PtxTest;

TEST_F(AsyncTest, BulkCopiesTellTheirMbarrier) {
  load_body(R"(
    mov.u32 %r1, sh; setp.ne.u32 %p0, %r0, 0; @%p0 bra WAIT;
    mbarrier.init.shared.b64 [%r1], 1;
    mbarrier.arrive.expect_tx.shared::cta.b64 %rd1, [%r1], 256;
    cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1+128], [%in], 128, [%r1];
    mbarrier.test_wait.shared.b64 %p1, [%r1], %rd1; selp.u32 %r2, 1, 0, %p1;
    st.global.u32 [%out+128], %r2;
    cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes.L2::cache_hint [sh+256], [%in+128], 128, [sh], %rd1;
    WAIT: bar.sync 0;
    SPIN: mbarrier.try_wait.parity.shared.b64 %p1, [%r1], 0; @!%p1 bra SPIN;
    shl.b32 %r3, %r0, 2; add.u32 %r3, %r3, %r1; ld.shared.u32 %r4, [%r3+128];
    ld.shared.u32 %r5, [%r3+256]; add.u32 %r4, %r4, %r5; st.shared.u32 [%r3+512], %r4;
    bar.sync 0; @%p0 ret;
    cp.async.bulk.global.shared::cta.bulk_group [%out], [%r1+512], 128;
    cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;)");
  auto *out = allocate<uint32_t>(64), *in = allocate<uint32_t>(64);
  std::iota(in, in + 64, 0U);
  expect_runs({1}, {32}, parameters(out, in));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], 2 * i + 32);
  EXPECT_EQ(out[32], 0U);  // half of the bytes had come
}

TEST_F(AsyncTest, BytesMayComeBeforeTheyAreExpected) {
  load_body(R"(
    mbarrier.init.shared.b64 [sh], 2;
    mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [sh], 8;
    mbarrier.arrive.shared.b64 %rd1, [sh]; mbarrier.arrive.shared.b64 _, [sh];
    mbarrier.test_wait.shared.b64 %p1, [sh], %rd1; selp.u32 %r1, 1, 0, %p1;
    mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [sh], 8;
    mbarrier.test_wait.shared.b64 %p1, [sh], %rd1; selp.u32 %r2, 1, 0, %p1;
    mbarrier.arrive_drop.expect_tx.shared::cta.b64 %rd2, [sh], 12;
    mbarrier.pending_count.b64 %r3, %rd2; mbarrier.arrive.shared.b64 %rd2, [sh];
    mov.u32 %r5, sh;
    st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%r5+16], {7, %r3}, [%r5];
    mbarrier.test_wait.parity.shared.b64 %p1, [sh], 1; selp.u32 %r4, 1, 0, %p1;
    red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r5+16], 35, [%r5];
    mbarrier.test_wait.parity.shared.b64 %p1, [sh], 1; selp.u32 %r6, 1, 0, %p1;
    mbarrier.arrive.shared.b64 %rd2, [sh]; mbarrier.pending_count.b64 %r7, %rd2;
    ld.shared.v2.u32 {%r8, %r9}, [sh+16];
    st.global.v4.u32 [%out], {%r1, %r2, %r3, %r4}; st.global.v4.u32 [%out+16], {%r6, %r7, %r8, %r9};)");
  auto* out = allocate<uint32_t>(8);
  expect_runs({1}, {1}, parameters(out, out));
  // %r7: who dropped out is no longer expected in the phase after it.
  EXPECT_THAT(std::vector<uint32_t>(out, out + 8), ElementsAre(0, 1, 2, 0, 1, 1, 42, 2));
}

// No barrier of the block: who waits must let others run.
TEST_F(AsyncTest, WarpsWaitByAnMbarrierAlone) {
  load_body(R"(
    setp.lt.u32 %p1, %r0, 32; @%p1 bra WAIT; setp.ne.u32 %p2, %r0, 40; @%p2 ret;
    mbarrier.init.shared.b64 [sh], 1; mbarrier.arrive.shared.b64 _, [sh]; ret;
    WAIT: mbarrier.test_wait.parity.shared.b64 %p3, [sh], 0; @!%p3 bra WAIT;
    setp.ne.u32 %p2, %r0, 3; @%p2 ret; st.global.u32 [%out], %r0;)");
  auto* out = allocate<uint32_t>(1);
  expect_runs({1}, {64}, parameters(out, out));
  EXPECT_EQ(out[0], 3U);
}

TEST_F(AsyncTest, ReductionsInBulk) {
  load_body(R"(
    mov.u32 %r1, 0x3C00BC00; mov.u32 %r2, 5;
    st.shared.v4.u32 [sh], {%r2, %r2, %r2, %r2}; st.shared.v4.u32 [sh+16], {%r1, %r1, %r1, %r1};
    mov.u32 %r3, sh;
    cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%out], [%r3], 16;
    cp.reduce.async.bulk.global.shared::cta.bulk_group.max.s32 [%out+16], [%r3], 16;
    cp.reduce.async.bulk.global.shared::cta.bulk_group.add.noftz.f16 [%out+32], [%r3+16], 16;
    cp.reduce.async.bulk.global.shared::cta.bulk_group.min.f16 [%out+48], [%r3+16], 16;
    mbarrier.init.shared.b64 [sh+64], 1; mbarrier.arrive.expect_tx.shared.b64 %rd1, [sh+64], 16;
    cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.inc.u32 [%r3+32], [%r3], 16, [%r3+64];
    mbarrier.test_wait.shared.b64 %p1, [sh+64], %rd1; selp.u32 %r4, 1, 0, %p1;
    ld.shared.u32 %r5, [sh+44]; add.u32 %r4, %r4, %r5; st.global.u32 [%out+64], %r4;)");
  auto* out = allocate<uint32_t>(17);
  std::fill_n(out, 4, 100U);
  std::fill_n(out + 4, 4, 0xffff'fff0U);
  expect_runs({1}, {1}, parameters(out, out));
  EXPECT_EQ(out[3], 105U);
  EXPECT_EQ(out[7], 5U);
  EXPECT_EQ(out[11], 0x3c00'bc00U);
  EXPECT_EQ(out[15], 0x0000'bc00U);
  EXPECT_EQ(out[16], 2U);
}

TEST_F(AsyncTest, BulkStoresAndWrongSizes) {
  const char* body = R"(
    ld.global.u32 %r1, [%in]; mov.u64 %rd1, sh; st.shared.v2.u32 [sh], {7, 7};
    st.shared.v2.u32 [sh+8], {7, 7}; st.bulk.weak.shared::cta [sh], %r1, 0;
    ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [sh]; st.global.v4.u32 [%out], {%r2, %r3, %r4, %r5};)";
  load_body(body);
  auto *out = allocate<uint32_t>(4), *in = allocate<uint32_t>(1);
  in[0] = 8;
  expect_runs({1}, {1}, parameters(out, in));
  EXPECT_THAT(std::vector<uint32_t>(out, out + 4), ElementsAre(0, 0, 7, 7));
  in[0] = 12;
  auto fault = run({1}, {1}, parameters(out, in));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kIllegalInstruction);
  in[0] = 8192;  // more than there is
  fault = run({1}, {1}, parameters(out, in));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kIllegalAddress);
}

// Two phases; lanes come from different places, and one warp leaves.
TEST_F(AsyncTest, TheClustersBarrier) {
  load_body(R"(
    shl.b32 %r1, %r0, 2; mov.u32 %r2, sh; add.u32 %r1, %r1, %r2; setp.lt.u32 %p1, %r0, 7;
    setp.ge.u32 %p2, %r0, 64; add.u32 %r3, %r0, 100; st.shared.u32 [%r1], %r3;
    @%p1 bra FEW; barrier.cluster.arrive.release.aligned; bra WAIT;
    FEW: barrier.cluster.arrive.relaxed;
    WAIT: @%p2 ret; mov.u32 %r4, 63; sub.u32 %r4, %r4, %r0; barrier.cluster.wait.acquire;
    shl.b32 %r4, %r4, 2; add.u32 %r4, %r4, %r2; ld.shared.u32 %r5, [%r4];
    barrier.cluster.arrive; barrier.cluster.wait.aligned; st.shared.u32 [%r1], %r5;
    barrier.cluster.arrive.aligned; barrier.cluster.wait; ld.shared.u32 %r6, [%r4];
    mad.lo.u32 %r6, %r6, 1000, %r5; mul.wide.u32 %rd1, %r0, 4; add.u64 %rd1, %rd1, %out;
    st.global.u32 [%rd1], %r6;)");
  auto* out = allocate<uint32_t>(64);
  expect_runs({3}, {96}, parameters(out, out));
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(out[i], (100 + i) * 1000 + 163 - i) << i;
}

TEST_F(AsyncTest, AClusterHasOneBlock) {
  load_body(R"(
    mov.u32 %r1, %cluster_nctarank; mov.u32 %r2, %cluster_ctarank; mov.u32 %r3, %clusterid.x;
    mov.u32 %r4, %nclusterid.x; mov.u32 %r5, sh; mapa.shared::cluster.u32 %r6, %r5, 0;
    getctarank.shared::cluster.u32 %r7, %r6; st.shared::cluster.u32 [%r6+4], 9;
    ld.shared::cta.u32 %r8, [sh+4]; setmaxnreg.inc.sync.aligned.u32 64;
    setp.ne.u32 %p1, %r3, 1; @%p1 ret;
    st.global.v4.u32 [%out], {%r1, %r2, %r3, %r4}; st.global.v2.u32 [%out+16], {%r7, %r8};)");
  auto* out = allocate<uint32_t>(6);
  expect_runs({3}, {1}, parameters(out, out));
  EXPECT_THAT(std::vector<uint32_t>(out, out + 6), ElementsAre(1, 0, 1, 3, 0, 9));
}

TEST_F(AsyncTest, NoLaunchIsCancelled) {
  load_body(R"(
    .reg .b128 %q; mbarrier.init.shared.b64 [sh], 1; st.shared.v2.u32 [sh+16], {7, 7};
    mbarrier.arrive.expect_tx.shared.b64 %rd1, [sh], 16;
    clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes.b128 [sh+16], [sh];
    mbarrier.test_wait.shared.b64 %p1, [sh], %rd1; selp.u32 %r1, 1, 0, %p1;
    ld.shared.b128 %q, [sh+16]; clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p2, %q;
    selp.u32 %r2, 1, 0, %p2;
    @%p2 clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 {%r3, %r4, %r5, _}, %q;
    @%p2 clusterlaunchcontrol.query_cancel.get_first_ctaid::x.b32.b128 %r3, %q;
    st.global.v2.u32 [%out], {%r1, %r2};)");
  auto* out = allocate<uint32_t>(2);
  expect_runs({1}, {1}, parameters(out, out));
  EXPECT_THAT(std::vector<uint32_t>(out, out + 2), ElementsAre(1, 0));
}

// A function's memory is free again when it returns, lane by lane.
TEST_F(AsyncTest, MemoryOfTheStack) {
  load_text(R"(.version 8.5
.target sm_90
.address_size 64
.func (.reg .b32 r) sum(.reg .b32 n) {
  .reg .b64 a, s; .reg .b32 i, v; .reg .pred p;
  setp.eq.u32 p, n, 0; mov.u32 r, 0; @p ret;
  cvt.u64.u32 s, n; shl.b64 s, s, 2; alloca.u64 a, s, 16; st.local.u32 [a], n;
  sub.u32 i, n, 1; call (v), sum, (i); ld.local.u32 r, [a]; add.u32 r, r, v; ret; }
.visible .entry k(.param .u64 po, .param .u32 n) {
  .reg .b64 %out, %a, %b, %s, %t; .reg .b32 %r, %n, %i, %x; .reg .pred %p;
  ld.param.u64 %out, [po]; ld.param.u32 %n, [n]; mov.u32 %i, %tid.x; stacksave.u64 %s;
  and.b32 %x, %i, 3; add.u32 %n, %n, %x; call (%r), sum, (%n); stacksave.u64 %t; setp.eq.u64 %p, %s, %t;
  alloca.u64 %a, 24; st.local.u32 [%a+20], %i; alloca.u64 %b, 1; sub.u64 %b, %a, %b;
  cvt.u32.u64 %x, %b; stackrestore.u64 %s; @!%p mov.u32 %x, 0; mul.wide.u32 %s, %i, 8;
  add.u64 %out, %out, %s; st.global.v2.u32 [%out], {%r, %x}; ret; })");
  choose("k");
  auto* out = allocate<uint32_t>(64);
  expect_runs({2}, {32}, parameters(out, 3));
  for (uint32_t i = 0; i < 32; ++i) {
    const uint32_t deep = i % 4 + 3;
    EXPECT_EQ(out[2 * i], deep * (deep + 1) / 2) << i;
    EXPECT_EQ(out[2 * i + 1], 8U);  // aligned to 8
  }
  const auto fault = run({1}, {1}, parameters(out, 1 << 20));
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->kind, FaultKind::kStackOverflow);
}

// Of whoever is there, where the lanes have parted too.
TEST_F(PtxTest, ShufflesAndVotesOfOldIsas) {
  load_text(
      ".version 6.0\n.target sm_60\n.address_size 64\n"
      ".visible .entry k(.param .u64 po) {\n"
      ".reg .b64 %out, %rd<4>; .reg .b32 %r<9>; .reg .pred %p<5>;\n"
      "ld.param.u64 %out, [po]; mov.u32 %r0, %tid.x; mul.wide.u32 %rd1, %r0, 16;\n"
      "add.u64 %out, %out, %rd1; setp.lt.u32 %p1, %r0, 8; mov.u32 %r1, 7; @!%p1 bra MANY;\n"
      "shfl.down.b32 %r1|%p2, %r0, 1, 31; bra ALL; MANY: vote.ballot.b32 %r1, %p1;\n"
      "ALL: setp.ne.u32 %p3, %r0, 99; vote.all.pred %p4, %p3; selp.u32 %r2, 1, 0, %p4;\n"
      "vote.uni.pred %p4, %p1; selp.u32 %r3, 1, 0, %p4; shfl.idx.b32 %r4, %r0, 5, 31;\n"
      "st.global.v4.u32 [%out], {%r1, %r2, %r3, %r4}; ret; }\n");
  choose("k");
  auto* out = allocate<std::uint32_t>(128);
  expect_runs({1}, {32}, parameters(out));
  for (std::uint32_t i = 0; i < 32; ++i) {
    // Lane 8 takes no part in the first.
    EXPECT_EQ(out[4 * i], i < 7 ? i + 1 : 0) << i;
    EXPECT_EQ(out[4 * i + 1], 1U);
    EXPECT_EQ(out[4 * i + 2], 0U);
    EXPECT_EQ(out[4 * i + 3], 5U);
  }
}

// Parameters are a part of global memory, constants and shared memory are not.
TEST_F(PtxTest, WhichSpaceAnAddressIsIn) {
  load_text(
      ".version 8.5\n.target sm_90\n.address_size 64\n.const .u32 one[4] = { 1, 2, 3, 4 };\n"
      ".visible .entry k(.param .u64 po) {\n"
      ".reg .b64 %out, %a<5>; .reg .b32 %r<4>; .reg .pred %p; .shared .u32 s[4]; .local .u32 "
      "l[4];\n"
      "ld.param.u64 %out, [po]; mov.u64 %a0, one; cvta.const.u64 %a0, %a0; mov.u64 %a1, s;\n"
      "cvta.shared.u64 %a1, %a1; mov.u64 %a2, l; cvta.local.u64 %a2, %a2; mov.u64 %a3, po;\n"
      "cvta.param.u64 %a3, %a3; mov.u64 %a4, %out;\n" +
      [] {
        std::string text;
        for (int a = 0; a < 5; ++a) {
          text += "mov.u32 %r0, 0;\n";
          int bit = 1;
          for (const char* space :
               {"const", "shared", "shared::cluster", "local", "param::entry", "global"}) {
            text += std::string("isspacep.") + space + " %p, %a" + std::to_string(a) +
                    "; @%p or.b32 %r0, %r0, " + std::to_string(bit) + ";\n";
            bit *= 2;
          }
          text += "st.global.u32 [%out+" + std::to_string(4 * a) + "], %r0;\n";
        }
        return text;
      }() +
      "ret; }\n");
  choose("k");
  auto* out = allocate<std::uint32_t>(5);
  expect_runs({1}, {1}, parameters(out));
  EXPECT_THAT(std::vector<std::uint32_t>(out, out + 5),
              ::testing::ElementsAre(1, 2 | 4, 8, 16 | 32, 32));
}

}  // namespace
}  // namespace longwire::softcuda::testing
