#include "node/worker_process.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

namespace longwire::node {
namespace {

inline constexpr std::size_t kOutputChunkBytes = 4096;

}  // namespace

WorkerProcess::WorkerProcess(asio::io_context& io, Journal& journal, SpawnedWorker spawned)
    : journal_(journal),
      folder_(std::move(spawned.folder)),
      cgroup_(std::move(spawned.cgroup)),
      entry_(std::move(spawned.entry)),
      pid_(spawned.pid),
      found_(spawned.found),
      on_record_(spawned.found.has_value()),
      control_(io, spawned.control.release()),
      output_(io, spawned.output.release()),
      exit_(io, spawned.pidfd.release()),
      chunk_(kOutputChunkBytes) {
  asio::error_code ignored;
  control_.non_blocking(true, ignored);
  await_message();
  await_output();
  await_exit();
}

WorkerProcess::~WorkerProcess() {
  if (reaped_) return;
  if (on_record_) {
    folder_.leave();
    entry_.leave();
    return;
  }
  kill(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

base::Status WorkerProcess::put_on_record(WorkerRecord record) {
  if (!entry_.valid()) {
    return base::Error(base::ErrorCode::kUnsupported, "workers end with their agent");
  }
  LW_ASSIGN(record.process, identify_process(pid_));
  record.folder = folder_.path().string();
  LW_TRY(entry_.write(record));
  on_record_ = true;
  return {};
}

base::Status WorkerProcess::send(const session::HandoverMessage& message, int connection) {
  if (!control_.is_open()) return base::Error(base::ErrorCode::kClosed, "the worker is gone");
  return session::send_handover(control_.native_handle(), message, connection);
}

void WorkerProcess::kill(int signal) noexcept {
  if (reaped_) return;
  if (signal == SIGKILL) cgroup_.kill();
  if (found_) return signal_group(*found_, exit_.native_handle(), signal);
  ::kill(-pid_, signal);
}

void WorkerProcess::await_message() {
  control_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this, alive = std::weak_ptr(alive_)](asio::error_code error) {
                        if (error || alive.expired()) return;
                        auto received = session::receive_handover(control_.native_handle());
                        if (!received) {
                          // The end of the socket is the end of the worker, whatever its process
                          // still does.
                          if (received.error().code() != base::ErrorCode::kClosed) {
                            journal_.event(
                                base::LogLevel::kWarning, "worker.nonsense",
                                {{"session", label_}, {"error", received.error().message()}});
                            kill(SIGKILL);
                          }
                          asio::error_code ignored;
                          control_.close(ignored);
                          return;
                        }
                        await_message();
                        if (received->has_value()) events_.on_message((*received)->message);
                      });
}

void WorkerProcess::await_output() {
  output_.async_read_some(asio::buffer(chunk_), [this, alive = std::weak_ptr(alive_)](
                                                    asio::error_code error, std::size_t bytes) {
    if (error || alive.expired()) return;
    take_output(bytes);
    await_output();
  });
}

void WorkerProcess::take_output(std::size_t bytes) {
  for (const char c : std::string_view(chunk_.data(), bytes)) {
    if (c != '\n') line_ += c;
    if (c == '\n' || line_.size() >= kMaxWorkerLineBytes) {
      log_line(line_);
      line_.clear();
    }
  }
}

void WorkerProcess::log_line(std::string_view line) {
  if (++lines_ > kMaxWorkerLines || line.empty()) return;
  journal_.event(base::LogLevel::kInfo, "worker.output",
                 {{"session", label_}, {"pid", pid_}, {"line", line}});
  if (lines_ == kMaxWorkerLines) {
    journal_.event(base::LogLevel::kWarning, "worker.output_dropped", {{"session", label_}});
  }
}

void WorkerProcess::await_exit() {
  exit_.async_wait(asio::posix::stream_descriptor::wait_read,
                   [this, alive = std::weak_ptr(alive_)](asio::error_code error) {
                     if (!error && !alive.expired()) reap();
                   });
}

void WorkerProcess::reap() {
  WaitStatus status;
  if (found_) {
    kill_leftovers(*found_);
  } else {
    int wait_status = 0;
    if (::waitpid(pid_, &wait_status, WNOHANG) != pid_) return await_exit();
    status = wait_status;
    ::kill(-pid_, SIGKILL);  // what it had started
  }
  cgroup_.kill();
  reaped_ = true;
  read_last_words();
  const auto on_exit = std::move(events_.on_exit);
  on_exit(status);  // may destroy this object
}

// They are in the pipe and the socket already; a grandchild may hold the pipe open, so read no
// further.
void WorkerProcess::read_last_words() {
  asio::error_code error;
  output_.non_blocking(true, error);
  while (!error) {
    const std::size_t bytes = output_.read_some(asio::buffer(chunk_), error);
    if (!error) take_output(bytes);
  }
  if (!line_.empty()) log_line(line_);
  while (control_.is_open()) {  // Ended comes before the exit
    auto received = session::receive_handover(control_.native_handle());
    if (!received || !received->has_value()) break;
    events_.on_message((*received)->message);
  }
}

}  // namespace longwire::node
