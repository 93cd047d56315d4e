#include "softcuda/ptx/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longwire::softcuda::ptx {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHead = ".version 8.5\n.target sm_80\n.address_size 64\n";

std::unique_ptr<Source> parsed(const std::string& text) {
  auto source = parse("test", kHead + text);
  EXPECT_TRUE(source) << source.error().message();
  return source ? std::move(*source) : nullptr;
}

std::string error_of(const std::string& text) {
  const auto source = parse("test", text);
  return source ? "accepted" : source.error().message();
}

// The value of an initialiser: a constant expression.
std::int64_t value_of(const std::string& expression) {
  const auto source = parsed(".global .s64 x = " + expression + ";");
  return source ? static_cast<std::int64_t>(source->variables[0]->initial->constant.bits) : -999;
}

TEST(Parser, Header) {
  const auto source = parse("t", ".version 6.3\n.target sm_90a, debug\n.address_size 64\n").value();
  EXPECT_EQ(source->version, 63U);
  EXPECT_EQ(parse("t", ".version 9.0\n.target sm_80\n.address_size 64\n").value()->version, 90U);
  EXPECT_EQ(source->target, 90U);
}

TEST(Parser, HeaderErrors) {
  EXPECT_THAT(error_of(""),
              HasSubstr("line 1, column 1: error: '.version' expected before the end"));
  EXPECT_THAT(error_of(".version 9.1\n"), HasSubstr("PTX version 9.1 is not supported"));
  EXPECT_THAT(error_of(".version 5.0\n"), HasSubstr("PTX version 5.0 is not supported"));
  EXPECT_THAT(error_of(".version 8\n"), HasSubstr("malformed version '8'"));
  EXPECT_THAT(error_of(".version 8.0\n.target gfx90a\n"), HasSubstr("unknown target 'gfx90a'"));
  EXPECT_THAT(error_of(".version 8.0\n.target sm_80\n.address_size 32\n"),
              HasSubstr("line 3, column 15: error: only .address_size 64"));
}

TEST(Parser, ConstantExpressions) {
  EXPECT_EQ(value_of("1 + 2 * 3"), 7);
  EXPECT_EQ(value_of("(1 + 2) * 3"), 9);
  EXPECT_EQ(value_of("10 - 3 - 2"), 5);
  EXPECT_EQ(value_of("-7 / 2"), -3);
  EXPECT_EQ(value_of("-7 % 4"), -3);
  EXPECT_EQ(value_of("1 << 4 | 3"), 19);
  EXPECT_EQ(value_of("2 > 1 ? 5 : 6"), 5);
  EXPECT_EQ(value_of("!0 + ~0"), 0);
  EXPECT_EQ(value_of("(.u64) -1 > 0 && 1"), 1);
  EXPECT_EQ(value_of("WARP_SZ * 2"), 64);
  EXPECT_EQ(value_of("1 << 70"), 0);
}

TEST(Parser, ConstantExpressionErrors) {
  const std::string head = kHead;
  EXPECT_THAT(error_of(head + ".global .s64 x = 1 / 0;"), HasSubstr("'/' cannot be applied"));
  EXPECT_THAT(error_of(head + ".entry .attribute(u28"), HasSubstr("after .attribute"));
  EXPECT_THAT(error_of(head + ".global .s64 x = 1 +;"),
              HasSubstr("column 21: error: constant expected before ';'"));
  EXPECT_THAT(error_of(head + ".global .s64 x = " + std::string(10000, '(') + "1;"),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(error_of(head + ".global .s64 x = " + std::string(10000, '-') + "1;"),
              HasSubstr("nested too deeply"));
}

TEST(Parser, Variables) {
  const auto source = parsed(
      ".visible .global .align 8 .v2 .f32 a[4][2];\n"
      ".extern .shared .align 16 .b8 s[];\n"
      ".weak .const .b8 t[] = \"x\\n\"; .common .global .attribute(.managed) .u32 m, n;\n");
  ASSERT_EQ(source->variables.size(), 5U);
  const Variable& a = *source->variables[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.linkage, Linkage::kVisible);
  EXPECT_EQ(a.vector, 2);
  EXPECT_EQ(a.alignment, 8U);
  EXPECT_THAT(a.dimensions, ::testing::ElementsAre(4, 2));
  EXPECT_TRUE(source->variables[1]->flexible);
  EXPECT_EQ(source->variables[2]->initial->name, "x\\n");
  EXPECT_TRUE(source->variables[3]->managed);
  EXPECT_TRUE(source->variables[4]->managed);
}

TEST(Parser, AddressInitialisers) {
  const auto source = parsed(".global .u64 p[] = { generic(x)+4, y-8, 0xff00(z) };");
  const auto parts = source->variables[0]->initial->parts;
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_TRUE(parts[0].generic);
  EXPECT_EQ(parts[0].constant.bits, 4U);
  EXPECT_EQ(parts[1].constant.bits, ~std::uint64_t{7});
  EXPECT_EQ(parts[2].mask, 0xff00U);
}

TEST(Parser, Functions) {
  const auto source = parsed(
      ".extern .func __assertfail (.param .b64 a) .noreturn ;\n"
      ".visible .entry k(.param .u64 .ptr .global .align 4 a)\n"
      ".maxntid 256, 2\n.minnctapersm 3\n.maxnreg 64\n{ ret; }\n"
      ".weak .func (.reg .b32 r) f(.reg .b32 x, .param .align 8 .b8 y[24]) { ret; }");
  ASSERT_EQ(source->functions.size(), 3U);
  EXPECT_FALSE(source->functions[0]->has_body);
  const Function& k = *source->functions[1];
  EXPECT_TRUE(k.kernel);
  EXPECT_EQ(k.limits.max_threads[0], 256U);
  EXPECT_EQ(k.limits.max_threads[1], 2U);
  EXPECT_EQ(k.limits.max_threads[2], 1U);
  EXPECT_EQ(k.limits.min_blocks, 3U);
  EXPECT_EQ(k.limits.max_registers, 64U);
  EXPECT_EQ(source->functions[2]->parameters.size(), 2U);
  EXPECT_EQ(source->functions[2]->results[0].space, "reg");
}

std::vector<Statement> body_of(const std::string& text) {
  static std::vector<std::unique_ptr<Source>> alive;
  alive.push_back(parsed(".entry k() {" + text + "}"));
  const auto body = alive.back()->functions[0]->body;
  return {body.begin(), body.end()};
}

TEST(Parser, Operands) {
  const auto body = body_of(
      "@!p setp.lt.and.s32 p|q, %r1, -5, !r; tex.2d.v4.f32.f32 {a,_}, [t, {x,y}];"
      "mov.u64 d, var+8; ld.u32 %r1, [%rd1-4]; mov.u32 a, (1+2);");
  ASSERT_EQ(body.size(), 5U);
  EXPECT_EQ(body[0].guard, "p");
  EXPECT_TRUE(body[0].guard_negated);
  ASSERT_EQ(body[0].operands.size(), 4U);
  EXPECT_EQ(body[0].operands[0].kind, Operand::Kind::kPair);
  EXPECT_TRUE(body[0].operands[3].negated);
  EXPECT_EQ(body[1].operands[0].parts[1].kind, Operand::Kind::kSink);
  EXPECT_EQ(body[1].operands[1].parts[1].kind, Operand::Kind::kVector);
  EXPECT_EQ(body[2].operands[1].constant.bits, 8U);
  EXPECT_EQ(body[3].operands[1].constant.bits, ~std::uint64_t{3});
  EXPECT_EQ(body[4].operands[1].kind, Operand::Kind::kConstant);
  EXPECT_EQ(body[4].operands[1].constant.bits, 3U);
}

TEST(Parser, Calls) {
  const auto body = body_of("call.uni (r0), f, (a, 1), P; call f;");
  ASSERT_EQ(body.size(), 2U);
  EXPECT_EQ(body[0].operands.size(), 4U);
  EXPECT_EQ(body[0].operands[2].kind, Operand::Kind::kList);
}

TEST(Parser, ModifiersMayStandApart) {
  EXPECT_EQ(body_of("ld.global .f32 %f1, [a];")[0].name, "ld.global.f32");
}

TEST(Parser, DebugDataIsSkipped) {
  EXPECT_TRUE(
      parsed(".file 1 \"a.cu\", 12, 34\n"
             ".func f() { .loc 1 2 3\n .loc 1 2 3, function_name $L+16, inlined_at 1 2 3\n"
             ".pragma \"nounroll\"; }\n"
             ".section .debug_info { .b8 1, 2\n .b32 .debug_abbrev\n L: .b64 f }\n"));
}

TEST(Parser, ErrorsSayWhereAndWhat) {
  const std::string head = kHead;
  EXPECT_THAT(error_of(head + ".entry k() {\n  add.u32 %r1, %r2 %r3;\n}"),
              HasSubstr("test, line 5, column 20: error: ';' expected after an instruction before "
                        "'%r3'\n    add.u32 %r1, %r2 %r3;"));
  EXPECT_THAT(error_of(head + ".entry k() { ret;"), HasSubstr("'}' expected before the end"));
  EXPECT_THAT(error_of(head + "}"), HasSubstr("directive expected before '}'"));
  EXPECT_THAT(error_of(head + ".entry k() { .what 3; }"), HasSubstr("unknown directive '.what'"));
  EXPECT_THAT(error_of(head + ".global .u32 x = 0x;"), HasSubstr("malformed number '0x'"));
  EXPECT_THAT(error_of(head + ".global .u32 .u64 x;"), HasSubstr("unexpected '.u64'"));
  EXPECT_THAT(error_of(head + ".global x;"), HasSubstr("type expected before 'x'"));
  EXPECT_THAT(error_of(head + "/* abc"), HasSubstr("comment without an end"));
  EXPECT_THAT(error_of(head + ".file 1 \"abc\n"), HasSubstr("string without an end"));
  EXPECT_THAT(error_of(head + "\x01"), HasSubstr("unexpected character '?'"));
}

TEST(Parser, HostileNesting) {
  const std::string head = std::string(kHead) + ".entry k() { mov.u32 a, ";
  for (const char* open : {"{", "[", "(", "!", "~"}) {
    std::string text = head;
    for (int i = 0; i < 100000; ++i)
      text += open;
    EXPECT_NE(error_of(text), "accepted") << open;
  }
  std::string blocks = std::string(kHead) + ".entry k() {";
  for (int i = 0; i < 100000; ++i)
    blocks += "{";
  EXPECT_NE(error_of(blocks), "accepted");
  std::string braces = std::string(kHead) + ".global .b8 x[] = ";
  for (int i = 0; i < 100000; ++i)
    braces += "{";
  EXPECT_THAT(error_of(braces), HasSubstr("nested too deeply"));
}

}  // namespace
}  // namespace longwire::softcuda::ptx
