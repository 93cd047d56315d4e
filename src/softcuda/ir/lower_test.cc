#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "softcuda/ir/link.h"
#include "softcuda/ir/print.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::ir {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHead = ".version 8.5\n.target sm_80\n.address_size 64\n";

base::Result<std::unique_ptr<const Module>> module_of(const std::string& text) {
  auto source = ptx::parse("test", kHead + text);
  if (!source) return std::move(source).error();
  std::vector<std::unique_ptr<ptx::Source>> sources;
  sources.push_back(std::move(*source));
  return link(sources);
}

// The instructions of a kernel whose body is `body`, or the error.
std::string lowered(const std::string& body) {
  const auto module = module_of(
      ".visible .entry k(.param .u64 a) {\n"
      ".reg .pred %p<8>; .reg .b16 %h<32>; .reg .b32 %r<64>; .reg .b64 %d<32>; .reg .f32 %f<64>; "
      ".reg .f64 %e<32>;\n" +
      body + "\n}");
  if (!module) return module.error().message();
  const auto* kernel = (*module)->find_kernel("k");
  std::string text;
  for (const auto& instruction : kernel->instructions) {
    text += to_text(**module, *kernel, instruction) + "\n";
  }
  return text;
}

TEST(Lower, DefaultsAreWrittenOut) {
  EXPECT_EQ(lowered("add.f32 %f1, %f2, 1.5;"), "add.rn.f32 %f1, %f2, 0x3fc00000\nret\n");
  EXPECT_EQ(lowered("atom.global.add.u32 %r1, [%d1], 4;"),
            "atom.relaxed.gpu.global.add.u32 %r1, [%d1], 0x4\nret\n");
}

TEST(Lower, UnknownInstructionIsNamedWithItsPlace) {
  EXPECT_THAT(lowered("frob.b32 %r1, %r2;"),
              HasSubstr("line 6, column 1: error: unknown instruction 'frob.b32'\n    frob.b32"));
}

}  // namespace
}  // namespace longwire::softcuda::ir
