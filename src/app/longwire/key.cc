#include "app/longwire/key.h"

#include <cstdio>
#include <ctime>

#include "app/longwire/audit_view.h"
#include "app/longwire/exit_codes.h"
#include "app/longwire/own_audit.h"
#include "app/longwire/pair.h"
#include "client/core/config.h"
#include "session/auth/key_store.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr const char* kRotateHelp = R"(
Makes a new key, for which the old one vouches: whoever trusts the old one follows by itself when the
two next meet, and refuses the old one a day later (the node's [keys] overlap_s). Nobody pairs again.
Not for a key that may have been stolen: a thief can do the same with it. Revoke that one, move
identity.pem away, and pair again.)";

constexpr const char* name_of(const KeyFlags& flags) {
  return flags.node ? "longwire node" : "longwire client";
}

// Where the key is.
Result<std::string> directory_of(const KeyFlags& flags) {
  if (flags.node) {
    LW_ASSIGN(const std::filesystem::path state, state_of(flags.config, flags.state));
    return state.string();
  }
  LW_ASSIGN(const client::core::Config config,
            client::core::load_config(client::core::system_config_source()));
  if (config.home.empty()) {
    return Error(ErrorCode::kInvalidArgument, "neither HOME nor LONGWIRE_CONFIG_HOME is set");
  }
  return config.home;
}

Status show(const KeyFlags& flags) {
  LW_ASSIGN(const std::string directory, directory_of(flags));
  LW_ASSIGN(const session::KeyStore key,
            session::KeyStore::open_or_create(directory, name_of(flags)));
  std::printf("%s\n", session::to_hex(key.fingerprint()).c_str());
  return {};
}

Status rotate(const KeyFlags& flags) {
  LW_ASSIGN(const std::string directory, directory_of(flags));
  LW_ASSIGN(const std::int64_t valid_s, parse_age(flags.valid));
  const std::int64_t now_s = std::time(nullptr);
  const auto role = flags.node ? session::KeyRole::kNode : session::KeyRole::kClient;
  LW_ASSIGN(const session::KeyStore fresh,
            session::KeyStore::rotate(directory, name_of(flags), role, now_s, valid_s));
  LW_ASSIGN(const std::vector<session::Rotation> rotations,
            session::read_rotations(fresh.note(), role, fresh.fingerprint(), now_s));
  const std::string old = session::to_hex(rotations.back().from);
  if (flags.node) {
    write_own_audit(
        directory, "key.rotated",
        {{"key", session::to_hex(fresh.fingerprint())}, {"replaces", old}, {"by", own_user()}});
  }
  std::printf("%s\n", session::to_hex(fresh.fingerprint()).c_str());
  std::fprintf(stderr, "%s… vouches for it for %s. %s\n", old.substr(0, 16).c_str(),
               flags.valid.c_str(),
               flags.node ? "Clients follow when they next connect."
                          : "Nodes follow when a program next uses them.");
  return {};
}

int exit_code(const char* command, const Status& status) {
  if (status) return kOk;
  std::fprintf(stderr, "longwire %s: %s\n", command, status.error().message().c_str());
  return status.error().code() == ErrorCode::kInvalidArgument ? kUsage : kFailed;
}

void add_whose(CLI::App& command, KeyFlags& flags) {
  command.add_flag("--node", flags.node, "That of this machine's node");
  add_node_places(command, flags.config, flags.state);
}

}  // namespace

void add_key_command(CLI::App& cli, KeyFlags& flags) {
  CLI::App* key =
      cli.add_subcommand("key", "Print this user's key, as others see it, or rotate it");
  add_whose(*key, flags);
  CLI::App* rotate = key->add_subcommand("rotate", "Replace it by a new one that others follow");
  rotate->footer(kRotateHelp);
  add_whose(*rotate, flags);
  rotate->add_option("--valid", flags.valid,
                     "How long others may take to follow, up to 400d (90d)");
}

int key_main(const CLI::App& cli, const KeyFlags& flags) {
  if (cli.get_subcommand("key")->got_subcommand("rotate")) {
    return exit_code("key rotate", rotate(flags));
  }
  return exit_code("key", show(flags));
}

}  // namespace longwire::app
