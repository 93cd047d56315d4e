// Completions: from the vendor driver's "complete" to the client. Every event is reported exactly
// once, either by its own callback or by a Finish that found it complete first.
//
// Native queries are made without the outbox in hand: a driver may call back with a lock of its
// own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <vector>

#include <CL/cl.h>

#include "opencl/messages.h"
#include "worker/core/busy_time.h"
#include "worker/core/worker.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

// What kernels have printed so far, to be sent before the completion of the command that printed.
class OutputSource {
 public:
  virtual ~OutputSource() = default;
  // Sends what is there. Called with the outbox in hand; must not block.
  virtual void drain(core::Outbox::Turn& turn) = 0;
};

inline constexpr base::Nanoseconds kSweepEveryNs = 50 * base::kMillisecond;

class Completions {
 public:
  Completions(const NativeApi& api, const core::Services& services, OutputSource* output)
      : api_(api), services_(services), output_(output) {}

  // Has `event` (whose native event is set) reported when it completes. Takes a use until then.
  void watch(Event& event);
  // Also pushes that the event has reached `status` (CL_SUBMITTED, CL_RUNNING).
  void subscribe(Event& event, cl_int status);
  // A command that never came to run: reports its event, or says that the queue failed.
  void failed_to_start(Handle queue, Handle event, cl_int status);
  // Replies to `token` when all commands of `queue` so far are complete and reported: at once where
  // that is known.
  void finish(Queue& queue, wire::Token token);

  // A read whose bytes go by lanes begins; Finish replies behind the replies of those before it.
  std::uint64_t read_started(Queue& queue);
  // In the turn that has sent its reply.
  void read_replied(core::Outbox::Turn& turn, Queue& queue, std::uint64_t read);

  // The reply of a Finish. REQUIRES: all before it is complete natively, and has been reported.
  void answer(core::Outbox::Turn& turn, Queue& queue, const Queue::WaitingFinish& finish);

  // Some drivers never call back for a command that fails because an event of its wait list has
  // failed (PoCL 3.1). So once anything has failed, what is under way is looked through: at the
  // failure, and every kSweepEveryNs as long as something is under way.
  void note_failure();
  void sweep();
  // When the dispatch thread should sweep again.
  base::Deadline next_sweep() const;

  // For how long there has been a command under way that is watched: one with an event, a read or
  // write of bulk data, or what a Finish waits for. Any thread.
  base::Nanoseconds busy_ns();

  // Waits until no callback of the vendor driver is due; false after `timeout_ms`.
  bool wait_until_idle(int timeout_ms);
  // What the driver never called back for. Once no callback can come any more.
  void drop_orphans();

 private:
  struct State {
    cl_int status = CL_COMPLETE;
    EventTimes times{};
    bool has_times = false;
  };
  // Whom the report of a completion must not keep waiting, or what is under way besides.
  enum class Urgency { kAtOnce, kInBurst };
  static void CL_CALLBACK on_complete(cl_event native, cl_int status, void* event);

  void watch_by_waiting(Event& event);
  void complete(Event& event, cl_int status);
  State state_of(const Event& event, cl_int status) const;
  void reply_finished(Queue& queue, const Queue::WaitingFinish& finish);
  struct Found {
    Ref<Event> event;
    State state;
  };
  // Those of `live` that are over natively.
  std::vector<Found> over(const std::vector<Ref<Event>>& live) const;
  // In a turn. True when this call claimed the event.
  bool claim(Event& event);
  void report(core::Outbox::Turn& turn, Event& event, const State& state);
  void enlist(Event& event);
  void one_fewer() { due_.fetch_sub(1, std::memory_order_release); }

  const NativeApi& api_;
  const core::Services& services_;
  OutputSource* const output_;
  longwire::opencl::push::EventsDone message_;  // reused; guarded by the turn

  Event* live_ = nullptr;  // all events under way; guarded by the turn
  core::BusyTime busy_;    // while there is one; guarded by the turn
  std::atomic<bool> failures_seen_{false};
  std::atomic<bool> anything_live_{false};
  std::atomic<bool> sweep_posted_{false};
  base::Nanoseconds swept_at_ns_ = 0;  // dispatch thread

  // Callbacks that the driver still owes. A callback's last access of anything here.
  std::atomic<std::size_t> due_{0};
  std::mutex orphans_mutex_;
  std::unordered_set<Event*> orphans_;  // each with a use
};

}  // namespace longwire::worker::opencl
