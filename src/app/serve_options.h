// The command line of a node: shared by longwired and `longwire serve`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/config.h"

namespace longwire::app {

// Exit codes that every program of ours shares; docs in longwire(1).
inline constexpr int kExitFailed = 1;  // it did not work; stderr says why
inline constexpr int kExitUsage = 2;   // the command line makes no sense

struct ServeFlags {
  std::filesystem::path config;
  std::vector<std::string> listen;
  std::vector<std::string> plain;
  std::string unix_socket;
  bool no_unix = false;
  bool no_tls = false;
  std::filesystem::path state;
  std::string name;
  std::string log_level;
  std::string log_format;
  std::string sandbox;
};

void add_serve_flags(CLI::App& cli, ServeFlags& flags);
// Whether there is a node's configuration at the system's place.
bool has_system_config();
// The file that --config names, else the system's, else the default.
base::Result<node::NodeConfig> read_config(const ServeFlags& flags);
// Reads the configuration, applies the flags, serves. Returns the exit code.
int serve_main(const ServeFlags& flags);

}  // namespace longwire::app
