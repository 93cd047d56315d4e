// `longwire pair`, on both machines, and `longwire trust`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace longwire::app {

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
