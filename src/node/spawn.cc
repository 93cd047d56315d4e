#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "node/worker_process.h"

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;

inline constexpr int kExitCannotExecute = 127;

std::vector<char*> pointers_to(const std::vector<std::string>& strings, const char* first) {
  std::vector<char*> pointers;
  if (first != nullptr) pointers.push_back(const_cast<char*>(first));
  for (const std::string& s : strings)
    pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// --- in the child, between fork and exec: async-signal-safe calls only ---

void set_limit(decltype(RLIMIT_CORE) resource, std::uint64_t value) {
  const rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  ::setrlimit(resource, &limit);
}

void set_limits(const WorkerCommand& command) {
  set_limit(RLIMIT_CORE, 0);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max == RLIM_INFINITY || files.rlim_max > command.open_files) {
    set_limit(RLIMIT_NOFILE, command.open_files);
  }
  if (command.processes != 0) set_limit(RLIMIT_NPROC, command.processes);
  if (command.file_size_bytes != 0) set_limit(RLIMIT_FSIZE, command.file_size_bytes);
  if (command.memory_bytes != 0) set_limit(RLIMIT_DATA, command.memory_bytes);
  if (command.address_space_bytes != 0) set_limit(RLIMIT_AS, command.address_space_bytes);
}

void default_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The descriptors come in above 10, so that none is overwritten before it is placed.
struct Descriptors {
  int output = -1;
  int control = -1;
  int door = -1;    // or none
  int cgroup = -1;  // or none
};

bool place(const Descriptors& given) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(given.output, 1) < 0 ||
      ::dup2(given.output, 2) < 0 || ::dup2(given.control, kHandoverFd) < 0) {
    return false;
  }
  if (given.door >= 0 && ::dup2(given.door, kDoorFd) < 0) return false;
  const int last = given.door >= 0 ? kDoorFd : kHandoverFd;
  return ::syscall(SYS_close_range, last + 1, ~0u, 0) == 0;
}

[[noreturn]] void become_worker(const WorkerCommand& command, char* const* arguments,
                                char* const* environment, const Descriptors& given, pid_t agent) {
  // Before it has any memory of its own.
  const bool placed = given.cgroup < 0 || ::write(given.cgroup, "0", 1) == 1;
  ::setpgid(0, 0);
  default_signals();
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (command.dies_with_agent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != agent) ::_exit(kExitCannotExecute);  // it died before the call above
  }
  set_limits(command);
  if (placed && place(given)) ::execve(arguments[0], arguments, environment);
  static constexpr char kMessage[] = "cannot execute longwire-worker\n";
  [[maybe_unused]] const ssize_t ignored = ::write(2, kMessage, sizeof kMessage - 1);
  ::_exit(kExitCannotExecute);
}

// -------------------------------------------------------------------------------------------------

base::Result<base::UniqueFd> lifted(base::UniqueFd fd) {
  base::UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
  if (!high.valid()) return Error::from_errno(ErrorCode::kInternal, "dup", errno);
  return high;
}

// Of a child that has just been forked. Both its groups here too, so that kill() of them works at
// once, and its cgroup is not empty when the next one is made.
base::Status take_hold(SpawnedWorker& spawned) {
  ::setpgid(spawned.pid, spawned.pid);
  LW_TRY(spawned.cgroup.take_in(spawned.pid));
  spawned.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, spawned.pid, 0)));
  if (spawned.pidfd.valid()) return {};
  return Error::from_errno(ErrorCode::kInternal, "pidfd_open", errno);
}

std::string_view signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? name : "?";
}

}  // namespace

std::string describe_exit(WaitStatus status) {
  if (!status) return "ended without a word; another agent had started it";
  if (WIFSIGNALED(*status)) {
    const int signal = WTERMSIG(*status);
    return "killed by signal " + std::to_string(signal) + " (SIG" +
           std::string(signal_name(signal)) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(*status));
}

base::Result<SpawnedWorker> spawn_worker(const WorkerCommand& command) {
  LW_ASSIGN(session::HandoverPair pair, session::make_handover_pair());
  std::array<int, 2> pipe_fds{};
  if (::pipe2(pipe_fds.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "pipe", errno);
  }
  SpawnedWorker spawned;
  spawned.output.reset(pipe_fds[0]);
  LW_ASSIGN(base::UniqueFd output, lifted(base::UniqueFd(pipe_fds[1])));
  LW_ASSIGN(base::UniqueFd control, lifted(std::move(pair.worker)));
  base::UniqueFd door;
  if (command.registry != nullptr) {
    LW_ASSIGN(WorkerRegistry::NewEntry made, command.registry->make());
    spawned.entry = std::move(made.entry);
    LW_ASSIGN(door, lifted(std::move(made.door)));
  }
  if (command.cgroups != nullptr) {
    LW_ASSIGN(spawned.cgroup, command.cgroups->make(spawned.entry.name()));
  }
  std::vector<std::string> words = command.arguments;
  if (command.folders != nullptr) {
    LW_ASSIGN(spawned.folder, command.folders->make());
    words.insert(words.end(), {"--temporary", spawned.folder.path().string()});
  }
  const std::vector<char*> arguments = pointers_to(words, command.program.c_str());
  const std::vector<char*> environment = pointers_to(command.environment, nullptr);
  const pid_t agent = ::getpid();
  spawned.pid = ::fork();
  if (spawned.pid < 0) return Error::from_errno(ErrorCode::kInternal, "fork", errno);
  if (spawned.pid == 0) {
    become_worker(command, arguments.data(), environment.data(),
                  {output.get(), control.get(), door.get(), spawned.cgroup.entrance()}, agent);
  }
  const auto held = take_hold(spawned);
  if (held.ok()) {
    spawned.control = std::move(pair.agent);
    return spawned;
  }
  ::kill(spawned.pid, SIGKILL);
  ::waitpid(spawned.pid, nullptr, 0);
  return held.error();
}

}  // namespace longwire::node
