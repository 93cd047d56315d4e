// Private to NodeSession: what it is made of.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "client/core/link_watch.h"
#include "client/core/node_session.h"
#include "client/core/redial.h"
#include "client/core/task_thread.h"
#include "client/core/uploads.h"

namespace longwire::client::core {

// Waits for room in the send ring, and counts that.
class RoomWaiter final : public session::StreamWaiter {
 public:
  RoomWaiter(WaitMeter& meter, session::Stream& stream, session::Pump& pump)
      : meter_(meter), stream_(stream), pump_(pump) {}

  base::Status wait_until(const std::function<bool()>& done, base::Deadline deadline) override {
    const WaitMeter::Scope waiting(meter_, WaitMeter::For::kLink, stream_.sent());
    return pump_.wait_until(done, deadline);
  }
  void notify() noexcept override { pump_.notify(); }

 private:
  WaitMeter& meter_;
  session::Stream& stream_;
  session::Pump& pump_;
};

// The counters of links that may have gone. Shared with the links.
using SharedCounters = std::shared_ptr<const link::LinkCounters>;

struct NodeSession::State {
  State(const base::Clock& clock_, std::unique_ptr<Connector> connector_,
        std::function<void()> idle)
      : clock(clock_),
        connector(std::move(connector_)),
        meter(clock_),
        service("lw-service", kWatchIntervalNs, std::move(idle)) {}

  const base::Clock& clock;
  const std::unique_ptr<Connector> connector;
  WaitMeter meter;
  mutable std::mutex counters_lock;
  std::vector<SharedCounters> stream_links;  // the last is the one in use; guarded by counters_lock
  std::vector<SharedCounters> lane_links;    // guarded by counters_lock
  LinkWatch link_watch;                      // the service thread's, but for counters_lock
  session::Welcome welcome;
  std::atomic<PushSink*> sink{nullptr};
  // Written once, by the pumping thread, before the flag.
  std::vector<std::byte> introduction;
  std::atomic<bool> introduced{false};
  ReplyTable replies;
  Uploads uploads;
  std::mutex lanes_lock;
  base::Nanoseconds lanes_timeout_ns = kLaneConnectTimeout;
  std::atomic<bool> lanes_tried{false};
  std::uint32_t next_lane = 0;  // guarded by lanes_lock
  std::atomic<bool> lanes_wanted_again{false};
  std::atomic<bool> lost{true};  // also: not connected yet
  std::atomic<bool> abandoned{false};
  std::once_flag lost_once;
  std::atomic<bool> loss_done{false};
  // In the order of their needs; made by connect().
  std::optional<session::Stream> stream;
  std::optional<RoomWaiter> room_waiter;  // outlives the pump, which takes it away from the stream
  std::optional<session::Pump> pump;
  std::optional<session::BulkPort> bulk;
  std::optional<Redial> redial;         // where sessions are resumed
  TaskThread lane_service{"lw-lanes"};  // opens lanes again
  TaskThread service;                   // what frame handlers must not do themselves
};

}  // namespace longwire::client::core
