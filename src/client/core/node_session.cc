#include "client/core/node_session.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "client/core/node_session_state.h"
#include "wire/opcodes.h"
#include "wire/reply.h"

namespace longwire::client::core {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

thread_local bool t_in_frame_handler = false;
thread_local bool t_in_loss = false;  // inside lose(): what it calls must not wait for its end

void add(const link::LinkCounters& one, LinkTotals& to) {
  to.bytes_in += one.bytes_in.load(std::memory_order_relaxed);
  to.bytes_out += one.bytes_out.load(std::memory_order_relaxed);
  to.reads += one.reads.load(std::memory_order_relaxed);
  to.writes += one.writes.load(std::memory_order_relaxed);
  to.waits += one.waits.load(std::memory_order_relaxed);
  to.wakes += one.wakes.load(std::memory_order_relaxed);
}

}  // namespace

NodeSession::NodeSession(const base::Clock& clock, std::unique_ptr<Connector> connector)
    : state_(std::make_unique<State>(clock, std::move(connector), [this] { watch(); })) {}

NodeSession::~NodeSession() { close(); }

void NodeSession::close() noexcept {
  State& s = *state_;
  if (!s.pump || s.abandoned) return;
  if (!s.lost) (void)s.stream->say_goodbye();
  lose(Error(ErrorCode::kClosed, "the session is over"));
  s.redial.reset();
  s.lane_service.stop();
  s.service.stop();
  if (s.bulk) s.bulk->stop(Error(ErrorCode::kClosed, "the session is over"));  // lanes use the pump
  s.pump.reset();  // whose thread may be handing a frame to the bulk port
  s.bulk.reset();
}

void NodeSession::say_goodbye() noexcept {
  if (lost()) return;
  state_->abandoned = true;  // the node will close the link; nobody is to hear of that any more
  (void)state_->stream->say_goodbye();
}

// --- opening and losing ---

Status NodeSession::connect(base::Deadline deadline) {
  State& s = *state_;
  LW_ASSIGN(Connector::Opened opened, s.connector->open_session(deadline));
  s.welcome = std::move(opened.welcome);
  session::StreamLimits limits;
  if (s.welcome.max_payload_bytes != 0) {
    limits.max_payload_bytes =
        std::min<std::size_t>(limits.max_payload_bytes, s.welcome.max_payload_bytes);
  }
  s.uploads.set_credit(s.welcome.eager_credit_bytes);
  s.stream.emplace(s.clock, limits, *this);
  s.stream->set_link_lost_handler(
      [this](const session::Stream::LinkLoss& loss) -> base::Result<base::Deadline> {
        if (!resumes()) {
          state_->service.post([this, why = loss.why] { lose(why); });
          return loss.why;
        }
        state_->redial->begin(loss.closed_by_peer);
        return base::Deadline::never();  // the redial knows when to give up
      });
  if (resumes()) prepare_redial(opened.round_trip_ns);
  s.meter.opened_link(opened.round_trips);
  s.stream_links.push_back(opened.link->counters());
  LW_TRY(s.stream->attach(std::move(opened.link), 0));
  s.pump.emplace(*s.stream, s.clock);
  s.room_waiter.emplace(s.meter, *s.stream, *s.pump);
  s.stream->set_waiter(&*s.room_waiter);
  s.bulk.emplace(s.clock, *s.stream,
                 resumes() ? session::LaneLoss::kIsRepaired : session::LaneLoss::kEndsSession);
  if (resumes()) s.bulk->set_lane_lost_handler([this] { reopen_lanes(); });
  s.lost = false;
  s.pump->start_background();
  s.service.start();
  return {};
}

void NodeSession::set_push_sink(PushSink* sink) { state_->sink = sink; }
const session::Welcome& NodeSession::welcome() const { return state_->welcome; }
std::string NodeSession::node_name() const { return state_->connector->node_name(); }
bool NodeSession::lost() const noexcept { return state_->lost || state_->abandoned; }

SessionCounters NodeSession::counters() const {
  const State& s = *state_;
  SessionCounters counters;
  s.meter.read_into(counters);
  if (!s.stream) return counters;
  counters.messages_sent = s.stream->sent();
  counters.messages_received = s.stream->received();
  const std::lock_guard lock(s.counters_lock);
  for (const SharedCounters& one : s.stream_links)
    if (one) add(*one, counters.link);
  for (const SharedCounters& one : s.lane_links)
    if (one) add(*one, counters.lane_links);
  counters.lanes = s.lane_links.size();
  return counters;
}

// A stream may end where no call of ours is told: by bytes that are no frame. And a link may die
// where no kernel tells us.
void NodeSession::watch() {
  State& s = *state_;
  if (lost()) return;
  if (s.stream->ended()) return lose(s.stream->why_ended());
  if (!resumes()) return;
  const bool awaited = s.pump->waited_for() || s.stream->sent() != s.stream->acknowledged();
  LinkWatch::Advice advice = LinkWatch::Advice::kNothing;
  {
    const std::lock_guard lock(s.counters_lock);
    const SharedCounters& link = s.stream_links.back();
    if (link) advice = s.link_watch.look(link->bytes_in.load(std::memory_order_relaxed), awaited);
  }
  if (advice == LinkWatch::Advice::kPing) s.stream->ping();
  if (advice == LinkWatch::Advice::kSuspect) s.redial->begin(false);
}

// --- resuming ---

bool NodeSession::resumes() const noexcept {
  const session::Welcome& welcome = state_->welcome;
  return (welcome.features & session::kFeatureResume) != 0 && welcome.grace_ms > 0;
}

void NodeSession::prepare_redial(base::Nanoseconds round_trip_ns) {
  State& s = *state_;
  s.link_watch.set_round_trip(round_trip_ns);
  s.lanes_timeout_ns = first_lanes_timeout(round_trip_ns);
  Redial::Session session;
  session.grace_ns = static_cast<base::Nanoseconds>(s.welcome.grace_ms) * base::kMillisecond;
  session.round_trip_ns = round_trip_ns;
  session.open = [&s](base::Deadline deadline) {
    return s.connector->open_resume(
        s.welcome, [&s] { return s.stream->let_link_go(); }, deadline);
  };
  session.resumed = [this](Connector::Opened opened) { adopt_resumed(std::move(opened)); };
  session.lost = [this](Error why) {
    state_->service.post([this, why = std::move(why)] { lose(why); });
  };
  s.redial.emplace(s.clock, std::move(session));
}

void NodeSession::adopt_resumed(Connector::Opened opened) {
  State& s = *state_;
  s.meter.opened_link(opened.round_trips);
  {
    const std::lock_guard lock(s.counters_lock);
    s.stream_links.push_back(opened.link->counters());
    if (const SharedCounters& link = s.stream_links.back()) s.link_watch.relinked(link->bytes_in);
  }
  s.stream->offer(std::move(opened.link), opened.welcome.received);
  s.bulk->drop_lanes();  // they have gone the same way, or the path that they use has
}

Status NodeSession::fail_if_ended(Status status) {
  if (!status.ok() && !state_->abandoned && state_->stream && state_->stream->ended() &&
      !t_in_frame_handler && !t_in_loss) {
    lose(status.error());
  }
  return status;
}

// Never on the pumping thread inside a handler: handlers of replies may take any lock of theirs.
void NodeSession::lose(const Error& why) {
  State& s = *state_;
  if (s.abandoned) return;
  std::call_once(s.lost_once, [&] {
    t_in_loss = true;
    s.lost = true;
    if (s.redial) s.redial->stop();
    s.stream->shut_down(why);
    s.bulk->shut_down(why);
    while (auto upload = s.uploads.take_any())
      upload->on_sent(why);
    while (PendingReply* pending = s.replies.take_any())
      complete(*pending, {0, nullptr, &why});
    if (PushSink* const sink = s.sink.load()) sink->on_session_lost(why);
    s.pump->notify();
    t_in_loss = false;
    s.loss_done.store(true, std::memory_order_release);
    s.loss_done.notify_all();
  });
}

// After that no lane writes into the program's memory any more, and every reply has been given.
void NodeSession::await_loss() noexcept {
  State& s = *state_;
  if (s.abandoned || !s.pump || t_in_loss || t_in_frame_handler) return;
  s.loss_done.wait(false, std::memory_order_acquire);
}

// --- sending ---

base::Result<session::Stream::Draft> NodeSession::begin(wire::Opcode opcode,
                                                        std::size_t payload_bytes) {
  if (lost()) return Error(ErrorCode::kClosed, "the session with " + node_name() + " is lost");
  auto draft = state_->stream->begin(opcode, payload_bytes);
  if (!draft.ok()) (void)fail_if_ended(draft.error());
  if (count_thread_bytes()) [[unlikely]] {
    thread_counters().bytes_sent += wire::kFrameHeaderBytes + payload_bytes;
  }
  return draft;
}

void NodeSession::flush_soon() noexcept { state_->pump->flush_soon(); }

Status NodeSession::flush() {
  if (lost()) return Error(ErrorCode::kClosed, "the session with " + node_name() + " is lost");
  return fail_if_ended(state_->stream->flush());
}

Status NodeSession::wait_until(const std::function<bool()>& done, base::Deadline deadline) {
  return wait(done, deadline, WaitMeter::For::kAnswer);
}

Status NodeSession::wait(const std::function<bool()>& done, base::Deadline deadline,
                         WaitMeter::For what) {
  if (what != WaitMeter::For::kAnswer && done()) return {};
  if (lost()) {
    if (!done()) await_loss();
    return done() ? Status{}
                  : Error(ErrorCode::kClosed, "the session with " + node_name() + " is lost");
  }
  const WaitMeter::Scope waiting(state_->meter, what, state_->stream->sent());
  if (done()) return {};  // another thread was quicker to read it
  Status status = fail_if_ended(state_->pump->wait_until(done, deadline));
  return done() ? Status{} : status;
}

void NodeSession::notify() noexcept {
  if (!lost()) state_->pump->notify();
}

void NodeSession::post(std::function<void()> work) noexcept {
  if (!lost()) state_->service.post(std::move(work));
}

bool NodeSession::in_frame_handler() noexcept { return t_in_frame_handler; }

// --- replies ---

Status NodeSession::add_reply(PendingReply& pending) {
  if (lost()) return Error(ErrorCode::kClosed, "the session with " + node_name() + " is lost");
  if (state_->replies.add(pending)) return {};
  return Error(ErrorCode::kLimit, "too many replies are awaited");
}

base::Result<PendingReply*> NodeSession::add_owned_reply(ReplyHandler on_reply) {
  auto pending = std::make_unique<PendingReply>();
  pending->owned = std::move(on_reply);
  pending->handler = &pending->owned;
  pending->is_owned = true;
  LW_TRY(add_reply(*pending));
  return pending.release();
}

Status NodeSession::await_reply(PendingReply& pending, Status sent, base::Deadline deadline) {
  const auto done = [&pending] { return pending.done.load(std::memory_order_acquire); };
  if (sent.ok()) sent = wait_until(done, deadline);
  if (sent.ok()) return lost() && !done() ? Error(ErrorCode::kClosed, "lost") : Status{};
  if (state_->replies.take(pending.token) != nullptr) return sent;
  while (!done())
    std::this_thread::yield();  // its handler is running on another thread
  return sent;
}

Status NodeSession::sent_request(wire::Token token, Status sent) {
  if (sent.ok()) {
    // The session may have been lost between the two steps, with nobody left to answer.
    if (!lost()) return {};
    sent = Error(ErrorCode::kClosed, "the session with " + node_name() + " is lost");
  }
  PendingReply* const pending = state_->replies.take(token);
  if (pending == nullptr) return {};  // its handler has run, or runs, with the loss
  delete pending;
  return sent;
}

// --- frames ---

Status NodeSession::on_frame(const session::Frame& frame) {
  if (count_thread_bytes()) [[unlikely]] {
    thread_counters().bytes_received += wire::kFrameHeaderBytes + frame.payload.size();
  }
  t_in_frame_handler = true;
  Status status = dispatch(frame);
  t_in_frame_handler = false;
  if (!status.ok()) state_->service.post([this, why = status.error()] { lose(why); });
  return status;
}

Status NodeSession::dispatch(const session::Frame& frame) {
  wire::Reader payload(frame.payload);
  switch (frame.opcode) {
    case wire::kOpReply:
      return on_reply(payload);
    case wire::kOpBulkGrant:
    case wire::kOpBulkCredit:
    case wire::kOpBulkAbort:
      return on_bulk(frame.opcode, payload);
    case wire::kOpBulkData:
      return state_->bulk->on_stream_chunk(frame.payload);
    case wire::kOpLaneReceived:
      return state_->bulk->on_lane_received(frame.payload);
    case wire::kOpIntroduction:
      return on_introduction(frame.payload);
    case wire::kOpAgentAway: {
      const std::uint64_t within_ms = payload.u64("within_ms");
      LW_TRY(payload.finish());
      if (state_->redial) state_->redial->expect_nobody_for(within_ms);
      return {};
    }
    case wire::kOpGoodbye:
      return {};
    default:
      break;
  }
  if (PushSink* const sink = state_->sink.load()) sink->on_push(frame.opcode, payload);
  return payload.finish();
}

// It may come before there is a PushSink, so it is kept here.
Status NodeSession::on_introduction(std::span<const std::byte> payload) {
  State& s = *state_;
  if (s.introduced) return Error(ErrorCode::kWireFault, "a second introduction");
  s.introduction.assign(payload.begin(), payload.end());
  s.introduced.store(true, std::memory_order_release);
  return {};
}

bool NodeSession::introduces_itself() const noexcept {
  return (state_->welcome.features & session::kFeatureIntroduction) != 0;
}

base::Result<std::span<const std::byte>> NodeSession::introduction(base::Deadline deadline) {
  const auto here = [this] { return state_->introduced.load(std::memory_order_acquire); };
  LW_TRY(wait(here, deadline, WaitMeter::For::kIntroduction));
  return std::span<const std::byte>(state_->introduction);
}

Status NodeSession::on_reply(wire::Reader& payload) {
  const wire::ReplyHeader header = wire::get_reply_header(payload);
  LW_TRY(payload.finish());
  PendingReply* const pending = state_->replies.take(header.token);
  if (pending == nullptr) return {};  // nobody waits any more
  complete(*pending, {header.status, &payload, nullptr});
  return payload.finish();
}

Status NodeSession::on_bulk(wire::Opcode opcode, wire::Reader& payload) {
  const std::uint64_t value = payload.u64("transfer");
  LW_TRY(payload.finish());
  if (opcode == wire::kOpBulkCredit) {
    state_->uploads.add_credit(value);
    return {};
  }
  auto upload =
      opcode == wire::kOpBulkGrant ? state_->uploads.grant(value) : state_->uploads.refuse(value);
  if (!upload) return {};
  state_->service.post([this, value, work = std::move(*upload)]() mutable {
    send_upload(value, work.data, std::move(work.on_sent), nullptr);
  });
  return {};
}

// --- fork ---

void NodeSession::before_fork() noexcept {
  state_->replies.mutex().lock();
  state_->service.mutex().lock();
}

void NodeSession::after_fork(bool in_child) noexcept {
  if (in_child) state_->abandoned = true;
  state_->service.mutex().unlock();
  state_->replies.mutex().unlock();
}

}  // namespace longwire::client::core
