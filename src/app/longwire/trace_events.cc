#include "app/longwire/trace_events.h"

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using Json = nlohmann::ordered_json;

// Tracks of queues are numbered beyond every thread of Linux.
constexpr std::int64_t kFirstTrack = std::int64_t{1} << 30;
constexpr std::uint64_t kTracks = std::uint64_t{1} << 20;

std::string command_name(std::uint64_t type) {
  constexpr std::uint64_t kFirst = 0x11F0;  // CL_COMMAND_NDRANGE_KERNEL, and on from there
  constexpr std::array<const char*, 25> kNames = {"kernel",
                                                  "task",
                                                  "native kernel",
                                                  "read buffer",
                                                  "write buffer",
                                                  "copy buffer",
                                                  "read image",
                                                  "write image",
                                                  "copy image",
                                                  "copy image to buffer",
                                                  "copy buffer to image",
                                                  "map buffer",
                                                  "map image",
                                                  "unmap",
                                                  "marker",
                                                  "acquire GL",
                                                  "release GL",
                                                  "read rect",
                                                  "write rect",
                                                  "copy rect",
                                                  "user",
                                                  "barrier",
                                                  "migrate",
                                                  "fill buffer",
                                                  "fill image"};
  if (type >= kFirst && type < kFirst + kNames.size()) return kNames[type - kFirst];
  return "command " + std::to_string(type);
}

double microseconds(std::int64_t ns) { return static_cast<double>(ns) / 1000; }

}  // namespace

base::Result<TraceEvents> TraceEvents::create(const std::filesystem::path& path) {
  TraceEvents events(path);
  if (!events.file_) {
    return Error::from_errno(ErrorCode::kInvalidArgument, path.string(), errno);
  }
  events.file_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  return events;
}

void TraceEvents::add(const std::string& event) {
  file_ << (first_ ? "\n" : ",\n") << event;
  first_ = false;
}

void TraceEvents::name(const char* what, std::int64_t thread, const std::string& name) {
  const Json event = {
      {"ph", "M"}, {"name", what}, {"pid", process_}, {"tid", thread}, {"args", {{"name", name}}}};
  add(event.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void TraceEvents::on_process(const TracedProcess& process) {
  process_ = process.process;
  nodes_.clear();
  named_tracks_.clear();
  name("process_name", process_, process.program);
}

void TraceEvents::on_thread(const TracedThread& thread) {
  name("thread_name", thread.thread, thread.name);
}

void TraceEvents::on_call(const TracedCall& call) {
  const auto& cost = call.facts.cost;
  const Json event = {{"ph", "X"},
                      {"name", call.name},
                      {"cat", "opencl"},
                      {"pid", process_},
                      {"tid", call.thread},
                      {"ts", microseconds(call.facts.began_ns)},
                      {"dur", microseconds(call.facts.took_ns)},
                      {"args",
                       {{"bytes_sent", cost.bytes_sent},
                        {"bytes_received", cost.bytes_received},
                        {"round_trips", cost.round_trips},
                        {"blocked_us", microseconds(cost.blocked_ns)}}}};
  add(event.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void TraceEvents::on_command(const TracedCommand& command) {
  const std::int64_t track = kFirstTrack + static_cast<std::int64_t>(command.queue % kTracks);
  if (named_tracks_.insert(track).second) {
    const std::string node = command.node < nodes_.size() ? nodes_[command.node] : "?";
    name("thread_name", track,
         "device queue " + std::to_string(command.queue % kTracks) + " at " + node);
  }
  const Json event = {{"ph", "X"},
                      {"name", command_name(command.type)},
                      {"cat", "device"},
                      {"pid", process_},
                      {"tid", track},
                      {"ts", microseconds(command.began_ns)},
                      {"dur", microseconds(command.took_ns)}};
  add(event.dump());
}

base::Status TraceEvents::finish() {
  file_ << "\n]}\n";
  file_.close();
  if (!file_) return Error(ErrorCode::kUnavailable, "cannot write " + path_.string());
  return {};
}

}  // namespace longwire::app
