// Fuzzes what people write: the node's and the client's configuration files, addresses, sizes and
// the environment.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/core/config.h"
#include "fuzz/target.h"
#include "node/config.h"

namespace fuzz = longwire::fuzz;
namespace node = longwire::node;
namespace core = longwire::client::core;

namespace {

enum Target : std::uint8_t {
  kNodeFile,
  kAddress,
  kSize,
  kClientFile,
  kNodeList,
  kTimeout,
  kTargets
};

void check(const core::Config& config) {
  if (config.nodes.size() > core::kMaxNodes || config.connect_timeout_ms < 1) std::abort();
  for (const core::NodeAddress& one : config.nodes) {
    const auto again = core::parse_node_address(one.to_string());
    if (!again.ok() || again->place != one.place || again->transport != one.transport) std::abort();
  }
}

void read_client(const char* variable, const std::string& text, bool as_file) {
  core::ConfigSource source;
  source.variable = [&](const char* name) -> std::optional<std::string> {
    if (variable != nullptr && std::string_view(name) == variable) return text;
    return std::nullopt;
  };
  source.file = [&](const std::string&) -> longwire::base::Result<std::optional<std::string>> {
    return as_file ? std::optional<std::string>(text) : std::nullopt;
  };
  const auto config = core::load_config(source);
  if (config.ok()) check(*config);
}

void read_address(std::string_view text) {
  const auto address = node::parse_address(text);
  if (!address.ok()) return;
  const auto again = node::parse_address(to_string(*address));
  if (!address->host.empty() && (!again.ok() || !(*again == *address))) std::abort();
}

void read_node(std::string_view text) {
  const auto config = node::parse_config(text, "longwired.toml");
  if (!config.ok()) return;
  if (config->limits.lanes > 8 || config->limits.sessions == 0) std::abort();
  if (config->listen.tls.size() > node::kMaxListeners) std::abort();
}

constexpr std::string_view kNode = R"(name = "box"
[listen]
tls = ["0.0.0.0:9477", "[::1]:0"]
plain = ["127.0.0.1:9478"]
unix = "/run/longwire/longwire.sock"
unix_group = "render"
[limits]
sessions = 12
sessions_per_tenant = 3
handshakes = 64
handshakes_per_address = 16
connections_per_minute = 600
handshake_timeout_ms = 10000
worker_start_timeout_ms = 30000
drain_ms = 30000
lanes = 4
eager_credit = "64MiB"
[worker]
program = "/usr/libexec/longwire/longwire-worker"
sandbox = "log"
spares = 2
open_files = 4096
processes = 0
address_space = "16 GiB"
dies_with_agent = true
[state]
directory = "/var/lib/longwire"
cache = "/var/cache/longwire"
[log]
level = "debug"
format = "json"
)";

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const auto seed = [](const char* name, Target target, std::string_view text) {
    return Seed{name, selected(target, bytes_of(text))};
  };
  return {seed("node", kNodeFile, kNode),
          seed("node_empty", kNodeFile, ""),
          seed("node_wrong", kNodeFile, "[limits]\nsessions = -1\n"),
          seed("address", kAddress, "10.0.0.2:9477"),
          seed("address_v6", kAddress, "[::1]:9477"),
          seed("size", kSize, "64 MiB"),
          seed("client", kClientFile,
               "nodes = [\"gpu-box\", \"unix:/run/a.sock\"]\n"
               "connect_timeout_ms = 3000\n"),
          seed("nodes", kNodeList, "gpu-box, tcp:10.0.0.2:9477, unix:/run/longwire.sock, [::1]:1"),
          seed("timeout", kTimeout, " 3000 ")};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % kTargets) {
    case kNodeFile:
      read_node(text);
      break;
    case kAddress:
      read_address(text);
      break;
    case kSize:
      (void)node::parse_bytes(text);
      break;
    case kClientFile:
      read_client("LONGWIRE_CONFIG_HOME", text, true);
      break;
    case kNodeList:
      read_client("LONGWIRE_NODES", text, false);
      break;
    default:
      read_client("LONGWIRE_CONNECT_TIMEOUT_MS", text, false);
  }
  return 0;
}
