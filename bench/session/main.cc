// longwire_bench_session: what session and link cost above the bare socket, on loopback TCP, in one
// run: ping-pong of 64 bytes (a frame with 40 bytes of payload), one-way frames, bulk data over two
// lanes; in the clear and under TLS. Compare the lines with each other, not with another day's.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "link/tcp/tcp.h"
#include "link/tls/testing.h"
#include "session/bulk.h"
#include "session/pump.h"
#include "session/testing.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;

// How much is measured; with --smoke only enough to see that it works.
struct Amount {
  int rounds = 20'000;
  std::uint64_t frames = 500'000;
  std::vector<std::size_t> transfers_kib = {64, 1024, 16384, 262144};
};
const Amount kSmoke = {20, 100, {64}};
constexpr std::size_t kPingBytes = 64;
constexpr std::size_t kPayloadBytes = kPingBytes - wire::kFrameHeaderBytes;
constexpr std::size_t kLanes = 2;

const base::Clock& the_clock() { return base::monotonic_clock(); }

using LinkPair = std::pair<std::unique_ptr<link::Link>, std::unique_ptr<link::Link>>;

std::pair<base::UniqueFd, base::UniqueFd> connected_sockets() {
  auto listener = link::TcpListener::listen({"127.0.0.1", 0}).value();
  auto client = link::connect_tcp({"127.0.0.1", listener.port()}, Deadline::never()).value();
  auto server = listener.accept(Deadline::never()).value();
  return {std::move(client), std::move(server)};
}

LinkPair connected_links(bool tls) {
  auto [client, server] = connected_sockets();
  LinkPair links{link::make_tcp_link(std::move(client)).value(),
                 link::make_tcp_link(std::move(server)).value()};
  if (!tls) return links;
  return link::testing::make_tls_pair(std::move(links), link::testing::TlsKind::kPreSharedKey);
}

void print_latency(const char* what, std::vector<double> us) {
  std::ranges::sort(us);
  std::printf("%-32s median %7.2f us   p99 %8.2f us\n", what, us[us.size() / 2],
              us[us.size() * 99 / 100]);
}

template <class Once>
std::vector<double> time_rounds(int rounds, const Once& once) {
  std::vector<double> us;
  us.reserve(static_cast<std::size_t>(rounds));
  for (int i = 0; i < rounds; ++i) {
    const auto start = the_clock().now_ns();
    once();
    us.push_back(static_cast<double>(the_clock().now_ns() - start) / 1e3);
  }
  return us;
}

// Blocking calls: the least that two processes can do.
void bench_raw_socket(const Amount& amount) {
  auto [client, server] = connected_sockets();
  char ball[kPingBytes] = {};
  const auto hit = [](int fd, char* data) {
    return ::send(fd, data, kPingBytes, MSG_NOSIGNAL) == kPingBytes;
  };
  for (const int fd : {client.get(), server.get()}) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  }
  std::thread echo([&, fd = server.get()] {
    char data[kPingBytes];
    while (::recv(fd, data, kPingBytes, MSG_WAITALL) == kPingBytes && hit(fd, data)) {
    }
  });
  print_latency("raw socket ping-pong", time_rounds(amount.rounds, [&, fd = client.get()] {
                  hit(fd, ball);
                  ::recv(fd, ball, kPingBytes, MSG_WAITALL);
                }));
  ::shutdown(client.get(), SHUT_RDWR);
  echo.join();
}

Status send_number(Stream& stream, std::uint64_t number) {
  auto draft = stream.begin(testing::kTestOpcode, kPayloadBytes);
  if (!draft.ok()) return draft.error();
  draft->writer().u64(number);
  draft->commit();
  return {};
}

// A client with its pump, and an echo in a thread.
struct Session {
  explicit Session(bool tls) {
    auto links = connected_links(tls);
    (void)client.attach(std::move(links.first), 0);
    (void)server.attach(std::move(links.second), 0);
    client_sink.set([this](const Frame& frame) {
      echoed = testing::u64_of(frame);
      return Status();
    });
    server_sink.set(
        [this](const Frame& frame) { return send_number(server, testing::u64_of(frame)); });
    pump.start_background();
    echo = std::thread([this] {
      while (server.pump(Deadline::never()).ok()) {
      }
    });
  }
  ~Session() {
    client.shut_down(Error(ErrorCode::kClosed, "over"));
    echo.join();
  }
  void wait_for(std::uint64_t number) {
    (void)pump.wait_until([&] { return echoed == number; }, Deadline::never());
  }

  testing::FunctionSink client_sink, server_sink;
  Stream client{the_clock(), {}, client_sink};
  Stream server{the_clock(), {}, server_sink};
  Pump pump{client, the_clock()};
  std::atomic<std::uint64_t> echoed{0};
  std::thread echo;
};

void bench_stream(const Amount& amount, bool tls) {
  Session session(tls);
  std::uint64_t number = 0;
  const std::string name = tls ? "stream over TLS ping-pong" : "stream ping-pong";
  print_latency(name.c_str(), time_rounds(amount.rounds, [&] {
                  (void)send_number(session.client, ++number);
                  session.wait_for(number);
                }));
  const auto start = the_clock().now_ns();
  for (std::uint64_t i = 0; i < amount.frames; ++i) {
    (void)send_number(session.client, ++number);
    session.pump.flush_soon();
  }
  const auto queued = the_clock().now_ns() - start;
  session.wait_for(number);
  const auto echoed = the_clock().now_ns() - start;
  std::printf("%-32s %8.0f ns to queue a frame, %.2f M frames echoed per second\n",
              tls ? "  one-way frames, TLS" : "  one-way frames",
              static_cast<double>(queued) / static_cast<double>(amount.frames),
              static_cast<double>(amount.frames) * 1e3 / static_cast<double>(echoed));
}

class MemorySink final : public BulkSink {
 public:
  explicit MemorySink(std::size_t bytes) : memory_(bytes) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    return std::span(memory_).subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t, bool complete) override { complete_ = complete; }
  void aborted(const Error&) override { complete_ = true; }
  void wait() {
    while (!complete_.exchange(false))
      std::this_thread::yield();
  }

 private:
  std::vector<std::byte> memory_;
  std::atomic<bool> complete_{false};
};

void bench_lanes(const Amount& amount, bool tls) {
  Session session(tls);
  BulkPort from(the_clock(), session.client);
  BulkPort to(the_clock(), session.server);
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    auto links = connected_links(tls);
    (void)from.add_lane(std::move(links.first), lane);
    (void)to.add_lane(std::move(links.second), lane);
  }
  TransferId id = 0;
  for (const std::size_t kib : amount.transfers_kib) {
    const std::vector<std::byte> data(kib << 10);
    const auto sink = std::make_shared<MemorySink>(data.size());
    std::vector<double> seconds;
    for (int round = 0; round < 8; ++round) {
      std::atomic<bool> sent{false};
      const auto start = the_clock().now_ns();
      to.expect(++id, data.size(), sink);
      from.send(id, 0, data, [&](const Status&) { sent = true; });
      sink->wait();
      seconds.push_back(static_cast<double>(the_clock().now_ns() - start) / 1e9);
      while (!sent)
        std::this_thread::yield();
    }
    std::ranges::sort(seconds);
    std::printf("%-22s %6zu KiB median %7.0f MB/s\n", tls ? "two lanes, TLS" : "two lanes", kib,
                static_cast<double>(data.size()) / 1e6 / seconds[seconds.size() / 2]);
  }
}

}  // namespace
}  // namespace longwire::session

int main(int argc, char** argv) {
  using namespace longwire::session;
  const Amount amount = argc > 1 && std::string_view(argv[1]) == "--smoke" ? kSmoke : Amount();
  bench_raw_socket(amount);
  for (const bool tls : {false, true})
    bench_stream(amount, tls);
  for (const bool tls : {false, true})
    bench_lanes(amount, tls);
  return 0;
}
