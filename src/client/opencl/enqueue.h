// The common road of every clEnqueue*: check the queue, the wait list and the call's own arguments,
// make the event, translate the wait list for the node, send the command. OpenCL 3.0, section 5.
//
//   enqueue_auto(queue, count, events, event, CL_COMMAND_…, check, make)   most calls
//   Enqueue command(CL_COMMAND_…);                                          hand-written ones:
//   LW_CL_TRY(command.open(queue, count, events, event));                  queue and wait list
//   … own checks with command.at() …
//   LW_CL_TRY(command.send(message));       fills queue, wait_list, event; sends
//   … wait, start_upload, … ; *event is set by ~Enqueue when send() succeeded, or publish().
#pragma once

#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/event.h"
#include "client/opencl/queue.h"
#include "opencl/messages.h"
#include "wire/frame.h"

namespace longwire::client::opencl {

class Memory;

// Where a command is going: handed to the check functions, which also note the memory objects that
// the command reads and writes, so that a context over several nodes can bring them up to date.
struct EnqueueContext {
  explicit EnqueueContext(Queue& to) noexcept
      : queue(to), context(to.context()), device(to.device()) {}
  Queue& queue;
  Context& context;
  Device& device;
  std::span<const cl_event> wait_events;  // as the program gave them
  mutable std::vector<Memory*> reads;     // filled only when context.spans_nodes()
  mutable std::vector<Memory*> writes;
  void note_read(Memory& memory) const {
    if (context.spans_nodes()) reads.push_back(&memory);
  }
  void note_write(Memory& memory) const {
    if (context.spans_nodes()) writes.push_back(&memory);
  }
};

// For a context over several nodes: makes the noted memory objects current on the queue's node, and
// notes that it will hold the latest bytes of those written. Implemented beside Memory
// (hazards.cc).
cl_int bring_memory_up_to_date(const EnqueueContext& at) noexcept;

// A wait list as the API gives it: CL_INVALID_EVENT_WAIT_LIST or CL_INVALID_CONTEXT.
cl_int check_wait_list(const Context& context, cl_uint count, const cl_event* events) noexcept;

// The wait list as handles valid on the queue's node.
class WaitList {
 public:
  cl_int resolve(Queue& queue, cl_uint count, const cl_event* events) noexcept;
  wire::U64View handles() const noexcept;

 private:
  static constexpr std::size_t kSmall = 8;
  std::array<wire::Handle, kSmall> small_;
  std::vector<wire::Handle> spill_;
  std::size_t count_ = 0;
};

// One enqueue under way, on the caller's stack.
class Enqueue {
 public:
  explicit Enqueue(cl_command_type type) noexcept : type_(type) {}
  Enqueue(const Enqueue&) = delete;
  ~Enqueue();

  // Checks the queue and the wait list, takes the queue's sticky error. `event_out` may be null.
  cl_int open(cl_command_queue command_queue, cl_uint wait_count, const cl_event* wait_events,
              cl_event* event_out) noexcept;

  // REQUIRES: open() succeeded.
  const EnqueueContext& at() const noexcept { return *at_; }
  Queue& queue() const noexcept { return at_->queue; }
  Context& context() const noexcept { return at_->context; }
  Device& device() const noexcept { return at_->device; }
  Node& node() const noexcept { return at_->queue.node(); }
  const WaitList& wait_list() const noexcept { return wait_list_; }

  // The command's event, also where the program wants none (then it is dropped at the end, unless
  // the caller keeps a Ref). REQUIRES: before send().
  Event& need_event() noexcept;
  Event* event() const noexcept { return event_.get(); }  // null when nobody wants one

  // Fills queue, wait_list and event of a generated Enqueue* message and sends it.
  // On failure no event reaches the program.
  template <class M>
  cl_int send(M& message) noexcept;
  // As send(), with a handler for the reply (token is set here). See NodeSession::request().
  template <class M>
  cl_int request(M& message, core::ReplyHandler on_reply,
                 core::NodeSession::Flush when = core::NodeSession::Flush::kSoon) noexcept;

  // Gives the program its event now; otherwise at destruction. Only after a successful send.
  void publish() noexcept;

  // The steps of send(), for enqueue_auto(): memory brought up to date, the event made and known to
  // its node's table; then whether the command went out.
  cl_int prepare() noexcept;
  cl_int sent(const base::Status& status) noexcept;
  wire::Handle event_handle() const noexcept { return event_ ? event_->handle() : 0; }

 private:
  template <class M>
  cl_int fill(M& message) noexcept;
  void put_behind_reads();
  void put_behind(Event& before);
  void hold_until(Event& before);

  const cl_command_type type_;
  std::optional<EnqueueContext> at_;
  WaitList wait_list_;
  std::span<const cl_event> wait_events_;
  cl_event* event_out_ = nullptr;
  Ref<Event> event_;
  bool sent_ = false;
};

// Validates a queue; CL_INVALID_COMMAND_QUEUE for null or wrong objects.
cl_int open_queue(cl_command_queue command_queue, Queue** queue) noexcept;

// `check(at)` decides the call's own errors from shadow state and never waits; `make(queue,
// wait_list, event)` builds the generated message.
template <class Check, class Make>
cl_int enqueue_auto(cl_command_queue command_queue, cl_uint wait_count, const cl_event* wait_events,
                    cl_event* event_out, cl_command_type command_type, Check&& check,
                    Make&& make) noexcept {
  Enqueue command(command_type);
  LW_CL_TRY(command.open(command_queue, wait_count, wait_events, event_out));
  LW_CL_TRY(check(command.at()));
  LW_CL_TRY(command.prepare());
  return command.sent(command.node().session().send(
      make(command.queue().handle(), command.wait_list().handles(), command.event_handle())));
}

template <class M>
cl_int Enqueue::fill(M& message) noexcept {
  LW_CL_TRY(prepare());
  message.queue = queue().handle();
  message.wait_list = wait_list_.handles();
  message.event = event_handle();
  return CL_SUCCESS;
}

template <class M>
cl_int Enqueue::send(M& message) noexcept {
  LW_CL_TRY(fill(message));
  return sent(node().session().send(message));
}

template <class M>
cl_int Enqueue::request(M& message, core::ReplyHandler on_reply,
                        core::NodeSession::Flush when) noexcept {
  LW_CL_TRY(fill(message));
  return sent(node().session().request(message, std::move(on_reply), when));
}

}  // namespace longwire::client::opencl
