// How values go together, as far as it decides what an access to memory is.
#include "softcuda/interp/interp.h"
#include "softcuda/jit/analysis.h"
#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {
namespace {

// The address of a kernel's last store, where blocks are `rows` wide.
Shape stored_to(const std::string& body, std::uint32_t rows) {
  const auto program = link_text(R"(.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 po, .param .u32 pn) {
.reg .b64 %rd<9>; .reg .b32 %r<9>; .reg .pred %p<3>;
ld.param.u64 %rd0, [po]; ld.param.u32 %r7, [pn]; mov.u32 %r0, %tid.x;
setp.lt.u32 %p0, %r0, %r7;
)" + body + "}");
  if (program == nullptr) return {};
  Device device(interp::create());
  device.load(*program);
  interp::KernelPrograms programs = interp::decode(device.loaded(), device.kernel("k"), true);
  programs.rows = rows;
  const Program& code = programs.functions[programs.kernel];
  const Analysis analysis(programs, code);
  Shape found;
  for (const Step& s : code.steps)
    if (s.source != nullptr && s.source->op == ir::Op::kSt) found = analysis.shape(s.slot(0));
  return found;
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

}  // namespace
}  // namespace longwire::softcuda::jit
