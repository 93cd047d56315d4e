// What a traced program has done, for people: a table per function, and what each node has cost.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "app/longwire/trace_file.h"

namespace longwire::app {

class TraceReport final : public TraceReader {
 public:
  void on_process(const TracedProcess& process) override;
  void on_node(const client::core::NodeFacts& node) override;
  void on_thread(const TracedThread&) override {}
  void on_function(const TracedFunction& function) override;
  void on_call(const TracedCall&) override {}
  void on_command(const TracedCommand&) override {}

  bool empty() const { return processes_.empty(); }
  std::uint64_t dropped() const;
  std::string text() const;

 private:
  TracedFunction total() const;
  std::string functions() const;

  std::vector<TracedProcess> processes_;
  std::map<std::string, TracedFunction> functions_;
  std::map<std::string, client::core::SessionCounters> nodes_;
};

}  // namespace longwire::app
