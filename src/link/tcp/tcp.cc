#include "link/tcp/tcp.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "link/fd/poll_until.h"

namespace longwire::link {
namespace {

using base::Error;
using base::ErrorCode;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

base::Result<Addresses> resolve(const HostPort& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int rc = ::getaddrinfo(host, std::to_string(address.port).c_str(), &hints, &list);
  if (rc != 0) {
    return Error(ErrorCode::kNotFound,
                 "cannot resolve '" + address.host + "': " + gai_strerror(rc));
  }
  return Addresses(list);
}

std::string numeric(const sockaddr* address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string_view name(host.data());
  const bool v6 = name.find(':') != std::string_view::npos;
  return (v6 ? "[" + std::string(name) + "]" : std::string(name)) + ":" + port.data();
}

base::Result<base::UniqueFd> connect_one(const addrinfo& address, base::Deadline deadline) {
  const auto fail = [&](int error_number) {
    return Error::from_errno(
        error_number == ECONNREFUSED ? ErrorCode::kClosed : ErrorCode::kUnavailable,
        "connect to " + numeric(address.ai_addr, address.ai_addrlen), error_number);
  };
  base::UniqueFd socket(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.valid()) return fail(errno);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return fail(errno);
    LW_ASSIGN(const bool ready, poll_until(socket.get(), POLLOUT, deadline));
    if (!ready) {
      return Error(
          ErrorCode::kTimeout,
          "connect to " + numeric(address.ai_addr, address.ai_addrlen) + ": no answer in time");
    }
    int error_number = 0;
    socklen_t size = sizeof error_number;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
    if (error_number != 0) return fail(error_number);
  }
  LW_TRY(tune_tcp(socket.get()));
  return socket;
}

// Several addresses share the time that is left, so that a silent one does not eat it all.
base::Deadline share_of(base::Deadline deadline, int addresses_left) {
  if (deadline.is_never()) return deadline;
  const auto now = base::monotonic_clock().now_ns();
  return {now + std::max<base::Nanoseconds>(0, deadline.at_ns - now) / addresses_left};
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto bad = [&](const char* why) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + std::string(text) + "' is not HOST or HOST:PORT: " + why);
  };
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad("no closing bracket");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return bad("text after the bracket");
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':'));
  }  // several colons: a bare IPv6 address
  if (host.empty()) return bad("no host");
  std::uint16_t number = default_port;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number == 0) {
      return bad("the port must be 1 to 65535");
    }
  }
  return HostPort{std::string(host), number};
}

std::string to_string(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

base::Result<base::UniqueFd> connect_tcp(const HostPort& address, base::Deadline deadline) {
  LW_ASSIGN(const Addresses list, resolve(address, AI_ADDRCONFIG));
  int left = 0;
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next)
    ++left;
  base::Result<base::UniqueFd> last = Error(ErrorCode::kNotFound, "no address");
  for (const addrinfo* a = list.get(); a != nullptr; a = a->ai_next) {
    last = connect_one(*a, share_of(deadline, left--));
    if (last.ok()) return last;
  }
  return last;
}

base::Status tune_tcp(int socket) {
  const struct {
    int level, name, value;
  } options[] = {
      {IPPROTO_TCP, TCP_NODELAY, 1},
      {SOL_SOCKET, SO_KEEPALIVE, 1},
      {IPPROTO_TCP, TCP_KEEPIDLE, kTcpKeepAliveIdleS},
      {IPPROTO_TCP, TCP_KEEPINTVL, kTcpKeepAliveIntervalS},
      {IPPROTO_TCP, TCP_KEEPCNT, kTcpKeepAliveProbes},
      {IPPROTO_TCP, TCP_USER_TIMEOUT, kTcpUserTimeoutMs},
  };
  for (const auto& o : options) {
    if (::setsockopt(socket, o.level, o.name, &o.value, sizeof o.value) != 0) {
      return Error::from_errno(ErrorCode::kInternal, "setsockopt", errno);
    }
  }
  return {};
}

base::Result<std::unique_ptr<FdLink>> make_tcp_link(base::UniqueFd socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  LinkInfo info{.kind = "tcp", .peer_address = "?", .encrypted = false};
  if (::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0) {
    info.peer_address = numeric(reinterpret_cast<sockaddr*>(&peer), size);
  }
  return FdLink::create(std::move(socket), std::move(info));
}

base::Result<TcpListener> TcpListener::listen(const HostPort& address) {
  LW_ASSIGN(const Addresses list, resolve(address, AI_PASSIVE));
  const std::string what = "listen on " + to_string(address);
  const auto fail = [&] { return Error::from_errno(ErrorCode::kUnavailable, what, errno); };
  base::UniqueFd socket(
      ::socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.valid()) return fail();
  const int one = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0) return fail();
  if (::listen(socket.get(), kListenBacklog) != 0) return fail();
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return fail();
  const std::uint16_t port = bound.ss_family == AF_INET6
                                 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                 : reinterpret_cast<const sockaddr_in&>(bound).sin_port;
  return TcpListener(std::move(socket), ntohs(port));
}

base::Result<base::UniqueFd> TcpListener::accept(base::Deadline deadline) {
  LW_ASSIGN(base::UniqueFd socket, accept_until(socket_.get(), deadline));
  LW_TRY(tune_tcp(socket.get()));
  return socket;
}

}  // namespace longwire::link
