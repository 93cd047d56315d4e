// The common road of every clEnqueue*: check the queue, the wait list and the call's own arguments,
// make the event, translate the wait list for the node, send the command. OpenCL 3.0, section 5.
//
// `check` decides the call's own errors from shadow state and never waits; `make` builds the
// generated message. Events of another node in the wait list are bridged by a user event there.
#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/event.h"
#include "client/opencl/memory.h"
#include "client/opencl/queue.h"
#include "opencl/messages.h"
#include "wire/frame.h"

namespace longwire::client::opencl {

// Where a command is going: handed to the check functions, which also note the memory objects that
// the command reads and writes, so that a context over several nodes can bring them up to date.
struct EnqueueContext {
  Queue& queue;
  Context& context;
  Device& device;
  mutable std::vector<Memory*> reads;    // filled only when context.spans_nodes()
  mutable std::vector<Memory*> writes;
  void note_read(Memory& memory) const { if (context.spans_nodes()) reads.push_back(&memory); }
  void note_write(Memory& memory) const { if (context.spans_nodes()) writes.push_back(&memory); }
};

// The wait list as handles valid on the queue's node, plus what keeps bridges alive.
class WaitList {
 public:
  cl_int resolve(const EnqueueContext& at, cl_uint count, const cl_event* events);
  wire::U64View handles() const;
 private:
  std::vector<wire::Handle> spill_;
  wire::Handle small_[8];
  std::size_t count_ = 0;
};

// Validates the queue; CL_INVALID_COMMAND_QUEUE for null or wrong objects.
cl_int open_enqueue(cl_command_queue command_queue, Queue** queue) noexcept;

// The checked parts before, and the event after: used by enqueue_auto() and by the hand-written
// enqueues alike. `event_out` may be null. On success *event_out is set last.
template <class Check, class Make>
cl_int enqueue_auto(cl_command_queue command_queue, cl_uint wait_count, const cl_event* wait_events,
                    cl_event* event_out, cl_command_type command_type, Check&& check,
                    Make&& make) noexcept;

}  // namespace longwire::client::opencl
