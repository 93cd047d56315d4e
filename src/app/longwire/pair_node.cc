#include "app/longwire/pair_node.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <vector>

#include "app/pairing_desk.h"
#include "link/unix/unix.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

inline constexpr int kDeskTimeoutMs = 5'000;
inline constexpr std::size_t kMaxLineBytes = 4096;

// The first IPv4 address that others may know this machine by; its name where there is none.
std::string own_address() {
  ifaddrs* list = nullptr;
  std::string found;
  if (::getifaddrs(&list) == 0) {
    for (const ifaddrs* i = list; i != nullptr && found.empty(); i = i->ifa_next) {
      const bool usable = i->ifa_addr != nullptr && i->ifa_addr->sa_family == AF_INET &&
                          (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0;
      std::array<char, INET_ADDRSTRLEN> text{};
      if (usable &&
          ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr,
                      text.data(), text.size()) != nullptr) {
        found = text.data();
      }
    }
    ::freeifaddrs(list);
  }
  std::array<char, 256> name{};
  if (found.empty() && ::gethostname(name.data(), name.size() - 1) == 0) found = name.data();
  return found;
}

// One line after the other, as they come.
class Lines {
 public:
  explicit Lines(base::UniqueFd socket) : socket_(std::move(socket)) {}

  Result<std::string> next() {
    while (buffer_.find('\n') == std::string::npos) {
      pollfd polled{socket_.get(), POLLIN, 0};
      while (::poll(&polled, 1, -1) < 0 && errno == EINTR) {
      }
      std::array<char, 512> chunk{};
      const ssize_t got = ::read(socket_.get(), chunk.data(), chunk.size());
      if (got <= 0 || buffer_.size() > kMaxLineBytes) {
        return Error(ErrorCode::kUnavailable, "the node has gone away");
      }
      buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    }
    const std::size_t end = buffer_.find('\n');
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

 private:
  base::UniqueFd socket_;
  std::string buffer_;
};

void show_code(std::istringstream& words) {
  std::string code;
  long seconds = 0;
  std::string port;
  words >> code >> seconds >> port;
  std::printf("On the other machine, run within %ld minutes:\n\n  longwire pair %s:%s %s\n\n",
              (seconds + 59) / 60, own_address().c_str(), port.c_str(),
              session::to_display(code).c_str());
  std::printf("Waiting...\n");
  std::fflush(stdout);
}

// True once it is over.
Result<bool> take_line(const std::string& line) {
  std::istringstream words(line);
  std::string what;
  words >> what;
  std::string rest;
  if (what == "code") {
    show_code(words);
  } else if (what == "wrong") {
    std::getline(words >> std::ws, rest);
    std::printf("A wrong code came from %s.\n", rest.c_str());
  } else if (what == "paired") {
    words >> rest;
    std::printf("Paired: %s may use this node from now on.\n", rest.c_str());
    return true;
  } else {
    std::getline(words >> std::ws, rest);
    return Error(ErrorCode::kPermissionDenied, rest.empty() ? line : rest);
  }
  std::fflush(stdout);
  return false;
}

}  // namespace

Status pair_as_node(const std::filesystem::path& state_directory) {
  const std::string path = pairing_socket(state_directory).string();
  auto socket = link::connect_unix(
      path, base::Deadline::in(base::monotonic_clock(), kDeskTimeoutMs * base::kMillisecond));
  if (!socket) {
    return Error(ErrorCode::kUnavailable,
                 "no node that listens for TLS runs here (" + socket.error().message() +
                     "): start longwired or `longwire serve` first; or, to pair with another "
                     "machine's node, run `longwire pair` there");
  }
  Lines lines(*std::move(socket));
  while (true) {
    LW_ASSIGN(const std::string line, lines.next());
    LW_ASSIGN(const bool over, take_line(line));
    if (over) return {};
  }
}

}  // namespace longwire::app
