#include "link/fd/fd_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxParts = 16;  // of one vectored write; more go with the next

// The driver's descriptors are in somebody else's process. One that closes what it does not know
// (as daemons do) and opens files then gets the lowest numbers: ours are not among them, so nothing
// of ours is written into its files. Numbers within the system's usual limit of 1024.
constexpr int kFirstDescriptor = 256;
constexpr int kEndOfDescriptors = 1000;

// Nor does another link get a number soon that one has had: threads that do not know yet that the
// program has closed their link's descriptors may still send on them.
int next_descriptor() noexcept {
  static std::atomic<unsigned> taken{0};
  return kFirstDescriptor + static_cast<int>(taken.fetch_add(1, std::memory_order_relaxed) %
                                             (kEndOfDescriptors - kFirstDescriptor));
}

void move_out_of_the_way(base::UniqueFd& fd) noexcept {
  int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, next_descriptor());
  if (moved < 0) moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstDescriptor);
  if (moved >= 0) fd.reset(moved);  // otherwise the limit is lower, and it stays where it is
}

ino_t inode_of(int fd) noexcept {
  struct stat found {};
  return ::fstat(fd, &found) == 0 ? found.st_ino : 0;
}

// No wait is longer without a look at the descriptors. Where the program closes them under a thread
// that waits, the kernel lets it wait on, and nobody can wake it: the eventfd is closed as well.
constexpr base::Nanoseconds kLookAgainNs = base::kSecond;

// For how long to wait now. `last`: the deadline comes first.
timespec next_look(base::Deadline deadline, bool& last) {
  base::Nanoseconds left = kLookAgainNs;
  last = false;
  if (!deadline.is_never()) {
    left = std::max<base::Nanoseconds>(0, deadline.at_ns - base::monotonic_clock().now_ns());
    last = left <= kLookAgainNs;
    left = std::min(left, kLookAgainNs);
  }
  return {static_cast<time_t>(left / base::kSecond), static_cast<long>(left % base::kSecond)};
}

}  // namespace

base::Result<std::unique_ptr<FdLink>> FdLink::create(base::UniqueFd socket, LinkInfo info) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    return Error::from_errno(ErrorCode::kInternal, "fcntl", errno);
  }
  base::UniqueFd wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_fd.valid()) return Error::from_errno(ErrorCode::kInternal, "eventfd", errno);
  move_out_of_the_way(socket);
  move_out_of_the_way(wake_fd);
  return std::unique_ptr<FdLink>(
      new FdLink(std::move(socket), std::move(wake_fd), std::move(info)));
}

FdLink::FdLink(base::UniqueFd socket, base::UniqueFd wake_fd, LinkInfo info)
    : socket_(std::move(socket)),
      wake_fd_(std::move(wake_fd)),
      socket_inode_(inode_of(socket_.get())),
      info_(std::move(info)) {}

// Where the program has closed our descriptors, their numbers may be others' by now.
FdLink::~FdLink() {
  if (!socket_.valid() || inode_of(socket_.get()) == socket_inode_) return;
  socket_.release();
  wake_fd_.release();
}

base::Result<std::size_t> FdLink::read_some(std::span<std::byte> out) {
  if (closed_.load(std::memory_order_relaxed)) return Error(ErrorCode::kClosed, "link closed");
  if (out.empty()) return 0;
  const ssize_t n = ::recv(socket_.get(), out.data(), out.size(), MSG_DONTWAIT);
  counters_->count(counters_->reads);
  if (n > 0) {
    counters_->count(counters_->bytes_in, static_cast<std::uint64_t>(n));
    return static_cast<std::size_t>(n);
  }
  if (n < 0) return failed("receive", errno);
  ended_by_peer_ = true;
  return Error(ErrorCode::kClosed, "the peer closed the connection");
}

base::Result<std::size_t> FdLink::write_some(std::span<const ConstBuffer> parts) {
  if (closed_.load(std::memory_order_relaxed)) return Error(ErrorCode::kClosed, "link closed");
  std::array<iovec, kMaxParts> vectors;
  std::size_t count = 0;
  for (const ConstBuffer part : parts.first(std::min(parts.size(), kMaxParts))) {
    if (part.empty()) continue;
    vectors[count++] = {const_cast<std::byte*>(part.data()), part.size()};  // sendmsg only reads
  }
  if (count == 0) return 0;
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  const ssize_t n = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  counters_->count(counters_->writes);
  if (n < 0) return failed("send", errno);
  counters_->count(counters_->bytes_out, static_cast<std::uint64_t>(n));
  return static_cast<std::size_t>(n);
}

base::Result<Readiness> FdLink::wait(Interest interest, base::Deadline deadline) {
  std::array<pollfd, 2> fds{};
  fds[0].fd = socket_.get();
  if (interest.readable) fds[0].events |= POLLIN;
  if (interest.writable) fds[0].events |= POLLOUT;
  fds[1] = {wake_fd_.get(), POLLIN, 0};

  for (bool last = false;;) {
    const timespec left = next_look(deadline, last);
    const int n = ::ppoll(fds.data(), fds.size(), &left, nullptr);
    counters_->count(counters_->waits);
    if ((n < 0 && errno == EINTR) || (n == 0 && !last)) continue;
    if (n < 0) return Error::from_errno(ErrorCode::kInternal, "poll", errno);
    break;
  }
  if (((fds[0].revents | fds[1].revents) & POLLNVAL) != 0)
    return Error(ErrorCode::kLinkLost, "the process has closed the link's descriptors");
  const bool broken = (fds[0].revents & (POLLERR | POLLHUP)) != 0;
  Readiness found;
  found.readable = interest.readable && (broken || (fds[0].revents & POLLIN) != 0);
  found.writable = interest.writable && (broken || (fds[0].revents & POLLOUT) != 0);
  found.woken = (fds[1].revents & POLLIN) != 0 && consume_wake();
  // With no interest in either direction a broken link must not look like a time-out.
  if (broken && found.timed_out()) found.woken = true;
  return found;
}

base::Result<std::size_t> FdLink::failed(const char* what, int error_number) noexcept {
  if (error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR) return 0;
  if (error_number == ECONNRESET || error_number == EPIPE) ended_by_peer_ = true;
  return Error::from_errno(ErrorCode::kLinkLost, what, error_number);
}

bool FdLink::consume_wake() noexcept {
  std::uint64_t count = 0;
  counters_->count(counters_->wakes);
  if (::read(wake_fd_.get(), &count, sizeof count) < 0) return false;  // another waiter was faster
  // After the read, and as an exchange: a wake() that came in between and therefore wrote nothing
  // is answered by this return, which must see what its caller did before.
  wake_pending_.exchange(false, std::memory_order_acq_rel);
  return true;
}

void FdLink::wake() noexcept {
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  counters_->count(counters_->wakes);
  // Cannot fail: the counter is far from its end.
  [[maybe_unused]] const auto written = ::write(wake_fd_.get(), &one, sizeof one);
}

void FdLink::close() noexcept {
  closed_.store(true, std::memory_order_relaxed);
  ::shutdown(socket_.get(),
             SHUT_RDWR);  // the descriptor stays ours, so no other thread sees a reused one
  wake();
}

base::UniqueFd FdLink::release() {
  closed_.store(true, std::memory_order_relaxed);
  return std::move(socket_);
}

}  // namespace longwire::link
