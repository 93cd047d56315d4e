// `longwire pair`, on both machines, and `longwire trust`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace longwire::app {

// Where the state of this machine's node is, for every command that asks the node: the options that
// say it, and what they say.
void add_node_places(CLI::App& cli, std::filesystem::path& config, std::filesystem::path& state);
base::Result<std::filesystem::path> state_of(const std::filesystem::path& config_file,
                                             const std::filesystem::path& state);

struct PairFlags {
  std::string node;  // empty: this machine is the node
  std::string code;
  std::filesystem::path config;
  std::filesystem::path state;
};

void add_pair_command(CLI::App& cli, PairFlags& flags);
int pair_main(const PairFlags& flags);

struct TrustFlags {
  bool clients = false;  // of the node on this machine, rather than the user's nodes
  std::string name;      // to revoke
  std::filesystem::path config;
  std::filesystem::path state;
};

void add_trust_command(CLI::App& cli, TrustFlags& flags);
int trust_main(const CLI::App& cli, const TrustFlags& flags);

}  // namespace longwire::app
