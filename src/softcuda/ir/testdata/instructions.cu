#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __host__ __attribute__((host))
typedef unsigned u32;
typedef unsigned long long u64;
static __device__ inline int tid() { return __nvvm_read_ptx_sreg_tid_x(); }
#define ASM asm volatile
// every root of the issue's list with forms that nvcc-made code has, by hand
extern "C" __global__ void forms(u32* o, float* f, double* d, u64* q) {
  u32 r = o[0], s = o[1], t = o[2], p;
  float x = f[0], y = f[1], z;
  double a = d[0], b = d[1];
  u64 l = q[0], m = q[1];
#define I3(op)                                     \
  ASM(op " %0,%1,%2;" : "=r"(p) : "r"(r), "r"(s)); \
  o[tid()] += p;
#define I4(op)                                                \
  ASM(op " %0,%1,%2,%3;" : "=r"(p) : "r"(r), "r"(s), "r"(t)); \
  o[tid()] += p;
#define I2(op)                          \
  ASM(op " %0,%1;" : "=r"(p) : "r"(r)); \
  o[tid()] += p;
#define F2(op)                          \
  ASM(op " %0,%1;" : "=f"(z) : "f"(x)); \
  f[tid()] += z;
#define F3(op)                                     \
  ASM(op " %0,%1,%2;" : "=f"(z) : "f"(x), "f"(y)); \
  f[tid()] += z;
#define F4(op)                                        \
  ASM(op " %0,%1,%2,%1;" : "=f"(z) : "f"(x), "f"(y)); \
  f[tid()] += z;
  I3("add.u32")
  I3("add.s32")
  I3("add.sat.s32") I3("add.cc.u32") I3("addc.u32") I3("addc.cc.s32") I3("sub.cc.u32")
      I3("subc.u32") I3("sub.sat.s32") I3("mul.lo.u32") I3("mul.hi.s32") I4("mad.lo.u32")
          I4("mad.hi.s32") I4("mad.lo.cc.u32") I4("madc.hi.u32") I4("madc.lo.cc.u32")
              I4("mad.hi.sat.s32") I3("mul24.lo.u32") I4("mad24.hi.s32") I4("sad.u32") I3("div.s32")
                  I3("rem.u32") I2("abs.s32") I2("neg.s32") I3("min.s32") I3("max.u32")
                      I3("min.s16x2") I3("add.u16x2") I3("max.relu.s32") I2("popc.b32")
                          I2("clz.b32") I2("bfind.u32") I2("bfind.shiftamt.s32") I2("brev.b32")
                              I4("bfe.u32") I4("bfe.s32") ASM("bfi.b32 %0,%1,%2,%3,4;"
                                                              : "=r"(p)
                                                              : "r"(r), "r"(s), "r"(t));
  I3("bmsk.clamp.b32")
  I3("szext.wrap.s32")
  I4("dp4a.u32.s32") I4("dp4a.s32.s32") I4("dp2a.lo.s32.u32") I4("fns.b32") I3("and.b32")
      I3("or.b32") I3("xor.b32") I2("not.b32") I2("cnot.b32") ASM("lop3.b32 %0,%1,%2,%3,0x96;"
                                                                  : "=r"(p)
                                                                  : "r"(r), "r"(s), "r"(t));
  I4("shf.l.wrap.b32")
  I4("shf.r.clamp.b32")
  I3("shl.b32") I3("shr.s32") I3("shr.u32") I4("prmt.b32") I4("prmt.b32.f4e") I3("add.f16x2")
      I3("add.rn.f16x2") I3("sub.ftz.f16x2") I3("mul.sat.f16x2") I4("fma.rn.f16x2")
          I4("fma.rn.relu.f16x2") I4("fma.rn.bf16x2") I4("fma.rn.relu.bf16x2") I2("neg.f16x2")
              I2("abs.bf16x2") I3("min.f16x2") I3("max.NaN.bf16x2") I3("min.xorsign.abs.f16x2") I2(
                  "ex2.approx.f16x2") I2("tanh.approx.f16x2") I2("tanh.approx.bf16x2")
                  I2("ex2.approx.ftz.bf16x2") I3("set.eq.f16x2.f16x2") I3("set.gt.u32.f16x2") F2(
                      "rcp.approx.f32") F2("rcp.rn.f32") F2("rcp.approx.ftz.f32") F2("sqrt.rn.f32")
                      F2("sqrt.approx.ftz.f32") F2("rsqrt.approx.f32") F2("sin.approx.f32")
                          F2("cos.approx.ftz.f32") F2("lg2.approx.f32") F2("ex2.approx.ftz.f32")
                              F2("tanh.approx.f32") F2("abs.f32") F2("neg.ftz.f32") F3("add.rz.f32")
                                  F3("add.rn.ftz.sat.f32") F3("sub.rm.f32") F3("mul.rp.ftz.f32")
                                      F4("fma.rn.f32") F4("fma.rz.ftz.sat.f32") F4("mad.rn.f32")
                                          F3("div.rn.f32") F3("div.full.f32")
                                              F3("div.approx.ftz.f32") F3("min.f32")
                                                  F3("max.NaN.f32") F3("min.ftz.xorsign.abs.f32")
                                                      F3("copysign.f32") F2("cvt.rni.f32.f32")
                                                          F2("cvt.rzi.ftz.f32.f32")
                                                              F2("cvt.sat.f32.f32")
                                                                  ASM("cvt.rzi.s32.f32 %0,%1;"
                                                                      : "=r"(p)
                                                                      : "f"(x));
  ASM("cvt.rna.tf32.f32 %0,%1;" : "=r"(p) : "f"(x));
  ASM("cvt.rn.f16x2.f32 %0,%1,%2;" : "=r"(p) : "f"(x), "f"(y));
  ASM("cvt.rn.bf16x2.f32 %0,%1,%2;" : "=r"(p) : "f"(x), "f"(y));
  ASM("cvt.rn.relu.bf16x2.f32 %0,%1,%2;" : "=r"(p) : "f"(x), "f"(y));
  ASM("{.reg .b16 h; cvt.rn.f16.f32 h,%1; cvt.f32.f16 %0,h;}" : "=f"(z) : "f"(x));
  ASM("{.reg .b16 h; cvt.rn.bf16.f32 h,%1; cvt.f32.bf16 %0,h; cvt.rn.satfinite.e4m3x2.f32 h, %1, "
      "%1; cvt.u16.u8 h,h;}"
      : "=f"(z)
      : "f"(x));
  ASM("cvt.pack.sat.u8.s32.b32 %0,%1,%2,%3;" : "=r"(p) : "r"(r), "r"(s), "r"(t));
  ASM("{.reg .pred p,q; setp.lt.and.s32 p|q,%1,%2,!p; selp.b32 %0,%1,%2,p; @!q bra L1; mov.u32 %0, "
      "1; L1: set.le.s32.f32 %0, %3, %3; testp.normal.f32 p, %3; and.pred p,p,q; not.pred q,p; "
      "selp.u32 %0,1,0,q; slct.u32.s32 %0,%1,%2,%1; setp.equ.f32 p,%3,0f00000000; setp.ne.b32 "
      "p,%1,0;}"
      : "+r"(p)
      : "r"(r), "r"(s), "f"(x));
  ASM("{.reg .pred p; shfl.sync.bfly.b32 %0|p,%1,%2,31,-1; shfl.sync.idx.b32 "
      "%0,%1,0,0x1f,0xffffffff; vote.sync.any.pred p,p,-1; vote.sync.ballot.b32 %0,!p,-1; "
      "match.any.sync.b32 %0,%1,-1; match.all.sync.b32 %0|p,%1,-1; activemask.b32 %0; "
      "redux.sync.add.s32 %0,%1,-1; redux.sync.xor.b32 %0,%1,0xff; elect.sync %0|p,-1; elect.sync "
      "_|p,-1;}"
      : "=r"(p)
      : "r"(r), "r"(s));
  ASM("bar.sync 0; bar.sync 1,64; bar.arrive 1,64; barrier.sync 0; barrier.sync.aligned 0,32; "
      "barrier.cta.sync 2; bar.warp.sync -1; membar.gl; membar.cta; membar.sys; fence.acq_rel.gpu; "
      "fence.sc.sys; nanosleep.u32 100; griddepcontrol.wait; griddepcontrol.launch_dependents; "
      "pmevent 1;");
  ASM("{.reg .pred p; setp.eq.u32 p,%1,0; bar.red.popc.u32 %0,0,p; barrier.red.or.pred p,0,64,!p; "
      "bar.red.and.pred p,0,p;}"
      : "=r"(p)
      : "r"(r));
  ASM("atom.global.cas.b32 %0,[%1],%2,%3;" : "=r"(p) : "l"(o), "r"(r), "r"(s) : "memory");
  ASM("atom.add.f32 %0,[%1],%2;" : "=f"(z) : "l"(f), "f"(x) : "memory");
  ASM("red.global.add.f32 [%0],%1;" ::"l"(f), "f"(x) : "memory");
  ASM("red.release.gpu.global.add.s32 [%0],%1;" ::"l"(o), "r"(r) : "memory");
  ASM("atom.acquire.sys.exch.b32 %0,[%1+4],%2;" : "=r"(p) : "l"(o), "r"(r) : "memory");
  ASM("atom.global.min.s64 %0,[%1],%2;" : "=l"(l) : "l"(o), "l"(m) : "memory");
  ASM("atom.add.noftz.f16x2 %0,[%1],%2;" : "=r"(p) : "l"(o), "r"(r) : "memory");
  ASM("atom.inc.u32 %0,[%1],%2;" : "=r"(p) : "l"(o), "r"(r) : "memory");
  ASM("red.add.noftz.bf16x2 [%0],%1;" ::"l"(o), "r"(r) : "memory");
  ASM("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0,_,%0,%0},[%1];" : "=r"(p) : "l"(o));
  ASM("ld.acquire.gpu.u32 %0,[%1];" : "=r"(p) : "l"(o));
  ASM("ld.volatile.global.u32 %0,[%1];" : "=r"(p) : "l"(o));
  ASM("st.relaxed.sys.global.u32 [%0],%1;" ::"l"(o), "r"(r));
  ASM("st.global.cs.v2.u32 [%0],{%1,7};" ::"l"(o), "r"(r));
  ASM("ld.global.cg.u8 %0,[%1];" : "=r"(p) : "l"(o));
  ASM("prefetch.global.L2 [%0];" ::"l"(o));
  ASM("ld.relaxed.gpu.global.L1::evict_last.b64 %0,[%1];" : "=l"(l) : "l"(o));
  ASM("createpolicy_is_not_here: mov.u64 %0,%%clock64; mov.u64 %0,%%globaltimer;" : "=l"(l));
  ASM("mov.u32 %0,%%laneid; mov.u32 %0,%%lanemask_lt; mov.u32 %0,%%smid; mov.b64 {%0,_},%1; "
      "mov.b64 %2,{%0,%0}; add.u32 %0,%0,%%tid.x; cvt.u64.u32 %2,%%ntid.y;"
      : "=r"(p), "+l"(l), "=l"(m));
  ASM("cvta.to.shared.u64 %0,%1; cvta.shared.u64 %0,%1; isspacep_x: cvta.global.u64 %0,%1;"
      : "=l"(l)
      : "l"(m));
  ASM("{.reg .pred p; isspacep.global p,%1; @p trap; @p exit; @p ret; brkpt;}" ::"l"(l), "l"(m));
  o[5] = p;
  q[1] = l + m;
  d[1] = a + b;
  f[3] = z;
}
extern "C" __global__ void mm(u32* o, float* f, double* d) {
  u32 a0 = o[0], a1 = o[1], a2 = o[2], a3 = o[3], b0 = o[4], b1 = o[5];
  float c0 = f[0], c1 = f[1], c2 = f[2], c3 = f[3];
  u32 s0 = o[6], s1 = o[7], s2 = o[8], s3 = o[9];
  ASM("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1},{%2,%3,%0,%1},{%2,%3},{%0,%1};"
      : "+r"(s0), "+r"(s1)
      : "r"(a0), "r"(a1));
  ASM("mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0,%1},{%2},{%3},{%0,%1};"
      : "+r"(s0), "+r"(s1)
      : "r"(a0), "r"(a1));
  ASM("mma.sync.aligned.m16n8k64.row.col.s32.s4.u4.s32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+r"(s0), "+r"(s1), "+r"(s2), "+r"(s3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  ASM("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1},{%0},{%1},{%0,%1};"
      : "+d"(d[0]), "+d"(d[1]));
  ASM("mma.sync.aligned.m8n8k4.col.row.f32.f16.f16.f32 "
      "{%0,%1,%2,%3,%0,%1,%2,%3},{%4,%5},{%6,%7},{%0,%1,%2,%3,%0,%1,%2,%3};"
      : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3));
  __shared__ u32 sm[256];
  u32 sa = (u32)(u64)(void __attribute__((address_space(3)))*)sm;
  ASM("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3},[%4];"
      : "=r"(a0), "=r"(a1), "=r"(a2), "=r"(a3)
      : "r"(sa));
  ASM("ldmatrix.sync.aligned.m8n8.x1.trans.shared::cta.b16 {%0},[%1+16];" : "=r"(a0) : "r"(sa));
  ASM("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0],{%1,%2};" ::"r"(sa), "r"(a0), "r"(a1));
  ASM("movmatrix.sync.aligned.m8n8.trans.b16 %0,%1;" : "=r"(a0) : "r"(a1));
  ASM("cp.async.ca.shared.global [%0],[%1],4; cp.async.cg.shared.global [%0],[%1],16,%2; "
      "cp.async.cg.shared::cta.global.L2::128B [%0],[%1],16; cp.async.commit_group; "
      "cp.async.wait_group 0; cp.async.wait_all;" ::"r"(sa),
      "l"(o), "r"(a0)
      : "memory");
  ASM("mbarrier.init.shared::cta.b64 [%0],32; {.reg .pred p;.reg .b64 st; "
      "mbarrier.arrive.shared.b64 st,[%0]; mbarrier.arrive.shared::cta.b64 _,[%0],1; W: "
      "mbarrier.test_wait.shared.b64 p,[%0],st; mbarrier.try_wait.parity.shared::cta.b64 "
      "p,[%0],%1; @!p bra W; mbarrier.inval.shared.b64 [%0];}" ::"r"(sa),
      "r"(a0)
      : "memory");
  ASM("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%0,%1,%2,%3,%0,%1,%2,%3},[%4],16;"
      : "=r"(s0), "=r"(s1), "=r"(s2), "=r"(s3)
      : "l"(o));
  ASM("wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 "
      "{%0,%1,%2,%3,%0,%1,%2,%3},{%4,%5,%6,%7,%4,%5,%6,%7},{%4,%5,%6,%7,%4,%5,%6,%7},{%0,%1,%2,%3,%"
      "0,%1,%2,%3};"
      : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3));
  ASM("wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%0],{%1,%1,%1,%1,%1,%1,%1,%1},%2;" ::"l"(
          f),
      "f"(c0), "r"(16));
  u64 tex = o[9];
  ASM("tex.2d.v4.f32.f32 {%0,%1,%2,%3},[%4,{%5,%5}];"
      : "=f"(c0), "=f"(c1), "=f"(c2), "=f"(c3)
      : "l"(tex), "f"(f[8]));
  ASM("tex.1d.v4.s32.s32 {%0,%1,%2,%3},[%4,{%5}];"
      : "=r"(s0), "=r"(s1), "=r"(s2), "=r"(s3)
      : "l"(tex), "r"(a0));
  ASM("tex.level.3d.v4.f32.f32 {%0,%1,%2,%3},[%4,{%5,%5,%5,%5}],%5;"
      : "=f"(c0), "=f"(c1), "=f"(c2), "=f"(c3)
      : "l"(tex), "f"(f[8]));
  ASM("suld.b.2d.v2.b32.zero {%0,%1},[%2,{%3,%3}];" : "=r"(s0), "=r"(s1) : "l"(tex), "r"(a0));
  ASM("sust.b.1d.b32.trap [%0,{%1}],{%2};" ::"l"(tex), "r"(a0), "r"(a1));
  o[0] = a0 + a1 + a2 + a3 + s0 + s1 + s2 + s3;
  f[0] = c0 + c1 + c2 + c3;
}
