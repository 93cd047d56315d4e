// PTX as clang 19 makes it of the kernels beside it (testdata/README.md), through parse, link and
// print. LONGWIRE_UPDATE_GOLDEN=1 writes what comes out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "softcuda/ir/link.h"
#include "softcuda/ir/print.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::ir {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string lowered(const std::string& name, const std::string& text) {
  auto source = ptx::parse(name, text);
  if (!source) return source.error().to_string();
  std::vector<std::unique_ptr<ptx::Source>> sources;
  sources.push_back(std::move(*source));
  const auto module = link(sources);
  return module ? to_text(**module) : module.error().to_string();
}

TEST(Golden, CompiledKernels) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(SOFTCUDA_TESTDATA)) {
    if (entry.path().extension() != ".ptx") continue;
    ++seen;
    const auto golden =
        fs::path(SOFTCUDA_TESTDATA) / "golden" / (entry.path().stem().string() + ".ir");
    const auto text = lowered(entry.path().filename().string(), read(entry.path()));
    if (std::getenv("LONGWIRE_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << text;
    EXPECT_EQ(text, read(golden)) << entry.path();
  }
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace longwire::softcuda::ir
