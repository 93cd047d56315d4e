#include "app/longwire/private_node.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "app/authority.h"
#include "app/serve.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "driver/connect.h"
#include "session/auth/key_store.h"
#include "session/auth/trust_store.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

inline constexpr std::size_t kMaxReadyBytes = 4096;
inline constexpr std::uint32_t kDrainMs = 1'000;
inline constexpr std::uint32_t kManyConnections = 1'000'000;  // a test suite may be in a hurry

node::NodeConfig config_of(LocalMode mode, const fs::path& scratch) {
  node::NodeConfig config;
  config.name = "local";
  config.listen.tls.clear();
  config.listen.unix_socket.clear();
  const node::Address loopback{"127.0.0.1", 0};
  switch (mode) {
    case LocalMode::kUnix:
      config.listen.unix_socket = scratch / "node.sock";
      break;
    case LocalMode::kTcp:
      config.listen.plain = {loopback};
      break;
    case LocalMode::kTls:
      config.listen.tls = {loopback};
      break;
  }
  config.state.directory = scratch / "state";
  config.limits.connections_per_minute = kManyConnections;
  config.limits.sessions_per_tenant = config.limits.sessions;
  config.limits.drain_ms = kDrainMs;
  config.worker.dies_with_agent = true;
  return config;
}

// Keys for both sides, and each knows the other: as if they had been paired.
base::Status make_trust(const fs::path& state, const fs::path& home) {
  for (const fs::path& directory : {state, home}) {
    LW_TRY(session::ensure_private_directory(directory.string()));
  }
  LW_ASSIGN(const session::KeyStore node,
            session::KeyStore::open_or_create(state.string(), "local node"));
  LW_ASSIGN(const session::KeyStore client,
            session::KeyStore::open_or_create(home.string(), "local client"));
  LW_ASSIGN(session::TrustStore clients, session::TrustStore::open(clients_file(state)));
  LW_TRY(clients.add({"local", client.fingerprint(), "local", ""}));
  LW_ASSIGN(session::TrustStore nodes,
            session::TrustStore::open(driver::nodes_file(home.string())));
  return nodes.add({"local", node.fingerprint(), "local", ""});
}

// --- in the child ---

void redirect(const fs::path& log) {
  const base::UniqueFd in(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const char* out_path = log.empty() ? "/dev/null" : log.c_str();
  const base::UniqueFd out(::open(out_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (in.valid()) ::dup2(in.get(), 0);
  if (out.valid()) {
    ::dup2(out.get(), 1);
    ::dup2(out.get(), 2);
  }
}

[[noreturn]] void be_the_node(LocalMode mode, const fs::path& scratch, const fs::path& log,
                              int ready_fd, pid_t parent) {
  ::setsid();  // a terminal's Ctrl-C is for the program
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  if (::getppid() != parent) ::_exit(1);
  redirect(log);
  const ServeOptions options{config_of(mode, scratch), ready_fd};
  const auto journal = node::make_journal({base::LogLevel::kInfo, false});
  auto served = serve(options, *journal);
  if (!served) {
    const std::string line = "error " + served.error().message() + "\n";
    [[maybe_unused]] const ssize_t ignored = ::write(ready_fd, line.data(), line.size());
  }
  ::_exit(served ? 0 : 1);
}

// --- in the parent ---

base::Result<std::string> read_line(int fd) {
  const base::Clock& clock = base::monotonic_clock();
  const base::Nanoseconds until_ns = clock.now_ns() + kPrivateNodeStartMs * base::kMillisecond;
  std::string line;
  while (line.find('\n') == std::string::npos && line.size() < kMaxReadyBytes) {
    const auto left_ms = (until_ns - clock.now_ns()) / base::kMillisecond;
    pollfd polled{fd, POLLIN, 0};
    if (left_ms <= 0 || ::poll(&polled, 1, static_cast<int>(left_ms)) == 0) {
      return Error(ErrorCode::kTimeout, "the private node did not start in time");
    }
    std::array<char, 512> chunk{};
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error(ErrorCode::kUnavailable, "the private node ended at once");
    line.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

// "unix:/path" as it is, "tcp://a:1" as "tcp:a:1", "tls://a:1" as "a:1".
base::Result<std::string> node_address(const std::string& endpoint) {
  if (endpoint.starts_with("error ")) return Error(ErrorCode::kUnavailable, endpoint.substr(6));
  if (endpoint.starts_with("tcp://")) return "tcp:" + endpoint.substr(6);
  if (endpoint.starts_with("tls://")) return endpoint.substr(6);
  return endpoint;
}

bool ended_within(pid_t process, int timeout_ms) {
  const base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  pollfd polled{pidfd.get(), POLLIN, 0};
  while (::poll(&polled, 1, timeout_ms) < 0 && errno == EINTR) {
  }
  return ::waitpid(process, nullptr, WNOHANG) == process;
}

void stop(pid_t process) {
  ::kill(process, SIGTERM);
  if (ended_within(process, kPrivateNodeStopMs)) return;
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
}

}  // namespace

base::Result<PrivateNode> PrivateNode::start(LocalMode mode, const fs::path& scratch,
                                             const fs::path& log) {
  if (mode == LocalMode::kTls) LW_TRY(make_trust(scratch / "state", scratch / "home"));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "pipe", errno);
  }
  base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) return Error::from_errno(ErrorCode::kInternal, "fork", errno);
  if (process == 0) be_the_node(mode, scratch, log, writer.get(), parent);
  writer.reset();
  auto line = read_line(reader.get());
  auto address = line ? node_address(*line) : base::Result<std::string>(line.error());
  if (!address) {
    stop(process);
    return std::move(address).error();
  }
  return PrivateNode(process, *std::move(address), scratch / "home");
}

PrivateNode::~PrivateNode() {
  if (process_ > 0) stop(process_);
}

}  // namespace longwire::app
