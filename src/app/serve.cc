#include "app/serve.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <asio.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "app/authority.h"
#include "app/installation.h"
#include "app/landlock.h"
#include "app/status_desk.h"
#include "app/tenant_users.h"
#include "base/random.h"
#include "node/audit.h"
#include "node/notify.h"
#include "session/private_file.h"

extern char** environ;  // NOLINT: POSIX

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::LogLevel;
using base::Status;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "node";
  return name.data();
}

// The worker sees the node's environment, less what would make it a client again.
std::vector<std::string> worker_environment() {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("LONGWIRE_") && !text.starts_with("NOTIFY_SOCKET=") &&
        !text.starts_with("LD_PRELOAD=")) {
      environment.emplace_back(text);
    }
  }
  environment.emplace_back("LONGWIRE_DISABLE=1");
  return environment;
}

base::Result<node::WorkerCommand> worker_command(const node::NodeConfig& config,
                                                 const node::WorkerFolders& folders,
                                                 const node::WorkerRegistry* registry) {
  node::WorkerCommand command;
  command.program = config.worker.program;
  if (command.program.empty()) {
    LW_ASSIGN(command.program, find_worker());
  }
  command.arguments = {"--cache",   config.state.cache.string(),
                       "--sandbox", std::string(name_of(config.worker.sandbox)),
                       "--scrub",   std::string(name_of(config.worker.scrub))};
  if (no_tenant_users_because(config).empty()) {
    command.arguments.insert(command.arguments.end(),
                             {"--first-user", std::to_string(config.worker.first_user)});
  }
  for (const auto& device : config.worker.devices) {
    command.arguments.insert(command.arguments.end(), {"--device", device.string()});
  }
  command.environment = worker_environment();
  command.folders = &folders;
  command.registry = registry;
  command.open_files = config.worker.open_files;
  command.file_size_bytes = config.worker.file_size_bytes;
  command.memory_bytes = config.worker.memory_bytes;
  command.processes = config.worker.processes;
  command.address_space_bytes = config.worker.address_space_bytes;
  command.dies_with_agent = config.worker.dies_with_agent;
  return command;
}

void announce(const ServeOptions& options, const node::Agent& agent, node::Journal& journal) {
  std::string lines;
  for (const node::Endpoint& endpoint : agent.endpoints()) {
    lines += to_string(endpoint) + "\n";
    journal.event(LogLevel::kInfo, "listen", {{"endpoint", to_string(endpoint)}});
  }
  if (options.ready_fd >= 0) {
    [[maybe_unused]] const ssize_t ignored = ::write(options.ready_fd, lines.data(), lines.size());
    ::close(options.ready_fd);
  }
  node::notify_service_manager("READY=1");
}

// What of the cage this machine does not have, for the operator to know.
void tell_gaps(const node::NodeConfig& config, node::Journal& journal) {
  if (config.worker.sandbox == node::SandboxMode::kEnforce && landlock_version() == 0) {
    journal.event(
        LogLevel::kWarning, "sandbox.partial",
        {{"reason", "landlock not available: workers' file access is that of their user"}});
  }
  const std::string why = no_tenant_users_because(config);
  if (!why.empty() && config.worker.first_user != 0) {
    journal.event(LogLevel::kInfo, "sandbox.partial",
                  {{"reason", "tenants have no users of their own: " + why}});
  }
}

// None where nobody has given this node any.
std::optional<node::WorkerCgroups> open_cgroups(const node::WorkerConfig& worker,
                                                node::Journal& journal) {
  const bool limited = worker.memory_bytes != 0 || worker.processes != 0;
  const auto tell = [&](const std::string& reason) {
    journal.event(limited ? LogLevel::kWarning : LogLevel::kInfo, "sandbox.partial",
                  {{"reason", reason}});
  };
  auto groups = [&]() -> base::Result<node::WorkerCgroups> {
    LW_ASSIGN(node::CgroupPlace place, node::WorkerCgroups::find(::getpid()));
    return node::WorkerCgroups::open(std::move(place), {worker.memory_bytes, worker.processes});
  }();
  if (!groups) {
    tell("workers have no cgroup of their own, limits are each process's: " +
         groups.error().message());
    return std::nullopt;
  }
  if (!groups->missing().empty()) {
    tell("limits that are each process's, not its worker's: " + groups->missing());
  }
  return std::optional(*std::move(groups));
}

base::Status open_desk(PairingDesk& desk, const node::Agent& agent,
                       const node::NodeConfig& config) {
  std::vector<std::uint16_t> ports;
  for (const node::Endpoint& endpoint : agent.endpoints()) {
    const bool listed = std::find(ports.begin(), ports.end(), endpoint.address.port) != ports.end();
    if (endpoint.transport == node::Transport::kTls && !listed) {
      ports.push_back(endpoint.address.port);
    }
  }
  return ports.empty() ? base::Status() : desk.start(config.state.directory, std::move(ports));
}

base::Result<std::unique_ptr<node::Audit>> open_audit(const node::NodeConfig& config,
                                                      node::Journal& journal) {
  if (!config.audit.enabled) return std::make_unique<node::Audit>();
  const auto opened = [&]() -> base::Result<std::unique_ptr<node::Audit>> {
    LW_TRY(session::ensure_private_directory(config.state.directory.string()));
    return node::Audit::open(node::audit_file(config.state.directory), config.audit, journal);
  };
  auto audit = opened();
  if (audit || config.audit.required) return audit;
  journal.event(LogLevel::kError, "audit.none", {{"reason", audit.error().message()}});
  return std::make_unique<node::Audit>();
}

// None where workers die with the agent, or where its state directory cannot be had: then sessions
// end with it, too. Only another agent there is an error.
base::Result<std::optional<node::WorkerRegistry>> open_registry(const node::NodeConfig& config,
                                                                node::Journal& journal) {
  std::optional<node::WorkerRegistry> none;
  if (config.worker.dies_with_agent) return none;
  auto registry = node::WorkerRegistry::open(config.state.directory);
  if (registry) return std::optional(*std::move(registry));
  if (registry.error().code() == ErrorCode::kUnavailable) return std::move(registry).error();
  journal.event(LogLevel::kError, "sessions.mortal",
                {{"reason", registry.error().message()},
                 {"meaning", "sessions end when this agent ends or crashes"}});
  return none;
}

// SIGTERM, SIGINT and SIGHUP: the first drains, the second ends at once. SIGUSR1 ends this process
// and no session: the next agent on the same state directory finds them.
class Stopper {
 public:
  Stopper(asio::io_context& io, node::Agent& agent, node::Journal& journal)
      : io_(io), agent_(agent), journal_(journal), signals_(io) {}

  Status start() {
    asio::error_code error;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
      if (!error) signals_.add(signal, error);
    }
    if (error) return Error(ErrorCode::kInternal, "signals: " + error.message());
    await();
    return {};
  }

 private:
  void await() {
    signals_.async_wait([this](asio::error_code error, int signal) {
      if (error) return;
      on_signal(signal);
      await();
    });
  }
  void on_signal(int signal) {
    const bool leave = signal == SIGUSR1 && !stopping_;
    journal_.event(LogLevel::kInfo, "stop",
                   {{"signal", std::string("SIG") + ::sigabbrev_np(signal)},
                    {"sessions", agent_.sessions()},
                    {"how", leave       ? "leaves its sessions to the next agent"
                            : stopping_ ? "at once"
                                        : "drain"}});
    if (leave) return io_.stop();
    if (std::exchange(stopping_, true)) return agent_.stop_now();
    node::notify_service_manager("STOPPING=1");
    agent_.drain([this] { io_.stop(); });
  }

  asio::io_context& io_;
  node::Agent& agent_;
  node::Journal& journal_;
  asio::signal_set signals_;
  bool stopping_ = false;
};

}  // namespace

Status serve(const ServeOptions& options, node::Journal& journal) {
  node::NodeConfig config = options.config;
  if (config.name.empty()) config.name = host_name();
  ::signal(SIGPIPE, SIG_IGN);
  // The agent's memory holds the node's key; a worker of the same user must not look.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  LW_ASSIGN(const node::WorkerFolders folders,
            node::WorkerFolders::open(config.state.cache / "workers"));
  LW_ASSIGN(const std::optional<node::WorkerRegistry> registry, open_registry(config, journal));
  LW_ASSIGN(node::WorkerCommand command,
            worker_command(config, folders, registry ? &*registry : nullptr));
  const std::optional<node::WorkerCgroups> cgroups = open_cgroups(config.worker, journal);
  command.cgroups = cgroups ? &*cgroups : nullptr;
  asio::io_context io(1);
  base::SystemRandom random;
  LW_ASSIGN(const std::unique_ptr<node::Audit> audit, open_audit(config, journal));
  PairingDesk desk(io, base::monotonic_clock(), random, journal, *audit);
  LW_ASSIGN(const std::unique_ptr<node::Authority> authority, open_authority(config, desk));
  node::Agent agent(io, base::monotonic_clock(), random, journal, *audit, *authority, config,
                    std::move(command));
  Stopper stopper(io, agent, journal);
  LW_TRY(stopper.start());
  LW_TRY(agent.start());
  LW_TRY(open_desk(desk, agent, config));
  StatusDesk status(io, base::monotonic_clock(), agent, config);
  if (const auto opened = status.start(); !opened) {
    journal.event(LogLevel::kWarning, "status.none", {{"reason", opened.error().message()}});
  }
  announce(options, agent, journal);
  tell_gaps(config, journal);
  io.run();
  journal.event(LogLevel::kInfo, "stopped", {});
  return {};
}

}  // namespace longwire::app
