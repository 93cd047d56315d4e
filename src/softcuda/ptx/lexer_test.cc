#include "softcuda/ptx/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "softcuda/ptx/constant.h"

namespace longwire::softcuda::ptx {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> tokens(std::string_view text) {
  Lexer lexer(text);
  std::vector<std::string> all;
  for (Token t = lexer.next(); t.kind != Token::Kind::kEnd; t = lexer.next()) {
    all.push_back((t.kind == Token::Kind::kBad ? "bad:" : "") + std::string(t.text));
  }
  return all;
}

TEST(Lexer, OpcodesAreOneToken) {
  EXPECT_THAT(tokens("@!%p1 ld.global.L1::no_allocate.v2.f32 {%f1, _}, [%rd1+-16];"),
              ElementsAre("@", "!", "%p1", "ld.global.L1::no_allocate.v2.f32", "{", "%f1", ",", "_",
                          "}", ",", "[", "%rd1", "+", "-", "16", "]", ";"));
}

TEST(Lexer, DirectivesEndBeforeTheNextDot) {
  EXPECT_THAT(
      tokens(".reg.b32 %r<10>; .param::entry .shared::cta"),
      ElementsAre(".reg", ".b32", "%r", "<", "10", ">", ";", ".param::entry", ".shared::cta"));
}

TEST(Lexer, LabelsAndSpecialRegisters) {
  EXPECT_THAT(tokens("$L__BB0_2: mov.u32 %r1, %tid.x;"),
              ElementsAre("$L__BB0_2", ":", "mov.u32", "%r1", ",", "%tid.x", ";"));
}

TEST(Lexer, CommentsAndPreprocessorLinesAreSpace) {
  EXPECT_THAT(tokens("# 1 \"a.cu\"\na // b\n/* c\n d */ e"), ElementsAre("a", "e"));
}

TEST(Lexer, WhatIsNoTokenIsBad) {
  EXPECT_THAT(tokens("a `"), ElementsAre("a", "bad:`"));
  EXPECT_EQ(tokens("\"abc").front(), "bad:\"");
  EXPECT_EQ(tokens("/* abc").front(), "bad:/*");
  EXPECT_EQ(tokens(std::string_view("\0", 1)).size(), 1U);
}

TEST(Lexer, PercentIsAnOperatorToo) { EXPECT_THAT(tokens("7 % 4"), ElementsAre("7", "%", "4")); }

std::uint64_t bits(std::string_view text) {
  const auto value = parse_number(text);
  EXPECT_TRUE(value) << text;
  return value ? value->bits : 0;
}

TEST(Numbers, EveryForm) {
  EXPECT_EQ(bits("42"), 42U);
  EXPECT_EQ(bits("42U"), 42U);
  EXPECT_EQ(bits("0x2aU"), 42U);
  EXPECT_EQ(bits("052"), 42U);
  EXPECT_EQ(bits("0b101010"), 42U);
  EXPECT_EQ(bits("0"), 0U);
  EXPECT_EQ(bits("0f3F800000"), 0x3f800000U);
  EXPECT_EQ(bits("0D3ff0000000000000"), 0x3ff0000000000000U);
  EXPECT_EQ(bits("1.0"), 0x3ff0000000000000U);
  EXPECT_EQ(bits("1e0"), 0x3ff0000000000000U);
  EXPECT_EQ(bits("25.e-1"), 0x4004000000000000U);
  EXPECT_EQ(bits("18446744073709551615"), ~std::uint64_t{0});
}

TEST(Numbers, WhatIsNone) {
  for (const char* text : {"0x", "0b2", "09", "1x", "0f3F80000", "0d3ff0", "18446744073709551616",
                           "1.2.3", "1e", ""}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

}  // namespace
}  // namespace longwire::softcuda::ptx
