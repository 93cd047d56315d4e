// Reads what the driver has recorded (src/client/core/call_recorder.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "client/core/call_recorder.h"

namespace longwire::app {

inline constexpr std::size_t kMaxTraceLineBytes = std::size_t{1} << 16;

struct TracedProcess {
  std::string program;
  std::int64_t process = 0;
  std::uint64_t dropped = 0;  // calls that were not kept one by one
};
struct TracedThread {
  std::int64_t thread = 0;
  std::string name;
};
struct TracedFunction {
  std::string name;
  std::uint64_t calls = 0;
  std::int64_t took_ns = 0;
  std::int64_t longest_ns = 0;
  client::core::ThreadCounters cost;
};
struct TracedCall {
  std::string name;
  std::int64_t thread = 0;
  client::core::CallFacts facts;
};

struct TracedCommand {
  std::uint64_t type = 0;
  std::uint64_t node = 0;  // the how manieth of the process's nodes
  std::uint64_t queue = 0;
  std::int64_t began_ns = 0;
  std::int64_t took_ns = 0;
};

// Is told what a file says, in its order: the process, its nodes, then each thread with its
// functions and calls, then the commands on devices.
class TraceReader {
 public:
  virtual ~TraceReader() = default;
  virtual void on_process(const TracedProcess& process) = 0;
  virtual void on_node(const client::core::NodeFacts& node) = 0;
  virtual void on_thread(const TracedThread& thread) = 0;
  virtual void on_function(const TracedFunction& function) = 0;
  virtual void on_call(const TracedCall& call) = 0;
  virtual void on_command(const TracedCommand& command) = 0;
};

// kInvalidArgument: no trace of this version, or one that was cut off.
base::Status read_trace(const std::filesystem::path& path, TraceReader& reader);

}  // namespace longwire::app
