#include "app/longwire/trace_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using client::core::LinkTotals;
using client::core::ThreadCounters;
using Json = nlohmann::json;

// What is missing, or no number, is 0.
std::int64_t number(const Json& line, const std::string& key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
std::uint64_t count(const Json& line, const std::string& key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(line, key)));
}
std::string text(const Json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : "";
}

ThreadCounters cost_of(const Json& line) {
  return {count(line, "round_trips"), count(line, "waits"), number(line, "blocked_ns"),
          count(line, "sent"), count(line, "received")};
}

LinkTotals link_of(const Json& line, const std::string& prefix) {
  return {count(line, prefix + "bytes_in"), count(line, prefix + "bytes_out"),
          count(line, prefix + "reads"),    count(line, prefix + "writes"),
          count(line, prefix + "polls"),    count(line, prefix + "wakes")};
}

client::core::NodeFacts node_of(const Json& line) {
  client::core::NodeFacts node{text(line, "node"), {}};
  client::core::SessionCounters& c = node.counters;
  c.setup_round_trips = count(line, "setup_round_trips");
  c.round_trips = count(line, "round_trips");
  c.waits = count(line, "waits");
  c.blocked_ns = number(line, "blocked_ns");
  c.messages_sent = count(line, "messages_sent");
  c.messages_received = count(line, "messages_received");
  c.lanes = count(line, "lanes");
  c.link = link_of(line, "");
  c.lane_links = link_of(line, "lane_");
  return node;
}

void take(const Json& line, TraceReader& reader) {
  if (line.contains("call")) {
    reader.on_call({text(line, "call"),
                    number(line, "thread"),
                    {number(line, "began_ns"), number(line, "took_ns"), cost_of(line)}});
  } else if (line.contains("function")) {
    reader.on_function({text(line, "function"), count(line, "calls"), number(line, "took_ns"),
                        number(line, "longest_ns"), cost_of(line)});
  } else if (line.contains("command")) {
    reader.on_command({count(line, "command"), count(line, "node_index"), count(line, "queue"),
                       number(line, "began_ns"), number(line, "took_ns")});
  } else if (line.contains("node")) {
    reader.on_node(node_of(line));
  } else if (line.contains("thread")) {
    reader.on_thread({number(line, "thread"), text(line, "name")});
  }
}

}  // namespace

Status read_trace(const std::filesystem::path& path, TraceReader& reader) {
  std::ifstream file(path);
  std::string line;
  bool first = true;
  while (std::getline(file, line)) {
    const Json json =
        line.size() <= kMaxTraceLineBytes ? Json::parse(line, nullptr, false) : Json();
    const bool is_ours = json.is_object() && !file.eof();
    if (!is_ours || (first && number(json, "longwire_trace") != client::core::kTraceFormat)) {
      return Error(ErrorCode::kInvalidArgument, path.string() + " is no whole trace");
    }
    if (first) {
      reader.on_process({text(json, "program"), number(json, "process"), count(json, "dropped")});
    } else {
      take(json, reader);
    }
    first = false;
  }
  if (first) return Error(ErrorCode::kInvalidArgument, path.string() + " is empty");
  return {};
}

}  // namespace longwire::app
