#include "client/core/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/toml.h"
#include "base/unique_fd.h"

namespace longwire::client::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::string_view kSpaces = " \t\r\n";

Error invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

std::string_view trim(std::string_view text) {
  const std::size_t from = std::min(text.find_first_not_of(kSpaces), text.size());
  text.remove_prefix(from);
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

bool begins_with_transport(std::string_view text) {
  return text.starts_with("tcp:") || text.starts_with("unix:") || text.starts_with("tls:");
}

Result<std::int64_t> check_timeout(std::int64_t ms) {
  if (ms >= 1 && ms <= kMaxConnectTimeoutMs) return ms;
  return invalid("the connect time-out must be between 1 and " +
                 std::to_string(kMaxConnectTimeoutMs) + " milliseconds");
}

Result<std::int64_t> parse_timeout(std::string_view text) {
  text = trim(text);
  std::int64_t ms = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, ms);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return invalid("'" + std::string(text.substr(0, 64)) + "' is no number of milliseconds");
  }
  return check_timeout(ms);
}

Result<std::optional<std::string>> read_file(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>{};
    return Error::from_errno(ErrorCode::kInvalidArgument, path, errno);
  }
  std::string text(kMaxConfigFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno(ErrorCode::kInvalidArgument, path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxConfigFileBytes) return invalid(path + ": too large");
  text.resize(size);
  return std::optional<std::string>(std::move(text));
}

// --- the file ---

Status read_nodes(const toml::node& value, Config& config) {
  const toml::array* const list = value.as_array();
  if (list == nullptr) return invalid("nodes must be a list of strings");
  if (list->size() > kMaxNodes) return invalid("more than " + std::to_string(kMaxNodes) + " nodes");
  for (const toml::node& one : *list) {
    const auto text = one.value_exact<std::string_view>();
    if (!text) return invalid("nodes must be a list of strings");
    LW_ASSIGN(NodeAddress address, parse_node_address(*text));
    config.nodes.push_back(std::move(address));
  }
  return {};
}

Status read_table(const toml::table& table, Config& config) {
  for (const auto& [key, value] : table) {
    if (key == "nodes") {
      LW_TRY(read_nodes(value, config));
    } else if (key == "connect_timeout_ms") {
      const auto ms = value.value_exact<std::int64_t>();
      if (!ms) return invalid("connect_timeout_ms must be a number");
      LW_ASSIGN(config.connect_timeout_ms, check_timeout(*ms));
    } else {
      return invalid("line " + std::to_string(key.source().begin.line) + ": unknown key '" +
                     std::string(key.str().substr(0, 64)) + "' (known: nodes, connect_timeout_ms)");
    }
  }
  return {};
}

Status parse_file(const std::string& path, std::string_view text, Config& config) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return invalid(path + ":" + std::to_string(at.line) + ": " +
                   std::string(parsed.error().description()));
  }
  Status status = read_table(parsed.table(), config);
  if (!status.ok()) return std::move(status).error().during(path);
  return {};
}

Status read_first_file(const ConfigSource& source, Config& config) {
  for (const std::string& folder : {config.home, std::string("/etc/longwire")}) {
    if (folder.empty()) continue;
    const std::string path = folder + "/config.toml";
    LW_ASSIGN(const std::optional<std::string> text, source.file(path));
    if (text) return parse_file(path, *text, config);
  }
  return {};
}

}  // namespace

std::string NodeAddress::to_string() const {
  switch (transport) {
    case Transport::kTcp:
      return "tcp:" + place;
    case Transport::kUnix:
      return "unix:" + place;
    case Transport::kTls:
      break;
  }
  // A host called "tcp" must not become a node without TLS.
  return begins_with_transport(place) ? "tls:" + place : place;
}

Result<NodeAddress> parse_node_address(std::string_view text) {
  text = trim(text);
  if (text.size() > kMaxNodeAddressBytes) return invalid("a node's address is too long");
  NodeAddress address;
  std::string_view place = text;
  if (text.starts_with("tcp:")) {
    address.transport = NodeAddress::Transport::kTcp;
    place.remove_prefix(4);
  } else if (text.starts_with("unix:")) {
    address.transport = NodeAddress::Transport::kUnix;
    place.remove_prefix(5);
  } else if (text.starts_with("tls:")) {
    place.remove_prefix(4);
  }
  const bool has_control = std::any_of(place.begin(), place.end(),
                                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  const bool is_unix = address.transport == NodeAddress::Transport::kUnix;
  if (place.empty() || has_control || (is_unix && !place.starts_with('/')) ||
      (!is_unix && place.find_first_of(" /") != std::string_view::npos)) {
    return invalid("a node is host[:port], tcp:host[:port] or unix:/path");
  }
  address.place = place;
  return address;
}

Result<std::vector<NodeAddress>> parse_node_list(std::string_view text) {
  std::vector<NodeAddress> nodes;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view entry = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (entry.empty()) continue;
    if (nodes.size() == kMaxNodes) {
      return invalid("more than " + std::to_string(kMaxNodes) + " nodes");
    }
    LW_ASSIGN(NodeAddress address, parse_node_address(entry));
    nodes.push_back(std::move(address));
  }
  return nodes;
}

ConfigSource system_config_source() {
  ConfigSource source;
  source.variable = [](const char* name) -> std::optional<std::string> {
    const char* const value = ::secure_getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  source.file = read_file;
  return source;
}

std::string home_of(const ConfigSource& source) {
  if (auto home = source.variable("LONGWIRE_CONFIG_HOME"); home && !home->empty()) return *home;
  // XDG: a relative path is to be ignored.
  if (auto xdg = source.variable("XDG_CONFIG_HOME"); xdg && xdg->starts_with('/')) {
    return *xdg + "/longwire";
  }
  if (auto user = source.variable("HOME"); user && !user->empty()) {
    return *user + "/.config/longwire";
  }
  return {};
}

Result<Config> load_config(const ConfigSource& source) {
  Config config;
  config.home = home_of(source);
  if (const auto off = source.variable("LONGWIRE_DISABLE"); off && !off->empty() && *off != "0") {
    return config;
  }
  config.token_file = source.variable("LONGWIRE_TOKEN_FILE").value_or("");
  if (const auto nodes = source.variable("LONGWIRE_NODES")) {
    auto list = parse_node_list(*nodes);
    if (!list.ok()) return std::move(list).error().during("LONGWIRE_NODES");
    config.nodes = std::move(*list);
  } else {
    LW_TRY(read_first_file(source, config));
  }
  if (const auto timeout = source.variable("LONGWIRE_CONNECT_TIMEOUT_MS")) {
    auto ms = parse_timeout(*timeout);
    if (!ms.ok()) return std::move(ms).error().during("LONGWIRE_CONNECT_TIMEOUT_MS");
    config.connect_timeout_ms = *ms;
  }
  return config;
}

}  // namespace longwire::client::core
