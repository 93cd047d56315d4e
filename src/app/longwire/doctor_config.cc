#include "app/longwire/doctor_config.h"

#include <algorithm>
#include <filesystem>

#include "driver/connect.h"
#include "session/auth/key_store.h"
#include "session/auth/trust_store.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

using base::ErrorCode;
using base::Status;

// Makes nothing: to look must not change what is there.
Status read_key(const std::string& home) {
  LW_ASSIGN(const std::string file, session::read_private_file(home + "/" + session::kIdentityFile,
                                                               session::kMaxIdentityBytes));
  LW_TRY(session::parse_identity(file));
  return {};
}

Finding bad_keys(const std::string& home, const base::Error& why) {
  const bool wide = why.code() == ErrorCode::kPermissionDenied;
  return problem(
      "keys", why.message(),
      wide ? "chown it to yourself and run: chmod 700 " + home + " && chmod 600 " + home + "/*"
           : "move the file away and pair again: longwire pair");
}

}  // namespace

Findings check_config(const client::core::ConfigSource& source) {
  const auto config = client::core::load_config(source);
  if (!config) {
    return {problem("config", config.error().message(), "correct it: longwire(1), FILES")};
  }
  const std::string read = source.variable("LONGWIRE_NODES") ? "LONGWIRE_NODES" : "config.toml";
  if (config->nodes.empty()) {
    return {fine("config", "nothing in it is wrong"),
            problem("nodes", "no node is configured: programs find no device",
                    "export LONGWIRE_NODES=HOST:PORT, or nodes = [\"HOST:PORT\"] in " +
                        config->home + "/config.toml")};
  }
  std::string names;
  for (const auto& node : config->nodes)
    names += (names.empty() ? "" : ", ") + node.to_string();
  return {fine("config", "nothing in it is wrong"), fine("nodes", names + " (" + read + ")")};
}

Finding check_keys(const std::string& home) {
  std::error_code error;
  if (home.empty()) return skipped("keys", "neither HOME nor LONGWIRE_CONFIG_HOME is set");
  if (!std::filesystem::exists(home + "/" + session::kIdentityFile, error) && !error) {
    return skipped("keys", "no key in " + home + " yet: `longwire pair` makes one");
  }
  if (const auto key = read_key(home); !key) return bad_keys(home, key.error());
  // It exists: this checks who may use it, and changes nothing.
  if (const auto folder = session::ensure_private_directory(home); !folder) {
    return bad_keys(home, folder.error());
  }
  const auto nodes = session::TrustStore::open(driver::nodes_file(home));
  if (!nodes) return bad_keys(home, nodes.error());
  const auto count = std::ranges::count(nodes->peers(), false, &session::TrustedPeer::is_replaced);
  return fine("keys", home + ": a key, and " + std::to_string(count) + " trusted node" +
                          (count == 1 ? "" : "s"));
}

}  // namespace longwire::app
