#include "sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace longwire::bench {
namespace {

using base::UniqueFd;

constexpr int kBacklog = 64;
constexpr const char* kUnixPrefix = "unix:";

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};

bool is_unix(const std::string& address) { return address.starts_with(kUnixPrefix); }

Address unix_address(const std::string& path) {
  Address address;
  auto* target = reinterpret_cast<sockaddr_un*>(&address.bytes);
  target->sun_family = AF_UNIX;
  if (path.size() >= sizeof target->sun_path) {
    errno = ENAMETOOLONG;
    fail(path.c_str());
  }
  std::memcpy(target->sun_path, path.data(), path.size());
  address.length = sizeof *target;
  return address;
}

Address tcp_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (port.empty() || getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    std::fprintf(stderr, "no address: %s (HOST:PORT or unix:/path)\n", text.c_str());
    std::exit(2);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  Address address;
  std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
  address.length = found->ai_addrlen;
  return address;
}

Address parse(const std::string& text) {
  return is_unix(text) ? unix_address(text.substr(std::strlen(kUnixPrefix))) : tcp_address(text);
}

UniqueFd socket_for(const Address& address) {
  UniqueFd fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) fail("socket");
  return fd;
}

void no_delay(int fd) {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // fails on unix sockets: fine
}

}  // namespace

void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

UniqueFd listen_on(const std::string& text) {
  const Address address = parse(text);
  UniqueFd fd = socket_for(address);
  if (::bind(fd.get(), address.get(), address.length) != 0 || ::listen(fd.get(), kBacklog) != 0)
    fail("listen");
  return fd;
}

UniqueFd connect_to(const std::string& text) {
  const Address address = parse(text);
  UniqueFd fd = socket_for(address);
  if (::connect(fd.get(), address.get(), address.length) != 0) fail("connect");
  no_delay(fd.get());
  return fd;
}

UniqueFd accept_from(int listener) {
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) fail("accept");
  no_delay(fd.get());
  return fd;
}

std::string address_of(int listener, const std::string& text) {
  if (is_unix(text)) return text;
  Address address;
  address.length = sizeof address.bytes;
  if (::getsockname(listener, address.get(), &address.length) != 0) fail("getsockname");
  // The port is at the same place in sockaddr_in and sockaddr_in6.
  const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(&address.bytes)->sin_port);
  return text.substr(0, text.rfind(':') + 1) + std::to_string(port);
}

bool send_all(int fd, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t sent = ::send(fd, data, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int fd, char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = ::recv(fd, data, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    data += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace longwire::bench
