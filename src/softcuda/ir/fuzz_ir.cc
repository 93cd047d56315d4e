// Lowering and linking of whatever parses. What comes out must hold together: a back end relies on
// it (ir.h) and looks at nothing again.
#include <algorithm>

#include "fuzz/target.h"
#include "softcuda/ir/link.h"
#include "softcuda/ir/print.h"
#include "softcuda/ptx/parser.h"

namespace longwire::fuzz {
namespace {

namespace ir = softcuda::ir;
namespace ptx = softcuda::ptx;

constexpr std::string_view kHead = ".version 8.5\n.target sm_80\n.address_size 64\n";
constexpr char kNextInput = '\f';  // between the texts that are linked

void demand(bool truth) {
  if (!truth) __builtin_trap();
}

void check(const ir::Module& module, const ir::Function& function, const ir::Operand& operand) {
  using Kind = ir::OperandKind;
  const auto in = [](std::uint32_t id, std::size_t size) { return id == ir::kNone || id < size; };
  demand(in(operand.reg, function.registers.size()));
  switch (operand.kind) {
    case Kind::kRegister:
      return demand(operand.reg != ir::kNone);
    case Kind::kAddress:
    case Kind::kVariable:
      return demand(in(operand.id, module.variables.size()));
    case Kind::kFunction:
      return demand(operand.id < module.functions.size());
    case Kind::kBlock:
      return demand(operand.id < function.blocks.size());
    case Kind::kBlocks:
      return demand(operand.first + operand.count <= function.tables.size());
    case Kind::kTexture:
      return demand(operand.id < module.textures.size());
    case Kind::kCallee:
      return demand(operand.id < std::max(module.functions.size(), module.prototypes.size()));
    case Kind::kVector:
    case Kind::kArguments: {
      demand(operand.first + operand.count <= function.elements.size());
      for (std::uint32_t i = 0; i < operand.count; ++i) {
        const auto& element = function.elements[operand.first + i];
        demand(element.kind != Kind::kVector && element.kind != Kind::kArguments);
        check(module, function, element);
      }
      return;
    }
    default:
      return;
  }
}

void check(const ir::Module& module, const ir::Function& function) {
  if (function.blocks.empty()) return;
  for (const auto& reg : function.registers) {
    demand(reg.offset + (reg.bits == 1 ? 4 : reg.bits / 8 * ir::kWarpSize) <= function.frame_bytes);
  }
  std::uint32_t next = 0;
  for (const auto& block : function.blocks) {
    demand(block.first == next && block.count > 0);
    next += block.count;
    for (const auto successor : block.successors)
      demand(successor < function.blocks.size());
  }
  demand(next == function.instructions.size());
  for (const auto& instruction : function.instructions) {
    demand(instruction.first_operand + instruction.operand_count <= function.operands.size());
    demand(instruction.guard == ir::kNone || function.registers.at(instruction.guard).bits == 1);
    for (const auto& operand : function.operands_of(instruction))
      check(module, function, operand);
  }
}

void check(const ir::Module& module) {
  for (const auto& variable : module.variables) {
    demand(variable.initial.size() <= variable.bytes);
    for (const auto& relocation : variable.relocations) {
      demand(relocation.at + relocation.bytes <= variable.initial.size());
      demand(relocation.id <
             (relocation.function ? module.functions.size() : module.variables.size()));
    }
    if (variable.space == ir::Space::kGlobal) {
      demand(variable.offset + variable.bytes <= module.global_bytes);
    }
  }
  for (const auto& function : module.functions)
    check(module, function);
}

// What a declaration or an instruction may be refused for: one each, as the first error ends a
// link.
constexpr std::string_view kDeclarations[] = {
    ".global .align 24 .b8 x[3];",
    ".global .align 131072 .b32 x;",
    ".global .e4m3 x;",
    ".global .pred x;",
    ".global .b64 x[4294967296][4294967296];",
    ".global .b8 x[137438953472];",
    ".global .v4 .b128 x[3];",
    ".global .align 4 .v4 .f32 x = { 1.5, -2.5, 0f7F800000, 0d7FF8000000000000 };",
    ".global .f16 x[6] = { 1.0, 65504.0, 65520.0, 5.96e-8, 6.0e-5, 0d7FF8000000000000 };",
    ".global .bf16 x[3] = { 1.0, -3.4e38, 0f7FFFFFFF };",
    ".global .f64 x[2] = { 1.0, 0f3F800000 };",
    ".global .b32 x = 1.5;",
    ".global .b64 x = 1.5;",
    ".global .u32 x = 1.5;",
    ".global .f32 x = 0x3f800000;",
};
constexpr std::string_view kStatements[] = {
    ".reg .f8 z;",
    ".reg .b32 z[4];",
    ".reg .v4 .f32 z; mov.f32 z.y, 1.0;",
    ".local .align 3 .b8 z[4];",
    "mov.b16 h, 1.5;",
    "mov.f16 h, 65520.0;",
    "mov.f16 h, 0f387FE000;",
    "mov.bf16 h, 1.001;",
    "mov.pred p, 1;",
    "mov.pred p, 1.0;",
    "mov.b64 d, 1.5;",
    "mov.f32 f, 1;",
    "mov.b128 q, 1.5;",
    "setp.lo.f32 p, f, f;",
    "setp.lt.b32 p, r, r;",
    "setp.hi.s32 p, r, r;",
    "setp.num.u32 p, r, r;",
    "set.ls.u32.u32 r, r, r;",
    "set.equ.and.f32.f16 f, h, h, !p;",
    "cvt.f16.f32 h, f;",
    "cvt.rni.f16.f32 h, f;",
    "cvt.rni.f32.s32 f, r;",
    "cvt.rn.s32.f32 r, f;",
    "cvt.s32.f32 r, f;",
    "cvt.rn.u64.u32 d, r;",
    "cvt.rzi.sat.u8.f64 h, g;",
    "cvt.rs.satfinite.e2m1x4.f32 h, {f, f, f, f}, r;",
    "cvt.rp.satfinite.ue8m0x2.bf16x2 h, r;",
    "ld.relaxed.global.u32 r, [d];",
    "ld.gpu.global.u32 r, [d];",
    "ld.volatile.global.u32 r, [d];",
    "st.release.sys.global.v2.f32 [d], {f, f};",
    "membar.gl;",
    "fence.acquire.cluster;",
    "fence.proxy.tensormap::generic.acquire.gpu [d], 128;",
    "atom.add.noftz.f16x2 r, [d], r;",
    "atom.cas.b128 q, [d], q, q;",
    "red.shared.max.s64 [d], d;",
    "wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 "
    "{f,f,f,f,f,f,f,f},{r,r,r,r,r,r,r,r},{r,r,r,r,r,r,r,r},{f,f,f,f,f,f,f,f};",
    "mma.sync.aligned.m8n8k4.col.row.f16.f16.f16.f16 {r,r,r,r},{r,r},{r,r},{r,r,r,r};",
    "mma.sync.aligned.m16n8k8.col.row.f32.f16.f16.f32 {f,f,f,f},{r,r},{r},{f,f,f,f};",
    "cvta.to.shared.u64 d, d;",
    "cvta.param.u64 d, a;",
    "addc.cc.u32 r, r, 1; madc.hi.s32 r, r, r, r;",
    "vadd.s32.u32.s32.sat r, r.b3, r.h1; vmad.s32.s32.s32.shr7 r, -r.h0, r, -r;",
    "vadd4.s32.s32.u32 r.b310, r.b0123, r, r; vset2.u32.u32.lt.add r, r.h23, r, r;",
    "vshl.u32.u32.u32.clamp.min r, r, r.b0, r;",
    "st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b64 [r], {d, d}, [r];",
    "red.async.relaxed.cluster.mbarrier::complete_tx::bytes.add.u64 [d], d, [d];",
    "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [s], [d], 64, [s];",
    "cp.reduce.async.bulk.global.shared::cta.bulk_group.min.bf16 [d], [s], r;",
    "cp.reduce.async.bulk.global.shared::cta.bulk_group.inc.f32 [d], [s], r;",
    "st.bulk.weak.shared::cta [s], d, 0;",
    "clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx::bytes.b128 [s], [r];",
    "clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 {r, r, r, _}, q;",
    "setmaxnreg.dec.sync.aligned.u32 40;",
    "alloca.u64 d, d, 16; stacksave.u64 d; stackrestore.u64 d;",
    "mbarrier.arrive.expect_tx.shared.b64 _, [s], 16; barrier.cluster.arrive; "
    "barrier.cluster.wait;",
    "shfl.up.b32 r|p, r, 1, 0;",
};

std::vector<Seed> with_each(std::vector<Seed> seeds) {
  const auto add = [&](const char* name, std::size_t n, const std::string& text) {
    seeds.push_back({name + std::to_string(n), bytes_of(text)});
  };
  for (std::size_t n = 0; n < std::size(kDeclarations); ++n)
    add("declaration-", n, std::string(kDeclarations[n]) + " .entry k() { ret; }");
  for (std::size_t n = 0; n < std::size(kStatements); ++n)
    add("statement-", n,
        ".entry k(.param .u64 a) { .reg .pred p; .reg .b16 h; .reg .b32 r; .reg .f32 f; .reg .b64 "
        "d; "
        ".reg .f64 g; .reg .b128 q; .shared .align 16 .b8 s[64]; " +
            std::string(kStatements[n]) + " }");
  return seeds;
}

}  // namespace

std::vector<Seed> seeds() {
  return with_each({
      {"kernel", bytes_of(R"(.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.func (.reg .f32 r) f(.reg .f32 x, .param .b32 y) { mov.f32 r, x; ret; }
.visible .entry k(.param .u64 a) { .reg .pred p, q; .reg .b32 %r<9>; .reg .b64 %d<9>; .reg .f32 x;
.shared .b32 s[8]; .local .b8 l[16]; .param .b64 t; .param .b32 u;
ld.param.u64 %d1, [a]; L: st.shared.u32 [s+4], 7; @!p bra L; mov.u64 %d2, l; cvta.local.u64 %d2, %d2;
setp.lt.s32 p|q, %r1, %tid.x; st.param.b64 [t], %d2; call (u), vprintf, (t, t); ld.param.u32 %r2, [u];
call (x), f, (0f3F800000, u); atom.global.add.u32 %r1, [%d1], 1; bar.red.popc.u32 %r1, 0, p;
mov.b64 {%r1, %r2}, %d1; ld.global.v2.u32 {%r1, _}, [%d1]; })")},
      {"indirect", bytes_of(R"(.func f() { ret; } .global .u64 g[2] = { f, generic(g) };
.entry k() { .reg .b64 d; .reg .b32 i; P: .callprototype _ (); mov.u64 d, f; call d, P; { A: ret; }
T: .branchtargets B, C; brx.idx i, T; B: trap; C: exit; })")},
      {"linked", bytes_of(".visible .func f() { ret; } .visible .global .b32 x = 1;\f"
                          ".extern .func f(); .extern .global .b32 x; .entry k() { call f; }")},
      {"matrices",
       bytes_of(
           R"(.entry k() { .reg .b32 a, b, r; .reg .b16 h; .reg .f32 c; .reg .f64 d; .reg .b64 t;
mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {c,c,c,c},{a,a,a,a},{b,b},{c,c,c,c};
ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {a,b}, [r+16]; cp.async.cg.shared.global [r],[t],16,a;
wmma.load.a.sync.aligned.row.m8n8k4.f64 {d}, [t], a; tex.2d.v4.f32.f32 {c,c,c,c},[t,{c,c}];
shfl.sync.bfly.b32 a|_, b, 1, 31, -1; cvt.rn.satfinite.e4m3x2.f32 h, c, c; })")},
      {"textures", bytes_of(R"(.global .texref T; .global .samplerref S; .global .surfref U;
.entry k() { .reg .b64 t, u; .reg .b32 i, j; .reg .f32 x, y; .reg .b16 h;
tex.1d.v4.f32.s32 {x,x,x,x}, [t, {i}]; tex.level.2d.v4.u32.f32 {i,i,i,i}, [t, {x, y}], y;
tex.a1d.v4.s32.f32 {i,i,i,j}, [t, {i, x}]; tex.3d.v4.f32.f32 {x,x,x,x}, [t, {x,y,x,x}];
tld4.r.2d.v4.f32.f32 {x,x,x,x}, [t, {x,y}]; txq.width.b32 i, [t];
suld.b.2d.v2.b32.trap {i,j}, [u, {i,j}]; sust.b.a2d.v4.b16.clamp [u, {i,i,j,j}], {h,h,h,h};
sust.b.1d.b64.zero [u, {i}], t; tex.2d.v4.f32.f32 {x,x,x,x}, [T, S, {x,y}];
suld.b.1d.b32.clamp i, [U, {i}]; txq.normalized_coords.b32 i, [T]; })")},
      {"values", bytes_of(R"(.func f() { ret; } .const .align 16 .b8 text[] = "a\tb\0";
.global .v4 .f32 v = { 1.0, 0f3F800000, -2, 0 }; .global .f64 d = 0d3FF0000000000000;
.visible .global .align 8 .b8 bytes[16] = { 1, 2, 0xff, 4 }; .weak .global .u16 h[2][3] = { {1, 2}, {3} };
.global .u64 p[3] = { bytes+4, generic(v), f }; .global .u32 low = 0xff(bytes); .common .global .b32 c;
.shared .align 16 .b8 s[64]; .extern .shared .b8 dynamic[]; .global .s8 n = -128;
.entry k() .maxntid 64, 2, 1 .minnctapersm 2 { .reg .b32 i; mov.u32 i, s; ld.shared.u32 i, [dynamic];
ld.const.u8 i, [text+1]; st.shared.u32 [s+8], i; })")},
  });
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::fuzz;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::unique_ptr<ptx::Source>> sources;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(kNextInput), rest.size());
    auto source = ptx::parse("fuzz", std::string(kHead) + std::string(rest.substr(0, end)));
    if (!source) return 0;
    sources.push_back(std::move(*source));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (sources.empty()) return 0;
  const auto module = ir::link(sources);
  if (!module) return 0;
  check(**module);
  static_cast<void>(ir::to_text(**module));
  return 0;
}
