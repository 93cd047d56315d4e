#include "client/opencl/node.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "client/core/call_recorder.h"
#include "client/opencl/event.h"
#include "client/opencl/runtime.h"
#include "wire/fields.h"
#include "wire/opcodes.h"

namespace longwire::client::opencl {
namespace {

constexpr std::size_t kFirstBuckets = 1024;  // a power of two, as all sizes of the table

// Kinds of kOpNotify.
constexpr std::uint32_t kNotifyContext = 1;

// Kernels print where their program prints: descriptor 1, whole, in order.
void write_to_stdout(std::span<const std::byte> text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // the program has closed its stdout
    text = text.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

Node::Node(Runtime& runtime, std::unique_ptr<core::NodeSession> session, std::size_t index)
    : runtime_(runtime), session_(std::move(session)), index_(index), buckets_(kFirstBuckets) {
  session_->set_push_sink(this);
}

Node::~Node() { session_->set_push_sink(nullptr); }

void Node::end() noexcept { session_->close(); }

cl_int Node::wait_until(const std::function<bool()>& done) noexcept {
  return session_->wait_until(done).ok() ? CL_SUCCESS : kLostCallStatus;
}

void Node::release(wire::Handle handle) noexcept {
  longwire::opencl::msg::ReleaseObject message;
  message.object = handle;
  if (core::NodeSession::in_frame_handler()) {
    session_->post([this, message] { (void)send(message); });
  } else {
    (void)send(message);
  }
}

// --- the table of events ---

void Node::add_event(Event& event) noexcept {
  const std::lock_guard lock(events_lock_);
  if (event_count_ == buckets_.size()) grow_table();
  Event*& head = bucket(event.handle());
  event.next_in_table_ = head;
  head = &event;
  ++event_count_;
}

void Node::grow_table() {
  std::vector<Event*> old(2 * buckets_.size());
  old.swap(buckets_);
  for (Event* event : old) {
    while (event != nullptr) {
      Event* const next = event->next_in_table_;
      Event*& head = bucket(event->handle());
      event->next_in_table_ = head;
      head = event;
      event = next;
    }
  }
}

void Node::remove_event(Event& event) noexcept {
  const std::lock_guard lock(events_lock_);
  for (Event** link = &bucket(event.handle()); *link != nullptr; link = &(*link)->next_in_table_) {
    if (*link != &event) continue;
    *link = event.next_in_table_;
    --event_count_;
    return;
  }
}

Ref<Event> Node::find_event(wire::Handle handle) noexcept {
  const std::lock_guard lock(events_lock_);
  for (Event* event = bucket(handle); event != nullptr; event = event->next_in_table_) {
    if (event->handle() == handle && event->try_use()) return Ref<Event>::adopt(event);
  }
  return {};
}

// --- pushes ---

void Node::on_push(wire::Opcode opcode, wire::Reader& payload) {
  switch (opcode) {
    case wire::kOpEventsDone:
      return on_events_done(payload);
    case wire::kOpObjectFailed:
      return on_object_failed(payload);
    case wire::kOpNotify:
      return on_notify(payload);
    case wire::kOpStdout:
      return write_to_stdout(payload.bytes("stdout"));
    default:
      return;  // of a newer node: nothing that this client asked for
  }
}

void Node::on_events_done(wire::Reader& payload) {
  longwire::opencl::push::EventsDone done;
  decode(payload, done);
  if (!payload.ok()) return;
  for (const auto& one : done.events) {
    const Ref<Event> event = find_event(one.event);
    if (!event) continue;  // the program has let go of it
    std::array<std::uint64_t, Event::kTimes> times{};
    for (std::size_t i = 0; i < times.size() && i < one.times.size(); ++i)
      times[i] = one.times[i];
    if (core::g_recorder.load(std::memory_order_relaxed) != nullptr && !one.times.empty())
        [[unlikely]]
      record(*event, times);
    event->on_status(one.status, times);
  }
}

// For `longwire trace`.
void Node::record(const Event& event, std::span<const std::uint64_t> times) noexcept {
  constexpr std::size_t kStart = 2;  // of Event::kTimes
  constexpr std::size_t kEnd = 3;
  core::CallRecorder* const recorder = core::g_recorder.load(std::memory_order_acquire);
  if (recorder == nullptr || event.is_user() || times[kEnd] < times[kStart]) return;
  recorder->record_command(
      {event.command_type(), index_, event.queue()->handle(),
       static_cast<std::int64_t>(times[kStart]), static_cast<std::int64_t>(times[kEnd])},
      runtime_.clock().now_ns());
}

void Node::on_object_failed(wire::Reader& payload) {
  const wire::Handle handle = payload.handle("object");
  const cl_int status = wire::get_i32(payload, "status");
  if (!payload.ok() || status >= 0) return;
  if (const Ref<Object> object = runtime_.find_object(handle)) object->on_failed(status);
}

void Node::on_notify(wire::Reader& payload) {
  const wire::Handle handle = payload.handle("object");
  const std::uint32_t kind = wire::get_u32(payload, "kind");
  const std::string_view text = payload.string("text");
  if (!payload.ok() || kind != kNotifyContext) return;
  const Ref<Object> object = runtime_.find_object(handle);
  if (object && object->kind() == Kind::kContext) {
    static_cast<Context&>(*object).notify(text);
  }
}

void Node::on_session_lost(const base::Error& why) {
  runtime_.say_lost(*this, why);
  std::vector<Ref<Event>> waiting;
  {
    const std::lock_guard lock(events_lock_);
    for (Event* event : buckets_) {
      for (; event != nullptr; event = event->next_in_table_) {
        if (event->try_use()) waiting.push_back(Ref<Event>::adopt(event));
      }
    }
  }
  for (const Ref<Event>& event : waiting)
    event->fail(kLostEventStatus);
}

}  // namespace longwire::client::opencl
