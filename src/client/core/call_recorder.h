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
#include <memory>
#include <mutex>
#include <span>
#include <string>
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

  // Writes everything so far into a new file, one JSON object per line: what it is, a line per
  // node, then per thread a line of its own, its functions' totals and its calls. Fails where the
  // file exists. Read by src/app/longwire/trace_file.cc, of the same version.
  base::Status write(const std::string& path, std::span<const NodeFacts> nodes);

 private:
  struct ThreadLog;
  ThreadLog* log_of_this_thread();
  std::string header(std::span<const NodeFacts> nodes) const;

  const std::span<const char* const> names_;
  const std::uint64_t serial_;
  std::atomic<std::int64_t> calls_left_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex logs_lock_;
  std::vector<std::unique_ptr<ThreadLog>> logs_;
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
