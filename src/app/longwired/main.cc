// longwired: the node agent as a service.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/serve.h"
#include "app/serve_options.h"

int main(int argc, char** argv) {
  CLI::App cli{"longwired: lends this machine's accelerators to paired clients.", "longwired"};
  longwire::app::ServeFlags flags;
  longwire::app::add_serve_flags(cli, flags);
  cli.set_version_flag("--version", "longwired " LONGWIRE_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : longwire::app::kExitUsage;
  }
  return longwire::app::serve_main(flags);
}
