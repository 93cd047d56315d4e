#include "app/longwire/trace_report.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "app/longwire/table.h"

namespace longwire::app {
namespace {

using client::core::LinkTotals;
using client::core::SessionCounters;

// A file says what it likes: no sum of it overflows.
void add(std::int64_t& to, std::int64_t one) {
  const std::int64_t most = one < 0 ? INT64_MIN : INT64_MAX;
  if (__builtin_add_overflow(to, one, &to)) to = most;
}

void add(TracedFunction& to, const TracedFunction& one) {
  to.calls += one.calls;
  add(to.took_ns, one.took_ns);
  to.longest_ns = std::max(to.longest_ns, one.longest_ns);
  client::core::ThreadCounters cost = one.cost;
  add(to.cost.blocked_ns, std::exchange(cost.blocked_ns, 0));
  to.cost += cost;
}

void add(LinkTotals& to, const LinkTotals& one) {
  to.bytes_in += one.bytes_in;
  to.bytes_out += one.bytes_out;
  to.reads += one.reads;
  to.writes += one.writes;
  to.waits += one.waits;
  to.wakes += one.wakes;
}

void add(SessionCounters& to, const SessionCounters& one) {
  to.setup_round_trips += one.setup_round_trips;
  to.round_trips += one.round_trips;
  to.waits += one.waits;
  add(to.blocked_ns, one.blocked_ns);
  to.messages_sent += one.messages_sent;
  to.messages_received += one.messages_received;
  to.lanes += one.lanes;
  add(to.link, one.link);
  add(to.lane_links, one.lane_links);
}

std::vector<std::string> row_of(const TracedFunction& f) {
  const auto calls = static_cast<std::int64_t>(std::clamp<std::uint64_t>(f.calls, 1, INT64_MAX));
  const auto mean_ns = f.took_ns / calls;
  return {f.name,
          std::to_string(f.calls),
          show_bytes(f.cost.bytes_sent),
          show_bytes(f.cost.bytes_received),
          std::to_string(f.cost.round_trips),
          show_time(f.took_ns),
          show_time(mean_ns),
          show_time(f.longest_ns),
          show_time(f.cost.blocked_ns)};
}

std::string ratio(std::uint64_t count, std::uint64_t of) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f",
                static_cast<double>(count) / static_cast<double>(std::max<std::uint64_t>(1, of)));
  return text.data();
}

std::string text_of(const std::string& name, const SessionCounters& c) {
  using std::to_string;
  const LinkTotals& link = c.link;
  std::string text = "\nnode " + printable(name) + "\n";
  text += "  round trips   " + to_string(c.round_trips) + " that a thread waited for, " +
          to_string(c.setup_round_trips) + " to open the links\n";
  text += "  waits         " + to_string(c.waits) + ", " + show_time(c.blocked_ns) + "\n";
  text += "  messages      " + to_string(c.messages_sent) + " sent with " + to_string(link.writes) +
          " flushes, " + to_string(c.messages_received) + " received\n";
  text += "  bytes         " + show_bytes(link.bytes_out) + " sent, " + show_bytes(link.bytes_in) +
          " received";
  text += "; lanes (" + to_string(c.lanes) + "): " + show_bytes(c.lane_links.bytes_out) +
          " sent, " + show_bytes(c.lane_links.bytes_in) + " received\n";
  text += "  system calls  " + to_string(link.system_calls()) + ": " + to_string(link.writes) +
          " send, " + to_string(link.reads) + " recv, " + to_string(link.waits) + " poll, " +
          to_string(link.wakes) + " eventfd; " + ratio(link.system_calls(), c.messages_sent) +
          " per message sent; lanes: " + to_string(c.lane_links.system_calls()) + "\n";
  return text;
}

}  // namespace

void TraceReport::on_process(const TracedProcess& process) { processes_.push_back(process); }

void TraceReport::on_node(const client::core::NodeFacts& node) {
  add(nodes_[node.name], node.counters);
}

void TraceReport::on_function(const TracedFunction& function) {
  TracedFunction& known = functions_[function.name];
  known.name = function.name;
  add(known, function);
}

std::uint64_t TraceReport::dropped() const {
  std::uint64_t all = 0;
  for (const TracedProcess& process : processes_)
    all += process.dropped;
  return all;
}

TracedFunction TraceReport::total() const {
  TracedFunction all{"total", 0, 0, 0, {}};
  for (const auto& [name, function] : functions_)
    add(all, function);
  return all;
}

// What took longest comes first.
std::string TraceReport::functions() const {
  std::vector<TracedFunction> sorted;
  for (const auto& [name, function] : functions_)
    sorted.push_back(function);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.took_ns > b.took_ns; });
  sorted.push_back(total());
  Rows rows = {
      {"FUNCTION", "CALLS", "SENT", "RECEIVED", "TRIPS", "TIME", "MEAN", "MAX", "BLOCKED"}};
  for (const TracedFunction& function : sorted)
    rows.push_back(row_of(function));
  return format_table(rows, 1);
}

std::string TraceReport::text() const {
  std::string text = "longwire trace: " + processes_.front().program;
  if (processes_.size() > 1) text += " (" + std::to_string(processes_.size()) + " processes)";
  text += "\n\n" + functions();
  for (const auto& [name, counters] : nodes_)
    text += text_of(name, counters);
  return text;
}

}  // namespace longwire::app
