#include "app/longwire/trace_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "app/longwire/json_fields.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;
using client::core::LinkTotals;
using client::core::ThreadCounters;
using Json = nlohmann::json;

ThreadCounters cost_of(const Json& line) {
  return {count_field(line, "round_trips"), count_field(line, "waits"),
          number_field(line, "blocked_ns"), count_field(line, "sent"),
          count_field(line, "received")};
}

LinkTotals link_of(const Json& line, const std::string& prefix) {
  return {count_field(line, prefix + "bytes_in"), count_field(line, prefix + "bytes_out"),
          count_field(line, prefix + "reads"),    count_field(line, prefix + "writes"),
          count_field(line, prefix + "polls"),    count_field(line, prefix + "wakes")};
}

client::core::NodeFacts node_of(const Json& line) {
  client::core::NodeFacts node{text_field(line, "node"), {}};
  client::core::SessionCounters& c = node.counters;
  c.setup_round_trips = count_field(line, "setup_round_trips");
  c.round_trips = count_field(line, "round_trips");
  c.waits = count_field(line, "waits");
  c.blocked_ns = number_field(line, "blocked_ns");
  c.messages_sent = count_field(line, "messages_sent");
  c.messages_received = count_field(line, "messages_received");
  c.lanes = count_field(line, "lanes");
  c.link = link_of(line, "");
  c.lane_links = link_of(line, "lane_");
  return node;
}

void take(const Json& line, TraceReader& reader) {
  if (line.contains("call")) {
    reader.on_call(
        {text_field(line, "call"),
         number_field(line, "thread"),
         {number_field(line, "began_ns"), number_field(line, "took_ns"), cost_of(line)}});
  } else if (line.contains("function")) {
    reader.on_function({text_field(line, "function"), count_field(line, "calls"),
                        number_field(line, "took_ns"), number_field(line, "longest_ns"),
                        cost_of(line)});
  } else if (line.contains("command")) {
    reader.on_command({count_field(line, "command"), count_field(line, "node_index"),
                       count_field(line, "queue"), number_field(line, "began_ns"),
                       number_field(line, "took_ns")});
  } else if (line.contains("node")) {
    reader.on_node(node_of(line));
  } else if (line.contains("thread")) {
    reader.on_thread({number_field(line, "thread"), text_field(line, "name")});
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
    if (!is_ours || (first && number_field(json, "longwire_trace") != client::core::kTraceFormat)) {
      return Error(ErrorCode::kInvalidArgument, path.string() + " is no whole trace");
    }
    if (first) {
      reader.on_process({text_field(json, "program"), number_field(json, "process"),
                         count_field(json, "dropped")});
    } else {
      take(json, reader);
    }
    first = false;
  }
  if (first) return Error(ErrorCode::kInvalidArgument, path.string() + " is empty");
  return {};
}

}  // namespace longwire::app
