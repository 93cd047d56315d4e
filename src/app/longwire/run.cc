#include "app/longwire/run.h"

#include <cstdio>
#include <optional>

#include "app/installation.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/private_node.h"
#include "app/longwire/program.h"
#include "app/longwire/scratch.h"
#include "client/core/config.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr const char* kRunHelp = R"(
Runs PROGRAM with Longwire as its only OpenCL driver, so that the devices it finds are those of the
nodes. Nothing else changes for it.

  longwire run --local=tls -- clinfo -l         a private node on this machine, for this run
  longwire run --node gpu-box -- hashcat ...    the node gpu-box (see: longwire pair)
  longwire run -- ./render                      the nodes of LONGWIRE_NODES or config.toml

Exit status: the program's own; 128+N when signal N ended it; 125 when Longwire failed, 126 when the
program cannot be executed, 127 when it was not found.)";

// Both ICD loaders: ocl-icd takes a library in OCL_ICD_VENDORS; Khronos' takes OCL_ICD_FILENAMES,
// and finds nothing where OCL_ICD_VENDORS is no folder.
Result<Environment> driver_environment() {
  LW_ASSIGN(const std::filesystem::path driver, find_opencl_driver());
  return Environment{{"OCL_ICD_VENDORS", driver.string()}, {"OCL_ICD_FILENAMES", driver.string()}};
}

std::string joined(const std::vector<std::string>& nodes) {
  std::string list;
  for (const std::string& node : nodes)
    list += (list.empty() ? "" : ",") + node;
  return list;
}

Status check_nodes_are_known() {
  LW_ASSIGN(const client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  if (!config.nodes.empty()) return {};
  return Error(ErrorCode::kInvalidArgument,
               "no node is named: use --node HOST[:PORT], LONGWIRE_NODES, or --local=tls to try it "
               "on this machine");
}

Result<int> run_with_private_node(const RunFlags& flags, Environment environment) {
  LW_ASSIGN(const Scratch scratch, Scratch::make());
  LW_ASSIGN(const PrivateNode node,
            PrivateNode::start(local_mode_of(flags.local), scratch.path(), flags.node_log));
  environment.emplace_back("LONGWIRE_NODES", node.address());
  environment.emplace_back("LONGWIRE_CONFIG_HOME", node.client_home().string());
  return run_program(flags.program, environment);
}

}  // namespace

LocalMode local_mode_of(const std::string& name) {
  if (name == "tcp") return LocalMode::kTcp;
  return name == "tls" ? LocalMode::kTls : LocalMode::kUnix;
}

Result<int> run_on_nodes(const RunFlags& flags, const Environment& more) {
  LW_ASSIGN(Environment environment, driver_environment());
  environment.insert(environment.end(), more.begin(), more.end());
  if (!flags.local.empty()) return run_with_private_node(flags, std::move(environment));
  if (flags.nodes.empty()) {
    LW_TRY(check_nodes_are_known());
  } else {
    LW_TRY(client::core::parse_node_list(joined(flags.nodes)));
    environment.emplace_back("LONGWIRE_NODES", joined(flags.nodes));
  }
  return run_program(flags.program, environment);
}

void add_run_options(CLI::App& command, RunFlags& flags) {
  auto* local = command
                    .add_option("--local", flags.local,
                                "Start a private node on this machine for just this run, reached "
                                "over a unix socket, TCP in clear, or TLS")
                    ->check(CLI::IsMember({"unix", "tcp", "tls"}));
  command.add_option("-n,--node", flags.nodes, "A node to use (repeatable)")
      ->type_name("HOST[:PORT]")
      ->excludes(local);
  command.add_option("--node-log", flags.node_log, "Where the private node writes its log")
      ->type_name("FILE")
      ->needs(local);
  command.add_option("program", flags.program, "The program and its arguments, after --")
      ->type_name("PROGRAM [ARGUMENT...]")
      ->required();
  command.positionals_at_end();
}

void add_run_command(CLI::App& cli, RunFlags& flags) {
  CLI::App* run = cli.add_subcommand("run", "Run a program on the devices of a node");
  run->footer(kRunHelp);
  add_run_options(*run, flags);
}

int run_main(const RunFlags& flags) {
  auto code = run_on_nodes(flags, {});
  if (code) return *code;
  std::fprintf(stderr, "longwire run: %s\n", code.error().message().c_str());
  return kRunFailed;
}

}  // namespace longwire::app
