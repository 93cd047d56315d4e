#include "app/longwire/trace_events.h"

#include <cerrno>
#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using Json = nlohmann::ordered_json;

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

base::Status TraceEvents::finish() {
  file_ << "\n]}\n";
  file_.close();
  if (!file_) return Error(ErrorCode::kUnavailable, "cannot write " + path_.string());
  return {};
}

}  // namespace longwire::app
