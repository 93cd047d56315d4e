// Worker: one session on one node, executed on one vendor driver. main() (src/app) or a test makes
// it, hands it links and runs it until the session has ended.
//
// Threads: run() is the dispatch thread. It reads the stream and executes commands in order; what
// may block natively goes to mirror threads. adopt_lane() and stop() may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "link/link.h"
#include "session/bulk.h"
#include "session/stream.h"
#include "worker/core/block_pool.h"
#include "worker/core/mirror_pool.h"
#include "worker/core/outbox.h"
#include "worker/core/uploads.h"

namespace longwire::worker::core {

struct WorkerLimits {
  session::StreamLimits stream;
  std::uint64_t eager_credit_bytes = std::uint64_t{64} << 20;  // what Welcome has promised
  std::size_t staging_bytes = std::size_t{8} << 30;
  int free_timeout_ms = 5000;  // for the vendor driver to let go at the end of a session
  // That a session lives without a link; after the client's kernel has ended it (its process is
  // gone, most likely) or without such a sign. 0: not at all.
  base::Nanoseconds grace_ns = 0;
  base::Nanoseconds grace_after_close_ns = 0;
};

// As free_timeout_ms, when nobody hears any more how the session ends.
inline constexpr int kAbandonedFreeTimeoutMs = 300;

// What a backend works with. Everything outlives it.
struct Services {
  const base::Clock& clock;
  base::Logger& logger;
  Outbox& outbox;
  session::BulkPort& bulk;
  BlockPool& staging;
  Uploads& uploads;
  MirrorPool& mirrors;
  // Runs `task` on the dispatch thread, soon. Any thread.
  std::function<void(std::function<void()>)> post;
  // Ends the session with `why`. Any thread.
  std::function<void(base::Error)> fail;
  // stop() was called: nothing is worth the time any more. Any thread.
  std::function<bool()> stopped;
};

// Executes the commands of one API. Every call comes from the dispatch thread.
class Backend {
 public:
  virtual ~Backend() = default;
  // Queues what the node has to say of itself before the first command (kFeatureIntroduction).
  virtual void introduce() = 0;
  // An error ends the session: a wire fault of the client's, or a limit passed.
  virtual base::Status on_command(wire::Opcode opcode, std::span<const std::byte> payload) = 0;
  // No further command waits to be read: start what has been queued. Returns when to be called
  // again though nothing happens.
  virtual base::Deadline on_idle() = 0;
  // The session has ended: nothing will come or can be sent. Frees everything of the vendor
  // driver's; false when that cannot be done within the time-out (a kernel that never ends): then
  // nothing may be destroyed, and only the end of the process frees it.
  virtual bool shut_down(int timeout_ms) = 0;
  // For how long commands of which it is told have been under way, since the beginning. Any thread.
  virtual base::Nanoseconds busy_ns() { return 0; }
};

enum class ExitCode : int {
  kEnded = 0,     // the client said goodbye
  kStopped = 2,   // stop() was called: the node has ended it
  kLinkLost = 3,  // the last link died (and its grace is over)
  kFault = 4,     // one side broke the protocol
  kStuck = 5,     // the vendor driver did not let go: leave with _exit()
};

class Worker final : private session::FrameSink {
 public:
  using MakeBackend = std::function<std::unique_ptr<Backend>(const Services&)>;
  Worker(const base::Clock& clock, base::Logger& logger, const WorkerLimits& limits,
         const MakeBackend& make_backend);
  ~Worker() override;

  // For clients that want it (kFeatureIntroduction): looks at the devices and queues what it finds,
  // so that it is there when the link is. Before adopt_main().
  void introduce();
  // The session's command stream, after its handshake. Before run().
  base::Status adopt_main(std::unique_ptr<link::Link> link);
  base::Status adopt_lane(std::unique_ptr<link::Link> lane, std::uint32_t number);
  // The client comes back: whether it can have received just that, and what it is to be told; then,
  // after that handshake, the link with which the session goes on, whatever became of its last one.
  base::Result<wire::Sequence> meet_again(wire::Sequence peer_received) const;
  void resume(std::unique_ptr<link::Link> link, wire::Sequence peer_received);
  // Whether a client that has lost its link can come back now. While it cannot, a link that its
  // kernel has closed says nothing about its program. Any thread.
  void set_reachable(bool reachable);
  // Tells the client so, before its link is lost: nobody may listen for that long; 0: somebody does
  // again. Any thread.
  void tell_agent_away(std::uint64_t within_ms);
  const Uploads& uploads() const { return uploads_; }

  // Pumps until the session has ended, then frees everything. After kStuck leave with _exit().
  ExitCode run();
  // Ends the session from outside (drain, SIGTERM). Any thread.
  void stop(base::Error why);

 private:
  base::Status on_frame(const session::Frame& frame) override;
  base::Status on_control(const session::Frame& frame);
  base::Result<base::Deadline> on_link_lost(const session::Stream::LinkLoss& loss);
  void post(std::function<void()> task);
  void run_posted();
  ExitCode end(const base::Error& why);

  const base::Clock& clock_;
  base::Logger& logger_;
  const WorkerLimits limits_;
  RoomWaiter waiter_;
  session::Stream stream_;
  session::BulkPort bulk_;
  Outbox outbox_;
  BlockPool staging_;
  Uploads uploads_;
  MirrorPool mirrors_;
  Services services_;
  std::unique_ptr<Backend> backend_;

  std::atomic<bool> reachable_{true};
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::optional<base::Error> stopped_;  // set once: why run() should end
  bool goodbye_ = false;                // dispatch thread only
};

}  // namespace longwire::worker::core
