// How fast PTX is parsed, and lowered and linked: a text is made of copies of the files that are
// named, under other names, until it has 16 MB.
//
//   longwire_bench_ptx FILE.ptx...
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "softcuda/ir/link.h"
#include "softcuda/ptx/parser.h"

namespace {

namespace ir = longwire::softcuda::ir;
namespace ptx = longwire::softcuda::ptx;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWantedBytes = 16'000'000;
constexpr int kRounds = 3;

std::string read(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Each input is linked alone: copies of one have the same names.
bool round(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  double parsing = 0;
  double linking = 0;
  while (bytes < kWantedBytes) {
    for (const auto& text : texts) {
      std::string copy = text;
      bytes += text.size();
      auto start = Clock::now();
      auto source = ptx::parse("bench", std::move(copy));
      parsing += seconds_since(start);
      if (!source) {
        std::cerr << source.error().message() << "\n";
        return false;
      }
      std::vector<std::unique_ptr<ptx::Source>> sources;
      sources.push_back(std::move(*source));
      start = Clock::now();
      const auto module = ir::link(sources);
      linking += seconds_since(start);
      if (!module) {
        std::cerr << module.error().message() << "\n";
        return false;
      }
    }
  }
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::printf("parse %.0f MB/s, lower and link %.0f MB/s, both %.0f MB/s\n", megabytes / parsing,
              megabytes / linking, megabytes / (parsing + linking));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> texts;
  for (int i = 1; i < argc; ++i) {
    texts.push_back(read(argv[i]));
    if (texts.back().empty()) {
      std::cerr << "cannot read " << argv[i] << "\n";
      return 1;
    }
  }
  if (texts.empty()) {
    std::cerr << "usage: longwire_bench_ptx FILE.ptx...\n";
    return 2;
  }
  for (int i = 0; i < kRounds; ++i) {
    if (!round(texts)) return 1;
  }
  return 0;
}
