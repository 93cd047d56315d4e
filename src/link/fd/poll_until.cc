#include "link/fd/poll_until.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace longwire::link {

using base::Error;
using base::ErrorCode;

base::Result<bool> poll_until(int fd, short events, base::Deadline deadline) {
  pollfd poll_fd{fd, events, 0};
  for (;;) {
    timespec left{};
    if (!deadline.is_never()) {
      const auto ns =
          std::max<base::Nanoseconds>(0, deadline.at_ns - base::monotonic_clock().now_ns());
      left = {static_cast<time_t>(ns / base::kSecond), static_cast<long>(ns % base::kSecond)};
    }
    const int n = ::ppoll(&poll_fd, 1, deadline.is_never() ? nullptr : &left, nullptr);
    if (n >= 0) return n > 0;
    if (errno != EINTR) return Error::from_errno(ErrorCode::kInternal, "poll", errno);
  }
}

base::Result<base::UniqueFd> accept_until(int listener, base::Deadline deadline) {
  for (;;) {
    base::UniqueFd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.valid()) return socket;
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      return Error::from_errno(ErrorCode::kUnavailable, "accept", errno);
    }
    LW_ASSIGN(const bool ready, poll_until(listener, POLLIN, deadline));
    if (!ready) return Error(ErrorCode::kTimeout, "accept: nobody connected in time");
  }
}

}  // namespace longwire::link
