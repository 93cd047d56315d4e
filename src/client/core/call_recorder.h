// CallRecorder: what a program's API calls were and what they cost, for `longwire trace`. One per
// process, made by the driver when an environment variable asks for it; without it an entry point
// pays one predictable branch.
//
// Totals per function are exact. Single calls are kept up to a limit; what is over it is counted.
//
// Threads: record() from any thread, one uncontended lock each; write() at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/core/counters.h"

namespace longwire::client::core {

inline constexpr std::size_t kMaxRecordedCalls = std::size_t{1} << 22;  // 56 bytes each
inline constexpr std::size_t kMaxRecordedThreads = 1024;  // what comes later is one "other" thread
inline constexpr int kTraceFormat = 1;

struct CallFacts {
  base::Nanoseconds began_ns = 0;
  base::Nanoseconds took_ns = 0;
  ThreadCounters cost;  // of this call alone
};

// A command on a device of a node, where its queue keeps profiling times.
struct CommandFacts {
  std::uint32_t type = 0;     // the API's own number
  std::uint64_t node = 0;     // its place in the list that write() gets
  std::uint64_t queue = 0;    // any number that tells queues apart
  std::int64_t start_ns = 0;  // of the device's clock
  std::int64_t end_ns = 0;
};

// What a node has cost, for the end of the trace.
struct NodeFacts {
  std::string name;
  SessionCounters counters;
};

class CallRecorder {
 public:
  // `names`: of the functions, in static memory. `max_calls`: kept one by one, at most
  // kMaxRecordedCalls.
  CallRecorder(std::span<const char* const> names, std::size_t max_calls);
  ~CallRecorder();

  // REQUIRES: function < names.size().
  void record(std::uint32_t function, const CallFacts& call) noexcept;
  // `now_ns`: when its completion came. The command that was told fastest says how far the device's
  // clock is from ours: its events are late by no more than half a round trip.
  void record_command(const CommandFacts& command, base::Nanoseconds now_ns) noexcept;

  // Writes everything so far into a new file, one JSON object per line: what it is, a line per
  // node, then per thread a line of its own, its functions' totals and its calls. Fails where the
  // file exists. Read by src/app/longwire/trace_file.cc, of the same version.
  base::Status write(const std::string& path, std::span<const NodeFacts> nodes);

 private:
  struct ThreadLog;
  ThreadLog* log_of_this_thread();
  std::string header(std::span<const NodeFacts> nodes) const;
  void write_commands(const std::function<void(const std::string&)>& add);

  const std::span<const char* const> names_;
  const std::uint64_t serial_;
  std::atomic<std::int64_t> calls_left_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex logs_lock_;
  std::vector<std::unique_ptr<ThreadLog>> logs_;
  std::mutex commands_lock_;
  std::deque<CommandFacts> commands_;
  std::unordered_map<std::uint64_t, std::int64_t> clock_offsets_;  // ours - the device's, by queue
};

// Where calls are recorded now; null: nowhere. Whoever sets it keeps the recorder alive.
extern std::atomic<CallRecorder*> g_recorder;

// One call, from its construction to end(). For generated entry points.
class CallSpan {
 public:
  explicit CallSpan(std::uint32_t function) noexcept;
  void end() noexcept;

 private:
  const std::uint32_t function_;
  const ThreadCounters before_;
  const base::Nanoseconds began_ns_;
};

}  // namespace longwire::client::core
