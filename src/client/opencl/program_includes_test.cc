#include "client/opencl/program_includes.h"

#include <gtest/gtest.h>

#include <map>

namespace longwire::client::opencl {
namespace {

class Includes : public ::testing::Test {
 protected:
  std::string expand(const std::string& source, const std::string& options = "-I dir") {
    IncludeSearch search;
    search.directories = include_directories(options);
    search.embedded = embedded;
    search.macros = macro_definitions(options);
    search.read = [this](const std::string& path) -> std::optional<std::string> {
      const auto found = files.find(path);
      if (found == files.end()) return std::nullopt;
      return found->second;
    };
    return with_includes(source, search);
  }
  std::map<std::string, std::string> files;
  std::vector<std::string> embedded;
};

TEST_F(Includes, DirectoriesOfOptions) {
  const std::vector<std::string> expected = {"a", "b c", "/d"};
  EXPECT_EQ(include_directories("-Ia -cl-fast-relaxed-math -I \"b c\" -DX='-I no' -I/d"), expected);
  EXPECT_TRUE(include_directories("-cl-opt -D I").empty());
}

TEST_F(Includes, PutsTheTextInPlaceAndKeepsLineNumbers) {
  files["dir/x.h"] = "int x;\n";
  EXPECT_EQ(expand("a\n#include \"x.h\"\nb\n"),
            "a\n#line 1 \"dir/x.h\"\nint x;\n#line 3 \"program.cl\"\nb\n");
}

// As hashcat does: -D INCLUDE_PATH=/place -D "M2S(x)=K2S(x)" -D "K2S(x)=#x".
TEST_F(Includes, ResolvesAnIncludeThatMacrosCompute) {
  files["/place/x.h"] = "here\n";
  const std::string options = "-D \"TEXT(x)=#x\" -D PLACE=/place -D ALL=TEXT(PLACE/x.h)";
  EXPECT_NE(expand("#include TEXT(PLACE/x.h)\n", options).find("here"), std::string::npos);
  EXPECT_NE(expand("#include ALL\n", options).find("here"), std::string::npos);
  EXPECT_NE(expand("#define NAME \"/place/x.h\"\n#include NAME\n", "").find("here"),
            std::string::npos);
}

TEST_F(Includes, MacrosThatNameThemselvesEnd) {
  const std::string source = "#define A B\n#define B A\n#include A\n";
  EXPECT_EQ(expand(source, ""), source);
}

TEST_F(Includes, LeavesWhatItDoesNotFind) {
  const std::string source = "#include <opencl-c.h>\n#include \"gone.h\"\nkernel void f() {}";
  EXPECT_EQ(expand(source), source);
}

TEST_F(Includes, AngleBracketsSearchTheOptionsOnly) {
  files["x.h"] = "here\n";
  EXPECT_EQ(expand("#include <x.h>\n", ""), "#include <x.h>\n");
  EXPECT_NE(expand("#include \"x.h\"\n", "").find("here"), std::string::npos);
}

TEST_F(Includes, HeadersIncludeFromTheirOwnDirectory) {
  files["dir/sub/a.h"] = "#include \"b.h\"\n";
  files["dir/sub/b.h"] = "inner\n";
  EXPECT_NE(expand("#include \"sub/a.h\"\n").find("inner"), std::string::npos);
}

TEST_F(Includes, PragmaOnceAndRecursionEnd) {
  files["dir/once.h"] = "#pragma once\nonce\n";
  const std::string twice = expand("#include \"once.h\"\n#include \"once.h\"\n");
  EXPECT_EQ(twice.find("once\n#line 2"), twice.rfind("once\n#line 2"));
  files["dir/loop.h"] = "#include \"loop.h\"\nloop\n";
  EXPECT_NE(expand("#include \"loop.h\"\n").find("loop"), std::string::npos);
}

TEST_F(Includes, CommentsDoNotInclude) {
  files["dir/x.h"] = "text\n";
  EXPECT_EQ(expand("/*\n#include \"x.h\"\n*/\n").find("text"), std::string::npos);
  EXPECT_EQ(expand("// #include \"x.h\"\n").find("text"), std::string::npos);
  EXPECT_NE(expand("/* a */\n#include \"x.h\"\n").find("text"), std::string::npos);
}

TEST_F(Includes, GivenHeadersAreTheNodes) {
  files["dir/x.h"] = "text\n";
  embedded = {"x.h"};
  EXPECT_EQ(expand("#include \"x.h\"\n"), "#include \"x.h\"\n");
}

TEST_F(Includes, SourceWithoutThemIsUntouched) {
  EXPECT_EQ(expand("kernel void f() {}"), "kernel void f() {}");
  EXPECT_EQ(expand(""), "");
}

}  // namespace
}  // namespace longwire::client::opencl
