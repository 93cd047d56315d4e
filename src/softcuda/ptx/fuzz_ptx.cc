// PTX text that a program hands to the driver: the parser, and places in error messages.
#include "fuzz/target.h"
#include "softcuda/ptx/parser.h"

namespace longwire::fuzz {

std::vector<Seed> seeds() {
  const std::string head = ".version 8.5\n.target sm_80\n.address_size 64\n";
  return {
      {"kernel", bytes_of(head + R"(
.visible .entry k(.param .u64 a, .param .align 8 .b8 s[24]) .maxntid 256, 1, 1 {
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .v4 .f32 v; .local .align 8 .b8 depot[16];
  @!%p1 ld.global.v4.f32 {%f1, %f2, _, %f4}, [%rd1+-16];
  setp.lt.and.s32 %p1|%p2, %r1, (WARP_SZ*2), !%p2;
  { .param .b32 x; call.uni (x), f, (%r1, 0f3F800000); }
L: .branchtargets L, M; brx.idx %r1, L;
P: .callprototype (.param .b32 _) _ (.param .b32 _[4]) .noreturn;
  tex.2d.v4.f32.f32 {a,b,c,d}, [%rd1, {%f1, %f2}];
})")},
      {"variables", bytes_of(head + R"(
.extern .shared .align 16 .b8 smem[];
.visible .global .align 4 .u32 x[2][2] = { {1, 0x2}, {03, 0b11} };
.weak .const .f64 d = 0d3FF0000000000000; .common .global .attribute(.managed) .b32 m;
.global .u64 p[] = { generic(x)+4, x-8, 0xff00(x) }; .global .b8 t[] = "a\n";
.global .s32 e = (1 << 3) + (2 > 1 ? -7 / 2 : ~0) % 5; .global .texref tex; .alias f, g;
)")},
      {"debug",
       bytes_of(".version 7.0 /* c */ // d\n.target sm_70, debug\n.address_size 64\n# 1 \"a\"\n"
                ".file 1 \"a.cu\", 1, 2\n.func f() { .loc 1 2 3, function_name $L+1, "
                "inlined_at 1 2 3\n .pragma \"nounroll\"; }\n.section .debug_str { .b8 1,2 }")},
  };
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::softcuda;
  const auto source = ptx::parse("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  if (!source && source.error().message().empty()) __builtin_trap();
  return 0;
}
