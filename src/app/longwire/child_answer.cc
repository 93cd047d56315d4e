#include "app/longwire/child_answer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>  // sigdescr_np
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "link/fd/poll_until.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

[[noreturn]] void answer(const std::function<std::string()>& ask, int fd) {
  const std::string text = ask();
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t wrote = ::write(fd, text.data() + sent, text.size() - sent);
    if (wrote <= 0) break;
    sent += static_cast<std::size_t>(wrote);
  }
  ::_exit(0);
}

}  // namespace

base::Result<ChildAnswer> ChildAnswer::start(const std::function<std::string()>& ask) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "pipe", errno);
  }
  base::UniqueFd reader(ends[0]);
  const base::UniqueFd writer(ends[1]);
  const pid_t process = ::fork();
  if (process < 0) return Error::from_errno(ErrorCode::kInternal, "fork", errno);
  if (process == 0) answer(ask, writer.get());
  return ChildAnswer(process, std::move(reader));
}

ChildAnswer::~ChildAnswer() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

base::Result<std::string> ChildAnswer::finish(base::Deadline deadline) {
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.size() < kMaxChildAnswerBytes) {
    LW_ASSIGN(const bool ready, link::poll_until(answer_.get(), POLLIN, deadline));
    if (!ready) return Error(ErrorCode::kTimeout, "no answer in time");
    const ssize_t got = ::read(answer_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  answer_.reset();  // what says more than the limit must not wait for us
  ::waitpid(std::exchange(process_, -1), &status, 0);
  if (!WIFSIGNALED(status)) return text;
  return Error(ErrorCode::kUnavailable, std::string("ended by ") + ::sigdescr_np(WTERMSIG(status)));
}

}  // namespace longwire::app
