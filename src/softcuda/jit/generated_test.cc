// Differential: generated programs on both back ends, whose memory must be the same afterwards.
#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <span>

#include "softcuda/interp/interp.h"
#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {
namespace {

constexpr int kThreads = 72, kBlocks = 2;  // two whole warps and a part of one
constexpr int kInputs = 64;
constexpr int kOutputs = 32;  // 64-bit words of each thread
constexpr int kPrograms = 24;
constexpr int kStatements = 40;

// In a template R, L, H, F, D, P stand for registers of 32, 64, 16 bits, f32, f64 and predicates;
// I for a 32-bit register or number, N for a number, C for a comparison.
constexpr const char* kTemplates[] = {"add.u32 R, R, I",
                                      "sub.s32 R, R, I",
                                      "mul.lo.s32 R, R, I",
                                      "mul.hi.s32 R, R, R",
                                      "mul.hi.u32 R, R, I",
                                      "mul.wide.u32 L, R, I",
                                      "mul.wide.s32 L, R, R",
                                      "mad.lo.s32 R, R, R, R",
                                      "mad.hi.u32 R, R, R, R",
                                      "mad.wide.s32 L, R, I, L",
                                      "div.s32 R, R, R",
                                      "div.u32 R, R, I",
                                      "rem.s32 R, R, R",
                                      "rem.u32 R, R, R",
                                      "abs.s32 R, R",
                                      "neg.s32 R, R",
                                      "min.s32 R, R, I",
                                      "max.u32 R, R, R",
                                      "vadd.s32.u32.s32.sat R, R, R",
                                      "vshl.u32.u32.u32.wrap.max R, R, R, R",
                                      "vmad.s32.s32.u32.shr7 R, -R, R, R",
                                      "vabsdiff4.u32.u32.u32.add R, R, R, R",
                                      "cvt.rs.satfinite.e4m3x4.f32 R, {F, F, F, F}, R",
                                      "cvt.rn.satfinite.e2m3x2.f32 H, F, F",
                                      "popc.b32 R, R",
                                      "clz.b32 R, R",
                                      "brev.b32 R, R",
                                      "bfe.u32 R, R, N, N",
                                      "bfe.s32 R, R, I, I",
                                      "bfi.b32 R, R, R, N, N",
                                      "bfind.u32 R, R",
                                      "and.b32 R, R, I",
                                      "or.b32 R, R, R",
                                      "xor.b32 R, R, I",
                                      "not.b32 R, R",
                                      "cnot.b32 R, R",
                                      "lop3.b32 R, R, R, R, 0x96",
                                      "lop3.b32 R, R, R, R, 0xe8",
                                      "shl.b32 R, R, N",
                                      "shl.b32 R, R, R",
                                      "shr.u32 R, R, R",
                                      "shr.s32 R, R, N",
                                      "shf.l.wrap.b32 R, R, R, R",
                                      "shf.r.clamp.b32 R, R, R, R",
                                      "sad.s32 R, R, R, R",
                                      "prmt.b32 R, R, R, 0x4b21",
                                      "prmt.b32 R, R, R, R",
                                      "dp4a.u32.s32 R, R, R, R",
                                      "add.sat.s32 R, R, R",
                                      "add.cc.u32 R, R, R",
                                      "mul24.lo.u32 R, R, R",
                                      "add.s64 L, L, L",
                                      "sub.s64 L, L, L",
                                      "mul.lo.s64 L, L, L",
                                      "mul.hi.s64 L, L, L",
                                      "mul.hi.u64 L, L, L",
                                      "mad.lo.s64 L, L, L, L",
                                      "div.s64 L, L, L",
                                      "rem.u64 L, L, L",
                                      "min.s64 L, L, L",
                                      "and.b64 L, L, L",
                                      "xor.b64 L, L, L",
                                      "shl.b64 L, L, N",
                                      "shr.s64 L, L, R",
                                      "popc.b64 R, L",
                                      "clz.b64 R, L",
                                      "add.s16 H, H, H",
                                      "mul.lo.u16 H, H, H",
                                      "min.s16 H, H, H",
                                      "shl.b16 H, H, N",
                                      "shr.s16 H, H, R",
                                      "mul.wide.s16 R, H, H",
                                      "div.s16 H, H, H",
                                      "add.f32 F, F, F",
                                      "add.ftz.f32 F, F, F",
                                      "sub.rn.f32 F, F, F",
                                      "mul.f32 F, F, F",
                                      "mul.sat.f32 F, F, F",
                                      "mul.ftz.f32 F, F, F",
                                      "fma.rn.f32 F, F, F, F",
                                      "fma.rn.ftz.f32 F, F, F, F",
                                      "fma.rz.f32 F, F, F, F",
                                      "div.rn.f32 F, F, F",
                                      "div.approx.f32 F, F, F",
                                      "rcp.rn.f32 F, F",
                                      "rcp.approx.ftz.f32 F, F",
                                      "sqrt.rn.f32 F, F",
                                      "rsqrt.approx.f32 F, F",
                                      "abs.f32 F, F",
                                      "neg.f32 F, F",
                                      "neg.ftz.f32 F, F",
                                      "min.f32 F, F, F",
                                      "max.f32 F, F, F",
                                      "max.ftz.f32 F, F, F",
                                      "min.NaN.f32 F, F, F",
                                      "copysign.f32 F, F, F",
                                      "ex2.approx.f32 F, F",
                                      "sin.approx.f32 F, F",
                                      "add.rm.f32 F, F, F",
                                      "add.f64 D, D, D",
                                      "mul.f64 D, D, D",
                                      "fma.rn.f64 D, D, D, D",
                                      "div.rn.f64 D, D, D",
                                      "sqrt.rn.f64 D, D",
                                      "min.f64 D, D, D",
                                      "max.f64 D, D, D",
                                      "abs.f64 D, D",
                                      "neg.f64 D, D",
                                      "rcp.rn.f64 D, D",
                                      "setp.C.s32 P, R, I",
                                      "setp.C.s32 P|P, R, R",
                                      "setp.C.s64 P, L, L",
                                      "setp.C.f32 P, F, F",
                                      "setp.C.ftz.f32 P, F, F",
                                      "setp.C.and.s32 P, R, R, P",
                                      "setp.C.xor.f32 P|P, F, F, !P",
                                      "setp.ltu.f32 P, F, F",
                                      "setp.nan.f32 P, F, F",
                                      "setp.num.f64 P, D, D",
                                      "setp.hi.u32 P, R, I",
                                      "setp.C.s16 P, H, H",
                                      "set.C.u32.f32 R, F, F",
                                      "set.C.f32.s32 F, R, R",
                                      "selp.b32 R, R, I, P",
                                      "selp.f32 F, F, F, P",
                                      "selp.b64 L, L, L, P",
                                      "slct.s32.s32 R, R, R, R",
                                      "and.pred P, P, P",
                                      "or.pred P, P, P",
                                      "xor.pred P, P, P",
                                      "not.pred P, P",
                                      "testp.finite.f32 P, F",
                                      "cvt.u32.u16 R, H",
                                      "cvt.s32.s16 R, H",
                                      "cvt.u64.u32 L, R",
                                      "cvt.s64.s32 L, R",
                                      "cvt.u32.u64 R, L",
                                      "cvt.u16.u32 H, R",
                                      "cvt.s32.s8 R, R",
                                      "cvt.u32.u8 R, R",
                                      "cvt.rn.f32.s32 F, R",
                                      "cvt.rn.f32.u32 F, R",
                                      "cvt.rn.f32.s64 F, L",
                                      "cvt.rn.f32.u64 F, L",
                                      "cvt.rn.f64.s32 D, R",
                                      "cvt.rn.f64.u64 D, L",
                                      "cvt.rzi.s32.f32 R, F",
                                      "cvt.rni.u32.f32 R, F",
                                      "cvt.rmi.s64.f32 L, F",
                                      "cvt.rpi.s32.f64 R, D",
                                      "cvt.rzi.u64.f64 L, D",
                                      "cvt.rzi.ftz.s32.f32 R, F",
                                      "cvt.rni.f32.f32 F, F",
                                      "cvt.rmi.f64.f64 D, D",
                                      "cvt.f64.f32 D, F",
                                      "cvt.rn.f32.f64 F, D",
                                      "cvt.rn.f16.f32 H, F",
                                      "cvt.f32.f16 F, H",
                                      "cvt.sat.u8.s32 R, R",
                                      "cvt.rz.f32.s32 F, R",
                                      "cvt.rzi.s16.f32 H, F",
                                      "mov.b64 L, {R, R}",
                                      "mov.b64 {R, R}, L",
                                      "mov.b32 R, F",
                                      "mov.b32 F, R",
                                      "mov.u32 R, %laneid",
                                      "mov.u32 R, N",
                                      "mov.pred P, P",
                                      "mov.b32 {H, H}, R",
                                      "mov.b32 R, {H, H}"};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  // A program of some instructions, or of many statements.
  std::string program(std::span<const char* const> only = {}) {
    text_ =
        ".version 8.5\n.target sm_90\n.address_size 64\n"
        ".visible .entry k(.param .u64 po, .param .u64 pi) {\n"
        ".reg .b64 %out, %in, %t, %u, %l<4>; .reg .b32 %tid, %n, %m, %r<6>; .reg .b16 %h<4>;\n"
        ".reg .f32 %f<6>; .reg .f64 %d<4>; .reg .pred %p<4>, %q; .shared .align 8 .b8 sh[1024];\n"
        "ld.param.u64 %out, [po]; ld.param.u64 %in, [pi];\n"
        "mov.u32 %tid, %ctaid.x; mad.lo.u32 %tid, %tid, 72, 0; mov.u32 %n, %tid.x;\n"
        "add.u32 %tid, %tid, %n;\n";
    load_registers();
    for (const char* form : only)
      line(instruction(form));
    for (int n = 0; only.empty() && n < kStatements; ++n)
      statement(0);
    store_registers();
    return text_ + "ret; }\n";
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  void line(const std::string& text) { text_ += text + ";\n"; }

  // Some registers get what is the same for all lanes.
  void load_registers() {
    for (const char* kind : {"l", "r", "f", "d"})
      for (int n = 0; n < (kind[0] == 'r' || kind[0] == 'f' ? 6 : 4); ++n) {
        const bool wide = kind[0] == 'l' || kind[0] == 'd';
        const std::string place = std::to_string(8 * pick(kInputs / 2));
        const std::string type = kind[0] == 'f'   ? "f32"
                                 : kind[0] == 'd' ? "f64"
                                 : wide           ? "u64"
                                                  : "u32";
        const int offset = kind[0] == 'f' || kind[0] == 'd' ? 8 * kInputs * (wide ? 2 : 1) : 0;
        if (n % 2 == 0) {
          line("mad.wide.u32 %t, %n, 8, %in");
          line("ld.global." + type + " %" + kind + std::to_string(n) + ", [%t+" +
               std::to_string(offset) + "]");
        } else {
          line("ld.global." + type + " %" + kind + std::to_string(n) + ", [%in+" +
               std::to_string(offset) + "+" + place + "]");
        }
      }
    for (int n = 0; n < 4; ++n) {
      line("cvt.u16.u32 %h" + std::to_string(n) + ", %r" + std::to_string(n));
      line("setp.lt.s32 %p" + std::to_string(n) + ", %r" + std::to_string(n) + ", 1000");
    }
  }

  void store_registers() {
    line("mad.wide.u32 %t, %tid, " + std::to_string(8 * kOutputs) + ", %out");
    int at = 0;
    auto store = [&](const std::string& type, const std::string& name) {
      line("st.global." + type + " [%t+" + std::to_string(8 * at++) + "], " + name);
    };
    for (int n = 0; n < 4; ++n)
      store("f64", "%d" + std::to_string(n));
    for (int n = 0; n < 4; ++n)
      store("u64", "%l" + std::to_string(n));
    for (int n = 0; n < 6; ++n)
      store("u32", "%r" + std::to_string(n));
    for (int n = 0; n < 6; ++n)
      store("f32", "%f" + std::to_string(n));
    for (int n = 0; n < 4; ++n)
      store("u16", "%h" + std::to_string(n));
    for (int n = 0; n < 4; ++n) {
      line("selp.u32 %n, 1, 0, %p" + std::to_string(n));
      store("u32", "%n");
    }
  }

  std::string number() {
    constexpr const char* kNumbers[] = {"0", "1", "-1", "5", "31", "32", "0x7fffffff", "12345"};
    return kNumbers[pick(8)];
  }
  std::string instruction() { return instruction(kTemplates[pick(std::size(kTemplates))]); }
  std::string instruction(const std::string& form) {
    constexpr const char* kCompares[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    std::string made;
    for (std::size_t n = 0; n < form.size(); ++n) {
      const char c = form[n];
      const bool alone =
          (n == 0 || !std::isalnum(static_cast<unsigned char>(form[n - 1]))) &&
          (n + 1 == form.size() || !std::isalnum(static_cast<unsigned char>(form[n + 1])));
      if (!alone)
        made += c;
      else if (c == 'R' || (c == 'I' && pick(2) == 0))
        made += "%r" + std::to_string(pick(6));
      else if (c == 'F')
        made += "%f" + std::to_string(pick(6));
      else if (c == 'L' || c == 'H' || c == 'D' || c == 'P')
        made += std::string("%") + static_cast<char>(std::tolower(c)) + std::to_string(pick(4));
      else if (c == 'I' || c == 'N')
        made += number();
      else if (c == 'C')
        made += kCompares[pick(6)];
      else
        made += c;
    }
    return made;
  }

  void memory() {
    line("and.b32 %n, %r" + std::to_string(pick(6)) + ", 63");
    if (pick(2) == 0) line("mov.u32 %n, %tid.x"), line("and.b32 %n, %n, 63");
    line("mad.wide.u32 %t, %n, 8, %in");
    const std::string to = std::to_string(pick(4));
    switch (pick(5)) {
      case 0:
        return line("ld.global.u64 %l" + to + ", [%t]");
      case 1:
        return line("ld.global.s8 %r" + to + ", [%t+3]");
      case 2:
        return line("ld.global.v2.u32 {%r" + to + ", %r5}, [%t]");
      case 3:
        return line("ld.global.u16 %h" + to + ", [%t+2]");
      default:
        return line("ld.global.f32 %f" + to + ", [%t+512]");
    }
  }

  // A lane's own place, so that no two write the same.
  void shared() {
    line("mov.u32 %n, %tid.x");
    line("mov.u32 %m, sh");
    line("mad.lo.u32 %m, %n, 8, %m");
    const std::string r = std::to_string(pick(6));
    line("st.shared.u32 [%m], %r" + r);
    line("st.shared.u8 [%m+4], %r" + std::to_string(pick(6)));
    line("ld.shared.u32 %r" + std::to_string(pick(6)) + ", [%m]");
    line("ld.shared.s8 %r" + r + ", [%m+4]");
  }

  // Also from lanes that take no part.
  void warp() {
    line("bar.warp.sync -1");
    const std::string r = std::to_string(pick(6)), to = std::to_string(pick(6));
    switch (pick(4)) {
      case 0:
        return line("shfl.sync.bfly.b32 %r" + to + "|%p0, %r" + r + ", 4, 31, -1");
      case 1:
        return line("vote.sync.ballot.b32 %r" + to + ", %p" + std::to_string(pick(4)) + ", -1");
      case 2:
        return line("vote.sync.any.pred %p1, %p" + std::to_string(pick(4)) + ", -1");
      default:
        return line("shfl.sync.idx.b32 %r" + to + ", %r" + r + ", 3, 31, -1");
    }
  }

  // Of a length that lanes may disagree on; they may leave it on the way, or begin it anew.
  void loop(const std::string& label, int depth) {
    const std::string counter = "%c" + label;
    line(".reg .b32 " + counter);
    line("and.b32 " + counter + ", %r" + std::to_string(pick(6)) + ", 7");
    const bool jumps_in = pick(4) == 0, goes_on = pick(3) == 0, breaks = pick(2) == 0;
    if (jumps_in) line("bra " + label + "c");
    text_ += label + ":\n";
    for (int n = pick(5); n >= 0; --n)
      statement(depth + 1);
    line("sub.s32 " + counter + ", " + counter + ", 1");
    if (goes_on) line("setp.gt.s32 %q, " + counter + ", 3");
    if (goes_on) line("@%q bra " + label);
    if (breaks) line("@%p" + std::to_string(pick(4)) + " bra " + label + "b");
    if (breaks) statement(depth + 1);
    if (jumps_in) text_ += label + "c:\n";
    line("setp.gt.s32 %q, " + counter + ", 0");
    line("@%q bra " + label);
    if (!breaks) return;
    statement(depth + 1);
    text_ += label + "b:\n";
  }

  void statement(int depth) {
    const std::string label = "L" + std::to_string(labels_++), p = "%p" + std::to_string(pick(4));
    const int kind = pick(24);
    if (kind == 0 && depth < 3) {  // if, or if and else
      const bool with_else = pick(2) == 0;
      line((pick(2) == 0 ? "@" : "@!") + p + " bra " + label);
      for (int n = pick(4); n >= 0; --n)
        statement(depth + 1);
      if (with_else) line("bra " + label + "e");
      text_ += label + ":\n";
      if (!with_else) return;
      for (int n = pick(4); n >= 0; --n)
        statement(depth + 1);
      text_ += label + "e:\n";
    } else if (kind == 1 && depth < 2) {
      loop(label, depth);
    } else if (kind == 2) {
      memory();
    } else if (kind == 3 && depth == 0) {
      shared();
    } else if (kind == 4 && depth == 0) {
      warp();
    } else {
      line((pick(5) == 0 ? (pick(2) == 0 ? "@" : "@!") + p + " " : "") + instruction());
    }
  }

  std::mt19937 random_;
  std::string text_;
  int labels_ = 0;
};

std::uint64_t input(std::mt19937& random, int n) {
  const std::uint64_t any = std::uint64_t{random()} << 32 | random();
  if (n >= 2 * kInputs) {  // f64
    constexpr double kSpecial[] = {0, -0.0, 1, -1.5, 1e300, 3e-310, INFINITY, -INFINITY};
    if (n % 5 == 0) return any | 0x7ff0'0000'0000'0000;  // a NaN, quiet or not
    const double value = n % 3 == 0 ? kSpecial[random() % 8] : std::ldexp(double(any >> 40), -10);
    return std::bit_cast<std::uint64_t>(value);
  }
  if (n >= kInputs) {  // f32
    constexpr float kSpecial[] = {0, -0.0F, 1, -1.5F, 3e38F, 1e-40F, INFINITY, NAN};
    const float value = n % 3 == 0 ? kSpecial[random() % 8]
                                   : std::ldexp(float(any >> 40) - 8e6F, int(random() % 60) - 40);
    return std::bit_cast<std::uint32_t>(value);
  }
  return n % 3 == 0 ? any % 9 - 4 : n % 3 == 1 ? any >> 40 : any;
}

std::vector<std::uint64_t> run(Device& device, const ir::Module& program, unsigned seed) {
  std::mt19937 random(seed);
  device.load(program);
  auto* out = device.allocate<std::uint64_t>(kBlocks * kThreads * kOutputs);
  auto* in = device.allocate<std::uint64_t>(4 * kInputs);
  for (int n = 0; n < 3 * kInputs + 8; ++n)
    in[n] = input(random, n);
  const auto fault = device.run("k", {kBlocks}, {kThreads}, out, in);
  EXPECT_FALSE(fault.has_value()) << fault->message;
  std::vector<std::uint64_t> all(out, out + kBlocks * kThreads * kOutputs);
  device.release(out);
  device.release(in);
  return all;
}

class Generated : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = create();
    ASSERT_TRUE(made.ok()) << made.error().message();
    jit_ = made->get();
    compiled_ = std::make_unique<Device>(std::move(*made));
    interpreted_ = std::make_unique<Device>(interp::create());
  }
  void TearDown() override { EXPECT_EQ(jit_->statistics().refused, 0U); }

  void compare(const std::string& text, unsigned seed) {
    const auto program = link_text(text);
    ASSERT_NE(program, nullptr) << seed;
    const auto expected = run(*interpreted_, *program, seed),
               actual = run(*compiled_, *program, seed);
    for (std::size_t n = 0; n < expected.size(); ++n)
      ASSERT_EQ(actual[n], expected[n])
          << "seed " << seed << " thread " << n / kOutputs << " word " << n % kOutputs << "\n"
          << text;
  }

  Jit* jit_ = nullptr;
  std::unique_ptr<Device> compiled_, interpreted_;
};

TEST_F(Generated, InstructionsDoTheSameOnBothBackEnds) {
  constexpr std::size_t kAtOnce = 6;
  const std::span<const char* const> all(kTemplates);
  for (std::size_t n = 0; n < all.size() && !HasFatalFailure(); n += kAtOnce)
    compare(Generator(n).program(all.subspan(n, std::min(kAtOnce, all.size() - n))), n);
}

TEST_F(Generated, ProgramsDoTheSameOnBothBackEnds) {
  for (unsigned seed = 1; seed <= kPrograms && !HasFatalFailure(); ++seed)
    compare(Generator(seed).program(), seed);
}

}  // namespace
}  // namespace longwire::softcuda::jit
