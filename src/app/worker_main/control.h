// Control: the worker's side of the handover socket once the session runs: lanes come in, and the
// client's new links after a loss; the account goes out, a drain ends the session in time. When the
// agent is gone, the session goes on and its door is open to the next agent, if the session is on
// record; otherwise it ends.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "app/worker_main/metered.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "session/handover.h"
#include "worker/core/worker.h"

namespace longwire::app {

inline constexpr int kStatsEveryMs = 1'000;
// Whose agent has been gone for so long hears of it: from then on its client waits longer where
// nobody listens. Not at once: where agent and worker die together, the client is to know soon.
inline constexpr int kTellAwayAfterMs = 250;
inline constexpr int kAgentAwayMs = 20'000;  // that the client waits then
inline constexpr int kReclaimMs = 1'000;     // for who has come to the door, to say who it is
inline constexpr int kLinkHandshakeMs = 10'000;
inline constexpr std::size_t kMaxLinkHandshakes = 16;  // at once; of a client that gives up each
                                                       // attempt after a short while

class Control {
 public:
  // All references outlive the object. `session` is the Adopt that began the session.
  // `door`: listening; only used where the session outlives its agent. `socket` keeps its number,
  // whichever agent is at its other end.
  struct Descriptors {
    int socket = -1;
    int door = -1;
  };
  Control(const base::Clock& clock, base::Logger& logger, Descriptors its,
          const session::Adopt& session, worker::core::Worker& worker, Meter& meter);
  ~Control();  // stops and joins every thread

  void start();

 private:
  void run();
  base::Deadline next_deadline() const;
  // False once the agent is gone.
  bool take_message();
  void on_agent_lost();
  void on_agent_found();
  // True when another agent has taken up with this worker.
  bool open_door();
  base::Result<session::ReceivedHandover> ask_who(int visitor) const;
  void on_message(session::ReceivedHandover received);
  void greet(session::Purpose purpose, base::UniqueFd socket);
  base::Status adopt_lane(std::unique_ptr<link::Link> link, base::Deadline deadline);
  base::Status resume(std::unique_ptr<link::Link> link, base::Deadline deadline);
  void join_handshakes(bool all);
  void on_time();

  const base::Clock& clock_;
  base::Logger& logger_;
  const int socket_;
  const int door_;  // -1: none
  const session::Adopt& session_;
  worker::core::Worker& worker_;
  Meter& meter_;
  const uid_t agent_user_;
  base::UniqueFd stop_;  // an eventfd
  std::thread thread_;
  struct Handshake {
    std::thread thread;
    std::atomic<bool> over{false};
  };
  std::list<Handshake> handshakes_;  // this thread's alone, until it is joined
  base::Nanoseconds stats_at_ns_ = 0;
  std::optional<base::Nanoseconds> drain_at_ns_;
  std::optional<base::Nanoseconds> tell_away_at_ns_;
  bool told_away_ = false;
};

}  // namespace longwire::app
