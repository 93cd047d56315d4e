// longwire_bench_proxy: a wire of a given length and width on loopback. Prints the address that it
// listens on, and forwards every connection to another until its standard input ends.
//
//   longwire_bench_proxy --to 127.0.0.1:9477 --rtt-ms 20 --mbit 100
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <list>
#include <string>
#include <vector>

#include "net/sockets.h"
#include "proxy/wire.h"

namespace longwire::bench {
namespace {

constexpr std::size_t kMaxConnections = 256;
constexpr int kRatedBufferBytes = 256 << 10;  // so that the rate is felt, not the kernel's buffers
constexpr Nanoseconds kForever = 3'600'000'000'000;

Nanoseconds now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * Nanoseconds{1'000'000'000} + now.tv_nsec;
}

struct Connection {
  Connection(base::UniqueFd near, base::UniqueFd far, Cable& up, Cable& down)
      : client(std::move(near)),
        server(std::move(far)),
        out(client.get(), server.get(), up),
        back(server.get(), client.get(), down) {}
  bool move(Nanoseconds now) {
    for (Pipe* pipe : {&out, &back})
      if (!pipe->fill(now) || !pipe->drain(now)) return false;
    return !(out.done() && back.done());
  }

  base::UniqueFd client, server;
  Pipe out, back;
};

class Proxy {
 public:
  Proxy(base::UniqueFd listener, std::string target, const Shape& shape)
      : listener_(std::move(listener)),
        target_(std::move(target)),
        rated_(shape.bytes_per_second > 0),
        up_(shape),
        down_(shape) {}

  void run() {
    while (wait()) {
      if ((polled_[1].revents & POLLIN) != 0) accept_one();
      const Nanoseconds now = now_ns();
      connections_.remove_if([&](Connection& connection) { return !connection.move(now); });
      if (!connections_.empty())  // whoever was first is last next time
        connections_.splice(connections_.end(), connections_, connections_.begin());
    }
  }

 private:
  void accept_one();
  void watch(const Pipe& pipe, Nanoseconds now);
  bool wait();  // until something can be done; false when standard input has ended

  base::UniqueFd listener_;
  std::string target_;
  bool rated_;
  Cable up_, down_;
  std::list<Connection> connections_;
  std::vector<pollfd> polled_;
  Nanoseconds sleep_ns_ = 0;
};

void Proxy::accept_one() {
  base::UniqueFd near = accept_from(listener_.get());
  if (connections_.size() >= kMaxConnections) return;
  base::UniqueFd far = connect_to(target_);
  for (const int fd : {near.get(), far.get()}) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!rated_) continue;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kRatedBufferBytes, sizeof kRatedBufferBytes);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kRatedBufferBytes, sizeof kRatedBufferBytes);
  }
  connections_.emplace_back(std::move(near), std::move(far), up_, down_);
}

void Proxy::watch(const Pipe& pipe, Nanoseconds now) {
  if (pipe.wants_in()) {
    if (pipe.opens_at() <= now) {
      polled_.push_back({pipe.from(), POLLIN, 0});
    } else {
      sleep_ns_ = std::min(sleep_ns_, pipe.opens_at() - now);
    }
  }
  if (pipe.wants_out()) {
    polled_.push_back({pipe.to(), POLLOUT, 0});
  } else if (pipe.due_at() >= 0) {
    sleep_ns_ = std::min(sleep_ns_, std::max<Nanoseconds>(pipe.due_at() - now, 0));
  }
}

bool Proxy::wait() {
  polled_.assign({{STDIN_FILENO, POLLIN, 0}, {listener_.get(), POLLIN, 0}});
  sleep_ns_ = kForever;
  const Nanoseconds now = now_ns();
  for (const Connection& connection : connections_) {
    watch(connection.out, now);
    watch(connection.back, now);
  }
  const timespec timeout{sleep_ns_ / 1'000'000'000, sleep_ns_ % 1'000'000'000};
  if (::ppoll(polled_.data(), polled_.size(), &timeout, nullptr) < 0 && errno != EINTR)
    fail("ppoll");
  for (Connection& connection : connections_)
    for (Pipe* pipe : {&connection.out, &connection.back})
      pipe->unblock();
  char byte = 0;
  return polled_[0].revents == 0 || ::read(STDIN_FILENO, &byte, 1) > 0;
}

}  // namespace
}  // namespace longwire::bench

int main(int argc, char** argv) {
  using namespace longwire::bench;
  CLI::App app("A longer, narrower wire on loopback; ends with its standard input");
  std::string listen = "127.0.0.1:0", to;
  double rtt_ms = 0, mbit = 0;
  app.add_option("--listen", listen, "where to listen")->capture_default_str();
  app.add_option("--to", to, "where to forward to")->type_name("HOST:PORT")->required();
  app.add_option("--rtt-ms", rtt_ms, "round trip; half of it each way")
      ->check(CLI::Range(0.0, 10'000.0));
  app.add_option("--mbit", mbit, "million bits per second in each direction; 0: no limit")
      ->check(CLI::Range(0.0, 1e6));
  CLI11_PARSE(app, argc, argv);

  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns: the delay is to be exact
  longwire::base::UniqueFd listener = listen_on(listen);
  std::printf("%s\n", address_of(listener.get(), listen).c_str());
  std::fflush(stdout);
  Proxy(std::move(listener), to, {static_cast<Nanoseconds>(rtt_ms * 1e6 / 2), mbit * 1e6 / 8})
      .run();
  return 0;
}
