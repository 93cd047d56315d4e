// SimNetwork: a network, a clock and a scheduler that exist only in memory and follow from one
// seed, so that the production code of both ends of a session runs deterministically under cuts,
// stalls and partial writes, and a failure is repeated by its seed.
//
// What runs are actors: functions that block only in the wait() of a link of this network (or in
// block_until()). Exactly one actor runs at any moment; when it blocks, the scheduler picks another
// by the seed, or, when all are blocked, moves the time to the next event. Each actor has a thread
// of its own, but the baton makes them one: nothing here needs a lock, nothing is a race.
//
//   SimNetwork net(seed);
//   auto [a, b] = net.connect(profile);
//   net.spawn([&] { ... a->wait(...) ... });
//   net.spawn([&] { ... });
//   EXPECT_TRUE(net.run().ok());
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "link/link.h"

namespace longwire::link {

// How a link behaves, in either direction. Zero turns a trouble off.
struct SimProfile {
  base::Nanoseconds latency_ns = 100'000;
  base::Nanoseconds jitter_ns = 0;      // up to so much more, per write; order is kept
  std::uint64_t bytes_per_second = 0;   // 0: without bound
  std::size_t buffer_bytes = 64 << 10;  // under way and unread, per direction
  std::size_t max_step_bytes = 0;       // a read or write takes a random 1 to so many bytes
  std::uint64_t stall_one_in = 0;       // writes, on average; the bytes behind it wait, too
  base::Nanoseconds stall_ns = 0;
  base::Nanoseconds cut_after_max_ns = 0;  // the link is cut at a random time up to this
};

class SimNetwork final : public base::Clock {
 public:
  explicit SimNetwork(std::uint64_t seed);
  ~SimNetwork() override;  // REQUIRES: run() has returned, or nothing was spawned

  base::Nanoseconds now_ns() const noexcept override;
  base::Random& random() noexcept;

  // Both ends of a new link. The network outlives them.
  std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> connect(const SimProfile& profile);

  void spawn(std::function<void()> actor);
  // Calls `event` at that time (not on an actor: it must not block).
  void at(base::Nanoseconds when_ns, std::function<void()> event);

  // Runs until every actor has returned. kInternal: all that are left wait for what can never
  // happen, or `time_limit_ns` of simulated time has passed; their waits then fail, and they must
  // return.
  base::Status run(base::Nanoseconds time_limit_ns = 3600 * base::kSecond);

  // For actors: blocks until the condition holds (true), or the deadline passes or the run was
  // given up (false). The condition must be a function of simulated state alone.
  bool block_until(const std::function<bool()>& condition, base::Deadline deadline);
  bool given_up() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::link
