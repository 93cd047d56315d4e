#include "app/serve_options.h"

#include <cstdio>

#include "app/serve.h"

namespace longwire::app {
namespace {

using base::Status;
using node::NodeConfig;

inline constexpr const char* kSystemConfig = "/etc/longwire/longwired.toml";

Status parse_addresses(const std::vector<std::string>& texts, std::vector<node::Address>& out) {
  if (texts.empty()) return {};
  out.clear();
  for (const std::string& text : texts) {
    LW_ASSIGN(node::Address address, node::parse_address(text));
    out.push_back(std::move(address));
  }
  return {};
}

void apply_log(const ServeFlags& flags, NodeConfig& config) {
  config.log.level = base::log_level_from(flags.log_level, config.log.level);
  if (!flags.log_format.empty()) config.log.json = flags.log_format == "json";
}

void apply_sandbox(const ServeFlags& flags, NodeConfig& config) {
  for (const auto mode :
       {node::SandboxMode::kOff, node::SandboxMode::kLog, node::SandboxMode::kEnforce}) {
    if (flags.sandbox == name_of(mode)) config.worker.sandbox = mode;
  }
}

Status apply(const ServeFlags& flags, NodeConfig& config) {
  LW_TRY(parse_addresses(flags.listen, config.listen.tls));
  LW_TRY(parse_addresses(flags.plain, config.listen.plain));
  if (flags.no_tls) config.listen.tls.clear();
  if (!flags.unix_socket.empty()) config.listen.unix_socket = flags.unix_socket;
  if (flags.no_unix) config.listen.unix_socket.clear();
  if (!flags.state.empty()) config.state.directory = flags.state;
  if (!flags.name.empty()) config.name = flags.name;
  apply_log(flags, config);
  apply_sandbox(flags, config);
  return {};
}

int failed(const base::Error& error) {
  std::fprintf(stderr, "longwire: %s\n", error.message().c_str());
  return error.code() == base::ErrorCode::kInvalidArgument ? kExitUsage : kExitFailed;
}

}  // namespace

bool has_system_config() {
  std::error_code error;
  return std::filesystem::exists(kSystemConfig, error);
}

base::Result<node::NodeConfig> read_config(const ServeFlags& flags) {
  if (!flags.config.empty()) return node::load_config(flags.config);
  if (has_system_config()) return node::load_config(kSystemConfig);
  return NodeConfig{};
}

void add_serve_flags(CLI::App& cli, ServeFlags& flags) {
  cli.add_option("-c,--config", flags.config,
                 std::string("Configuration file (default: ") + kSystemConfig + ", if it exists)");
  cli.add_option("-l,--listen", flags.listen,
                 "Accept TLS connections here (repeatable; default 0.0.0.0:9477 and [::]:9477)")
      ->type_name("ADDRESS:PORT");
  cli.add_flag("--no-tls", flags.no_tls, "Accept no TLS connections");
  cli.add_option("--plain", flags.plain,
                 "Also accept connections WITHOUT encryption or authentication here (repeatable)")
      ->type_name("ADDRESS:PORT");
  cli.add_option("--unix", flags.unix_socket, "Path of the unix socket for local programs")
      ->type_name("PATH");
  cli.add_flag("--no-unix", flags.no_unix, "No unix socket");
  cli.add_option("--state", flags.state, "Directory of keys and trusted clients")->type_name("DIR");
  cli.add_option("--name", flags.name, "Name that clients see (default: the host's)");
  cli.add_option("--sandbox", flags.sandbox, "How strictly workers are confined")
      ->check(CLI::IsMember({"enforce", "log", "off"}));
  cli.add_option("--log-level", flags.log_level, "What is logged")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  cli.add_option("--log-format", flags.log_format, "How it is logged")
      ->check(CLI::IsMember({"text", "json"}));
}

int serve_main(const ServeFlags& flags) {
  auto config = read_config(flags);
  if (!config) return failed(config.error());
  if (auto applied = apply(flags, *config); !applied) return failed(applied.error());
  const auto journal = node::make_journal({config->log.level, config->log.json});
  auto served = serve({*std::move(config), -1}, *journal);
  return served ? 0 : failed(served.error());
}

}  // namespace longwire::app
