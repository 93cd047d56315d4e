#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "softcuda/ir/link.h"
#include "softcuda/ir/print.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::ir {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHead = ".version 8.5\n.target sm_80\n.address_size 64\n";

base::Result<std::unique_ptr<const Module>> module_of(const std::string& text) {
  auto source = ptx::parse("test", kHead + text);
  if (!source) return std::move(source).error();
  std::vector<std::unique_ptr<ptx::Source>> sources;
  sources.push_back(std::move(*source));
  return link(sources);
}

// The instructions of a kernel whose body is `body`, or the error.
std::string lowered(const std::string& body) {
  const auto module = module_of(
      ".visible .entry k(.param .u64 a) {\n"
      ".reg .pred %p<8>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %d<32>; .reg .f32 %f<64>; "
      ".reg .f64 %e<32>;\n" +
      body + "\n}");
  if (!module) return module.error().message();
  const auto* kernel = (*module)->find_kernel("k");
  std::string text;
  for (const auto& instruction : kernel->instructions) {
    text += to_text(**module, *kernel, instruction) + "\n";
  }
  return text;
}

TEST(Lower, DefaultsAreWrittenOut) {
  EXPECT_EQ(lowered("add.f32 %f1, %f2, 1.5;"), "add.rn.f32 %f1, %f2, 0x3fc00000\nret\n");
  EXPECT_EQ(lowered("atom.global.add.u32 %r1, [%d1], 4;"),
            "atom.relaxed.gpu.global.add.u32 %r1, [%d1], 0x4\nret\n");
}

TEST(Lower, UnknownInstructionIsNamedWithItsPlace) {
  EXPECT_THAT(lowered("frob.b32 %r1, %r2;"),
              HasSubstr("line 6, column 1: error: unknown instruction 'frob.b32'\n    frob.b32"));
}

// One line: what a body of one instruction becomes.
std::string one(const std::string& instruction) {
  const auto text = lowered(instruction);
  return text.substr(0, text.find("\nret\n"));
}

TEST(Lower, ConstantsHaveTheWidthOfTheirOperand) {
  EXPECT_EQ(one("add.s32 %r1, %r2, -1;"), "add.s32 %r1, %r2, 0xffffffff");
  EXPECT_EQ(one("mov.b16 %h1, 0x13C00;"), "mov.b16 %h1, 0x3c00");
  EXPECT_EQ(one("mov.f32 %f1, 0d3FF0000000000000;"), "mov.f32 %f1, 0x3f800000");
  EXPECT_EQ(one("mov.f64 %e1, 0f3F800000;"), "mov.f64 %e1, 0x3ff0000000000000");
  EXPECT_EQ(one("mov.b32 %f1, 0fFFC00001;"), "mov.b32 %f1, 0xffc00001");
  EXPECT_EQ(one("mul.wide.s32 %d1, %r1, -4;"), "mul.wide.s32 %d1, %r1, 0xfffffffc");
  EXPECT_EQ(one("mov.pred %p1, 1;"), "mov.pred %p1, 0x1");
}

TEST(Lower, HalvesAreRoundedToEven) {
  EXPECT_EQ(one("mov.f16 %h1, 1.0;"), "mov.f16 %h1, 0x3c00");
  EXPECT_EQ(one("mov.f16 %h1, 65504.0;"), "mov.f16 %h1, 0x7bff");
  EXPECT_EQ(one("mov.f16 %h1, 65520.0;"), "mov.f16 %h1, 0x7c00");
  EXPECT_EQ(one("mov.f16 %h1, -1e9;"), "mov.f16 %h1, 0xfc00");
  EXPECT_EQ(one("mov.f16 %h1, 0f33800000;"), "mov.f16 %h1, 0x1");  // 2^-24
  EXPECT_EQ(one("mov.f16 %h1, 0f33000000;"), "mov.f16 %h1, 0x0");  // half of that
  EXPECT_EQ(one("mov.f16 %h1, 0f387FE000;"), "mov.f16 %h1, 0x400");
  EXPECT_EQ(one("mov.bf16 %h1, 0f3F808000;"), "mov.bf16 %h1, 0x3f80");
}

TEST(Lower, OptionalOperandsKeepTheirPlace) {
  EXPECT_EQ(one("bar.red.and.pred %p1, 0, %p2;"), "bar.red.and.pred %p1, 0x0, _, %p2");
  EXPECT_EQ(one("bar.red.and.pred %p1, 0, 64, !%p2;"), "bar.red.and.pred %p1, 0x0, 0x40, !%p2");
  EXPECT_EQ(one("setp.lt.s32 %p1|%p2, %r1, 0;"), "setp.lt.s32 %p1, %p2, %r1, 0x0");
  EXPECT_EQ(one("setp.lt.s32 %p1, %r1, 0;"), "setp.lt.s32 %p1, _, %r1, 0x0");
  EXPECT_EQ(one("atom.exch.b32 _, [%d1], 1;"), "atom.relaxed.gpu.exch.b32 _, [%d1], 0x1");
}

TEST(Lower, CachePoliciesAreDropped) {
  EXPECT_EQ(one("ld.global.L2::cache_hint.u32 %r1, [%d1], %d2;"), "ld.global.u32 %r1, [%d1]");
}

TEST(Lower, SpecialRegistersAndAddressesComeByMov) {
  EXPECT_THAT(lowered("add.u32 %r1, %tid.x, %r2;"),
              HasSubstr("mov.u32 %longwire1, %tid.x\nadd.u32 %r1, %longwire1, %r2\n"));
  EXPECT_THAT(lowered(".shared .b32 s[4]; add.u64 %d1, s+4, %d2;"),
              HasSubstr("mov.shared.u64 %longwire1, &s+4\nadd.u64 %d1, %longwire1, %d2\n"));
}

TEST(Lower, InnerBlocksShadow) {
  EXPECT_EQ(lowered("mov.u32 %r1, 1; { .reg .b64 %r<2>; mov.u64 %r1, 2; } mov.u32 %r1, 3;"),
            "mov.u32 %r1, 0x1\nmov.u64 %r1, 0x2\nmov.u32 %r1, 0x3\nret\n");
  EXPECT_EQ(lowered("{ L: bra L; } { L: bra L; }"), "bra b0\nbra b1\n");
}

TEST(Lower, ParameterisedNames) {
  EXPECT_THAT(one("mov.u32 %r64, 1;"), HasSubstr("'%r64' is not a register"));
  EXPECT_THAT(one("mov.u32 %r01, 1;"), HasSubstr("'%r01' is not a register"));
  EXPECT_EQ(one(".reg .b32 x1<12>; mov.u32 x111, 1;"), "mov.u32 x111, 0x1");
  EXPECT_EQ(one(".reg .b32 y<4000000000>; mov.u32 y3999999999, 1;"), "mov.u32 y3999999999, 0x1");
}

TEST(Lower, VectorsOfRegisters) {
  EXPECT_EQ(one(".reg .v2 .f32 v; ld.global.v2.f32 v, [%d1]; "), "ld.global.v2.f32 {v, v}, [%d1]");
  EXPECT_EQ(one(".reg .v4 .f32 v; mov.f32 %f1, v.w;"), "mov.f32 %f1, v");
  EXPECT_THAT(one(".reg .v2 .f32 v; mov.f32 %f1, v.z;"), HasSubstr("unknown name 'v.z'"));
}

TEST(Lower, LocalMemoryOfABlockIsReused) {
  const auto module = module_of(".func f() { { .local .b8 a[100]; } { .local .b8 b[50]; } ret; }");
  EXPECT_EQ((*module)->functions[0].local_bytes, 100U);
}

TEST(Lower, WhatRunsOffTheEndReturns) {
  EXPECT_EQ(lowered("@%p1 bra L; L:"), "@%p1 bra b1\nret\n");
  EXPECT_EQ(lowered("@%p1 ret;"), "@%p1 ret\nret\n");
  EXPECT_EQ(lowered("exit;"), "exit\n");
}

TEST(Lower, IndexedBranches) {
  EXPECT_EQ(lowered("T: .branchtargets A, B, A; brx.idx %r1, T; A: trap; B: exit;"),
            "brx.idx %r1, b1 b2 b1\ntrap\nexit\n");
}

struct Refused {
  const char* instruction;
  const char* message;
};

class Refusal : public ::testing::TestWithParam<Refused> {};

TEST_P(Refusal, SaysWhy) {
  EXPECT_THAT(one(GetParam().instruction), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Opcodes, Refusal,
    ::testing::Values(
        Refused{"add.q32 %r1, %r2, 1;", "'.q32' does not belong in 'add.q32'"},
        Refused{"add %r1, %r2, 1;", "a modifier or type is missing in 'add'"},
        Refused{"add.sat.u32 %r1, %r2, 1;", "'add.sat.u32'"},
        Refused{"mul.u32 %r1, %r2, 1;", "missing in 'mul.u32'"},
        Refused{"div.f32 %f1, %f2, %f3;", "missing in 'div.f32'"},
        Refused{"fma.f32 %f1, %f2, %f3, %f4;", "missing in 'fma.f32'"},
        Refused{"cvt.f32.s32 %f1, %r1;", "a rounding modifier is missing in 'cvt.f32.s32'"},
        Refused{"cvt.s32.f32 %r1, %f1;", "a rounding modifier is missing in"},
        Refused{"cvt.rn.s32.f32 %r1, %f1;", "rounding to integer (.rni"},
        Refused{"cvt.rn.s32.u16 %r1, %h1;", "integers are not rounded in"},
        Refused{"setp.lo.s32 %p1, %r1, 1;", "this comparison does not fit the type of"},
        Refused{"setp.lt.b32 %p1, %r1, 1;", "this comparison does not fit the type of"},
        Refused{"setp.equ.u32 %p1, %r1, 1;", "this comparison does not fit the type of"},
        Refused{"ld.relaxed.u32 %r1, [%d1];", "a scope is missing in"},
        Refused{"ld.gpu.u32 %r1, [%d1];", "a scope is only for"},
        Refused{"shfl.bfly.b32 %r1, %r2, 1, 31;", "'shfl.bfly.b32' lacks .sync"},
        Refused{"mma.sync.aligned.m16n8k16.row.row.f32.f16.f16.f32 {},{},{},{};", "'.row'"},
        Refused{"wgmma.fence.sync.aligned;", "unknown instruction 'wgmma.fence.sync.aligned'"},
        Refused{"cp.async.frob.commit_group;", "'.frob' does not belong in"}));

INSTANTIATE_TEST_SUITE_P(
    Operands, Refusal,
    ::testing::Values(
        Refused{"add.u32 %r1, %r2;", "'add.u32' has 2 operands; it takes 3"},
        Refused{"add.u32 %r1, %r2, 1, 2;", "has 4 operands; it takes 3"},
        Refused{"bar.sync;", "has 0 operands; it takes 1 to 2"},
        Refused{"add.u32 1, %r2, 1;", "a register is wanted here"},
        Refused{"add.u32 %r1, %d2, 1;",
                "register '%d2' of type .b64 does not fit an operand of "
                "type .u32"},
        Refused{"add.u32 %r1, %h2, 1;", "register '%h2' of type .b16 does not fit"},
        Refused{"add.u32 %r1, %p1, 1;", "register '%p1' of type .pred does not fit"},
        Refused{"add.u32 %r1, !%r2, 1;", "'!' has no meaning here"},
        Refused{"add.u32 %r1, %r2, 1.5;", "this constant does not fit an operand of type .u32"},
        Refused{"add.f32 %f1, %f2, 1;", "this constant does not fit an operand of type .f32"},
        Refused{"add.u32 %r1, nothing, 1;", "unknown name 'nothing'"},
        Refused{"add.u32 %r1|%r2, %r3, 1;", "'|' has no meaning here"},
        Refused{"add.u32 _, %r3, 1;", "'_' cannot stand here"},
        Refused{"add.u32 %r1, {%r2, %r3}, 1;", "a register or a constant is wanted here"},
        Refused{"add.u32 %r1, %r2+4, 1;", "a register with an offset is no operand"},
        Refused{"ld.global.u32 %r1, %d1;", "an address is wanted here"},
        Refused{"ld.global.u32 %r1, [%r2];", "an address must be in a register of 64 bits"},
        Refused{"ld.global.u32 %r1, [%h2];", "'%h2' cannot hold an address"},
        Refused{"ld.global.u64 %r1, [%d1];", "register '%r1' of type .b32 does not fit"},
        Refused{"ld.global.v2.u32 %r1, [%d1];", "a vector of 2 is wanted here"},
        Refused{"ld.global.v4.u32 {%r1, %r2}, [%d1];", "a vector of 4 is wanted here"},
        Refused{".shared .b32 s; ld.global.u32 %r1, [s];", "the variable is not in the space of"},
        Refused{"ld.global.u32 %r1, [nothing];", "unknown name 'nothing'"},
        Refused{"@%r1 ret;", "'%r1' is not a predicate"},
        Refused{"@%p9 ret;", "'%p9' is not a predicate"},
        Refused{"bra nowhere;", "there is no label 'nowhere'"},
        Refused{"bra 1;", "bra takes one label"},
        Refused{"brx.idx %r1, nothing;", "brx.idx takes the name of .branchtargets"},
        Refused{"cp.async.cg.shared.global [%r1], [%d1], 8;", "4, 8 or 16 bytes"},
        Refused{"mov.b64 {%r1, %h1}, %d1;", "register '%h1' of type .b16 does not fit"},
        Refused{"mov.b32 {%r1, %r2}, {%r3, %r4};", "only one operand may be a vector"},
        Refused{"mov.u32 %r1, %clock64;", "'%clock64' is of type .u64"},
        Refused{"lop3.b32 %r1, %r2, %r3, %r4, %r5;", "a constant is wanted here"},
        Refused{"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1}, [%r2];", "a vector of 4"},
        Refused{
            "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%r1,%r2},{%r1,%r2},{%r1},{%r1,%r2};",
            "this fragment has 1 registers, not 2"}));

INSTANTIATE_TEST_SUITE_P(
    Declarations, Refusal,
    ::testing::Values(Refused{".reg .b32 x; .reg .b64 x;", "'x' is declared twice"},
                      Refused{".reg .b32 z<4>; .reg .b32 z<8>;", "'z' is declared twice"},
                      Refused{".reg .texref x;", "a register cannot have the type 'texref'"},
                      Refused{".reg .b32 x[4];", "registers are no arrays"},
                      Refused{".local .b8 x[600000];", "over 512 KiB of local memory"},
                      Refused{".shared .b8 x[99999999999999999999];", "malformed number"},
                      Refused{".shared .b64 x[9999999999999999][9999999999999];", "is too large"},
                      Refused{".shared .align 3 .b8 x[4];", "alignment 3 is not a power of two"},
                      Refused{".shared .b32 x = 1;", ".shared has no initialiser"},
                      Refused{"L: ret; L: ret;", "label 'L' is there twice"}));

std::string module_error(const std::string& text) {
  const auto module = module_of(text);
  return module ? "accepted" : module.error().message();
}

TEST(Lower, CallsAreChecked) {
  const std::string f =
      ".func (.param .b32 r) f(.param .b32 a, .param .align 8 .b8 b[24]) { ret; }\n.entry k() { "
      ".param .b32 x; .param .align 8 .b8 y[24]; .param .b16 z; .reg .b32 q; .reg .b64 d;";
  EXPECT_EQ(module_error(f + "call (x), f, (x, y); call (q), f, (q, y); }"), "accepted");
  EXPECT_THAT(module_error(f + "call f, (x, y); }"), HasSubstr("has 1 results, the call 0"));
  EXPECT_THAT(module_error(f + "call (x), f, (x); }"), HasSubstr("has 2 parameters, the call 1"));
  EXPECT_THAT(module_error(f + "call (x), f, (z, y); }"),
              HasSubstr("'z' has 2 bytes, the function's parameter 4"));
  EXPECT_THAT(module_error(f + "call (x), f, (x, q); }"), HasSubstr("a .param variable is wanted"));
  EXPECT_THAT(module_error(f + "call (x), g, (x, y); }"), HasSubstr("there is no function 'g'"));
  EXPECT_THAT(module_error(f + "call (x), k, (x, y); }"), HasSubstr("a kernel cannot be called"));
  EXPECT_THAT(module_error(f + "call (x), d, (x, y); }"), HasSubstr("must name a prototype"));
  EXPECT_THAT(module_error(f + "call (x), d, (x, y), p; }"),
              HasSubstr("there is no prototype 'p'"));
  EXPECT_THAT(module_error(f + "call (x); }"), HasSubstr("malformed call"));
}

TEST(Lower, ArgumentsInRegistersGoThroughTheFrame) {
  const auto module = module_of(
      ".func (.param .b32 r) f(.param .b32 a) { ret; }\n.func (.reg .b32 r) g(.reg .b32 a) { ret; "
      "}\n"
      ".entry k() { .reg .b32 q; .param .b32 x; call (q), f, (7); call (x), g, (x); }");
  ASSERT_TRUE(module);
  const auto text = to_text(**module, *(*module)->find_kernel("k"));
  EXPECT_THAT(text, HasSubstr("st.local.b32 [8], 0x7\n  call f, ([4]*4), ([8]*4)\n"
                              "  ld.local.b32 q, [4]"));
  EXPECT_THAT(text, HasSubstr("ld.local.b32 %longwire"));
  EXPECT_THAT(text, HasSubstr("call g, (%longwire"));
}

TEST(Lower, VideoSelectors) {
  EXPECT_THAT(one("vadd.s32.u32.s32.sat %r1, %r2.b3, %r3.h1;"),
              HasSubstr("%r1, %r2, %r3, _, 0x2000, 0x818, 0x1010"));
  EXPECT_THAT(one("vsub.s32.s32.s32 %r1.h0, %r2, 7, %r3;"),
              HasSubstr("%r1, %r2, 0x7, %r3, 0x1000, 0x2000, 0x2000"));
  EXPECT_THAT(one("vmin4.s32.u32.u32.add %r1.b310, %r2.b0007, %r3, %r4;"),
              HasSubstr("%r1, %r2, %r3, %r4, 0xb, 0x7, 0x7654"));
  EXPECT_THAT(one("vset2.u32.u32.lt %r1, %r2, %r3.h23, %r4;"),
              HasSubstr("%r1, %r2, %r3, %r4, 0x3, 0x10, 0x23"));
  EXPECT_THAT(one("vmad.s32.s32.s32.shr7 %r1, -%r2.h0, %r3, -%r4;"),
              HasSubstr("%r1, %r2, %r3, %r4, 0x2000, 0x1000, 0x2000, 0x3"));
  for (const char* wrong :
       {"vadd.s32.s32.s32 %r1, %r2.b4, %r3;", "vadd.s32.s32.s32 %r1, %r2.h10, %r3;",
        "vadd.s32.s32.s32 %r1.h0, %r2, %r3;", "vadd.s32.s32.s32.add %r1, %r2, %r3;",
        "vadd.s32.s32.s32.add %r1.b0, %r2, %r3, %r4;", "vadd2.s32.s32.s32 %r1, %r2, %r3;",
        "vadd2.s32.s32.s32 %r1.h01, %r2, %r3, %r4;",
        "vadd4.s32.s32.s32.sat.add %r1, %r2, %r3, %r4;", "vadd.s32.s32.s32 %r1, -%r2, %r3;",
        "vmad.u32.u32.u32.po %r1, -%r2, %r3, %r4;", "vset.s32.s32.hi %r1, %r2, %r3;",
        "vadd2.s32.s32.s32 %r1, %r2.b10, %r3, %r4;"}) {
    EXPECT_THAT(lowered(wrong), HasSubstr("line 6")) << wrong;
  }
}

TEST(Lower, WhatTellsAnMbarrierIsTwoInstructions) {
  EXPECT_EQ(lowered("@%p1 st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.u32 [%r1], "
                    "{%r2, 3}, [%r4];"),
            "@%p1 st.shared.v2.u32 [%r1], {%r2, 0x3}\n"
            "@%p1 mbarrier.complete_tx.relaxed.cluster.shared.b64 [%r4], 0x8\nret\n");
  for (const char* wrong :
       {"st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r1], %r2;",
        "st.async.mbarrier::complete_tx::bytes.u32 [%r1], %r2, [%d1];",
        "cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r1], 16, [%r2];",
        "cp.async.bulk.global.shared::cta.bulk_group [%r1], [%r1], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.inc.s32 [%d1], [%r1], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.b32 [%d1], [%r1], 16;",
        "st.bulk.weak.shared::cta [%r1], 16, 1;", "setmaxnreg.inc.sync.aligned.u32 20;",
        "setmaxnreg.dec.sync.aligned.u32 44;", "setmaxnreg.dec.sync.aligned.u32 %r1;"}) {
    EXPECT_THAT(lowered(wrong), HasSubstr("line 6")) << wrong;
  }
}

TEST(Lower, UnifiedAddresses) {
  EXPECT_EQ(one("ld.global.u32 %r1, [%d1+4].unified;"), "ld.global.u32 %r1, [%d1+4]");
}

TEST(Lower, NothingIsNegatedByAMinus) {
  EXPECT_THAT(lowered("add.s32 %r1, -%r2, 1;"), HasSubstr("a register or a constant is wanted"));
  EXPECT_THAT(lowered("mov.u32 %r1, -%r2;"), HasSubstr("is wanted here"));
  EXPECT_THAT(lowered("st.global.u32 [-%d1], %r1;"), HasSubstr("line 6"));
}

TEST(Lower, ShufflesWithoutSyncAreOfOldIsas) {
  EXPECT_THAT(lowered("shfl.up.b32 %r1, %r2, %r3, %r4;"), HasSubstr("lacks .sync"));
  EXPECT_THAT(lowered("vote.all.pred %p1, %p2;"), HasSubstr("lacks .sync"));
}

}  // namespace
}  // namespace longwire::softcuda::ir
