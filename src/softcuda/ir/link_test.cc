#include "softcuda/ir/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "softcuda/ir/form.h"
#include "softcuda/ir/print.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::ir {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHead = ".version 8.5\n.target sm_80\n.address_size 64\n";

base::Result<std::unique_ptr<const Module>> linked(std::initializer_list<std::string> texts) {
  std::vector<std::unique_ptr<ptx::Source>> sources;
  for (const auto& text : texts) {
    auto source = ptx::parse("input " + std::to_string(sources.size() + 1), kHead + text);
    if (!source) return std::move(source).error();
    sources.push_back(std::move(*source));
  }
  return link(sources);
}

std::string error_of(std::initializer_list<std::string> texts) {
  const auto module = linked(texts);
  return module ? "accepted" : module.error().message();
}

TEST(Forms, EveryLineOfTheTableIsWellFormed) {
  EXPECT_GT(form_lines().size(), 200U);
  for (const auto& line : form_lines()) {
    const std::string_view pattern = line.pattern;
    const auto word = pattern.substr(0, pattern.find_first_of(".{"));
    const auto forms = forms_of(word);
    ASSERT_FALSE(forms.empty()) << pattern;
    for (const auto& form : forms) {
      for (const auto& element : form.elements)
        ASSERT_FALSE(element.alternatives.empty());
    }
  }
  EXPECT_TRUE(forms_of("nothing").empty());
}

TEST(Link, ExternIsWhatAnotherInputDefines) {
  const auto module =
      linked({".visible .func f() { ret; } .visible .global .b32 x = 7;",
              ".extern .func f(); .extern .global .b32 x;\n"
              ".visible .entry k() { .reg .b32 r; call f; ld.global.u32 r, [x]; }"});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->functions.size(), 2U);
  EXPECT_EQ((*module)->variables.size(), 1U);
  EXPECT_EQ((*module)->variables[0].initial.size(), 4U);
}

TEST(Link, ADeclarationWithoutLinkageMayComeFirst) {
  EXPECT_EQ(error_of({".func f(); .func g() { call f; } .visible .func f() { ret; }",
                      ".extern .func f(); .entry k() { call f; }"}),
            "accepted");
}

TEST(Link, HostileSizesAreRefused) {
  std::string parameters = ".reg .b32 a0";
  for (int i = 1; i < 5000; ++i)
    parameters += ", .reg .b32 a" + std::to_string(i);
  EXPECT_THAT(error_of({".func f(" + parameters + ") { ret; }"}),
              HasSubstr("over 4096 parameters"));
  std::string labels = "T: .branchtargets L";
  for (int i = 1; i < 60000; ++i)
    labels += ", L";
  std::string branches;
  for (int i = 0; i < 100; ++i)
    branches += "brx.idx r, T;\n";
  EXPECT_THAT(error_of({".entry k() { .reg .b32 r; L: " + labels + "; " + branches + "}"}),
              HasSubstr("too many targets of brx.idx"));
  std::string registers;
  for (int i = 0; i < 140000; ++i)
    registers += "mov.b128 q" + std::to_string(i) + ", q0;\n";
  EXPECT_THAT(error_of({".entry k() { .reg .b128 q<200000>;" + registers + "}"}),
              HasSubstr("over 64 MiB of registers"));
}

TEST(Link, WhatIsNotVisibleIsTheInputsOwn) {
  const auto module =
      linked({".func f() { ret; } .global .b32 x;", ".func f() { trap; } .global .b64 x;"});
  ASSERT_TRUE(module);
  EXPECT_EQ((*module)->functions.size(), 2U);
  EXPECT_EQ((*module)->variables.size(), 2U);
}

TEST(Link, UnresolvedNamesAreErrorsWhereTheyAreUsed) {
  const auto unresolved = linked({".extern .func f();\n.entry k() { call f; }"});
  ASSERT_FALSE(unresolved);
  EXPECT_EQ(unresolved.error().code(), base::ErrorCode::kNotFound);
  EXPECT_THAT(unresolved.error().message(),
              HasSubstr("input 1, line 4, column 15: error: unresolved extern function 'f'"));
  EXPECT_EQ(error_of({".extern .func f();"}), "accepted");
  EXPECT_THAT(error_of({".extern .global .b32 x;"}), HasSubstr("unresolved extern variable 'x'"));
  EXPECT_EQ(error_of({".extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);\n"
                      ".entry k() { .param .b64 a; .param .b32 r; call (r), vprintf, (a, a); }"}),
            "accepted");
}

TEST(Link, DuplicatesAreErrorsButForWeakOnes) {
  EXPECT_THAT(error_of({".visible .func f() { ret; }", ".visible .func f() { ret; }"}),
              HasSubstr("input 2, line 4, column 16: error: 'f' is defined twice"));
  EXPECT_THAT(error_of({".visible .global .b32 x;", ".visible .global .b32 x;"}),
              HasSubstr("'x' is defined twice"));
  EXPECT_THAT(error_of({".func f() { ret; } .func f() { ret; }"}), HasSubstr("defined twice"));
  EXPECT_THAT(error_of({".func f() { ret; } .global .b32 f;"}), HasSubstr("elsewhere"));
  const auto module = linked({".weak .func f() { ret; }", ".visible .func f() { trap; }",
                              ".weak .func f() { exit; } .common .global .b32 x; "
                              ".entry k() { call f; }",
                              ".common .global .b32 x;"});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->functions[0].instructions[0].op, Op::kTrap);
  EXPECT_EQ((*module)->variables.size(), 1U);
}

TEST(Link, DeclarationsMustAgree) {
  EXPECT_THAT(error_of({".visible .func f() { ret; }", ".extern .func f(.param .b32 a);"}),
              HasSubstr("'f' is declared differently elsewhere"));
  EXPECT_THAT(error_of({".visible .global .b32 x;", ".extern .const .b32 x;"}),
              HasSubstr("'x' is declared differently elsewhere"));
}

TEST(Link, Aliases) {
  EXPECT_EQ(error_of({".func f() { ret; } .func g(); .alias g, f; .entry k() { call g; }"}),
            "accepted");
  EXPECT_THAT(error_of({".alias g, f;"}), HasSubstr("there is no function 'f'"));
}

TEST(Link, SharedMemoryIsThatOfWhatAKernelReaches) {
  const auto module = linked({R"(
.shared .align 4 .b8 common_part[100]; .extern .shared .align 128 .b8 dynamic[];
.func f() { .reg .b64 d; .shared .b8 own[32]; mov.u64 d, own; mov.u64 d, common_part; }
.visible .entry a() { .reg .b64 d; .shared .align 8 .b8 big[1000]; mov.u64 d, big; call f; }
.visible .entry b() { .reg .b64 d; .shared .b8 bigger[2000]; mov.u64 d, bigger; }
.visible .entry c() { .reg .b64 d; mov.u64 d, dynamic; call f; }
.visible .entry d() { ret; })"});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->find_kernel("a")->static_shared_bytes, 1136U);  // 100, 32, 1000
  EXPECT_EQ((*module)->find_kernel("b")->static_shared_bytes, 2000U);
  EXPECT_EQ((*module)->find_kernel("c")->static_shared_bytes, 256U);  // 132 up to 128's multiple
  EXPECT_EQ((*module)->find_kernel("d")->static_shared_bytes, 0U);
}

TEST(Link, CallsThroughPointersReachWhateverHasItsAddressTaken) {
  const auto module = linked({R"(
.func f() { .reg .b64 d; .shared .b8 s[64]; mov.u64 d, s; }
.global .u64 table[] = { f };
.visible .entry k() { .reg .b64 d; P: .callprototype _ (); ld.global.u64 d, [table]; call d, P; })"});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->find_kernel("k")->static_shared_bytes, 64U);
  EXPECT_EQ((*module)->find_kernel("k")->call_depth, kNone);
}

TEST(Link, CallDepth) {
  const auto module =
      linked({".func c() { ret; } .func b() { call c; } .func a() { call b; call c; }\n"
              ".func r(); .func q() { call r; } .func r() { call q; }\n"
              ".visible .entry k() { call a; } .visible .entry l() { call q; }"});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->find_kernel("k")->call_depth, 3U);
  EXPECT_EQ((*module)->find_kernel("l")->call_depth, kNone);
}

TEST(Link, DeepCallChainsNeedNoStackOfOurs) {
  std::string text = ".func f0() { ret; }\n";
  for (int i = 1; i < 20000; ++i) {
    text += ".func f" + std::to_string(i) + "() { call f" + std::to_string(i - 1) + "; }\n";
  }
  text += ".visible .entry k() { call f19999; }";
  const auto module = linked({text});
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ((*module)->find_kernel("k")->call_depth, 20000U);
}

std::string variable(const std::string& text) {
  const auto module = linked({text});
  if (!module) return module.error().message();
  const auto all = to_text(**module);
  const auto begin = all.find("variable ");
  return all.substr(begin, all.find('\n', begin) - begin);
}

TEST(Link, Initialisers) {
  EXPECT_EQ(variable(".global .align 8 .u16 x[3] = { 1, -2 };"),
            "variable x .global .u16 bytes 6 align 8 at 0 = 01 00 fe ff");
  EXPECT_EQ(variable(".const .b8 x[2][3] = { {1}, {2, 3} };"),
            "variable x .const .b8 bytes 6 align 1 at 0 = 01 00 00 02 03");
  EXPECT_EQ(variable(".global .b8 x[] = \"ab\\n\";"),
            "variable x .global .b8 bytes 4 align 1 at 0 = 61 62 0a 00");
  EXPECT_EQ(variable(".global .s16 x[][2] = { {1, 2}, {3} };"),
            "variable x .global .s16 bytes 8 align 2 at 0 = 01 00 02 00 03 00");
  EXPECT_EQ(variable(".global .f32 x = 1.5;"),
            "variable x .global .f32 bytes 4 align 4 at 0 = 00 00 c0 3f");
  EXPECT_EQ(variable(".global .v2 .b8 x[2] = { {1, 2}, {3, 4} };"),
            "variable x .global .b8 bytes 4 align 2 at 0 = 01 02 03 04");
  EXPECT_EQ(variable(".global .u64 x[2] = { generic(x)+8, x };"),
            "variable x .global .u64 bytes 16 align 8 at 0 = 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 00 00 00 {0:8 generic x+8} {8:8 x}");
  EXPECT_EQ(variable(".global .u8 x[2] = { 0xff(x), 0xff00(x) };"),
            "variable x .global .u8 bytes 2 align 1 at 0 = 00 00 {0:1 x} {1:1>>8 x}");
}

TEST(Link, InitialiserErrors) {
  EXPECT_THAT(error_of({".global .u8 x[2] = { 1, 2, 3 };"}), HasSubstr("more initial values"));
  EXPECT_THAT(error_of({".global .u8 x = { {1} };"}), HasSubstr("too many braces"));
  EXPECT_THAT(error_of({".global .u8 x = 1.5;"}), HasSubstr("does not fit the type .u8"));
  EXPECT_THAT(error_of({".global .u64 x = y;"}), HasSubstr("unknown name 'y'"));
  EXPECT_THAT(error_of({".global .u16 x = x;"}), HasSubstr("an address does not fit here"));
  EXPECT_THAT(error_of({".global .u8 x = 0xf0(x);"}), HasSubstr("an address does not fit here"));
  EXPECT_THAT(error_of({".global .b8 x[2][1073741824] = { {0}, {1} };"}),
              HasSubstr("over 256 MiB of initial values"));
}

}  // namespace
}  // namespace longwire::softcuda::ir
