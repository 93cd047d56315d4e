// `longwire run`: a program with Longwire's driver in its environment.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace longwire::app {

struct RunFlags {
  std::string local;  // unix, tcp, tls, or empty
  std::vector<std::string> nodes;
  std::filesystem::path node_log;
  std::vector<std::string> program;
};

void add_run_command(CLI::App& cli, RunFlags& flags);
int run_main(const RunFlags& flags);

}  // namespace longwire::app
