// `longwire devices`: what the nodes have, as a program would see it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace longwire::app {

struct DevicesFlags {
  std::vector<std::string> nodes;
  bool json = false;
};

void add_devices_command(CLI::App& cli, DevicesFlags& flags);
int devices_main(const DevicesFlags& flags);

}  // namespace longwire::app
