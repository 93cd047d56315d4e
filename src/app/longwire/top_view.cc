#include "app/longwire/top_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/longwire/json_fields.h"
#include "app/longwire/table.h"

namespace longwire::app {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

TopSession session_of(const Json& line) {
  return {text_field(line, "session"),
          text_field(line, "tenant"),
          text_field(line, "peer"),
          text_field(line, "program"),
          number_field(line, "encrypted") != 0,
          number_field(line, "pid"),
          number_field(line, "age_ms"),
          count_field(line, "bytes_in"),
          count_field(line, "bytes_out"),
          count_field(line, "commands"),
          count_field(line, "device_ms"),
          count_field(line, "bytes_in_per_s"),
          count_field(line, "bytes_out_per_s"),
          count_field(line, "commands_per_s"),
          count_field(line, "device_ms_per_s"),
          count_field(line, "resident_bytes")};
}

TopNode node_of(const Json& line) {
  return {text_field(line, "node"),
          text_field(line, "software"),
          text_field(line, "unix"),
          number_field(line, "uptime_ms"),
          count_field(line, "max_sessions"),
          count_field(line, "spare_workers"),
          count_field(line, "ended_sessions"),
          count_field(line, "ended_bytes_in"),
          count_field(line, "ended_bytes_out"),
          count_field(line, "ended_commands"),
          count_field(line, "ended_device_ms"),
          {}};
}

// The client has chosen its name: it must not move the terminal's cursor.
std::string short_name(std::string words, std::size_t at_most) {
  if (words.size() > at_most) words = words.substr(0, at_most - 2) + "..";
  return printable(words);
}

std::string age(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " min";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min";
}

constexpr std::size_t kNameWidth = 24;

std::vector<std::string> row_of(const TopSession& s) {
  return {short_name(s.session, 2 * kNameWidth),
          short_name(s.tenant, kNameWidth),
          short_name(s.program, kNameWidth),
          short_name(s.peer, 2 * kNameWidth),
          s.encrypted ? "TLS" : "clear",
          age(s.age_ms),
          std::to_string(std::min<std::uint64_t>(100, s.device_ms_per_s / 10)) + "%",
          show_number(static_cast<double>(s.commands_per_s)),
          show_bytes(s.bytes_in_per_s),
          show_bytes(s.bytes_out_per_s),
          show_bytes(s.bytes_in),
          show_bytes(s.bytes_out),
          show_bytes(s.resident_bytes)};
}

OrderedJson json_of(const TopSession& s) {
  return {{"session", s.session},
          {"tenant", s.tenant},
          {"peer", s.peer},
          {"program", s.program},
          {"encrypted", s.encrypted},
          {"worker_pid", s.pid},
          {"age_ms", s.age_ms},
          {"device_ms", s.device_ms},
          {"device_ms_per_s", s.device_ms_per_s},
          {"commands", s.commands},
          {"commands_per_s", s.commands_per_s},
          {"bytes_in", s.bytes_in},
          {"bytes_in_per_s", s.bytes_in_per_s},
          {"bytes_out", s.bytes_out},
          {"bytes_out_per_s", s.bytes_out_per_s},
          {"resident_bytes", s.resident_bytes}};
}

}  // namespace

base::Result<TopNode> parse_top(const std::string& answer) {
  const base::Error nonsense(base::ErrorCode::kWireFault, "the node's answer makes no sense");
  std::istringstream lines(answer);
  std::string line;
  TopNode node;
  bool first = true;
  while (std::getline(lines, line)) {
    const Json json = Json::parse(line, nullptr, false);
    const std::string kind = json.is_object() ? text_field(json, "event") : "";
    if (kind != (first ? "node" : "session")) return nonsense;
    first ? void(node = node_of(json)) : node.sessions.push_back(session_of(json));
    first = false;
  }
  if (first) return nonsense;
  return node;
}

std::string top_text(const TopNode& node, const std::vector<DeviceFacts>& devices) {
  std::string text = "node " + short_name(node.node, kNameWidth) + ", " +
                     short_name(node.software, kNameWidth) + ", up " + age(node.uptime_ms) +
                     "; sessions: " + std::to_string(node.sessions.size()) + " of " +
                     std::to_string(node.max_sessions) + ", " +
                     std::to_string(node.ended_sessions) + " ended\n";
  for (const DeviceFacts& device : devices) {
    text += "device " + short_name(device.name, 2 * kNameWidth) + " (" + printable(device.type) +
            ", " + show_bytes(device.memory_bytes) + ")\n";
  }
  Rows rows = {{"SESSION", "TENANT", "PROGRAM", "PEER", "LINK", "AGE", "BUSY", "COMMANDS/s", "IN/s",
                "OUT/s", "IN", "OUT", "MEMORY"}};
  for (const TopSession& session : node.sessions)
    rows.push_back(row_of(session));
  return text + "\n" + format_table(rows, 5);
}

std::string top_json(const TopNode& node, const std::vector<DeviceFacts>& devices) {
  OrderedJson json = {{"node", node.node},
                      {"software", node.software},
                      {"uptime_ms", node.uptime_ms},
                      {"max_sessions", node.max_sessions},
                      {"spare_workers", node.spare_workers},
                      {"ended",
                       {{"sessions", node.ended_sessions},
                        {"bytes_in", node.ended_bytes_in},
                        {"bytes_out", node.ended_bytes_out},
                        {"commands", node.ended_commands},
                        {"device_ms", node.ended_device_ms}}},
                      {"devices", OrderedJson::array()},
                      {"sessions", OrderedJson::array()}};
  for (const DeviceFacts& d : devices) {
    json["devices"].push_back(
        {{"name", d.name}, {"type", d.type}, {"memory_bytes", d.memory_bytes}});
  }
  for (const TopSession& session : node.sessions)
    json["sessions"].push_back(json_of(session));
  return json.dump(2, ' ', true, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace longwire::app
