// longwire-worker: executes one session on this machine's vendor driver. Started by longwired with
// the handover socket as descriptor 3, perhaps its door (node/worker_registry.h) as 4, and nothing
// else that is worth having.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "app/worker_main/backend.h"
#include "app/worker_main/control.h"
#include "app/worker_main/links.h"
#include "app/worker_main/metered.h"
#include "app/worker_main/options.h"
#include "app/worker_main/preload.h"
#include "app/worker_main/sandbox.h"
#include "base/log.h"

namespace longwire::app {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using worker::core::ExitCode;

inline constexpr int kHandoverFd = 3;  // as src/node/worker_process.h has them
inline constexpr int kDoorFd = 4;
inline constexpr int kLinkTimeoutMs = 10'000;

// Waits for the session. kClosed: the agent needs no worker any more.
base::Result<session::ReceivedHandover> await_session() {
  LW_TRY(session::send_handover(kHandoverFd, session::Ready{"longwire " LONGWIRE_VERSION}));
  LW_ASSIGN(std::optional<session::ReceivedHandover> received,
            session::receive_handover(kHandoverFd));
  const auto* adopt = received ? std::get_if<session::Adopt>(&received->message) : nullptr;
  if (adopt == nullptr || adopt->purpose != session::Purpose::kNewSession) {
    return Error(ErrorCode::kClosed, "no session came");
  }
  return *std::move(received);
}

session::Ended ended(ErrorCode code, std::string_view reason, const Meter& meter) {
  return {code, std::string(reason.substr(0, session::kMaxHandoverTextBytes)), meter.stats()};
}

session::Ended describe(ExitCode code, const Meter& meter) {
  switch (code) {
    case ExitCode::kEnded:
      return ended(ErrorCode::kClosed, "the session has ended", meter);
    case ExitCode::kStopped:
      return ended(ErrorCode::kUnavailable, "the node went down before the session had ended",
                   meter);
    case ExitCode::kLinkLost:
      return ended(ErrorCode::kLinkLost, "the client is gone", meter);
    case ExitCode::kFault:
      return ended(ErrorCode::kWireFault, "the protocol was broken", meter);
    case ExitCode::kStuck:
      return ended(ErrorCode::kInternal, "the vendor driver did not let go in time", meter);
  }
  return ended(ErrorCode::kInternal, "?", meter);
}

worker::core::WorkerLimits limits_of(const session::Adopt& session) {
  worker::core::WorkerLimits limits;
  limits.eager_credit_bytes = session.eager_credit_bytes;
  if ((session.features & session::kFeatureResume) != 0) {
    limits.grace_ns = static_cast<base::Nanoseconds>(session.grace_ms) * base::kMillisecond;
    limits.grace_after_close_ns =
        static_cast<base::Nanoseconds>(session.grace_after_close_ms) * base::kMillisecond;
  }
  return limits;
}

worker::opencl::SessionLimits share_of(const session::Adopt& session,
                                       const WorkerOptions& options) {
  worker::opencl::SessionLimits share;
  share.memory_bytes = session.limits.memory_bytes;
  share.handles = session.limits.handles;
  share.devices = session.limits.devices;
  share.scrub = options.scrub;
  // Nothing comes while the link is cut.
  share.creation_stall_ns += static_cast<base::Nanoseconds>(session.grace_ms) * base::kMillisecond;
  return share;
}

base::Result<session::Ended> run_session(const WorkerOptions& options, base::Logger& logger,
                                         const session::Adopt& session, base::UniqueFd connection) {
  const base::Clock& clock = base::monotonic_clock();
  LW_ASSIGN(const std::filesystem::path cache, enter_cage(options.cage, session.tenant, logger));
  LW_ASSIGN(const worker::core::Worker::MakeBackend make_backend,
            load_opencl(cache, share_of(session, options)));
  Meter meter;
  worker::core::Worker worker(clock, logger, limits_of(session), [&](const auto& services) {
    return metered(make_backend(services), meter);
  });
  // First, while the Welcome is on its way to the client and his next bytes on theirs.
  if ((session.features & session::kFeatureIntroduction) != 0) worker.introduce();
  LW_ASSIGN(std::unique_ptr<link::Link> link,
            make_session_link(std::move(connection), session,
                              Deadline::in(clock, kLinkTimeoutMs * base::kMillisecond)));
  LW_TRY(worker.adopt_main(metered(std::move(link), meter)));
  Control control(clock, logger, {kHandoverFd, kDoorFd}, session, worker, meter);
  control.start();
  const ExitCode code = worker.run();
  const session::Ended end = describe(code, meter);
  [[maybe_unused]] const auto sent = session::send_handover(kHandoverFd, end);
  // Vendor drivers are not good at being unloaded, and everything has been freed: out.
  ::_exit(0);
}

// The same worker from its start, without preloading: a vendor's library has started a thread.
[[noreturn]] void begin_anew(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  std::string name = "--preload";
  std::string value = "off";
  arguments.insert(arguments.end(), {name.data(), value.data(), nullptr});
  ::execv("/proc/self/exe", arguments.data());
  ::_exit(1);
}

// What the vendor driver starts shall have neither; at the door it would keep a dead worker's
// place.
void close_on_exec() {
  for (const int fd : {kHandoverFd, kDoorFd})
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// For as long as this process lives, no agent takes its folder for a leftover.
base::UniqueFd hold_folder(const std::filesystem::path& folder) {
  if (folder.empty()) return {};
  base::UniqueFd held(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (held.valid()) ::flock(held.get(), LOCK_SH | LOCK_NB);
  return held;
}

// All threads share malloc's main arena. Another one grows by a page and a system call at a time,
// and programs are compiled on a mirror thread: 21,000 mprotect() for ten kernels.
void use_one_arena() { ::mallopt(M_ARENA_MAX, 1); }

int worker_main(int argc, char** argv) {
  use_one_arena();
  base::StderrLogger logger(base::LogLevel::kWarning);
  auto options = parse_worker_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "longwire-worker: %s\n", options.error().message().c_str());
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  if (options->preload && !preload_vendor_libraries()) begin_anew(argc, argv);
  close_on_exec();
  const base::UniqueFd folder = hold_folder(options->cage.temporary);
  auto received = await_session();
  if (!received) return 0;
  const auto session = std::get<session::Adopt>(std::move(received->message));
  auto run = run_session(*options, logger, session, std::move(received->connection));
  const session::Ended end = run ? *run : ended(run.error().code(), run.error().message(), Meter{});
  [[maybe_unused]] const auto sent = session::send_handover(kHandoverFd, end);
  return 0;
}

}  // namespace
}  // namespace longwire::app

int main(int argc, char** argv) { return longwire::app::worker_main(argc, argv); }
