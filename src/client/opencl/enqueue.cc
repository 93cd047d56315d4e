#include "client/opencl/enqueue.h"

#include <algorithm>

namespace longwire::client::opencl {

namespace {

Ref<Event> make_event(Queue& queue, cl_command_type type) {
  return Ref<Event>::adopt(new Event(queue, type));
}

}  // namespace

cl_int open_queue(cl_command_queue command_queue, Queue** queue) noexcept {
  *queue = from_cl<Queue>(command_queue);
  return *queue != nullptr ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}

cl_int check_wait_list(const Context& context, cl_uint count, const cl_event* events) noexcept {
  if ((count == 0) != (events == nullptr)) return CL_INVALID_EVENT_WAIT_LIST;
  for (cl_uint i = 0; i < count; ++i) {
    const Event* const event = from_cl<Event>(events[i]);
    if (event == nullptr) return CL_INVALID_EVENT_WAIT_LIST;
    if (&event->context() != &context) return CL_INVALID_CONTEXT;
  }
  return CL_SUCCESS;
}

cl_int WaitList::resolve(Queue& queue, cl_uint count, const cl_event* events) noexcept {
  LW_CL_TRY(check_wait_list(queue.context(), count, events));
  for (cl_uint i = 0; i < count; ++i) {
    const wire::Handle handle = from_cl<Event>(events[i])->handle_on(queue.node());
    if (handle == 0) continue;
    if (count_ == kSmall) spill_.assign(small_.begin(), small_.end());
    if (count_ < kSmall) {
      small_[count_] = handle;
    } else {
      spill_.push_back(handle);
    }
    ++count_;
  }
  return CL_SUCCESS;
}

wire::U64View WaitList::handles() const noexcept {
  const auto all = count_ <= kSmall ? std::span<const wire::Handle>(small_.data(), count_)
                                    : std::span<const wire::Handle>(spill_);
  return wire::U64View(std::as_bytes(all));
}

cl_int Enqueue::open(cl_command_queue command_queue, cl_uint wait_count,
                     const cl_event* wait_events, cl_event* event_out) noexcept {
  Queue* queue = nullptr;
  LW_CL_TRY(open_queue(command_queue, &queue));
  LW_CL_TRY(wait_list_.resolve(*queue, wait_count, wait_events));
  LW_CL_TRY(queue->take_error());
  at_.emplace(*queue);
  at_->wait_events = {wait_events, wait_count};
  wait_events_ = {wait_events, wait_count};
  event_out_ = event_out;
  return CL_SUCCESS;
}

Event& Enqueue::need_event() noexcept {
  if (!event_) event_ = make_event(queue(), type_);
  return *event_;
}

// See transfer_order.h. A wait list may name commands of other queues whose bytes are on their way.
void Enqueue::put_behind_reads() {
  ReadOrder& reads = queue().reads();
  const Ref<Event> fence = queue().fence();
  const bool any_held = std::any_of(wait_events_.begin(), wait_events_.end(),
                                    [](cl_event handle) { return from_cl<Event>(handle)->held(); });
  const bool fences = queue().out_of_order() && type_ == CL_COMMAND_BARRIER &&
                      (any_held || fence || !reads.empty());
  if (fences) need_event();
  for (const cl_event handle : wait_events_)
    put_behind(*from_cl<Event>(handle));
  if (fence && event_) hold_until(*fence);
  const bool waits_for_all =
      !queue().out_of_order() ||
      (wait_events_.empty() && (type_ == CL_COMMAND_MARKER || type_ == CL_COMMAND_BARRIER));
  if (event_ && waits_for_all) reads.put_behind(*event_);
  if (fences) queue().set_fence(*event_);
}

void Enqueue::put_behind(Event& before) {
  if (!before.held()) return;
  if (event_) hold_until(before);
  before.when_done([queue = Ref<Queue>(&queue()), number = queue().reads().begin()](cl_int) {
    queue->reads().end(number);
    queue->node().session().notify();
  });
}

void Enqueue::hold_until(Event& before) {
  event_->hold();
  before.when_done([event = event_](cl_int) { event->drop_hold(); });
}

cl_int Enqueue::prepare() noexcept {
  if (context().spans_nodes()) LW_CL_TRY(bring_memory_up_to_date(at()));
  if (event_out_ != nullptr) need_event();
  if (!wait_events_.empty() || !queue().reads().empty() || queue().fence()) put_behind_reads();
  if (event_) {
    event_->about_to_send();
  } else {
    queue().next_command();
  }
  return CL_SUCCESS;
}

cl_int Enqueue::sent(const base::Status& status) noexcept {
  sent_ = status.ok();
  return sent_ ? CL_SUCCESS : kLostCallStatus;
}

void Enqueue::publish() noexcept {
  if (!sent_ || event_out_ == nullptr) return;
  event_->use();  // the program's
  *std::exchange(event_out_, nullptr) = to_cl<cl_event>(event_.get());
}

Enqueue::~Enqueue() { publish(); }

}  // namespace longwire::client::opencl
