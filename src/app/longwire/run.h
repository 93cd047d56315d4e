// `longwire run`: a program with Longwire's driver in its environment.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "app/longwire/private_node.h"
#include "app/longwire/program.h"
#include "base/result.h"

namespace longwire::app {

struct RunFlags {
  std::string local;  // unix, tcp, tls, or empty
  std::vector<std::string> nodes;
  std::filesystem::path node_log;
  std::vector<std::string> program;
};

LocalMode local_mode_of(const std::string& name);  // "unix", "tcp", "tls"

// Runs the program on the nodes of the flags, or those that are configured, with `environment`
// beside the driver's. What it leaves with: see run_program().
base::Result<int> run_on_nodes(const RunFlags& flags, const Environment& environment);
void add_run_options(CLI::App& command, RunFlags& flags);

void add_run_command(CLI::App& cli, RunFlags& flags);
int run_main(const RunFlags& flags);

}  // namespace longwire::app
