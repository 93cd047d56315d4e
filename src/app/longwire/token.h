// `longwire token` and `longwire key`: tokens in place of a pairing, and the keys that they name.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace longwire::app {

struct TokenFlags {
  std::string file;  // of the issuer's key, or of a token
  std::string out;
  std::string tenant;
  std::string node;
  std::string client;
  std::string memory;
  std::string ttl = "10m";
  double share = 1;
  std::uint64_t epoch = 0;
  std::vector<std::string> devices;
};
void add_token_command(CLI::App& cli, TokenFlags& flags);
int token_main(const CLI::App& cli, const TokenFlags& flags);

struct KeyFlags {
  bool node = false;
  std::filesystem::path config;
  std::filesystem::path state;
};
void add_key_command(CLI::App& cli, KeyFlags& flags);
int key_main(const KeyFlags& flags);

}  // namespace longwire::app
