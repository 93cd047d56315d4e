// Sessions: the workers of a node, one process per session, and spare ones that wait for the next.
// Knows who uses how much, ends what has to end, and writes each session's account into the
// journal.
//
// A session's life: open() finds or starts a worker; when that is ready, `opened` gets the Welcome
// for the client; adopt() hands over the connection; from then on the client and the worker are
// alone; the session ends with its worker process, however that came about. It does not end with
// this object: workers on record (worker_registry.h) are left to the next agent, which finds them
// again, and knows from the record, not from the worker, whose they are.
//
// Threads: everything on the io_context's thread.
#pragma once

#include <asio.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "node/audit.h"
#include "node/config.h"
#include "node/journal.h"
#include "node/new_session.h"
#include "node/worker_process.h"
#include "session/handover.h"

namespace longwire::node {

inline constexpr int kMaxSpareFailures = 3;  // in a row; then workers start on demand only

inline constexpr std::uint32_t kKillAfterDrainMs = 2'000;

// What a session uses, for `longwire top`. Rates are of the last interval between two accounts of
// its worker.
struct SessionReport {
  std::string session;  // as the journal names it
  std::string tenant;
  std::string peer;
  std::string program;
  bool encrypted = false;
  pid_t worker = -1;
  base::Nanoseconds age_ns = 0;
  session::Stats total;
  session::Stats per_second;         // device_ns: of 1e9, a second
  std::uint64_t resident_bytes = 0;  // of the worker's process
};

struct NodeReport {
  std::vector<SessionReport> sessions;
  std::uint64_t ended = 0;  // sessions that are over
  session::Stats of_ended;  // and what they have used
  std::size_t spares = 0;
};

class Sessions {
 public:
  // `worker` is what every worker is started with; all arguments outlive the object.
  Sessions(asio::io_context& io, const base::Clock& clock, base::Random& random, Journal& journal,
           Audit& audit, const NodeConfig& config, WorkerCommand worker);
  ~Sessions();

  using Opened = std::function<void(base::Result<session::Welcome>)>;
  // Calls `opened` once, in this call or later: with a Welcome, or kLimit or kUnavailable. Returns
  // the session's id, for abandon(), while it is on its way.
  std::optional<session::SessionId> open(NewSession wanted, Opened opened);
  // The client has its Welcome: the worker takes the connection (which is duplicated).
  base::Status adopt(const session::SessionId& id, int connection);
  // The client is gone before adopt().
  void abandon(const session::SessionId& id);
  // Whether a connection of that origin may ask the session's worker to be let in. kNotFound (the
  // session does not live here, and will not), kPermissionDenied.
  base::Status may_join(const session::SessionId& id, const std::string& origin) const;
  // A further connection of a session, after may_join().
  base::Status route(session::Purpose purpose, const session::SessionId& id,
                     const std::string& peer, int connection);

  // A token of a newer epoch has come: sessions that an older one gave a device of its own end.
  void fence(const std::string& tenant, const Grant& grant);
  // Ends every session (also those on their way) for which `why` has something to say, at once.
  void end_where(const std::function<std::string(const NewSession&)>& why);

  // Takes up with the workers of an earlier agent, and writes down the end of those that are no
  // more. Before anybody can ask for a session.
  void find_again();
  void start_spares();
  std::size_t live() const noexcept { return sessions_.size(); }
  NodeReport report() const;
  // No new sessions; those under way get `within_ms`, then they are killed. `drained` is called
  // once none is left.
  void drain(std::uint32_t within_ms, std::function<void()> drained);
  void kill_all();

 private:
  struct Live;
  struct Spare {
    std::unique_ptr<WorkerProcess> worker;
    bool ready = false;
  };
  using Table = std::map<session::SessionId, std::unique_ptr<Live>>;

  base::Status check_room(const std::string& tenant) const;
  session::Welcome welcome_for(const NewSession& wanted);
  base::Result<std::unique_ptr<WorkerProcess>> spawn();
  base::Result<Spare> take_worker();
  void assign(Live& live, Spare spare);
  void start_spare();
  void on_spare_exit(WorkerProcess* worker, WaitStatus status);
  SessionReport report_of(const Live& live) const;
  void on_message(Live& live, const session::HandoverMessage& message);
  void on_ready(Live& live, const std::string& detail);
  void on_exit(Live& live, WaitStatus status);
  void fail_opening(Live& live, base::Error why);
  void arm_start_timer(Live& live);
  bool put_on_record(Live& live);
  void take_up(FoundWorker found);
  std::unique_ptr<Live> live_of(const WorkerRecord& record);
  void listen_to(Live& live);
  bool audit_begin(Live& live);
  void log_start(const Live& live);
  void log_end(const Live& live, WaitStatus status);
  void check_drained();

  asio::io_context& io_;
  const base::Clock& clock_;
  base::Random& random_;
  Journal& journal_;
  Audit& audit_;
  const NodeConfig& config_;
  WorkerCommand command_;
  Table sessions_;
  std::uint64_t ended_ = 0;
  session::Stats of_ended_;
  std::deque<Spare> spares_;
  int spare_failures_ = 0;
  bool draining_ = false;
  std::function<void()> drained_;
  asio::steady_timer drain_timer_;
};

}  // namespace longwire::node
