// `longwire key`: a user's or a node's own key, and its rotation.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace longwire::app {

struct KeyFlags {
  bool node = false;
  std::string valid = "90d";  // how long the old key vouches for the new one
  std::filesystem::path config;
  std::filesystem::path state;
};
void add_key_command(CLI::App& cli, KeyFlags& flags);
int key_main(const CLI::App& cli, const KeyFlags& flags);

}  // namespace longwire::app
