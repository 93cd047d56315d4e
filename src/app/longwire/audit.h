// `longwire audit`: what the node on this machine has on record.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace longwire::app {

struct AuditFlags {
  std::string since;
  std::string tenant;
  bool json = false;
  std::filesystem::path config;
  std::filesystem::path state;
};

void add_audit_command(CLI::App& cli, AuditFlags& flags);
int audit_main(const AuditFlags& flags);

}  // namespace longwire::app
