// WorkerProcess: one longwire-worker, from fork to its last word. It starts with three descriptors
// (nothing, its log, its log), the handover socket as the fourth and, where it may outlive its
// agent, its door as the fifth; in a process group of its own, with no way to gain privileges and
// with the limits of WorkerConfig. What it prints is logged.
//
// Or one that an earlier agent has started (reclaim.cc): everything but its exit status is the
// same.
//
// Threads: everything on the io_context's thread.
#pragma once

#include <sys/types.h>

#include <asio.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/config.h"
#include "node/journal.h"
#include "node/worker_cgroup.h"
#include "node/worker_folders.h"
#include "node/worker_registry.h"
#include "session/handover.h"

namespace longwire::node {

inline constexpr int kHandoverFd = 3;                     // in the worker
inline constexpr int kDoorFd = 4;                         // in a worker that may outlive its agent
inline constexpr std::size_t kMaxWorkerLineBytes = 1024;  // longer lines are cut in pieces
inline constexpr std::size_t kMaxWorkerLines = 1000;      // of one worker; the rest is dropped

struct WorkerCommand {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // after the program's name
  std::vector<std::string> environment;  // "NAME=value"
  // Where each worker gets a folder of its own, which follows the arguments as --temporary FOLDER;
  // null: none. Outlives the workers.
  const WorkerFolders* folders = nullptr;
  // Where workers are written down that outlive the agent; null: they do not. Outlives the workers.
  const WorkerRegistry* registry = nullptr;
  // Where each gets a cgroup of its own; null: none. Outlives the workers.
  const WorkerCgroups* cgroups = nullptr;
  std::uint64_t open_files = 4096;
  std::uint64_t file_size_bytes = 0;  // 0, here and below: as it is
  std::uint64_t processes = 0;
  std::uint64_t memory_bytes = 0;  // data: heap and private mappings that can be written
  std::uint64_t address_space_bytes = 0;
  bool dies_with_agent = false;
};

// How a worker went, which only its parent learns.
using WaitStatus = std::optional<int>;
// For the log: "exited with status 3", "killed by signal 11 (SIGSEGV)".
std::string describe_exit(WaitStatus status);

struct SpawnedWorker {
  pid_t pid = -1;
  base::UniqueFd pidfd;
  base::UniqueFd control;
  base::UniqueFd output;
  WorkerFolder folder;
  WorkerCgroup cgroup;
  WorkerEntry entry;
  std::optional<ProcessIdentity> found;  // it is no child of this process
};
// fork and exec. A program that cannot be executed shows as a worker that exits with status 127.
base::Result<SpawnedWorker> spawn_worker(const WorkerCommand& command);
// Takes up with a worker that lives. Errors: it cannot be reached; then it has been killed.
base::Result<SpawnedWorker> reclaim_worker(const WorkerCommand& command, FoundWorker found);

class WorkerProcess {
 public:
  struct Events {
    std::function<void(const session::HandoverMessage&)> on_message;
    std::function<void(WaitStatus)> on_exit;  // last; the process has ended
  };

  // REQUIRES: listen() before the io_context runs again.
  WorkerProcess(asio::io_context& io, Journal& journal, SpawnedWorker spawned);
  // Kills what still runs, and reaps it; but one that is on record is left to the next agent.
  ~WorkerProcess();

  // Whom to tell from now on; a spare worker changes hands once.
  void listen(Events events) { events_ = std::move(events); }
  void set_label(std::string label) { label_ = std::move(label); }  // the session, for the log
  base::Status send(const session::HandoverMessage& message, int connection = -1);
  // Writes down whose it is (`record` but for what this object knows), so that it may outlive the
  // agent. kUnsupported: workers of this node do not.
  base::Status put_on_record(WorkerRecord record);
  // To the whole process group: compilers that a vendor driver has started go with it. SIGKILL also
  // to all of its cgroup, whatever process group they are in.
  void kill(int signal) noexcept;
  pid_t pid() const noexcept { return pid_; }

 private:
  void await_message();
  void await_output();
  void await_exit();
  void take_output(std::size_t bytes);
  void log_line(std::string_view line);
  void reap();
  void read_last_words();

  Journal& journal_;
  WorkerFolder folder_;  // goes after the process, as do the next two
  WorkerCgroup cgroup_;
  WorkerEntry entry_;
  pid_t pid_;
  const std::optional<ProcessIdentity> found_;
  bool on_record_;
  std::string label_;
  Events events_;
  asio::posix::stream_descriptor control_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor exit_;  // a pidfd: readable when the process has ended
  std::vector<char> chunk_;
  std::string line_;
  std::size_t lines_ = 0;
  bool reaped_ = false;
  // Handlers that are queued when this object goes hold a weak reference and do nothing.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace longwire::node
