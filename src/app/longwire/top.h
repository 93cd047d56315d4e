// `longwire top`: what the node on this machine does, now.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

namespace longwire::app {

struct TopFlags {
  bool once = false;
  bool json = false;
  std::filesystem::path config;
  std::filesystem::path state;
};

void add_top_command(CLI::App& cli, TopFlags& flags);
int top_main(const TopFlags& flags);

}  // namespace longwire::app
