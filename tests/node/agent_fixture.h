// An agent with workers that behave as told (fake_worker.cc), and clients to knock at it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "link/tcp/tcp.h"
#include "link/tls/tls_link.h"
#include "link/unix/unix.h"
#include "node/agent.h"

namespace longwire::node {

using base::Deadline;
using base::ErrorCode;
using session::Purpose;

inline constexpr base::Nanoseconds kPatience = 20 * base::kSecond;

inline Deadline soon() { return Deadline::in(base::monotonic_clock(), kPatience); }

// Keeps every line, and lets tests wait for one.
class MemoryJournal final : public Journal {
 public:
  bool enabled(base::LogLevel) const noexcept override { return true; }
  void write(base::LogLevel level, std::string_view line) noexcept override {
    event(level, "message", {{"text", line}});
  }
  void event(base::LogLevel, std::string_view name,
             std::initializer_list<Field> fields) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(format_event(name, fields, false));
    changed_.notify_all();
  }
  // The first (or `nth`) line that has `text`; "" when none came.
  std::string wait_for(std::string_view text, std::size_t nth = 1) {
    std::unique_lock lock(mutex_);
    std::string found;
    changed_.wait_for(lock, std::chrono::nanoseconds(kPatience), [&] {
      std::size_t seen = 0;
      for (const std::string& line : lines_) {
        if (line.find(text) != std::string::npos && ++seen == nth) return found = line, true;
      }
      return false;
    });
    return found;
  }
  void print() {
    for (const std::string& line : lines_)
      std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::size_t count(std::string_view text) {
    const std::lock_guard lock(mutex_);
    return std::size_t(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
      return line.find(text) != std::string::npos;
    }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// Knows nobody; `why` is what everybody is told.
class NoAuthority final : public Authority {
 public:
  explicit NoAuthority(base::Error why = {ErrorCode::kUnsupported, "no TLS here"})
      : why_(std::move(why)) {}

  base::Result<std::unique_ptr<SecureChannel>> new_channel() override { return no(); }
  base::Result<ClientIdentity> recognise(const std::string&, std::span<const std::byte>) override {
    return no();
  }
  base::Result<ClientIdentity> known(const std::string&) override { return no(); }
  base::Result<ClientIdentity> redeem(const std::string&, std::span<const std::byte>) override {
    return no();
  }
  bool trust_changed() override { return false; }
  base::Result<std::unique_ptr<PairingTurn>> begin_pairing(const SecureChannel&,
                                                           const std::string&) override {
    return no();
  }

 private:
  base::Error no() const { return why_; }

  base::Error why_;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    char pattern[] = "/tmp/lw-agent-XXXXXX";
    folder = ::mkdtemp(pattern);
    config.name = "test";
    config.listen.tls.clear();
    config.listen.plain = {{"127.0.0.1", 0}};
    config.listen.unix_socket = folder / "node.sock";
    config.worker.spares = 0;
    config.limits.drain_ms = 100;
  }
  ~AgentTest() override {
    stop();
    if (HasFailure()) journal.print();
    std::filesystem::remove_all(folder);
  }

  void start(const char* mode = "serve") {
    WorkerCommand command;
    command.program = FAKE_WORKER;
    command.arguments = {mode};
    command.environment = {"PATH=/usr/bin:/bin"};
    command.dies_with_agent = false;
    command.registry = registry ? &*registry : nullptr;
    agent = std::make_unique<Agent>(io, base::monotonic_clock(), random, journal, audit(),
                                    *its_authority, config, command);
    const auto started = agent->start();
    ASSERT_TRUE(started.ok()) << started.error().message();
    thread = std::thread([this] { io.run(); });
  }
  Audit& audit() { return required_audit != nullptr ? *required_audit : no_audit; }
  void stop() {
    if (!thread.joinable()) return;
    asio::post(io, [this] { agent->drain([this] { io.stop(); }); });
    thread.join();
    agent.reset();
  }

  void keep_sessions() {
    auto opened = WorkerRegistry::open(folder / "state");
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    registry.emplace(*std::move(opened));
  }
  // The agent is gone as if it had been killed.
  void vanish() {
    asio::post(io, [this] { io.stop(); });
    thread.join();
    agent.reset();
    registry.reset();
    io.restart();
  }
  std::size_t files_of_workers() const {
    std::error_code error;
    std::filesystem::directory_iterator files(folder / "state" / "workers", error);
    return std::size_t(std::distance(files, std::filesystem::directory_iterator()));
  }

  std::unique_ptr<link::Link> connect_unix() {
    return *link::make_unix_link(*link::connect_unix(config.listen.unix_socket.string(), soon()));
  }
  std::unique_ptr<link::Link> connect_tcp() {
    const std::uint16_t port = agent->endpoints().front().address.port;
    return *link::make_tcp_link(*link::connect_tcp({"127.0.0.1", port}, soon()));
  }

  static session::Hello hello() {
    session::Hello hello;
    hello.features = ~0ull;
    hello.max_payload_bytes = 1 << 20;
    hello.program = "agent_test";
    hello.host = "here";
    return hello;
  }
  static base::Result<session::Welcome> open(link::Link& link,
                                             const session::Hello& hello = AgentTest::hello()) {
    LW_TRY(session::send_all(link, session::encode(session::Preamble{hello.purpose, hello.session}),
                             soon()));
    return session::hello_and_welcome(link, hello, soon());
  }
  static void expect_echo(link::Link& link) {
    const std::byte sent{41};
    ASSERT_TRUE(session::send_all(link, {&sent, 1}, soon()).ok());
    std::byte received{};
    ASSERT_TRUE(session::receive_all(link, {&received, 1}, soon()).ok());
    EXPECT_EQ(received, std::byte{42});
  }
  static void expect_end(link::Link& link) {
    std::byte received{};
    EXPECT_FALSE(session::receive_all(link, {&received, 1}, soon()).ok());
  }

  std::filesystem::path folder;
  NodeConfig config;
  asio::io_context io{1};
  base::SystemRandom random;
  MemoryJournal journal;
  Audit no_audit;
  std::unique_ptr<Audit> required_audit;
  std::optional<WorkerRegistry> registry;  // none: sessions end with their agent
  NoAuthority authority;
  Authority* its_authority = &authority;
  std::unique_ptr<Agent> agent;
  std::thread thread;
};

}  // namespace longwire::node
