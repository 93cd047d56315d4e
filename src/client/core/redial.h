// Redial: brings a session back whose link was lost, or seems to be: connects again with backoff
// until the session's worker takes it up, the node says that the session is over, nobody is there
// any more, or the grace period has passed. docs/RELIABILITY.md.
//
// Threads: a thread of its own from the first begin() on; every member may be called from any other
// one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "client/core/connector.h"

namespace longwire::client::core {

// Between attempts, doubling from the first to the most, each a quarter more or less by chance. The
// very first attempt is made at once.
inline constexpr base::Nanoseconds kFirstBackoffNs = 50 * base::kMillisecond;
inline constexpr base::Nanoseconds kMostBackoffNs = 300 * base::kMillisecond;
// One attempt. Short, as a packet that was lost in a cut comes again only after a second; but long
// enough for several round trips of a long link.
inline constexpr base::Nanoseconds kLeastAttemptNs = 500 * base::kMillisecond;
inline constexpr base::Nanoseconds kMostAttemptNs = 5 * base::kSecond;
inline constexpr int kRoundTripsPerAttempt = 10;
// The link was closed by the other side's kernel, and for this long the machine has answered that
// nobody listens: agent and worker are gone. Where the worker has told that its agent is away
// (kOpAgentAway), it is as long as the worker has said, within the grace period.
inline constexpr base::Nanoseconds kNobodyThereNs = 1200 * base::kMillisecond;

class Redial {
 public:
  struct Session {
    base::Nanoseconds grace_ns = 0;
    base::Nanoseconds round_trip_ns = 0;  // of its first link
    // Connects, giving up the link that the session still has (Connector::open_resume).
    std::function<base::Result<Connector::Opened>(base::Deadline)> open;
    std::function<void(Connector::Opened)> resumed;
    std::function<void(base::Error)> lost;  // for good; the last call
  };
  Redial(const base::Clock& clock, Session session);
  ~Redial();  // stops, and waits for the attempt under way

  // The link is lost (`closed_by_peer` as link::Link has it), or nothing is heard on it. No effect
  // while a redial is under way.
  void begin(bool closed_by_peer) noexcept;
  // What the session's worker has said last of its agent: for how long it may be away, or 0.
  void expect_nobody_for(std::uint64_t within_ms) noexcept;
  void stop() noexcept;  // no further attempt; nobody is called but from one under way

 private:
  using Lock = std::unique_lock<std::mutex>;
  void run();
  void redial(Lock& lock);
  bool give_up(const base::Error& why, base::Nanoseconds began_ns);
  void back_off(Lock& lock, base::Nanoseconds nominal_ns);

  const base::Clock& clock_;
  const Session session_;
  const base::Nanoseconds attempt_ns_;
  base::SystemRandom random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  bool wanted_ = false;  // or under way
  bool stopped_ = false;
  bool closed_by_peer_ = false;
  base::Nanoseconds nobody_there_ns_ = kNobodyThereNs;
  base::Nanoseconds refused_since_ns_ = 0;  // 0: the last attempt was not refused
};

}  // namespace longwire::client::core
