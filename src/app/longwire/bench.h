// `longwire bench`: how fast one node is from here, and what limits it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace longwire::app {

struct BenchFlags {
  std::string node;   // empty: the first that is configured
  std::string local;  // unix, tcp, tls, or empty
  bool json = false;
};

void add_bench_command(CLI::App& cli, BenchFlags& flags);
int bench_main(const BenchFlags& flags);

}  // namespace longwire::app
