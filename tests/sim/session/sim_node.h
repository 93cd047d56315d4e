// The node's side of one simulated session: the production worker with its OpenCL backend, and a
// Connector whose links misbehave as the plan says. Lanes and resumes do the real handshake over
// them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "client/core/connector.h"
#include "opencl/native_api.h"
#include "plan.h"
#include "planted.h"
#include "worker/core/worker.h"

namespace longwire::sim {

// The machine's clock, which may jump ahead (a machine that was stopped for a while).
class JumpingClock final : public base::Clock {
 public:
  base::Nanoseconds now_ns() const noexcept override {
    return base::monotonic_clock().now_ns() + ahead_ns_.load(std::memory_order_relaxed);
  }
  void jump(base::Nanoseconds by_ns) noexcept { ahead_ns_ += by_ns; }

 private:
  std::atomic<base::Nanoseconds> ahead_ns_{0};
};

class SimNode {
 public:
  // `backend` makes the worker's. All outlive the node. `bug`: one of the node's, or none.
  SimNode(const Plan& plan, JumpingClock& clock, base::Logger& logger,
          worker::core::Worker::MakeBackend backend, Bug bug);
  // Ends the session if it is still there, and joins every thread.
  ~SimNode();
  // To be owned by the client; outlived by the node.
  std::unique_ptr<client::core::Connector> connector();
  // Nobody will come back: the worker need not wait.
  void client_has_gone();
  std::size_t links() const noexcept { return links_; }  // that the stream has had
  // Whether what the plan has in store for the session has come to pass.
  bool fatal_happened() const noexcept { return fatal_happened_; }

  using Opened = client::core::Connector::Opened;
  base::Result<Opened> open_session();
  base::Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                                 base::Deadline deadline);
  base::Result<Opened> open_resume(const session::Welcome& session,
                                   const std::function<wire::Sequence()>& received,
                                   base::Deadline deadline);

 private:
  struct Helper {
    std::thread thread;
    std::atomic<bool> over{false};
  };
  link::LinkFaults first_faults();
  void fate();
  void agent_dies();
  void send_twin(const session::Welcome& session, wire::Sequence received, const Twin& twin,
                 base::Deadline deadline);
  void start(std::function<void()> work);
  LinkPlan next_plan();
  base::Nanoseconds grace_ns() const noexcept;
  std::unique_ptr<link::Link> accept(link::LinkFaults faults, bool resumes, bool slow);
  base::Status greet_lane(std::unique_ptr<link::Link> link);
  base::Status greet_again(std::unique_ptr<link::Link> link, bool slow);

  const Plan& plan_;
  JumpingClock& clock_;
  base::Logger& logger_;
  const worker::core::Worker::MakeBackend make_backend_;
  const Bug bug_;
  std::atomic<std::size_t> links_{0};
  std::atomic<bool> fatal_happened_{false};
  std::atomic<bool> lets_nobody_in_{false};
  std::atomic<bool> gone_{false};  // the node knows no such session any more
  std::atomic<bool> agent_away_{false};
  std::atomic<unsigned> greetings_{0};  // of resumes, under way
  std::mutex mutex_;
  std::condition_variable ends_;
  std::list<std::unique_ptr<link::Link>> forgotten_;  // links of the client that it left open
  wire::Sequence said_before_ = 0;                    // by the last resume's greeting
  unsigned refused_ = 0;                              // since the last resume
  std::list<Helper> helpers_;
  std::unique_ptr<worker::core::Worker> worker_;
  std::thread thread_;
};

}  // namespace longwire::sim
