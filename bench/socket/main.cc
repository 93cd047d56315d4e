// longwire_bench_socket: what the socket itself can do on this machine, over loopback TCP and a
// unix socket: ping-pong of 64 bytes, and send of N bytes answered by one byte. JSON.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace {

double now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void send_all(int fd, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL);
    if (sent <= 0) fail("send");
    data += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
}

void receive_all(int fd, char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd, data, bytes, 0);
    if (got <= 0) fail("recv");
    data += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

struct Pair {
  int near, far;
};

Pair tcp_pair() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener, 1) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    fail("listen");
  const int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(near, reinterpret_cast<sockaddr*>(&address), length) != 0) fail("connect");
  const int far = accept(listener, nullptr, nullptr);
  close(listener);
  const int one = 1;
  for (const int fd : {near, far})
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return {near, far};
}

Pair unix_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) fail("socketpair");
  return {fds[0], fds[1]};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Sends `out` bytes and waits for `back` bytes, `runs` times; median microseconds.
double exchange_us(const Pair& pair, std::size_t out, std::size_t back, int runs) {
  std::thread peer([&] {
    std::vector<char> data(std::max(out, back));
    for (int i = 0; i < runs; ++i) {
      receive_all(pair.far, data.data(), out);
      send_all(pair.far, data.data(), back);
    }
  });
  std::vector<char> data(std::max(out, back), 1);
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const double start = now_us();
    send_all(pair.near, data.data(), out);
    receive_all(pair.near, data.data(), back);
    times.push_back(now_us() - start);
  }
  peer.join();
  return median(std::move(times));
}

nlohmann::json figures(const Pair& pair) {
  constexpr std::size_t kKib = 1024, kMib = kKib * kKib;
  nlohmann::json result;
  result["ping-pong of 64 bytes, us"] = exchange_us(pair, 64, 64, 5000);
  const auto rate = [&](std::size_t bytes, int runs) {
    return static_cast<double>(bytes) / exchange_us(pair, bytes, 1, runs);
  };
  result["MB/s"] = {{"4 KiB", rate(4 * kKib, 1000)},
                    {"64 KiB", rate(64 * kKib, 500)},
                    {"1 MiB", rate(kMib, 100)},
                    {"16 MiB", rate(16 * kMib, 15)},
                    {"256 MiB", rate(256 * kMib, 5)}};
  return result;
}

}  // namespace

int main() {
  const nlohmann::json all = {{"tcp", figures(tcp_pair())}, {"unix", figures(unix_pair())}};
  std::printf("%s\n", all.dump(2).c_str());
  return 0;
}
