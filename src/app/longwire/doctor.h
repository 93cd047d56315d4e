// `longwire doctor`: what is wrong with this machine and its nodes, and what mends it.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace longwire::app {

struct DoctorFlags {
  std::vector<std::string> nodes;  // empty: those that are configured
  bool json = false;
  std::filesystem::path config;  // of a node on this machine
  std::filesystem::path state;
  std::vector<std::string> programs;  // only these are examined
};

void add_doctor_command(CLI::App& cli, DoctorFlags& flags);
int doctor_main(const DoctorFlags& flags);

}  // namespace longwire::app
