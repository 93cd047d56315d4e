// Modules from PTX text or the files of the tests.
#pragma once

#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "softcuda/ir/link.h"
#include "softcuda/ptx/parser.h"

namespace longwire::softcuda::testing {

// Null and a failure where it is refused.
inline std::unique_ptr<const ir::Module> link_text(const std::string& text) {
  auto source = ptx::parse("test", text);
  EXPECT_TRUE(source.ok()) << source.error().message() << "\n" << text;
  if (!source.ok()) return nullptr;
  std::vector<std::unique_ptr<ptx::Source>> sources;
  sources.push_back(std::move(*source));
  auto linked = ir::link(sources);
  EXPECT_TRUE(linked.ok()) << linked.error().message() << "\n" << text;
  return linked.ok() ? std::move(*linked) : nullptr;
}
inline std::unique_ptr<const ir::Module> link_file(const std::string& name) {
  std::ifstream file(std::string(SOFTCUDA_TESTDATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return link_text(text.str());
}

}  // namespace longwire::softcuda::testing
