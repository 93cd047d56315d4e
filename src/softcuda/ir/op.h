// The instructions. One entry is one PTX root, or a form of it that is an instruction of its own.
// X(name of the enumerator, text of the root). What is not here is refused at load, by name.
//
// Operands stand in the order of the text, each at its place: an optional one that is not there is
// kNothing, or missing where nothing follows it. "d|p" is two operands, d and p, for every
// instruction that can have it:
//   setp p q a b c | shfl d p a b c mask | match.all d p a mask | elect d p mask
//   lop3 d p a b c immLut q (d p q only with .and/.or, that is Modifiers::combine; else d a b c
//   lut)
// Places where the text says little:
//   bar, barrier     a b, of red d a b c; Mode is kSync, kArrive or a kRed...; bar.warp.sync mask
//   set, setp        types: of the result, of the operands (setp: type is that of the operands)
//   slct, dp4a, dp2a type and type2 as in the text; dp2a's .lo and .hi are Part
//   cvt              type of d, type2 of a; cvt.rn.f16x2.f32 has d a b
//   cvta             cvta.shared: space kShared; cvta.to.shared: to_space kShared
//   isspacep         p a; space is the one asked for
//   bfind.shiftamt, shf.wrap, bmsk.wrap, szext.wrap, mbarrier...wait.parity: Modifiers::wrap
//   shf.l, shf.r     Mode kLeft, kRight
//   atom, red        op in Modifiers::atomic; d [a] b c, and [a] b; with vectors, .v2 in `vector`
//   redux            op in Modifiers::atomic; .abs is xorsign_abs
//   ld, st           the value is a register, an immediate or a kVector; .v4 also in `vector`
//   cp.async         [dst] [src] size and src_size (immediate or register), or a predicate:
//                    ignore_src
//   mad of floats    is fma
//   mma, wmma.mma    d a b c as kVectors; types D A B C; for b1 the operation in Modifiers::combine
//   ldmatrix         d (a kVector also for .x1) [a]; stmatrix [a] b; movmatrix d a
//   wmma.load        d [a] stride; `mode` kLeft, kRight, kUp: fragment a, b, c; wmma.store [a] d
//                    stride; .col is shape.a_column, of any fragment
//   mbarrier.arrive  state (or nothing) [a] count; test_wait, try_wait p [a] state-or-parity hint
//   tex              d (a kVector) texture sampler-or-nothing coordinates (a kVector)
//                    lod-or-nothing; tld4: the component (0 to 3) in shape.count
//   suld             d (a kVector) surface coordinates; sust surface coordinates value (a kVector);
//                    .clamp is saturate, .zero is wrap, .trap neither
//   brx.idx          index kBlocks; nanosleep t; pmevent a
//   membar           is a fence.sc
//   shfl, vote       of ISAs before 6.4 without a mask: of the lanes that are there
//   cvt              from four floats: d, a kVector, the random bits; .rs of two has them last
//   mbarrier.arrive  with .expect_tx, which is wrap: the last operand is not a count but bytes
//   cp.async.bulk    [dst] [src] size; space is that of src, to_space that of dst. What they,
//   st.async
//                    (a st) and red.async (a red) tell an mbarrier is a mbarrier.complete_tx after
//                    it
//   clusterlaunchcontrol.try_cancel is a st.bulk and the same: nothing is cancelled here
//   vadd and so on   d a b c-or-nothing, then immediates: where d goes, what of a, what of b.
//   Scalar:
//                    the first bit | how many << 8. SIMD: of d a mask of lanes, of a and b four
//                    bits for each lane. One more of vmad: 1: a * b is negated, 2: c is. The second
//                    operation is in Modifiers::atomic, .po in wrap, .shr7 and .shr15 in shape.k
#pragma once

#include <cstdint>

namespace longwire::softcuda::ir {

// clang-format off
#define LW_SOFTCUDA_OPS(X) \
  /* integer, logic, shift */ \
  X(Add, "add") X(Sub, "sub") X(Addc, "addc") X(Subc, "subc") X(Mul, "mul") X(Mad, "mad") X(Madc, "madc") \
  X(Mul24, "mul24") X(Mad24, "mad24") X(Sad, "sad") X(Div, "div") X(Rem, "rem") X(Abs, "abs") X(Neg, "neg") \
  X(Min, "min") X(Max, "max") X(Popc, "popc") X(Clz, "clz") X(Bfind, "bfind") X(Fns, "fns") X(Brev, "brev") \
  X(Bfe, "bfe") X(Bfi, "bfi") X(Bmsk, "bmsk") X(Szext, "szext") X(Dp4a, "dp4a") X(Dp2a, "dp2a") \
  X(And, "and") X(Or, "or") X(Xor, "xor") X(Not, "not") X(Cnot, "cnot") X(Lop3, "lop3") \
  X(Shf, "shf") X(Shl, "shl") X(Shr, "shr") \
  /* floating point; add, sub, mul, div, abs, neg, min, max are shared */ \
  X(Testp, "testp") X(Copysign, "copysign") X(Fma, "fma") X(Rcp, "rcp") X(Sqrt, "sqrt") X(Rsqrt, "rsqrt") \
  X(Sin, "sin") X(Cos, "cos") X(Lg2, "lg2") X(Ex2, "ex2") X(Tanh, "tanh") \
  /* comparison and selection */ \
  X(Set, "set") X(Setp, "setp") X(Selp, "selp") X(Slct, "slct") \
  /* data movement */ \
  X(Mov, "mov") X(Shfl, "shfl") X(Prmt, "prmt") X(Ld, "ld") X(Ldu, "ldu") X(St, "st") X(Prefetch, "prefetch") \
  X(Isspacep, "isspacep") X(Cvta, "cvta") X(Cvt, "cvt") X(CvtPack, "cvt.pack") X(Mapa, "mapa") X(Getctarank, "getctarank") \
  X(CpAsync, "cp.async") X(CpAsyncCommit, "cp.async.commit_group") X(CpAsyncWait, "cp.async.wait_group") \
  X(CpAsyncWaitAll, "cp.async.wait_all") X(CreatePolicy, "createpolicy") \
  /* textures and surfaces */ \
  X(Tex, "tex") X(Tld4, "tld4") X(Txq, "txq") X(Suld, "suld") X(Sust, "sust") X(Suq, "suq") \
  /* control flow */ \
  X(Bra, "bra") X(BrxIdx, "brx.idx") X(Call, "call") X(Ret, "ret") X(Exit, "exit") X(Trap, "trap") X(Brkpt, "brkpt") \
  X(Nanosleep, "nanosleep") X(Pmevent, "pmevent") \
  /* synchronisation and communication */ \
  X(Bar, "bar") X(Barrier, "barrier") X(BarWarp, "bar.warp.sync") X(BarrierCluster, "barrier.cluster") \
  X(Membar, "membar") X(Fence, "fence") X(Atom, "atom") X(Red, "red") X(Vote, "vote") X(Match, "match") \
  X(Activemask, "activemask") X(Redux, "redux") X(Griddepcontrol, "griddepcontrol") X(Elect, "elect") \
  X(MbarrierInit, "mbarrier.init") X(MbarrierInval, "mbarrier.inval") X(MbarrierArrive, "mbarrier.arrive") \
  X(MbarrierArriveDrop, "mbarrier.arrive_drop") X(MbarrierPendingCount, "mbarrier.pending_count") \
  X(CpAsyncArrive, "cp.async.mbarrier.arrive") \
  X(MbarrierTestWait, "mbarrier.test_wait") X(MbarrierTryWait, "mbarrier.try_wait") \
  /* matrices */ \
  X(Mma, "mma") X(Ldmatrix, "ldmatrix") X(Stmatrix, "stmatrix") X(Movmatrix, "movmatrix") \
  X(WmmaLoad, "wmma.load") X(WmmaStore, "wmma.store") X(WmmaMma, "wmma.mma") \
  /* video: vadd, vadd2 and vadd4 are one, lanes in shape.count */ \
  X(Vadd, "vadd") X(Vsub, "vsub") X(Vabsdiff, "vabsdiff") X(Vmin, "vmin") X(Vmax, "vmax") X(Vavrg, "vavrg") \
  X(Vshl, "vshl") X(Vshr, "vshr") X(Vset, "vset") X(Vmad, "vmad") \
  /* asynchronous copies of many bytes, and what they tell an mbarrier */ \
  X(MbarrierExpectTx, "mbarrier.expect_tx") X(MbarrierCompleteTx, "mbarrier.complete_tx") \
  X(CpBulk, "cp.async.bulk") X(CpReduceBulk, "cp.reduce.async.bulk") X(StBulk, "st.bulk") \
  X(QueryCancel, "clusterlaunchcontrol.query_cancel") X(Setmaxnreg, "setmaxnreg") \
  /* stack */ \
  X(Alloca, "alloca") X(Stacksave, "stacksave") X(Stackrestore, "stackrestore")
// clang-format on

inline constexpr int kOpCount = 0
#define X(name, text) +1
    LW_SOFTCUDA_OPS(X)
#undef X
    ;

enum class Op : std::uint16_t {
#define X(name, text) k##name,
  LW_SOFTCUDA_OPS(X)
#undef X
};

const char* name_of(Op op) noexcept;  // the root's text

}  // namespace longwire::softcuda::ir
