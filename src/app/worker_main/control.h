// Control: the worker's side of the handover socket once the session runs: lanes come in, the
// account goes out, a drain ends the session in time.
#pragma once

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "app/worker_main/metered.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "session/handover.h"
#include "worker/core/worker.h"

namespace longwire::app {

inline constexpr int kStatsEveryMs = 1'000;
inline constexpr int kLaneTimeoutMs = 10'000;
inline constexpr int kMaxLaneHandshakes = 8;           // at once
inline constexpr std::size_t kMaxLaneAttempts = 1024;  // in a session's life

class Control {
 public:
  // All references outlive the object. `session` is the Adopt that began the session.
  Control(const base::Clock& clock, base::Logger& logger, int socket, const session::Adopt& session,
          worker::core::Worker& worker, Meter& meter);
  ~Control();  // stops and joins every thread

  void start();

 private:
  void run();
  base::Deadline next_deadline() const;
  // False once the agent is gone.
  bool take_message();
  void on_message(session::ReceivedHandover received);
  void adopt_lane(base::UniqueFd socket);
  void on_time();

  const base::Clock& clock_;
  base::Logger& logger_;
  const int socket_;
  const session::Adopt& session_;
  worker::core::Worker& worker_;
  Meter& meter_;
  base::UniqueFd stop_;  // an eventfd
  std::thread thread_;
  std::vector<std::thread> lanes_;  // this thread's alone, until it is joined
  std::atomic<int> lane_handshakes_{0};
  base::Nanoseconds stats_at_ns_ = 0;
  std::optional<base::Nanoseconds> drain_at_ns_;
};

}  // namespace longwire::app
