// longwire: the command that people use.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>

#include "app/longwire/audit.h"
#include "app/longwire/bench.h"
#include "app/longwire/devices.h"
#include "app/longwire/doctor.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/key.h"
#include "app/longwire/pair.h"
#include "app/longwire/run.h"
#include "app/longwire/token.h"
#include "app/longwire/top.h"
#include "app/longwire/trace.h"
#include "app/serve_options.h"

namespace {

bool runs_a_program(const char* command) {
  return std::strcmp(command, "run") == 0 || std::strcmp(command, "trace") == 0;
}

// What follows `run … --` (or `trace`) is the program's, to the letter: CLI11 would take the
// brackets off an argument like "[in]scale[out]". Returns how many arguments are left for us.
int take_program(int argc, char** argv, std::vector<std::string>& program) {
  if (argc < 2 || !runs_a_program(argv[1])) return argc;
  char** const separator = std::find_if(
      argv, argv + argc, [](const char* word) { return std::strcmp(word, "--") == 0; });
  if (separator + 1 >= argv + argc) return argc;
  program.assign(separator + 1, argv + argc);
  return static_cast<int>(separator + 2 - argv);  // the program's name stays, as what is required
}

namespace app = longwire::app;

// What the command line has said.
struct Commands {
  app::RunFlags run;
  app::TraceFlags trace;
  app::ServeFlags serve;
  app::DevicesFlags devices;
  app::BenchFlags bench;
  app::TopFlags top;
  app::DoctorFlags doctor;
  app::PairFlags pair;
  app::TrustFlags trust;
  app::AuditFlags audit;
  app::TokenFlags token;
  app::KeyFlags key;

  void add_to(CLI::App& cli) {
    app::add_run_command(cli, run);
    app::add_trace_command(cli, trace);
    app::add_bench_command(cli, bench);
    CLI::App* serve_command =
        cli.add_subcommand("serve", "Lend this machine's devices: a node in the foreground");
    app::add_serve_flags(*serve_command, serve);
    app::add_devices_command(cli, devices);
    app::add_top_command(cli, top);
    app::add_doctor_command(cli, doctor);
    app::add_pair_command(cli, pair);
    app::add_trust_command(cli, trust);
    app::add_audit_command(cli, audit);
    app::add_token_command(cli, token);
    app::add_key_command(cli, key);
  }

  int carry_out(const CLI::App& cli) const {
    if (cli.got_subcommand("run")) return app::run_main(run);
    if (cli.got_subcommand("trace")) return app::trace_main(trace);
    if (cli.got_subcommand("bench")) return app::bench_main(bench);
    if (cli.got_subcommand("serve")) return app::serve_main(serve);
    if (cli.got_subcommand("devices")) return app::devices_main(devices);
    if (cli.got_subcommand("top")) return app::top_main(top);
    if (cli.got_subcommand("doctor")) return app::doctor_main(doctor);
    if (cli.got_subcommand("pair")) return app::pair_main(pair);
    if (cli.got_subcommand("trust")) return app::trust_main(cli, trust);
    if (cli.got_subcommand("audit")) return app::audit_main(audit);
    if (cli.got_subcommand("token")) return app::token_main(cli, token);
    if (cli.got_subcommand("key")) return app::key_main(cli, key);
    return app::kUsage;
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> program;
  argc = take_program(argc, argv, program);
  CLI::App cli{
      "Longwire puts a long wire between a program and its accelerator: a device in another "
      "machine\n"
      "behaves as if it were plugged into this one.",
      "longwire"};
  cli.set_version_flag("--version", "longwire " LONGWIRE_VERSION);
  cli.require_subcommand(1);
  Commands commands;
  commands.add_to(cli);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = cli.exit(error);
    if (code == 0) return app::kOk;
    return argc > 1 && runs_a_program(argv[1]) ? app::kRunFailed : app::kUsage;
  }
  if (!program.empty()) commands.run.program = commands.trace.run.program = std::move(program);
  return commands.carry_out(cli);
}
