// longwire_bench_socket: what a socket itself can do between two processes: ping-pong of 64 bytes;
// N bytes and one byte of acknowledgement, in each direction; several times N in flight. JSON.
//
//   longwire_bench_socket serve --listen 127.0.0.1:0     prints its address; ends with its input
//   longwire_bench_socket measure 127.0.0.1:40123
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "figures/sizes.h"
#include "net/sockets.h"

namespace longwire::bench {
namespace {

constexpr std::size_t kPingBytes = 64;
constexpr int kMostRounds = 5000;
constexpr int kWarmUpRounds = 2;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

// What the measuring side asks for: `rounds` times, `out` bytes to the server, `back` from it.
struct Request {
  std::uint64_t out = 0, back = 0, rounds = 0;
};

double now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// --- the serving side ---

bool answer(int fd, const Request& request) {
  std::vector<char> data(std::max(request.out, request.back), 1);
  for (std::uint64_t i = 0; i < request.rounds; ++i)
    if (!receive_all(fd, data.data(), request.out) || !send_all(fd, data.data(), request.back))
      return false;
  return true;
}

void serve_one(int fd) {
  Request request;
  while (receive_all(fd, reinterpret_cast<char*>(&request), sizeof request))
    if (std::max(request.out, request.back) > kMostBytes || !answer(fd, request)) return;
}

void serve(const std::string& address) {
  const base::UniqueFd listener = listen_on(address);
  std::printf("%s\n", address_of(listener.get(), address).c_str());
  std::fflush(stdout);
  for (;;) {
    pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {listener.get(), POLLIN, 0}};
    if (::poll(polled, 2, -1) < 0 || polled[0].revents != 0) return;
    serve_one(accept_from(listener.get()).get());
  }
}

// --- the measuring side ---

class Measurement {
 public:
  Measurement(const std::string& address, const Effort& effort)
      : fd_(connect_to(address)), effort_(effort) {}

  // Median and 99th percentile of sending `out` bytes and getting `back`, in microseconds.
  nlohmann::json exchange(std::size_t out, std::size_t back) {
    data_.resize(std::max({out, back, data_.size()}), 1);
    const std::vector<double> first = times(out, back, kWarmUpRounds);
    const double once_us = *std::min_element(first.begin(), first.end());
    const int rounds = static_cast<int>(
        std::clamp(effort_.seconds * 1e6 / once_us, effort_.least_runs, double{kMostRounds}));
    std::vector<double> all = times(out, back, rounds);
    std::sort(all.begin(), all.end());
    return {{"median", all[(all.size() - 1) / 2]},
            {"p99", all[(all.size() - 1) * 99 / 100]},
            {"runs", all.size()}};
  }

 private:
  std::vector<double> times(std::size_t out, std::size_t back, int rounds) {
    const Request request{out, back, static_cast<std::uint64_t>(rounds)};
    if (!send_all(fd_.get(), reinterpret_cast<const char*>(&request), sizeof request)) fail("send");
    std::vector<double> result;
    for (int i = 0; i < rounds; ++i) {
      const double start = now_us();
      if (!send_all(fd_.get(), data_.data(), out) || !receive_all(fd_.get(), data_.data(), back))
        fail("exchange");
      result.push_back(now_us() - start);
    }
    return result;
  }

  base::UniqueFd fd_;
  Effort effort_;
  std::vector<char> data_;
};

nlohmann::json measure(const std::string& address, const Effort& effort, bool transfers) {
  Measurement socket(address, effort);
  nlohmann::json figures = {{"ping_pong", socket.exchange(kPingBytes, kPingBytes)}};
  if (!transfers) return figures;
  for (const Size& size : kSizes) {
    if (size.bytes > effort.largest_bytes) break;
    const std::size_t many = size.bytes * in_flight(size.bytes);
    figures["write"][size.name] = socket.exchange(size.bytes, 1);
    figures["read"][size.name] = socket.exchange(1, size.bytes);
    figures["write, pipelined"][size.name] = socket.exchange(many, 1);
    figures["read, pipelined"][size.name] = socket.exchange(1, many);
  }
  return figures;
}

}  // namespace
}  // namespace longwire::bench

int main(int argc, char** argv) {
  using namespace longwire::bench;
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app("What the raw socket can do");
  std::string address = "127.0.0.1:0";
  Effort effort;
  bool transfers = false;
  CLI::App* server = app.add_subcommand("serve", "Answer measurements until standard input ends");
  server->add_option("--listen", address, "HOST:PORT or unix:/path")->capture_default_str();
  CLI::App* client = app.add_subcommand("measure", "Microseconds of each exchange, as JSON");
  client->add_option("address", address, "of the serving side")->required();
  client->add_flag("--transfers", transfers, "not only the ping-pong");
  add_effort_options(*client, effort);
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);

  if (server->parsed()) {
    serve(address);
  } else {
    std::printf("%s\n", measure(address, effort, transfers).dump(2).c_str());
  }
  return 0;
}
