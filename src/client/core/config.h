// What a person has said about the nodes to use: the environment, or a configuration file.
//
//   LONGWIRE_NODES           "gpu-box, tcp:10.0.0.2:9477, unix:/run/longwire.sock"; no file is read
//   LONGWIRE_CONNECT_TIMEOUT_MS
//   LONGWIRE_TOKEN_FILE      a token (`longwire token issue`), in place of a pairing
//   LONGWIRE_DISABLE=1       no nodes, whatever else is said
//   <home>/config.toml       nodes = ["…"], connect_timeout_ms = 3000
// where <home> is $LONGWIRE_CONFIG_HOME, $XDG_CONFIG_HOME/longwire or ~/.config/longwire, whichever
// is named first; without a file there, /etc/longwire/config.toml. Keys and trusted nodes live in
// <home> too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace longwire::client::core {

inline constexpr std::uint16_t kDefaultPort = 9477;
inline constexpr std::int64_t kDefaultConnectTimeoutMs = 3000;
inline constexpr std::int64_t kMaxConnectTimeoutMs = 600'000;
inline constexpr std::size_t kMaxNodes = 64;
inline constexpr std::size_t kMaxNodeAddressBytes = 512;
inline constexpr std::size_t kMaxConfigFileBytes = std::size_t{64} << 10;

struct NodeAddress {
  enum class Transport { kTls, kTcp, kUnix };
  Transport transport = Transport::kTls;
  std::string place;  // "host[:port]", or the path of a unix socket

  std::string to_string() const;  // as it is written
};

struct Config {
  std::vector<NodeAddress> nodes;  // empty: nothing is configured
  std::int64_t connect_timeout_ms = kDefaultConnectTimeoutMs;
  std::string home;        // empty where the environment names none
  std::string token_file;  // of a token in place of a pairing; empty: none
};

// Where a configuration comes from, so that tests need neither this process's environment nor
// files.
struct ConfigSource {
  std::function<std::optional<std::string>(const char* name)> variable;
  // nullopt: there is no such file. Errors: it cannot be read, or is too large.
  std::function<base::Result<std::optional<std::string>>(const std::string& path)> file;
};

// getenv (nothing in a set-user-id program) and the file system.
ConfigSource system_config_source();

// <home>; empty where the environment names none.
std::string home_of(const ConfigSource& source);
// Errors: kInvalidArgument, with the file or variable and what is wrong with it.
base::Result<Config> load_config(const ConfigSource& source);
base::Result<NodeAddress> parse_node_address(std::string_view text);
base::Result<std::vector<NodeAddress>> parse_node_list(std::string_view text);

}  // namespace longwire::client::core
