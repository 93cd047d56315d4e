// Events: the client's shadow of an execution status, moved on by the node's pushes. OpenCL 3.0,
// sections 5.11 and 5.14.
//
// An event completes when all its gates are gone: one for the node's completion, and one for each
// hold() (for example the bytes of a non-blocking read that are still coming on a lane).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/info.h"
#include "client/opencl/object.h"
#include "client/opencl/queue.h"

namespace longwire::client::opencl {

class Event final : public Object {
 public:
  static constexpr Kind kKind = Kind::kEvent;
  static constexpr std::size_t kTimes = 5;  // queued, submit, start, end, complete
  using Callback = void(CL_CALLBACK*)(cl_event, cl_int, void*);

  // A command's event on `queue`.
  Event(Queue& queue, cl_command_type type);
  // A user event.
  explicit Event(Context& context);
  ~Event() override;

  Context& context() const noexcept { return *context_; }
  Queue* queue() const noexcept { return queue_.get(); }  // null for user events
  Node& node() const noexcept;                            // the queue's; a user event's first
  bool is_user() const noexcept { return !queue_; }
  cl_command_type command_type() const noexcept { return type_; }

  // CL_QUEUED, CL_SUBMITTED, CL_RUNNING, CL_COMPLETE or a negative error.
  cl_int status() const noexcept;
  bool done() const noexcept { return status_.load(std::memory_order_acquire) <= CL_COMPLETE; }

  // Numbers the command in its queue and enters the event in its node's table. Before it is sent.
  void about_to_send() noexcept;

  // One more gate; before the command is sent. drop_hold(negative) makes the event fail.
  void hold() noexcept {
    held_ = true;
    gates_.fetch_add(1);
  }
  // Completion may wait for something else than the node: whoever waits for this event must wait
  // here, too.
  bool held() const noexcept { return held_ && !done(); }
  void drop_hold(cl_int status = CL_SUCCESS) noexcept;

  // From the node: completion (status <= 0, drops the node's gate) or progress (status > 0).
  void on_status(cl_int status, std::span<const std::uint64_t> times) noexcept;
  // The command never reached the node, or the node is lost: completes now, whatever the gates.
  void fail(cl_int status) noexcept;

  // Flushes the command's queue, unless that has happened since.
  void flush_queue() noexcept;
  // Waits on this thread (flushing first). CL_SUCCESS when done whatever its status; else
  // kLostCallStatus.
  cl_int wait() noexcept;

  // Calls `then(status)` once when the event has completed (at once if it has): on the pumping
  // thread; must not block or call user code.
  void when_done(std::function<void(cl_int)> then);

  // A handle that commands on `node` may wait for; 0 when it has completed
  // well and needs no waiting. Events of other nodes are bridged by a user event there.
  wire::Handle handle_on(Node& node);

  cl_int set_callback(cl_int status, Callback callback, void* user_data) noexcept;
  cl_int create_on_nodes() noexcept;  // a new user event; CL_SUCCESS or kLostCallStatus
  cl_int set_user_status(cl_int status) noexcept;
  cl_int get_info(cl_event_info param, const InfoOut& out) noexcept;
  cl_int get_profiling(cl_profiling_info param, const InfoOut& out) noexcept;

 private:
  friend class Node;  // next_in_table_
  struct Waiter {
    cl_int at;          // reached when the status is this or less
    Callback callback;  // the program's, on the callback thread; or
    void* user_data;
    std::function<void(cl_int)> then;  // ours, at once
    Ref<Event> keep;                   // what is due keeps the event, whoever else lets go of it
  };
  void drop_gate(cl_int status) noexcept;
  void publish(cl_int status) noexcept;
  void progress(cl_int status) noexcept;
  void run_waiters(cl_int reached) noexcept;
  void call_back(const Waiter& waiter, cl_int reached) noexcept;
  void wake_waiting_threads() noexcept;
  wire::Handle bridge_to(Node& at);

  const Ref<Context> context_;
  const Ref<Queue> queue_;
  cl_command_type type_;
  const bool profiling_;
  std::uint64_t number_ = 0;  // in its queue
  std::atomic<cl_int> status_;
  std::atomic<std::uint32_t> gates_{1};
  std::atomic<bool> held_{false};
  std::atomic<cl_int> outcome_{CL_COMPLETE};  // what it will complete with
  std::atomic<bool> answered_{false};  // the node's gate is gone; a user event: its status is set
  std::array<std::uint64_t, kTimes> times_{};
  std::mutex lock_;
  std::vector<Waiter> waiters_;
  struct Bridge {
    Node* node;
    wire::Handle handle;
  };
  std::vector<Bridge> bridges_;
  Event* next_in_table_ = nullptr;
  bool in_table_ = false;
  bool known_to_node_ = false;
};

// Keeps the events of a list while a call uses them: what the call sets going may release them.
// REQUIRES: live events.
class EventsInUse {
 public:
  EventsInUse(cl_uint count, const cl_event* events) noexcept : events_(events, count) {
    for (const cl_event event : events_)
      from_cl<Event>(event)->use();
  }
  EventsInUse(const EventsInUse&) = delete;
  ~EventsInUse() {
    for (const cl_event event : events_)
      from_cl<Event>(event)->unuse();
  }

 private:
  const std::span<const cl_event> events_;
};

}  // namespace longwire::client::opencl
