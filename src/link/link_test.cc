// One body of tests over every link that two threads can use. The simulator's link has its own
// tests (it wants one thread).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "link/inproc/inproc.h"
#include "link/tcp/tcp.h"
#include "link/tls/testing.h"
#include "link/unix/unix.h"

namespace longwire::link {
namespace {

using base::Deadline;
using base::ErrorCode;
using base::kMillisecond;
using base::kSecond;

constexpr Interest kToRead{.readable = true, .writable = false};
constexpr Interest kToWrite{.readable = false, .writable = true};

using LinkPair = std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>>;

Deadline soon(base::Nanoseconds ns = 10 * kSecond) {
  return Deadline::in(base::monotonic_clock(), ns);
}

LinkPair make_unix_pair() {
  auto sockets = unix_socket_pair().value();
  return {make_unix_link(std::move(sockets.first)).value(),
          make_unix_link(std::move(sockets.second)).value()};
}

LinkPair make_tcp_pair() {
  auto listener = TcpListener::listen({"127.0.0.1", 0}).value();
  auto client = connect_tcp({"127.0.0.1", listener.port()}, soon()).value();
  auto server = listener.accept(soon()).value();
  return {make_tcp_link(std::move(client)).value(), make_tcp_link(std::move(server)).value()};
}

LinkPair make_small_inproc_pair() { return make_inproc_pair(4096); }
LinkPair make_default_inproc_pair() { return make_inproc_pair(); }

LinkPair make_tls_cert_pair() {
  return testing::make_tls_pair(make_tcp_pair(), testing::TlsKind::kCertificates);
}
LinkPair make_tls_psk_pair() {
  return testing::make_tls_pair(make_tcp_pair(), testing::TlsKind::kPreSharedKey);
}
LinkPair make_tls_over_inproc_pair() {
  return testing::make_tls_pair(make_inproc_pair(8192), testing::TlsKind::kPreSharedKey);
}

struct Kind {
  const char* name;
  LinkPair (*make)();
};

class LinkTest : public ::testing::TestWithParam<Kind> {
 protected:
  LinkTest() : pair_(GetParam().make()), a_(*pair_.first), b_(*pair_.second) {}
  LinkPair pair_;
  Link& a_;
  Link& b_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Writes everything; false when the link failed.
bool write_all(Link& link, ConstBuffer data) {
  while (!data.empty()) {
    const auto n = link.write_some({&data, 1});
    if (!n.ok()) return false;
    data = data.subspan(*n);
    if (*n == 0 && !link.wait(kToWrite, soon()).ok()) return false;
  }
  return true;
}

bool read_all(Link& link, std::span<std::byte> out) {
  while (!out.empty()) {
    const auto n = link.read_some(out);
    if (!n.ok()) return false;
    out = out.subspan(*n);
    if (*n == 0) {
      const auto ready = link.wait(kToRead, soon());
      if (!ready.ok() || ready->timed_out()) return false;
    }
  }
  return true;
}

std::string read_text(Link& link, std::size_t size) {
  std::string text(size, '?');
  EXPECT_TRUE(read_all(link, std::as_writable_bytes(std::span(text))));
  return text;
}

// What the link took but could not yet send (TLS) goes out while somebody waits.
void wait_until(Link& link, const std::atomic<bool>& over) {
  while (!over)
    EXPECT_TRUE(link.wait({}, soon(kMillisecond)).ok());
}

TEST_P(LinkTest, CarriesBytesBothWays) {
  ASSERT_TRUE(write_all(a_, bytes_of("hello")));
  EXPECT_EQ(read_text(b_, 5), "hello");
  ASSERT_TRUE(write_all(b_, bytes_of("world")));
  EXPECT_EQ(read_text(a_, 5), "world");
}

TEST_P(LinkTest, ReadingNothingIsNoError) {
  std::byte out[8];
  EXPECT_EQ(a_.read_some(out).value(), 0u);
}

TEST_P(LinkTest, WritesPartsInOrder) {
  const ConstBuffer parts[] = {bytes_of("one "), {}, bytes_of("two "), bytes_of("three")};
  EXPECT_EQ(a_.write_some(parts).value(), 13u);
  EXPECT_EQ(read_text(b_, 13), "one two three");
}

TEST_P(LinkTest, WaitTimesOut) {
  const auto before = base::monotonic_clock().now_ns();
  EXPECT_TRUE(a_.wait(kToRead, soon(5 * kMillisecond)).value().timed_out());
  EXPECT_GE(base::monotonic_clock().now_ns() - before, 5 * kMillisecond);
}

TEST_P(LinkTest, WritableAtOnce) { EXPECT_TRUE(a_.wait(kToWrite, soon()).value().writable); }

TEST_P(LinkTest, WakeBeforeWaitIsNotLost) {
  a_.wake();
  a_.wake();
  EXPECT_TRUE(a_.wait(kToRead, soon()).value().woken);
  EXPECT_TRUE(a_.wait(kToRead, soon(kMillisecond)).value().timed_out());
}

TEST_P(LinkTest, WakeEndsAWaitUnderWay) {
  std::thread waker([&] { a_.wake(); });
  EXPECT_TRUE(a_.wait(kToRead, soon()).value().woken);
  waker.join();
}

TEST_P(LinkTest, DataEndsAWaitUnderWay) {
  std::thread writer([&] { EXPECT_TRUE(write_all(b_, bytes_of("x"))); });
  EXPECT_EQ(read_text(a_, 1), "x");
  writer.join();
}

TEST_P(LinkTest, FullMeansZeroAndThenWritableAgain) {
  const std::vector<std::byte> block(64 << 10, std::byte{7});
  const ConstBuffer part = block;
  std::size_t written = 0;
  for (;;) {
    const auto n = a_.write_some({&part, 1});
    ASSERT_TRUE(n.ok());
    if (*n == 0) break;
    written += *n;
    ASSERT_LT(written, std::size_t{64} << 20) << "no bound on what is under way";
  }
  std::thread reader([&] {
    std::vector<std::byte> in(written);
    EXPECT_TRUE(read_all(b_, in));
  });
  const auto ready = a_.wait(kToWrite, soon());
  EXPECT_TRUE(ready.ok() && ready->writable);
  std::atomic<bool> read{false};
  std::thread helper([&] { wait_until(a_, read); });
  reader.join();
  read = true;
  helper.join();
}

TEST_P(LinkTest, ManyMegabytesBothWaysAtOnce) {
  constexpr std::size_t kBytes = std::size_t{3} << 20;
  base::SeededRandom random(1);
  std::vector<std::byte> to_b(kBytes), to_a(kBytes), at_a(kBytes), at_b(kBytes);
  random.fill(to_b);
  random.fill(to_a);
  std::atomic<bool> a_read{false};
  std::atomic<bool> b_read{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_TRUE(write_all(a_, to_b)); });
  threads.emplace_back([&] { EXPECT_TRUE(write_all(b_, to_a)); });
  threads.emplace_back([&] {
    EXPECT_TRUE(read_all(a_, at_a));
    a_read = true;
    wait_until(a_, b_read);
  });
  threads.emplace_back([&] {
    EXPECT_TRUE(read_all(b_, at_b));
    b_read = true;
    wait_until(b_, a_read);
  });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(to_b, at_b);
  EXPECT_EQ(to_a, at_a);
}

TEST_P(LinkTest, CloseIsSeenByThePeerAfterTheData) {
  ASSERT_TRUE(write_all(a_, bytes_of("last")));
  a_.close();
  EXPECT_EQ(read_text(b_, 4), "last");
  std::byte out[8];
  ASSERT_TRUE(b_.wait(kToRead, soon()).value().readable);
  const auto n = b_.read_some(out);
  ASSERT_FALSE(n.ok());
  EXPECT_EQ(n.error().code(), ErrorCode::kClosed);
}

TEST_P(LinkTest, CloseEndsAWaitUnderWayAndLaterCallsFail) {
  std::thread closer([&] { a_.close(); });
  EXPECT_FALSE(a_.wait(kToRead, soon()).value().timed_out());
  closer.join();
  std::byte out[8];
  EXPECT_EQ(a_.read_some(out).error().code(), ErrorCode::kClosed);
  const ConstBuffer part = bytes_of("x");
  EXPECT_EQ(a_.write_some({&part, 1}).error().code(), ErrorCode::kClosed);
}

TEST_P(LinkTest, WritingToAGonePeerFailsWithoutASignal) {
  pair_.second.reset();
  const std::vector<std::byte> block(4096);
  const ConstBuffer part = block;
  for (int i = 0; i < 100; ++i) {
    const auto n = a_.write_some({&part, 1});
    if (!n.ok()) return;  // and no SIGPIPE has killed the test
    ASSERT_TRUE(a_.wait(kToRead, soon(10 * kMillisecond)).ok());
  }
  FAIL() << "the end of the peer was never noticed";
}

TEST_P(LinkTest, DescribesItself) {
  EXPECT_FALSE(a_.info().kind.empty());
  EXPECT_FALSE(a_.info().peer_address.empty());
  EXPECT_EQ(a_.info().encrypted, std::string_view(GetParam().name).starts_with("Tls"));
}

INSTANTIATE_TEST_SUITE_P(Links, LinkTest,
                         ::testing::Values(Kind{"Inproc", make_default_inproc_pair},
                                           Kind{"SmallInproc", make_small_inproc_pair},
                                           Kind{"Unix", make_unix_pair}, Kind{"Tcp", make_tcp_pair},
                                           Kind{"TlsCertificates", make_tls_cert_pair},
                                           Kind{"TlsPreSharedKey", make_tls_psk_pair},
                                           Kind{"TlsOverInproc", make_tls_over_inproc_pair}),
                         [](const auto& info) { return std::string(info.param.name); });

// --- addresses, listeners ---

// With TLS the bytes are those of the network, so more than were given.
TEST_P(LinkTest, CountsItsSystemCallsAndBytes) {
  const auto sent = a_.counters();
  const auto got = b_.counters();
  if (sent == nullptr) return;  // no system calls to count
  const std::uint64_t writes = sent->writes, bytes_out = sent->bytes_out;
  const std::uint64_t reads = got->reads, bytes_in = got->bytes_in;
  ASSERT_TRUE(write_all(a_, bytes_of("hello")));
  EXPECT_EQ(read_text(b_, 5), "hello");
  EXPECT_EQ(sent->writes, writes + 1);
  EXPECT_GE(sent->bytes_out, bytes_out + 5);
  EXPECT_GT(got->reads, reads);
  EXPECT_GE(got->bytes_in, bytes_in + 5);
  pair_ = {};
  EXPECT_GT(sent->writes, writes) << "outlives the link";
}

TEST(HostPort, Parses) {
  EXPECT_EQ(to_string(parse_host_port("gpu-box", 9477).value()), "gpu-box:9477");
  EXPECT_EQ(to_string(parse_host_port("10.0.0.1:80", 9477).value()), "10.0.0.1:80");
  EXPECT_EQ(to_string(parse_host_port("[fe80::1]:80", 9477).value()), "[fe80::1]:80");
  EXPECT_EQ(to_string(parse_host_port("[::1]", 9477).value()), "[::1]:9477");
  EXPECT_EQ(to_string(parse_host_port("::1", 9477).value()), "[::1]:9477");
  for (const char* bad :
       {"", ":80", "host:", "host:0", "host:65536", "host:8x", "[::1", "[::1]80"}) {
    EXPECT_EQ(parse_host_port(bad, 1).error().code(), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(Tcp, NobodyListens) {
  const std::uint16_t port = TcpListener::listen({"127.0.0.1", 0}).value().port();
  const auto refused = connect_tcp({"127.0.0.1", port}, soon());
  EXPECT_EQ(refused.error().code(), ErrorCode::kClosed);
}

TEST(Tcp, NoSuchHost) {
  EXPECT_EQ(connect_tcp({"no-such-host.invalid", 1}, soon()).error().code(), ErrorCode::kNotFound);
}

TEST(Tcp, AcceptTimesOut) {
  auto listener = TcpListener::listen({"127.0.0.1", 0}).value();
  EXPECT_EQ(listener.accept(soon(kMillisecond)).error().code(), ErrorCode::kTimeout);
}

TEST(Unix, ListenerReplacesAStaleSocketButNotALiveOne) {
  const std::string path = ::testing::TempDir() + "lw-link-test-" + std::to_string(::getpid());
  {
    // A socket file whose owner is gone.
    auto stale = UnixListener::listen(path).value();
    ASSERT_EQ(::link(path.c_str(), (path + ".kept").c_str()), 0);
  }
  ASSERT_EQ(::rename((path + ".kept").c_str(), path.c_str()), 0);
  auto listener = UnixListener::listen(path);
  ASSERT_TRUE(listener.ok()) << listener.error().to_string();
  EXPECT_FALSE(UnixListener::listen(path).ok());

  auto client = connect_unix(path, soon());
  ASSERT_TRUE(client.ok()) << client.error().to_string();
  auto server = listener->accept(soon());
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(peer_user(server->get()).value(), ::getuid());
}

std::set<int> open_descriptors() {
  std::set<int> open;
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  return open;
}

// As a program that closes every descriptor that it does not know.
std::set<int> close_all_but(const std::set<int>& known) {
  std::set<int> closed;
  for (const int fd : open_descriptors())
    if (known.count(fd) == 0 && ::close(fd) == 0) closed.insert(fd);
  return closed;
}

TEST(Unix, DescriptorsAreOutOfTheWayAndClosingThemLosesTheLink) {
  const auto before = open_descriptors();
  const LinkPair pair = make_unix_pair();
  const auto closed = close_all_but(before);
  EXPECT_EQ(closed.size(), 4U);
  EXPECT_GE(*closed.begin(), 256);
  EXPECT_EQ(pair.first->wait(kToRead, soon()).error().code(), ErrorCode::kLinkLost);
  EXPECT_EQ(pair.first->write_some(std::array{bytes_of("lost")}).error().code(),
            ErrorCode::kLinkLost);
  EXPECT_EQ(open_descriptors(), before);
}

// The thread that waits has the old files in hand, and nothing wakes it.
TEST(Unix, WhoWaitsOnDescriptorsThatAreClosedLooksAgain) {
  const auto before = open_descriptors();
  const LinkPair pair = make_unix_pair();
  base::Result<Readiness> found = Readiness{};
  std::thread waiter([&] { found = pair.first->wait(kToRead, Deadline::never()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // it may also come too late
  close_all_but(before);
  pair.first->close();
  waiter.join();
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), ErrorCode::kLinkLost);
}

TEST(Unix, ALinkClosesNothingThatTookTheNumbersItHad) {
  const auto before = open_descriptors();
  LinkPair lost = make_unix_pair();
  const auto closed = close_all_but(before);
  for (const int fd : closed)
    ASSERT_EQ(::dup2(STDERR_FILENO, fd), fd);
  lost = {};
  for (const int fd : closed)
    EXPECT_EQ(::close(fd), 0) << fd;
}

TEST(Unix, AnotherLinkHasOtherNumbersThanOneThatWasClosed) {
  const auto before = open_descriptors();
  const LinkPair lost = make_unix_pair();
  const auto closed = close_all_but(before);
  const LinkPair next = make_unix_pair();
  for (const int fd : open_descriptors())
    EXPECT_EQ(closed.count(fd), 0U) << fd;
}

TEST(Unix, PathTooLong) {
  EXPECT_EQ(connect_unix(std::string(200, 'x'), soon()).error().code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace longwire::link
