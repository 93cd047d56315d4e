#include "app/longwire/bench.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "app/installation.h"
#include "app/longwire/bench_figures.h"
#include "app/longwire/bench_measure.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/private_node.h"
#include "app/longwire/run.h"
#include "app/longwire/scratch.h"
#include "client/core/config.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr const char* kBenchHelp = R"(
Takes about ten seconds. Measures the session with the node and then its first device, as a program
on this machine would use it, and says what limits each figure: the link, this machine's processor,
or the node and its device.

  longwire bench gpu-box
  longwire bench --local=tls      the same on this machine alone: what Longwire itself costs)";

// The environment of this process then names the node alone.
Result<Figures> measure(const std::string& node) {
  ::setenv("LONGWIRE_NODES", node.c_str(), 1);
  LW_ASSIGN(const std::filesystem::path driver, find_opencl_driver());
  LW_ASSIGN(const client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  Figures figures;
  LW_TRY(measure_session(config.nodes.front(), config.home, figures));
  LW_TRY(measure_device(driver.string(), figures));
  return figures;
}

Result<std::string> node_of(const BenchFlags& flags) {
  if (!flags.node.empty()) {
    LW_TRY(client::core::parse_node_address(flags.node));
    return flags.node;
  }
  LW_ASSIGN(const client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  if (!config.nodes.empty()) return config.nodes.front().to_string();
  return Error(ErrorCode::kInvalidArgument,
               "no node is named: give HOST[:PORT], LONGWIRE_NODES or config.toml, or --local=tls");
}

Result<Figures> bench(const BenchFlags& flags) {
  if (flags.local.empty()) {
    LW_ASSIGN(const std::string node, node_of(flags));
    return measure(node);
  }
  LW_ASSIGN(const Scratch scratch, Scratch::make());
  LW_ASSIGN(const PrivateNode node,
            PrivateNode::start(local_mode_of(flags.local), scratch.path(), {}));
  ::setenv("LONGWIRE_CONFIG_HOME", node.client_home().c_str(), 1);
  return measure(node.address());
}

}  // namespace

void add_bench_command(CLI::App& cli, BenchFlags& flags) {
  CLI::App* bench = cli.add_subcommand("bench", "Measure a node, and say what limits it");
  bench->footer(kBenchHelp);
  auto* local = bench
                    ->add_option("--local", flags.local,
                                 "A private node on this machine, over a unix socket, TCP in "
                                 "clear, or TLS")
                    ->check(CLI::IsMember({"unix", "tcp", "tls"}));
  bench->add_option("node", flags.node, "The node; without it, the first that is configured")
      ->type_name("HOST[:PORT]")
      ->excludes(local);
  bench->add_flag("--json", flags.json, "For programs");
}

int bench_main(const BenchFlags& flags) {
  const auto figures = bench(flags);
  if (figures) {
    std::fputs((flags.json ? bench_json(*figures) : bench_text(*figures)).c_str(), stdout);
    return kOk;
  }
  std::fprintf(stderr, "longwire bench: %s\n", figures.error().message().c_str());
  return figures.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

}  // namespace longwire::app
