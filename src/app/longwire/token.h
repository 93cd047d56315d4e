// `longwire token`: tokens in place of a pairing.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
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

}  // namespace longwire::app
