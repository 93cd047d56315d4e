#include "client/opencl/event.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace msg = longwire::opencl::msg;

Event::Event(Queue& queue, cl_command_type type)
    : Object(kKind, queue.context().new_handle(kKind)),
      context_(&queue.context()),
      queue_(&queue),
      type_(type),
      profiling_(queue.profiling()),
      status_(CL_QUEUED) {}

Event::Event(Context& context)
    : Object(kKind, context.new_handle(kKind)),
      context_(&context),
      type_(CL_COMMAND_USER),
      profiling_(false),
      status_(CL_SUBMITTED) {}

Event::~Event() {
  if (in_table_) node().remove_event(*this);
  for (const Bridge& bridge : bridges_)
    bridge.node->release(bridge.handle);
  if (is_user()) {
    if (known_to_node_) context_->release_on_all(handle());
  } else if (known_to_node_) {
    node().release(handle());
  }
}

Node& Event::node() const noexcept { return queue_ ? queue_->node() : context_->node(); }

void Event::about_to_send() noexcept {
  number_ = queue_->next_command();
  in_table_ = true;
  known_to_node_ = true;
  node().add_event(*this);
}

// --- status ---

cl_int Event::status() const noexcept {
  const cl_int now = status_.load(std::memory_order_acquire);
  return now == CL_QUEUED && queue_ && number_ <= queue_->flushed() ? CL_SUBMITTED : now;
}

void Event::on_status(cl_int status, std::span<const std::uint64_t> times) noexcept {
  if (status > CL_COMPLETE) return progress(status);
  std::copy_n(times.begin(), std::min(times.size(), times_.size()), times_.begin());
  // A node says it once; a second time must not open another gate.
  if (!answered_.exchange(true)) drop_gate(status);
}

void Event::drop_hold(cl_int status) noexcept { drop_gate(status); }

void Event::drop_gate(cl_int status) noexcept {
  if (status < 0) outcome_.store(status);
  if (gates_.fetch_sub(1, std::memory_order_acq_rel) == 1) publish(outcome_.load());
}

void Event::fail(cl_int status) noexcept { publish(status); }

// A higher status than the one it has is old news.
void Event::progress(cl_int status) noexcept {
  cl_int now = status_.load();
  do {
    if (status >= now) return;
  } while (!status_.compare_exchange_weak(now, status));
  run_waiters(status);
}

void Event::publish(cl_int status) noexcept {
  cl_int now = status_.load();
  do {
    if (now <= CL_COMPLETE) return;
  } while (!status_.compare_exchange_weak(now, status, std::memory_order_acq_rel));
  run_waiters(status);
  wake_waiting_threads();
}

// The pump looks at its waiters after every frame by itself.
void Event::wake_waiting_threads() noexcept {
  if (core::NodeSession::in_frame_handler() && !context_->spans_nodes()) return;
  for (Node* const node : context_->nodes())
    node->session().notify();
}

void Event::run_waiters(cl_int reached) noexcept {
  std::vector<Waiter> ready;
  {
    const std::lock_guard lock(lock_);
    const auto first = std::stable_partition(waiters_.begin(), waiters_.end(),
                                             [&](const Waiter& w) { return w.at < reached; });
    std::move(first, waiters_.end(), std::back_inserter(ready));
    waiters_.erase(first, waiters_.end());
  }
  // Progress is reported in its order, whatever the order of the registrations.
  std::stable_sort(ready.begin(), ready.end(),
                   [](const Waiter& a, const Waiter& b) { return a.at > b.at; });
  for (const Waiter& waiter : ready)
    call_back(waiter, reached);
}

void Event::call_back(const Waiter& waiter, cl_int reached) noexcept {
  if (waiter.then) return waiter.then(reached);
  // An error is reported as such; otherwise the program hears of the status that it asked for.
  const cl_int told = reached < 0 ? reached : waiter.at;
  context_->runtime().callbacks().post(
      [self = Ref<Event>(this), told, callback = waiter.callback, data = waiter.user_data] {
        callback(to_cl<cl_event>(self.get()), told, data);
      });
}

void Event::when_done(std::function<void(cl_int)> then) {
  {
    const std::lock_guard lock(lock_);
    if (!done()) {
      waiters_.push_back({CL_COMPLETE, nullptr, nullptr, std::move(then), Ref<Event>(this)});
      return;
    }
  }
  then(status());
}

cl_int Event::set_callback(cl_int status, Callback callback, void* user_data) noexcept {
  const Waiter waiter{status, callback, user_data, {}, Ref<Event>(this)};
  {
    const std::lock_guard lock(lock_);
    if (this->status() > status) {
      waiters_.push_back(waiter);
      if (status == CL_COMPLETE || is_user()) return CL_SUCCESS;
    } else {
      call_back(waiter, this->status());
      return CL_SUCCESS;
    }
  }
  msg::SubscribeEvent message;
  message.event = handle();
  message.execution_status = status;
  (void)node().send(message);  // lost: the event has failed, or is about to, and calls back then
  return CL_SUCCESS;
}

// --- waiting ---

void Event::flush_queue() noexcept {
  if (done()) return;
  if (queue_ && number_ > queue_->flushed()) (void)queue_->flush();
}

cl_int Event::wait() noexcept {
  if (done()) return CL_SUCCESS;
  flush_queue();
  return node().wait_until([this] { return done(); });
}

wire::Handle Event::handle_on(Node& at) {
  const cl_int now = status();
  if (now == CL_COMPLETE) return 0;
  if (is_user() || &at == &node()) return handle();
  return bridge_to(at);
}

// A user event on the other node that follows this one.
wire::Handle Event::bridge_to(Node& at) {
  msg::CreateUserEvent create;
  {
    const std::lock_guard lock(lock_);
    for (const Bridge& bridge : bridges_) {
      if (bridge.node == &at) return bridge.handle;
    }
    create.event = context_->new_handle(kKind);
    create.context = context_->handle();
    bridges_.push_back({&at, create.event});
  }
  (void)at.send(create);
  flush_queue();
  // Keeps the event until it has completed; the bridge must not be left unset.
  when_done([self = Ref<Event>(this), node = &at, handle = create.event](cl_int status) {
    node->session().post([self, node, handle, status] {
      msg::SetUserEventStatus set;
      set.event = handle;
      set.execution_status = status;
      (void)node->send(set);
      (void)node->flush();
    });
  });
  return create.event;
}

// --- user events ---

cl_int Event::create_on_nodes() noexcept {
  msg::CreateUserEvent message;
  message.event = handle();
  message.context = context_->handle();
  known_to_node_ = true;
  return context_->send_to_all(message);
}

cl_int Event::set_user_status(cl_int status) noexcept {
  if (!is_user()) return CL_INVALID_EVENT;
  if (status > CL_COMPLETE) return CL_INVALID_VALUE;
  if (answered_.exchange(true)) return CL_INVALID_OPERATION;
  msg::SetUserEventStatus message;
  message.event = handle();
  message.execution_status = status;
  (void)context_->send_to_all(message);
  for (Node* const node : context_->nodes())
    (void)node->flush();
  publish(status);
  return CL_SUCCESS;
}

// --- queries ---

cl_int Event::get_info(cl_event_info param, const InfoOut& out) noexcept {
  switch (param) {
    case CL_EVENT_COMMAND_QUEUE:
      return out.value<cl_command_queue>(to_cl<cl_command_queue>(queue_.get()));
    case CL_EVENT_CONTEXT:
      return out.value<cl_context>(to_cl<cl_context>(context_.get()));
    case CL_EVENT_COMMAND_TYPE:
      return out.value<cl_command_type>(type_);
    case CL_EVENT_COMMAND_EXECUTION_STATUS:
      return out.value<cl_int>(status());
    case CL_EVENT_REFERENCE_COUNT:
      return out.value<cl_uint>(api_references());
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int Event::get_profiling(cl_profiling_info param, const InfoOut& out) noexcept {
  if (!profiling_ || status() != CL_COMPLETE) return CL_PROFILING_INFO_NOT_AVAILABLE;
  if (param < CL_PROFILING_COMMAND_QUEUED || param > CL_PROFILING_COMMAND_COMPLETE) {
    return CL_INVALID_VALUE;
  }
  return out.value<cl_ulong>(times_[param - CL_PROFILING_COMMAND_QUEUED]);
}

}  // namespace longwire::client::opencl
