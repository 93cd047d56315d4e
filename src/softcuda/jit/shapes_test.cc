// How values go together, as far as it decides what an access to memory is.
#include "softcuda/interp/interp.h"
#include "softcuda/jit/analysis.h"
#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {
namespace {

// Looks at a kernel whose blocks are `rows` wide.
template <class F>
void analyse(const std::string& body, std::uint32_t rows, F look) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po, .param .u32 pn) {
.reg .b64 %rd<9>; .reg .b32 %r<9>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; ld.param.u32 %r7, [pn]; mov.u32 %r0, %tid.x;
setp.lt.u32 %p0, %r0, %r7;
)" + body + "}");
  if (program == nullptr) return;
  Device device(interp::create());
  device.load(*program);
  interp::KernelPrograms programs = interp::decode(device.loaded(), device.kernel("k"), true);
  programs.rows = rows;
  const Program& code = programs.functions[programs.kernel];
  look(Analysis(programs, code), code);
}

// The address of a kernel's last store.
Shape stored_to(const std::string& body, std::uint32_t rows) {
  Shape found;
  analyse(body, rows, [&](const Analysis& analysis, const Program& code) {
    for (const Step& s : code.steps)
      if (s.source != nullptr && s.source->op == ir::Op::kSt) found = analysis.shape(s.slot(0));
  });
  return found;
}

// Of how many blocks the loop is in whose lanes leave it one by one; 0: the Runner parts them.
std::size_t loop_blocks(const std::string& body) {
  std::size_t count = 0;
  analyse(body, 32, [&](const Analysis& analysis, const Program&) {
    for (std::uint32_t b = 0; b < analysis.blocks().size(); ++b)
      if (const Region* region = analysis.region_in(b); region != nullptr && region->loops)
        count = region->blocks.size();
  });
  return count;
}

// Compilers put what both arms of a branch have in common into both.
TEST(Shapes, WhatBothArmsComputeAlikeIsOneLine) {
  EXPECT_EQ(stored_to(R"(@%p0 bra other;
mul.wide.u32 %rd1, %r0, 4; mov.u32 %r1, 1; bra.uni both;
other: mul.wide.u32 %rd1, %r0, 4; mov.u32 %r1, 2;
both: add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r1; ret;)",
                      32),
            Shape::line(4));
}

TEST(Shapes, WhatArmsComputeOtherwiseVaries) {
  const char* other_constant = R"(@%p0 bra other;
mul.wide.u32 %rd1, %r0, 4; bra.uni both;
other: mul.wide.u32 %rd1, %r0, 8;
both: add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r0; ret;)";
  const char* one_arm = R"(mov.u64 %rd1, 0; @%p0 bra both;
mul.wide.u32 %rd1, %r0, 4;
both: add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r0; ret;)";
  const char* other_source = R"(mov.u32 %r1, %r7; @%p0 bra other;
mul.wide.u32 %rd1, %r1, 4; bra.uni both;
other: add.u32 %r1, %r1, 1; mul.wide.u32 %rd1, %r1, 4;
both: add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r0; ret;)";
  const char* not_on_every_way = R"(mov.u64 %rd1, 0; @%p0 bra other;
setp.eq.u32 %p1, %r0, 1; @%p1 bra both; mul.wide.u32 %rd1, %r0, 4; bra.uni both;
other: mul.wide.u32 %rd1, %r0, 4;
both: add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r0; ret;)";
  for (const char* body : {other_constant, one_arm, other_source, not_on_every_way})
    EXPECT_EQ(stored_to(body, 32), Shape::varying()) << body;
}

// Both arms of both turns write it, but lanes leave the loop in different turns.
TEST(Shapes, AlikeInALoopThatLanesLeaveOneByOneIsNot) {
  EXPECT_EQ(stored_to(R"(mov.u32 %r1, 0; mov.u64 %rd1, 0;
loop: add.u32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, %r0; @%p0 bra other;
mul.wide.u32 %rd1, %r1, 4; bra.uni both;
other: mul.wide.u32 %rd1, %r1, 4;
both: @%p1 bra loop;
add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r0; ret;)",
                      32),
            Shape::varying());
}

TEST(Regions, LoopsThatLanesLeaveOneByOne) {
  const char* one_block = R"(mov.u32 %r1, 0;
loop: add.u32 %r1, %r1, 3; setp.lt.u32 %p1, %r1, %r0; @%p1 bra loop;
st.global.u32 [%rd0], %r1; ret;)";
  const char* in_a_loop = R"(mov.u32 %r1, 0; mov.u32 %r2, 0;
outer: add.u32 %r2, %r2, 1;
loop: add.u32 %r1, %r1, 3; setp.lt.u32 %p1, %r1, %r0; @%p1 bra loop;
setp.lt.u32 %p1, %r2, %r0; @%p1 bra outer;
st.global.u32 [%rd0], %r1; ret;)";
  const char* left_in_the_middle = R"(mov.u32 %r1, 0; bra.uni in;
loop: add.u32 %r1, %r1, 3; setp.eq.u32 %p1, %r1, %r0; @%p1 bra found;
in: setp.lt.u32 %p1, %r1, %r0; @%p1 bra loop;
mov.u32 %r1, 7;
found: st.global.u32 [%rd0], %r1; ret;)";
  EXPECT_EQ(loop_blocks(one_block), 1U);
  EXPECT_EQ(loop_blocks(in_a_loop), 3U);
  EXPECT_EQ(loop_blocks(left_in_the_middle), 3U);
}

TEST(Regions, LoopsThatAreLeftToTheRunner) {
  const char* waits = R"(mov.u32 %r1, 0;
loop: add.u32 %r1, %r1, 3; bar.sync 0; setp.lt.u32 %p1, %r1, %r0; @%p1 bra loop;
st.global.u32 [%rd0], %r1; ret;)";
  const char* ends = R"(mov.u32 %r1, 0;
loop: add.u32 %r1, %r1, 3; setp.lt.u32 %p1, %r1, %r0; @%p1 bra loop2; ret;
loop2: st.global.u32 [%rd0], %r1; bra.uni loop;)";
  const char* together = R"(mov.u32 %r1, 0;
loop: add.u32 %r1, %r1, 3; setp.lt.u32 %p1, %r1, %r7; @%p1 bra loop;
st.global.u32 [%rd0], %r1; ret;)";
  for (const char* body : {waits, ends, together})
    EXPECT_EQ(loop_blocks(body), 0U) << body;
}

}  // namespace
}  // namespace longwire::softcuda::jit
