#include "client/core/call_recorder.h"

#include <errno.h>  // program_invocation_short_name
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <string_view>

#include "base/unique_fd.h"

namespace longwire::client::core {

std::atomic<CallRecorder*> g_recorder{nullptr};

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t kCallsPerChunk = 4096;
constexpr std::size_t kWriteAtOnce = std::size_t{1} << 16;

struct Call {
  std::uint32_t function;
  CallFacts facts;
};

struct FunctionTotals {
  std::uint64_t calls = 0;
  base::Nanoseconds took_ns = 0;
  base::Nanoseconds longest_ns = 0;
  ThreadCounters cost;
};

void add(FunctionTotals& to, const CallFacts& call) noexcept {
  ++to.calls;
  to.took_ns += call.took_ns;
  to.longest_ns = std::max(to.longest_ns, call.took_ns);
  to.cost += call.cost;
}

std::uint64_t next_serial() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// --- text ---

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned char>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

// One line, an object of numbers and texts.
class Line {
 public:
  Line& number(const char* key, std::int64_t value) { return raw(key, std::to_string(value)); }
  Line& number(const char* key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  Line& text(const char* key, std::string_view value) { return raw(key, quoted(value)); }
  Line& cost(const ThreadCounters& cost) {
    return number("sent", cost.bytes_sent)
        .number("received", cost.bytes_received)
        .number("round_trips", cost.round_trips)
        .number("waits", cost.waits)
        .number("blocked_ns", cost.blocked_ns);
  }
  Line& link(const std::string& prefix, const LinkTotals& link) {
    return number((prefix + "bytes_in").c_str(), link.bytes_in)
        .number((prefix + "bytes_out").c_str(), link.bytes_out)
        .number((prefix + "reads").c_str(), link.reads)
        .number((prefix + "writes").c_str(), link.writes)
        .number((prefix + "polls").c_str(), link.waits)
        .number((prefix + "wakes").c_str(), link.wakes);
  }
  std::string end() { return line_ + "}\n"; }

 private:
  Line& raw(const char* key, std::string_view value) {
    line_ += line_.size() == 1 ? "\"" : ",\"";
    line_.append(key).append("\":").append(value);
    return *this;
  }
  std::string line_ = "{";
};

std::string line_of(const NodeFacts& node) {
  const SessionCounters& c = node.counters;
  Line line;
  line.text("node", node.name)
      .number("setup_round_trips", c.setup_round_trips)
      .number("round_trips", c.round_trips)
      .number("waits", c.waits)
      .number("blocked_ns", c.blocked_ns)
      .number("messages_sent", c.messages_sent)
      .number("messages_received", c.messages_received)
      .number("lanes", c.lanes)
      .link("", c.link)
      .link("lane_", c.lane_links);
  return line.end();
}

std::string line_of(const char* name, const FunctionTotals& totals) {
  Line line;
  line.text("function", name)
      .number("calls", totals.calls)
      .number("took_ns", totals.took_ns)
      .number("longest_ns", totals.longest_ns)
      .cost(totals.cost);
  return line.end();
}

std::string line_of(const char* name, int thread, const Call& call) {
  Line line;
  line.text("call", name)
      .number("thread", std::int64_t{thread})
      .number("began_ns", call.facts.began_ns)
      .number("took_ns", call.facts.took_ns)
      .cost(call.facts.cost);
  return line.end();
}

// Buffered; remembers its first failure.
class File {
 public:
  explicit File(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (!file_.valid()) status_ = Error::from_errno(ErrorCode::kUnavailable, path, errno);
  }
  void add(const std::string& line) {
    text_ += line;
    if (text_.size() >= kWriteAtOnce) flush();
  }
  Status end() {
    flush();
    return status_;
  }

 private:
  void flush() {
    std::string_view rest = text_;
    while (status_.ok() && !rest.empty()) {
      const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        status_ = Error::from_errno(ErrorCode::kUnavailable, "write", errno);
      } else {
        rest.remove_prefix(static_cast<std::size_t>(written));
      }
    }
    text_.clear();
  }
  base::UniqueFd file_;
  std::string text_;
  Status status_;
};

}  // namespace

// The calls of one thread; outlives it.
struct CallRecorder::ThreadLog {
  ThreadLog(int thread_, std::string name_, std::size_t functions)
      : thread(thread_), name(std::move(name_)), totals(functions) {}
  const int thread;  // as the system numbers it; 0: several
  const std::string name;
  std::mutex lock;
  std::vector<FunctionTotals> totals;
  std::vector<std::vector<Call>> chunks;

  void keep(const Call& call) {
    if (chunks.empty() || chunks.back().size() == kCallsPerChunk) {
      chunks.emplace_back().reserve(kCallsPerChunk);
    }
    chunks.back().push_back(call);
  }
};

CallRecorder::CallRecorder(std::span<const char* const> names, std::size_t max_calls)
    : names_(names),
      serial_(next_serial()),
      calls_left_(static_cast<std::int64_t>(std::min(max_calls, kMaxRecordedCalls))) {}

CallRecorder::~CallRecorder() = default;

void CallRecorder::record(std::uint32_t function, const CallFacts& call) noexcept {
  try {
    ThreadLog& log = *log_of_this_thread();
    const std::lock_guard lock(log.lock);
    add(log.totals[function], call);
    if (calls_left_.fetch_sub(1, std::memory_order_relaxed) > 0) return log.keep({function, call});
  } catch (const std::bad_alloc&) {
    // The program's memory is not ours to fill.
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

void CallRecorder::record_command(const CommandFacts& command, base::Nanoseconds now_ns) noexcept {
  try {
    const std::lock_guard lock(commands_lock_);
    const std::int64_t offset_ns = now_ns - command.end_ns;
    const auto known = clock_offsets_.try_emplace(command.queue, offset_ns).first;
    known->second = std::min(known->second, offset_ns);
    if (calls_left_.fetch_sub(1, std::memory_order_relaxed) > 0) {
      commands_.push_back(command);
      return;
    }
  } catch (const std::bad_alloc&) {
    // As above.
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

CallRecorder::ThreadLog* CallRecorder::log_of_this_thread() {
  struct Mine {
    std::uint64_t serial = 0;
    ThreadLog* log = nullptr;
  };
  thread_local Mine mine;
  if (mine.serial == serial_) return mine.log;
  const std::lock_guard lock(logs_lock_);
  const bool is_last = logs_.size() + 1 == kMaxRecordedThreads;
  if (logs_.size() < kMaxRecordedThreads) {
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    logs_.push_back(is_last ? std::make_unique<ThreadLog>(0, "other", names_.size())
                            : std::make_unique<ThreadLog>(::gettid(), name.data(), names_.size()));
  }
  mine = {serial_, logs_.back().get()};
  return mine.log;
}

std::string CallRecorder::header(std::span<const NodeFacts> nodes) const {
  Line line;
  line.number("longwire_trace", std::int64_t{kTraceFormat})
      .text("program", program_invocation_short_name)
      .number("process", std::int64_t{::getpid()})
      .number("dropped", dropped_.load());
  std::string text = line.end();
  for (const NodeFacts& node : nodes)
    text += line_of(node);
  return text;
}

void CallRecorder::write_commands(const std::function<void(const std::string&)>& add) {
  const std::lock_guard lock(commands_lock_);
  for (const CommandFacts& command : commands_) {
    add(Line()
            .number("command", std::uint64_t{command.type})
            .number("node_index", command.node)
            .number("queue", command.queue)
            .number("began_ns", command.start_ns + clock_offsets_[command.queue])
            .number("took_ns", command.end_ns - command.start_ns)
            .end());
  }
}

Status CallRecorder::write(const std::string& path, std::span<const NodeFacts> nodes) {
  File file(path);
  file.add(header(nodes));
  const std::lock_guard lock(logs_lock_);
  for (const auto& log : logs_) {
    const std::lock_guard held(log->lock);
    file.add(Line().number("thread", std::int64_t{log->thread}).text("name", log->name).end());
    for (std::size_t i = 0; i < log->totals.size(); ++i) {
      if (log->totals[i].calls > 0) file.add(line_of(names_[i], log->totals[i]));
    }
    for (const auto& chunk : log->chunks) {
      for (const Call& call : chunk)
        file.add(line_of(names_[call.function], log->thread, call));
    }
  }
  write_commands([&file](const std::string& line) { file.add(line); });
  return file.end();
}

CallSpan::CallSpan(std::uint32_t function) noexcept
    : function_(function),
      before_(thread_counters()),
      began_ns_(base::monotonic_clock().now_ns()) {}

void CallSpan::end() noexcept {
  CallRecorder* const recorder = g_recorder.load(std::memory_order_acquire);
  if (recorder == nullptr) return;
  recorder->record(function_, {began_ns_, base::monotonic_clock().now_ns() - began_ns_,
                               thread_counters() - before_});
}

}  // namespace longwire::client::core
