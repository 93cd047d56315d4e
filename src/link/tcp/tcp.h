// TCP: addresses, connecting with a deadline, a small blocking listener (tests and the foreground
// tools; the agent accepts through asio). Every socket made here has TCP_NODELAY and kernel
// keep-alives, so that a vanished host is noticed though nothing is sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "link/fd/fd_link.h"

namespace longwire::link {

// A host that answers nothing at all for this long is gone. A process that is only stopped (in a
// debugger, say) is not: its kernel answers.
inline constexpr int kTcpKeepAliveIdleS = 10;
inline constexpr int kTcpKeepAliveIntervalS = 5;
inline constexpr int kTcpKeepAliveProbes = 4;
inline constexpr int kTcpUserTimeoutMs = 30'000;
inline constexpr int kListenBacklog = 128;

struct HostPort {
  std::string host;  // name or numeric address, without brackets
  std::uint16_t port = 0;
};

// "host", "host:port", "1.2.3.4:port", "[v6]:port", "[v6]". Errors: kInvalidArgument.
base::Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);
// "host:port", with brackets around IPv6.
std::string to_string(const HostPort& address);

// Connects to the first address of the name that answers. Name resolution itself is libc's and has
// its own time-outs. Errors: kNotFound (no such name), kClosed (nobody listens there),
// kUnavailable, kTimeout.
base::Result<base::UniqueFd> connect_tcp(const HostPort& address, base::Deadline deadline);

// What every session socket wants: no Nagle, keep-alives. Errors: kInternal.
base::Status tune_tcp(int socket);

// A link over a connected, tuned socket.
base::Result<std::unique_ptr<FdLink>> make_tcp_link(base::UniqueFd socket);

class TcpListener {
 public:
  // Port 0: any free one.
  static base::Result<TcpListener> listen(const HostPort& address);
  // The address of the peer is in the link's info. Errors: kTimeout.
  base::Result<base::UniqueFd> accept(base::Deadline deadline);
  std::uint16_t port() const noexcept { return port_; }
  int fd() const noexcept { return socket_.get(); }

 private:
  TcpListener(base::UniqueFd socket, std::uint16_t port)
      : socket_(std::move(socket)), port_(port) {}
  base::UniqueFd socket_;
  std::uint16_t port_;
};

}  // namespace longwire::link
