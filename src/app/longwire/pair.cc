#include "app/longwire/pair.h"

#include <cstdio>
#include <ctime>

#include "app/authority.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/own_audit.h"
#include "app/longwire/pair_client.h"
#include "app/longwire/pair_node.h"
#include "app/serve_options.h"
#include "client/core/config.h"
#include "driver/connect.h"
#include "session/auth/trust_store.h"

namespace longwire::app {
using base::Result;

Result<std::filesystem::path> state_of(const std::filesystem::path& config_file,
                                       const std::filesystem::path& state) {
  if (!state.empty()) return state;
  ServeFlags flags;
  flags.config = config_file;
  LW_ASSIGN(const node::NodeConfig config, read_config(flags));
  return config.state.directory;
}

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

inline constexpr const char* kPairHelp = R"(
Two machines that are to trust each other, once:
  on the node      longwire pair              shows a code and waits
  on the client    longwire pair HOST:PORT CODE   as the node says
From then on both know each other's key. `longwire trust` shows and revokes.)";

Result<std::string> client_home() {
  LW_ASSIGN(const client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  if (!config.home.empty()) return config.home;
  return Error(ErrorCode::kInvalidArgument, "neither HOME nor LONGWIRE_CONFIG_HOME is set");
}

Status pair(const PairFlags& flags) {
  if (flags.node.empty()) {
    LW_ASSIGN(const std::filesystem::path state, state_of(flags.config, flags.state));
    return pair_as_node(state);
  }
  if (flags.code.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "the code is missing: run `longwire pair` on the node, it shows one");
  }
  LW_ASSIGN(const std::string home, client_home());
  LW_ASSIGN(const std::string name, pair_as_client(flags.node, flags.code, home));
  std::printf("Paired with %s. Try:\n\n  longwire devices --node %s\n", name.c_str(),
              flags.node.c_str());
  return {};
}

Result<session::TrustStore> open_list(const TrustFlags& flags) {
  if (flags.clients) {
    LW_ASSIGN(const std::filesystem::path state, state_of(flags.config, flags.state));
    return session::TrustStore::open(clients_file(state));
  }
  LW_ASSIGN(const std::string home, client_home());
  return session::TrustStore::open(driver::nodes_file(home));
}

void record(const TrustFlags& flags, const session::TrustedPeer& revoked) {
  const auto state = state_of(flags.config, flags.state);
  if (!state) return;
  write_own_audit(*state, "trust.revoked",
                  {{"client", revoked.name},
                   {"tenant", revoked.tenant},
                   {"key", session::to_hex(revoked.fingerprint)},
                   {"by", own_user()}});
}

Status revoke(session::TrustStore& list, const TrustFlags& flags) {
  const std::vector<session::TrustedPeer> before = list.peers();
  LW_TRY(list.revoke(flags.name));
  for (const session::TrustedPeer& peer : before) {
    if (flags.clients && !list.find_with_replaced(peer.fingerprint)) record(flags, peer);
  }
  return {};
}

Status trust(const CLI::App& command, const TrustFlags& flags) {
  LW_ASSIGN(session::TrustStore list, open_list(flags));
  if (command.got_subcommand("revoke")) return revoke(list, flags);
  for (const session::TrustedPeer& peer : list.peers()) {
    const char* const note = !peer.is_replaced()                    ? ""
                             : peer.is_accepted(std::time(nullptr)) ? "  (replaced, still accepted)"
                                                                    : "  (replaced)";
    std::printf("%-24s %-12s since %s  %s%s\n", peer.name.c_str(), peer.tenant.c_str(),
                peer.since.c_str(), session::to_base32(peer.fingerprint).c_str(), note);
  }
  if (list.peers().empty()) {
    std::printf(flags.clients ? "No client is paired with this node.\n"
                              : "This user is paired with no node.\n");
  }
  return {};
}

int exit_code(const char* command, const Status& status) {
  if (status) return kOk;
  std::fprintf(stderr, "longwire %s: %s\n", command, status.error().message().c_str());
  return status.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

}  // namespace

void add_node_places(CLI::App& cli, std::filesystem::path& config, std::filesystem::path& state) {
  cli.add_option("-c,--config", config, "The node's configuration file")->type_name("FILE");
  cli.add_option("--state", state, "The node's directory of keys and clients")->type_name("DIR");
}

void add_pair_command(CLI::App& cli, PairFlags& flags) {
  CLI::App* command = cli.add_subcommand("pair", "Make a node and a client trust each other");
  command->footer(kPairHelp);
  command->add_option("node", flags.node, "The node, from the client")->type_name("HOST:PORT");
  command->add_option("code", flags.code, "What the node shows")->type_name("CODE");
  add_node_places(*command, flags.config, flags.state);
}

int pair_main(const PairFlags& flags) { return exit_code("pair", pair(flags)); }

void add_trust_command(CLI::App& cli, TrustFlags& flags) {
  CLI::App* command = cli.add_subcommand("trust", "Show and revoke what pairing has made");
  command->require_subcommand(1);
  CLI::App* list = command->add_subcommand("list", "The nodes that this user trusts");
  CLI::App* revoke = command->add_subcommand("revoke", "Trust one no more");
  revoke->add_option("name", flags.name, "Its name, or its key as the list shows it")->required();
  for (CLI::App* each : {list, revoke}) {
    each->add_flag("--clients", flags.clients, "The clients that this machine's node trusts");
    add_node_places(*each, flags.config, flags.state);
  }
}

int trust_main(const CLI::App& cli, const TrustFlags& flags) {
  return exit_code("trust", trust(*cli.get_subcommand("trust"), flags));
}

}  // namespace longwire::app
