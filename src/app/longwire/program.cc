#include "app/longwire/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/longwire/exit_codes.h"
#include "base/unique_fd.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array kPassedOn = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kPassedOn)
    ::sigaddset(&set, signal);
  ::sigaddset(&set, SIGCHLD);
  return set;
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments,
                                 const Environment& environment, const sigset_t& old_mask,
                                 int report_fd) {
  for (const auto& [name, value] : environment)
    ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
  ::execvp(pointers[0], pointers.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(report_fd, &error, sizeof error);
  ::_exit(kCannotExecute);
}

int exit_code(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

// 0 where exec worked: the pipe closed without a word.
int exec_error(int fd) {
  int error = 0;
  ssize_t got = -1;
  while ((got = ::read(fd, &error, sizeof error)) < 0 && errno == EINTR) {
  }
  return got == sizeof error ? error : 0;
}

int wait_for(pid_t process, const sigset_t& watched) {
  while (true) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&watched, &info);
    int status = 0;
    if (::waitpid(process, &status, WNOHANG) == process) return exit_code(status);
    // SI_KERNEL: from the terminal, which has told the whole process group.
    if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) ::kill(process, signal);
  }
}

}  // namespace

base::Result<int> run_program(const std::vector<std::string>& arguments,
                              const Environment& environment) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "pipe", errno);
  }
  const base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  const sigset_t watched = watched_signals();
  sigset_t old_mask;
  ::sigprocmask(SIG_BLOCK, &watched, &old_mask);
  const pid_t process = ::fork();
  if (process < 0) return Error::from_errno(ErrorCode::kInternal, "fork", errno);
  if (process == 0) become_program(arguments, environment, old_mask, writer.get());
  writer.reset();
  const int error = exec_error(reader.get());
  const int code = wait_for(process, watched);
  ::sigprocmask(SIG_SETMASK, &old_mask, nullptr);
  if (error == 0) return code;
  std::fprintf(stderr, "longwire: cannot run %s: %s\n", arguments[0].c_str(), std::strerror(error));
  return error == ENOENT ? kNotFound : kCannotExecute;
}

}  // namespace longwire::app
