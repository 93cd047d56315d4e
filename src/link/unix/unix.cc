#include "link/unix/unix.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "link/fd/poll_until.h"

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error(ErrorCode::kInvalidArgument, "'" + path + "' cannot be a socket: 1 to " +
                                                  std::to_string(sizeof address.sun_path - 1) +
                                                  " bytes are possible");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

base::UniqueFd new_socket() {
  return base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Whether a socket file is left over from a process that has ended.
bool is_stale(const sockaddr_un& address) {
  const base::UniqueFd probe = new_socket();
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

base::Result<base::UniqueFd> connect_unix(const std::string& path, base::Deadline deadline) {
  LW_ASSIGN(const sockaddr_un address, address_of(path));
  base::UniqueFd socket = new_socket();
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
         0) {
    // EAGAIN: the listener's queue is full; unix sockets have no "in progress".
    if (errno != EAGAIN && errno != EINTR) {
      const bool nobody = errno == ECONNREFUSED || errno == ENOENT;
      return Error::from_errno(nobody ? ErrorCode::kClosed : ErrorCode::kUnavailable,
                               "connect to " + path, errno);
    }
    if (base::monotonic_clock().now_ns() >= deadline.at_ns) {
      return Error(ErrorCode::kTimeout, "connect to " + path + ": the listener is busy");
    }
    ::poll(nullptr, 0, 1);
  }
  return socket;
}

base::Result<std::unique_ptr<FdLink>> make_unix_link(base::UniqueFd socket) {
  return FdLink::create(std::move(socket),
                        {.kind = "unix", .peer_address = "unix", .encrypted = false});
}

base::Result<std::pair<base::UniqueFd, base::UniqueFd>> unix_socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "socketpair", errno);
  }
  return std::pair(base::UniqueFd(fds[0]), base::UniqueFd(fds[1]));
}

base::Result<uid_t> peer_user(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "SO_PEERCRED", errno);
  }
  return credentials.uid;
}

base::Result<UnixListener> UnixListener::listen(const std::string& path) {
  LW_ASSIGN(const sockaddr_un address, address_of(path));
  const auto fail = [&] {
    return Error::from_errno(ErrorCode::kUnavailable, "listen on " + path, errno);
  };
  base::UniqueFd socket = new_socket();
  if (!socket.valid()) return fail();
  if (is_stale(address)) ::unlink(path.c_str());
  // Between bind and chmod nobody else may connect either: listen() comes last.
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
    return fail();
  }
  return UnixListener(std::move(socket), path);
}

UnixListener::~UnixListener() {
  if (socket_.valid()) ::unlink(path_.c_str());
}

base::Result<base::UniqueFd> UnixListener::accept(base::Deadline deadline) {
  return accept_until(socket_.get(), deadline);
}

}  // namespace longwire::link
