// The calls of a traced program as trace events, which Perfetto (ui.perfetto.dev) and Chrome
// (chrome://tracing) show: one event per call on its thread, with its bytes and round trips; and
// one per command on a device whose queue has profiling, on a track per queue.
#pragma once

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "app/longwire/trace_file.h"

namespace longwire::app {

class TraceEvents final : public TraceReader {
 public:
  // Opens the file at once: better before the program has run for an hour than after.
  static base::Result<TraceEvents> create(const std::filesystem::path& path);

  void on_process(const TracedProcess& process) override;
  void on_node(const client::core::NodeFacts& node) override { nodes_.push_back(node.name); }
  void on_thread(const TracedThread& thread) override;
  void on_function(const TracedFunction&) override {}
  void on_call(const TracedCall& call) override;
  void on_command(const TracedCommand& command) override;

  base::Status finish();

 private:
  explicit TraceEvents(std::filesystem::path path) : path_(std::move(path)), file_(path_) {}
  void add(const std::string& event);
  void name(const char* what, std::int64_t thread, const std::string& name);

  std::filesystem::path path_;
  std::ofstream file_;
  bool first_ = true;
  std::int64_t process_ = 0;
  std::vector<std::string> nodes_;       // of that process
  std::set<std::int64_t> named_tracks_;  // and its queues
};

}  // namespace longwire::app
