#include "node/config.h"

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/toml.h"
#include "session/handover.h"
#include "session/handshake.h"

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// What a key means: how its value is taken over. One table of these per section is all that there
// is of a schema.
using Take = std::function<Status(const toml::node&)>;
using Schema = std::map<std::string_view, Take>;

constexpr std::uint64_t kMostUser = 0x7fff'0000;
constexpr std::uint64_t kMostOverlapS = std::uint64_t{365} * 24 * 3600;

Error wrong(std::string what) { return Error(ErrorCode::kInvalidArgument, std::move(what)); }

template <class T>
Take number(T& out, std::uint64_t least, std::uint64_t most) {
  return [&out, least, most](const toml::node& value) -> Status {
    const auto n = value.value_exact<std::int64_t>();
    if (n && *n >= 0 && static_cast<std::uint64_t>(*n) >= least &&
        static_cast<std::uint64_t>(*n) <= most) {
      out = static_cast<T>(*n);
      return {};
    }
    return wrong("must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  };
}

Take size(std::uint64_t& out) {
  return [&out](const toml::node& value) -> Status {
    const auto n = value.value_exact<std::int64_t>();
    if (n && *n >= 0) {
      out = static_cast<std::uint64_t>(*n);
      return {};
    }
    const auto text = value.value_exact<std::string_view>();
    if (!text) return wrong("must be a size like \"64MiB\"");
    LW_ASSIGN(out, parse_bytes(*text));
    return {};
  };
}

template <class T>
Take text(T& out) {
  return [&out](const toml::node& value) -> Status {
    const auto string = value.value_exact<std::string>();
    if (!string || string->size() > 1024) return wrong("must be a (short) string");
    out = *string;
    return {};
  };
}

Take flag(bool& out) {
  return [&out](const toml::node& value) -> Status {
    const auto b = value.value_exact<bool>();
    if (!b) return wrong("must be true or false");
    out = *b;
    return {};
  };
}

Take addresses(std::vector<Address>& out) {
  return [&out](const toml::node& value) -> Status {
    const toml::array* list = value.as_array();
    if (list == nullptr || list->size() > kMaxListeners) {
      return wrong("must be a list of at most " + std::to_string(kMaxListeners) + " addresses");
    }
    out.clear();
    for (const toml::node& item : *list) {
      const auto string = item.value_exact<std::string_view>();
      if (!string) return wrong("must be a list of strings like \"0.0.0.0:9477\"");
      LW_ASSIGN(Address address, parse_address(*string));
      out.push_back(std::move(address));
    }
    return {};
  };
}

Take paths(std::vector<std::filesystem::path>& out) {
  return [&out](const toml::node& value) -> Status {
    const toml::array* list = value.as_array();
    if (list == nullptr || list->size() > kMaxExtraDevices) {
      return wrong("must be a list of at most " + std::to_string(kMaxExtraDevices) + " paths");
    }
    out.clear();
    for (const toml::node& item : *list) {
      const auto path = item.value_exact<std::string_view>();
      if (!path || !path->starts_with('/')) return wrong("must be a list of paths like \"/dev/x\"");
      out.emplace_back(*path);
    }
    return {};
  };
}

template <class T>
Take choice(T& out, std::vector<std::pair<std::string_view, T>> choices) {
  return [&out, choices = std::move(choices)](const toml::node& value) -> Status {
    const auto string = value.value_exact<std::string_view>();
    std::string names;
    for (const auto& [name, chosen] : choices) {
      if (string && *string == name) {
        out = chosen;
        return {};
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    return wrong("must be one of " + names);
  };
}

std::string position(const toml::node& value, std::string_view source) {
  const auto begin = value.source().begin;
  return std::string(source) + ":" + std::to_string(begin.line) + ":" +
         std::to_string(begin.column);
}

Status apply(const toml::table& table, const Schema& schema, std::string_view source) {
  for (const auto& [key, value] : table) {
    const auto found = schema.find(key.str());
    if (found == schema.end()) {
      const auto at = key.source().begin;
      return wrong(std::string(source) + ":" + std::to_string(at.line) + ":" +
                   std::to_string(at.column) + ": unknown key '" + std::string(key.str()) + "'");
    }
    auto taken = found->second(value);
    if (!taken) {
      return wrong(position(value, source) + ": '" + std::string(key.str()) + "' " +
                   taken.error().message());
    }
  }
  return {};
}

// A sub-table. Its errors already name their place, so they are passed on bare.
Take section(Schema schema, std::string_view source, std::optional<Error>& bare) {
  return [schema = std::move(schema), source, &bare](const toml::node& value) -> Status {
    const toml::table* table = value.as_table();
    if (table == nullptr) return wrong("must be a [section]");
    auto applied = apply(*table, schema, source);
    if (!applied) bare = applied.error();
    return applied;
  };
}

Schema listen_schema(ListenConfig& c) {
  return {{"tls", addresses(c.tls)},
          {"plain", addresses(c.plain)},
          {"unix", text(c.unix_socket)},
          {"unix_group", text(c.unix_group)}};
}

Schema limits_schema(LimitsConfig& c) {
  return {{"sessions", number(c.sessions, 1, 4096)},
          {"sessions_per_tenant", number(c.sessions_per_tenant, 1, 4096)},
          {"handshakes", number(c.handshakes, 1, 4096)},
          {"handshakes_per_address", number(c.handshakes_per_address, 1, 4096)},
          {"connections_per_minute", number(c.connections_per_minute, 1, 1'000'000)},
          {"handshake_timeout_ms", number(c.handshake_timeout_ms, 100, 600'000)},
          {"worker_start_timeout_ms", number(c.worker_start_timeout_ms, 100, 600'000)},
          {"drain_ms", number(c.drain_ms, 0, session::kMaxDrainMs)},
          {"lanes", number(c.lanes, 0, 8)},
          {"eager_credit", size(c.eager_credit_bytes)},
          {"session_memory", size(c.session_memory_bytes)},
          {"session_handles", number(c.session_handles, 0, 1u << 22)},
          {"grace_ms", number(c.grace_ms, 0, session::kMaxGraceMs)},
          {"grace_after_close_ms", number(c.grace_after_close_ms, 0, session::kMaxGraceMs)}};
}

Schema worker_schema(WorkerConfig& c) {
  return {{"program", text(c.program)},
          {"sandbox", choice<SandboxMode>(c.sandbox, {{"enforce", SandboxMode::kEnforce},
                                                      {"log", SandboxMode::kLog},
                                                      {"off", SandboxMode::kOff}})},
          {"spares", number(c.spares, 0, 16)},
          {"open_files", number(c.open_files, 64, 1'048'576)},
          {"processes", number(c.processes, 0, 1'048'576)},
          {"file_size", size(c.file_size_bytes)},
          {"memory", size(c.memory_bytes)},
          {"address_space", size(c.address_space_bytes)},
          {"first_user", number(c.first_user, 0, kMostUser)},
          {"devices", paths(c.devices)},
          {"scrub", choice<ScrubMode>(c.scrub, {{"auto", ScrubMode::kAuto},
                                                {"always", ScrubMode::kAlways},
                                                {"never", ScrubMode::kNever}})},
          {"dies_with_agent", flag(c.dies_with_agent)}};
}

Schema log_schema(LogConfig& c) {
  using base::LogLevel;
  return {{"level", choice<LogLevel>(c.level, {{"debug", LogLevel::kDebug},
                                               {"info", LogLevel::kInfo},
                                               {"warning", LogLevel::kWarning},
                                               {"error", LogLevel::kError}})},
          {"format", choice<bool>(c.json, {{"text", false}, {"json", true}})}};
}

Take keys(std::vector<std::string>& out) {
  return [&out](const toml::node& value) -> Status {
    const toml::array* list = value.as_array();
    const Error what = wrong("must be a list of at most " + std::to_string(kMaxTokenIssuers) +
                             " keys of 64 hexadecimal digits, as `longwire token new-issuer` "
                             "prints them");
    if (list == nullptr || list->size() > kMaxTokenIssuers) return what;
    out.clear();
    for (const toml::node& item : *list) {
      const auto key = item.value_exact<std::string>();
      if (!key || key->size() != 64 ||
          key->find_first_not_of("0123456789abcdef") != std::string::npos) {
        return what;
      }
      out.push_back(*key);
    }
    return {};
  };
}

Schema keys_schema(KeysConfig& c) {
  return {{"accept_rotation", flag(c.accept_rotation)},
          {"overlap_s", number(c.overlap_s, 0, kMostOverlapS)}};
}

constexpr std::uint64_t kLeastAuditBytes = std::uint64_t{64} << 10;  // some of the longest lines

Schema audit_schema(AuditConfig& c) {
  const Take any_size = size(c.max_size_bytes);
  return {{"enabled", flag(c.enabled)},
          {"required", flag(c.required)},
          {"files", number(c.files, 1, 1000)},
          {"max_size", [&c, any_size](const toml::node& value) -> Status {
             LW_TRY(any_size(value));
             return c.max_size_bytes < kLeastAuditBytes ? Status(wrong("must be at least 64KiB"))
                                                        : Status();
           }}};
}

}  // namespace

std::string_view name_of(SandboxMode mode) noexcept {
  switch (mode) {
    case SandboxMode::kOff:
      return "off";
    case SandboxMode::kLog:
      return "log";
    case SandboxMode::kEnforce:
      return "enforce";
  }
  return "?";
}

std::string_view name_of(ScrubMode mode) noexcept {
  switch (mode) {
    case ScrubMode::kAuto:
      return "auto";
    case ScrubMode::kAlways:
      return "always";
    case ScrubMode::kNever:
      return "never";
  }
  return "?";
}

base::Result<NodeConfig> parse_config(std::string_view text_of_file, std::string_view source) {
  if (text_of_file.size() > kMaxConfigBytes) return wrong(std::string(source) + ": too long");
  const toml::parse_result parsed = toml::parse(text_of_file);
  if (!parsed) {
    const auto at = parsed.error().source().begin;
    return wrong(std::string(source) + ":" + std::to_string(at.line) + ":" +
                 std::to_string(at.column) + ": " + std::string(parsed.error().description()));
  }
  NodeConfig c;
  std::optional<Error> bare;
  const Schema state = {{"directory", text(c.state.directory)}, {"cache", text(c.state.cache)}};
  const Schema tokens = {{"issuers", keys(c.tokens.issuers)}};
  const Schema schema = {{"name", text(c.name)},
                         {"listen", section(listen_schema(c.listen), source, bare)},
                         {"limits", section(limits_schema(c.limits), source, bare)},
                         {"worker", section(worker_schema(c.worker), source, bare)},
                         {"state", section(state, source, bare)},
                         {"log", section(log_schema(c.log), source, bare)},
                         {"tokens", section(tokens, source, bare)},
                         {"keys", section(keys_schema(c.keys), source, bare)},
                         {"audit", section(audit_schema(c.audit), source, bare)}};
  auto applied = apply(parsed.table(), schema, source);
  if (!applied) return bare ? *std::move(bare) : std::move(applied).error();
  return c;
}

base::Result<NodeConfig> load_config(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error::from_errno(ErrorCode::kNotFound, "cannot read " + path.string(), errno);
  }
  std::string content;
  content.resize(kMaxConfigBytes + 1);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return Error(ErrorCode::kNotFound, "cannot read " + path.string());
  return parse_config(content, path.string());
}

}  // namespace longwire::node
