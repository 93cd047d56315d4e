// longwire_bench_wire: two network namespaces and a wire of a given length, width and quality
// between them, so that the kernels' own TCP is what is measured: slow start, windows, recovery.
// (longwire_bench_proxy ends each connection itself; here packets travel.) Needs root.
//
//   longwire_bench_wire --rtt-ms 20 --mbit 100 --loss-percent 0.1
//     --far "longwired --no-tls --plain 10.77.0.2:9477 --no-unix --state /tmp/node" --
//     longwire run --node tcp:10.77.0.2:9477 -- longwire_bench_figures transfers
//
// The near command runs as 10.77.0.1, the far one (a shell's) as 10.77.0.2; the near one's end ends
// both, and its status is ours.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "net/sockets.h"

namespace longwire::bench {
namespace {

using Nanoseconds = std::int64_t;
using base::UniqueFd;

constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr std::size_t kPacketBytes = 1500;
constexpr std::uint64_t kSeed = 1;  // the same packets are lost in each run

Nanoseconds now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

struct Shape {
  Nanoseconds delay_ns = 0;     // one way
  double bytes_per_second = 0;  // 0: no limit
  double loss = 0;              // of a packet, 0..1
  Nanoseconds queue_ns = 0;     // longest wait for the wire; who comes later is dropped
};

// One direction of the wire.
class Direction {
 public:
  Direction(int from, int to, const Shape& shape) : from_(from), to_(to), shape_(shape) {}

  int from() const { return from_; }
  Nanoseconds due_at() const { return on_the_way_.empty() ? -1 : on_the_way_.front().due_at; }

  void take_in() {
    std::array<char, kPacketBytes> bytes;
    for (;;) {
      const ssize_t n = ::read(from_, bytes.data(), bytes.size());
      if (n <= 0) return;
      const Nanoseconds now = now_ns();
      const Nanoseconds start = std::max(now, free_at_);
      if (lost_(random_) < shape_.loss || start - now > shape_.queue_ns) continue;
      const double seconds =
          shape_.bytes_per_second > 0 ? static_cast<double>(n) / shape_.bytes_per_second : 0;
      free_at_ = start + static_cast<Nanoseconds>(seconds * static_cast<double>(kSecond));
      on_the_way_.push_back({free_at_ + shape_.delay_ns, std::string(bytes.data(), n)});
    }
  }

  void give_out() {
    const Nanoseconds now = now_ns();
    for (; !on_the_way_.empty() && on_the_way_.front().due_at <= now; on_the_way_.pop_front()) {
      const std::string& packet = on_the_way_.front().bytes;
      // A full receiver drops, as on any wire.
      [[maybe_unused]] const ssize_t n = ::write(to_, packet.data(), packet.size());
    }
  }

 private:
  struct Packet {
    Nanoseconds due_at;
    std::string bytes;
  };
  int from_, to_;
  Shape shape_;
  Nanoseconds free_at_ = 0;
  std::deque<Packet> on_the_way_;
  std::mt19937_64 random_{kSeed};
  std::uniform_real_distribution<double> lost_{0, 1};
};

void configure(int socket, const char* name, const char* address, int flags) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (address != nullptr) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    ::inet_pton(AF_INET, address, &in.sin_addr);
    std::memcpy(&request.ifr_addr, &in, sizeof in);
    if (::ioctl(socket, SIOCSIFADDR, &request) != 0) fail("set the address");
    ::inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
    std::memcpy(&request.ifr_netmask, &in, sizeof in);
    if (::ioctl(socket, SIOCSIFNETMASK, &request) != 0) fail("set the netmask");
  }
  request.ifr_flags = static_cast<short>(flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) fail("bring the interface up");
}

// Moves this process into a network of its own, with one end of the wire in it.
UniqueFd enter_new_network(const char* address) {
  if (::unshare(CLONE_NEWNET) != 0) fail("unshare the network (are you root?)");
  UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tun.valid()) fail("open /dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, "wire", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) fail("make the interface");
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  configure(socket.get(), "wire", address, 0);
  configure(socket.get(), "lo", nullptr, IFF_LOOPBACK);
  return tun;
}

// A child in the network of this moment, in a process group of its own; it dies with us.
pid_t start(const std::vector<std::string>& command) {
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child > 0) return child;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> argv;
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  std::perror(argv[0]);
  ::_exit(127);
}

// Carries packets until the near command has ended; its status.
int carry(Direction& out, Direction& back, pid_t near) {
  for (int status = 0;;) {
    if (::waitpid(near, &status, WNOHANG) == near) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    Nanoseconds sleep = kSecond / 10;
    for (const Direction* d : {&out, &back})
      if (d->due_at() >= 0)
        sleep = std::min(sleep, std::max<Nanoseconds>(d->due_at() - now_ns(), 0));
    std::array<pollfd, 2> polled = {{{out.from(), POLLIN, 0}, {back.from(), POLLIN, 0}}};
    const timespec timeout{0, static_cast<long>(sleep)};
    if (::ppoll(polled.data(), polled.size(), &timeout, nullptr) < 0 && errno != EINTR)
      fail("ppoll");
    for (Direction* d : {&out, &back}) {
      d->take_in();
      d->give_out();
    }
  }
}

}  // namespace
}  // namespace longwire::bench

int main(int argc, char** argv) {
  using namespace longwire::bench;
  CLI::App app("A longer, narrower, worse wire between two network namespaces");
  double rtt_ms = 0, mbit = 0, loss_percent = 0, queue_ms = 50;
  std::string far_command;
  std::vector<std::string> near_command;
  app.add_option("--rtt-ms", rtt_ms, "round trip; half of it each way")->check(CLI::Range(0., 1e4));
  app.add_option("--mbit", mbit, "million bits per second each way; 0: no limit")
      ->check(CLI::Range(0., 1e6));
  app.add_option("--loss-percent", loss_percent, "packets lost")->check(CLI::Range(0., 100.));
  app.add_option("--queue-ms", queue_ms, "longest queue before the wire")->capture_default_str();
  app.add_option("--far", far_command, "what runs at the far end, for a shell")->required();
  app.add_option("command", near_command, "what runs at the near end")->required();
  app.prefix_command();
  CLI11_PARSE(app, argc, argv);
  if (near_command.empty()) near_command = app.remaining();

  ::prctl(PR_SET_TIMERSLACK, 1);  // ns: the delay is to be exact
  const Shape shape{static_cast<Nanoseconds>(rtt_ms * 1e6 / 2), mbit * 1e6 / 8, loss_percent / 100,
                    static_cast<Nanoseconds>(queue_ms * 1e6)};
  const longwire::base::UniqueFd far_end = enter_new_network("10.77.0.2");
  const pid_t far = start({"/bin/sh", "-c", "exec " + far_command});
  const longwire::base::UniqueFd near_end = enter_new_network("10.77.0.1");
  const pid_t near = start(near_command);
  Direction out(near_end.get(), far_end.get(), shape);
  Direction back(far_end.get(), near_end.get(), shape);
  const int status = carry(out, back, near);
  ::kill(-far, SIGTERM);
  ::waitpid(far, nullptr, 0);
  return status;
}
