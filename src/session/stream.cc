#include "session/stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "session/mirrored_buffer.h"
#include "session/receive_buffer.h"
#include "session/send_queue.h"
#include "wire/opcodes.h"
#include "wire/reader.h"

namespace longwire::session {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;

struct Stream::State {
  State(const base::Clock& clock_, StreamLimits limits_, FrameSink& sink_, MirroredBuffer send_ring,
        MirroredBuffer receive_ring)
      : clock(clock_),
        limits(limits_),
        sink(sink_),
        sending(std::move(send_ring)),
        receiving(std::move(receive_ring), limits_.max_payload_bytes) {}

  // Top-down: what pump() does.
  base::Result<std::size_t> pump_once(Deadline deadline);
  base::Result<link::Readiness> wait_for_link(Deadline deadline);
  base::Result<std::size_t> read_and_deliver();
  base::Result<std::size_t> deliver_all();
  Status acknowledge(wire::Sequence sequence);
  Status deliver(const ReceivedFrame& frame);
  Status deliver_numbered(const ReceivedFrame& frame);
  Status on_control(const ReceivedFrame& frame);
  Status on_fault(std::span<const std::byte> payload);
  void count_received(std::size_t bytes);
  Status write();
  Status make_room_while_handling(std::size_t frame_bytes);
  Status attach(std::unique_ptr<link::Link> link, wire::Sequence peer_received);
  Status check_received(wire::Sequence peer_received) const;
  Status take_offer();
  Status await_offer(Deadline deadline);
  // Any failure of the link itself, even a forged TLS record, is a loss that a new link repairs.
  Error link_failed(const Error& error);
  // Sorts a failure: a lost link is given to the handler, anything else ends the stream.
  Status settle(Error error);
  Status replace_lost_link(Error error);
  void tell_peer_and_end(const Error& error);
  void end(Error why);

  const base::Clock& clock;
  const StreamLimits limits;
  FrameSink& sink;
  SendQueue sending;
  ReceiveBuffer receiving;
  LinkLostHandler on_link_lost;
  std::atomic<StreamWaiter*> waiter{nullptr};

  // Written with the pump role and link_mutex held, so readable with either.
  std::unique_ptr<link::Link> link;
  std::mutex link_mutex;
  std::unique_ptr<link::Link> lost_link;  // closed when there is another
  std::atomic<bool> let_go{false};        // the link is used no more
  struct Offer {
    std::unique_ptr<link::Link> link;
    wire::Sequence peer_received = 0;
  };
  Offer offered;                          // guarded by link_mutex
  std::atomic<bool> has_offer{false};     // changes with it
  std::condition_variable without_link;   // for who pumps meanwhile, with link_mutex
  bool woken_without_link = false;        // guarded by link_mutex
  std::atomic<bool> write_failed{false};  // the writer's news for the pumping thread

  std::atomic<std::thread::id> handling_thread{};  // inside on_frame
  std::atomic<wire::Sequence> received{0};
  std::atomic<std::size_t> unacknowledged_bytes{0};
  bool link_lost = false;  // by the error that pump_once() is returning
  bool goodbye_received = false;
  std::optional<LinkLoss> loss;  // that the stream waits to be repaired
  Deadline repaired_until;

  std::mutex end_mutex;
  std::optional<Error> why_ended;
  std::atomic<bool> ended{false};
};

namespace {

MirroredBuffer ring_of(std::size_t bytes, std::optional<Error>& failed) {
  auto ring = MirroredBuffer::create(bytes);
  if (ring.ok()) return std::move(ring).value();
  failed = std::move(ring).error();
  return {};
}

}  // namespace

// --- life ---

Stream::Stream(const base::Clock& clock, StreamLimits limits, FrameSink& sink) {
  std::optional<Error> failed;
  MirroredBuffer send_ring = ring_of(limits.send_ring_bytes, failed);
  MirroredBuffer receive_ring = ring_of(limits.receive_ring_bytes, failed);
  state_ =
      std::make_unique<State>(clock, limits, sink, std::move(send_ring), std::move(receive_ring));
  if (failed) state_->end(std::move(*failed).during("cannot make a stream"));
}

Stream::~Stream() = default;

Status Stream::attach(std::unique_ptr<link::Link> link, wire::Sequence peer_received) {
  if (state_->ended) return why_ended();
  return state_->attach(std::move(link), peer_received);
}

Status Stream::State::check_received(wire::Sequence peer_received) const {
  if (peer_received < sending.acknowledged()) {
    return Error(ErrorCode::kWireFault, "the peer has forgotten frames that it acknowledged");
  }
  if (peer_received > sending.committed_sequence()) {
    return Error(ErrorCode::kWireFault, "the peer has received frames that were never sent");
  }
  return {};
}

Status Stream::check_received(wire::Sequence peer_received) const {
  return state_->check_received(peer_received);
}

Status Stream::State::attach(std::unique_ptr<link::Link> next, wire::Sequence peer_received) {
  LW_TRY(check_received(peer_received));
  LW_TRY(sending.acknowledge(peer_received));
  const std::lock_guard lock(link_mutex);
  lost_link.reset();
  link = std::move(next);
  write_failed = let_go = false;
  loss.reset();
  sending.rewind();
  receiving.restart();
  if (ended) link->close();
  return {};
}

void Stream::offer(std::unique_ptr<link::Link> link, wire::Sequence peer_received) {
  State& s = *state_;
  const std::lock_guard lock(s.link_mutex);
  if (s.ended) return;
  s.offered = {std::move(link), peer_received};
  s.has_offer = true;
  if (s.link) s.link->wake();
  s.without_link.notify_all();
}

wire::Sequence Stream::let_link_go() noexcept {
  State& s = *state_;
  const std::lock_guard lock(s.link_mutex);
  s.let_go = true;
  if (s.link) s.link->wake();
  return s.received;
}

Status Stream::State::take_offer() {
  Offer taken;
  {
    const std::lock_guard lock(link_mutex);
    if (!has_offer.exchange(false)) return {};
    taken = std::move(offered);
  }
  if (taken.peer_received < sending.acknowledged()) {
    // Another greeting has overtaken this one, and its link has acknowledged more since.
    if (link && !let_go) return {};
    return replace_lost_link(Error(ErrorCode::kLinkLost, "the offered link was an older one"));
  }
  return attach(std::move(taken.link), taken.peer_received);
}

// Without a link: waits for an offer, the deadline or wake(), or ends the stream when it is time.
Status Stream::State::await_offer(Deadline deadline) {
  const Deadline until{std::min(deadline.at_ns, repaired_until.at_ns)};
  std::unique_lock lock(link_mutex);
  const auto changed = [this] {
    return has_offer || ended || std::exchange(woken_without_link, false);
  };
  if (until.is_never()) {
    without_link.wait(lock, changed);
  } else {
    const base::Nanoseconds left = std::max<base::Nanoseconds>(until.at_ns - clock.now_ns(), 0);
    without_link.wait_for(lock, std::chrono::nanoseconds(left), changed);
  }
  if (has_offer || ended || clock.now_ns() < repaired_until.at_ns) return {};
  lock.unlock();
  Error why = Error(loss->why).during("the link did not come back in time");
  end(why);
  return why;
}

void Stream::set_link_lost_handler(LinkLostHandler handler) {
  state_->on_link_lost = std::move(handler);
}

void Stream::set_waiter(StreamWaiter* waiter) { state_->waiter = waiter; }

void Stream::shut_down(Error why) { state_->end(std::move(why)); }

void Stream::tell_and_shut_down(const Error& why) { state_->tell_peer_and_end(why); }

void Stream::State::end(Error why) {
  {
    const std::lock_guard lock(end_mutex);
    if (why_ended) return;
    why_ended = std::move(why);
    ended = true;
  }
  {
    const std::lock_guard lock(link_mutex);
    if (link) link->close();
    lost_link.reset();
    offered = {};
    has_offer = false;
    without_link.notify_all();
  }
  if (StreamWaiter* w = waiter) w->notify();
}

bool Stream::ended() const { return state_->ended; }

Error Stream::why_ended() const {
  const std::lock_guard lock(state_->end_mutex);
  LW_CHECK(state_->why_ended.has_value());
  return *state_->why_ended;
}

// --- sending ---

base::Result<Stream::Draft> Stream::begin(wire::Opcode opcode, std::size_t payload_bytes) {
  State& s = *state_;
  if (payload_bytes > s.limits.max_payload_bytes) {
    return Error(ErrorCode::kLimit, "a frame of " + std::to_string(payload_bytes) +
                                        " bytes is over the limit of this session");
  }
  const std::size_t bytes = SendQueue::frame_bytes(payload_bytes);
  for (;;) {
    if (s.ended) return why_ended();
    const std::span<std::byte> slot = s.sending.lock_slot(bytes);
    if (!slot.empty()) return Draft(this, slot, opcode);
    if (s.handling_thread.load() == std::this_thread::get_id()) {
      LW_TRY(s.make_room_while_handling(bytes));
    } else if (StreamWaiter* waiter = s.waiter) {
      LW_TRY(waiter->wait_until([&] { return s.ended || s.sending.has_room(bytes); },
                                Deadline::never()));
    } else {
      LW_TRY(pump(Deadline::never()));
    }
  }
}

Stream::Draft::Draft(Stream* stream, std::span<std::byte> slot, wire::Opcode opcode)
    : stream_(stream),
      slot_(slot),
      writer_(slot.subspan(wire::kFrameHeaderBytes)),
      opcode_(opcode) {}

Stream::Draft::Draft(Draft&& other) noexcept
    : stream_(std::exchange(other.stream_, nullptr)),
      slot_(other.slot_),
      writer_(other.writer_),
      opcode_(other.opcode_) {}

Stream::Draft::~Draft() {
  if (stream_ != nullptr) stream_->state_->sending.drop();
}

wire::Writer& Stream::Draft::writer() { return writer_; }

void Stream::Draft::commit() {
  LW_CHECK(stream_ != nullptr);
  State& s = *std::exchange(stream_, nullptr)->state_;
  writer_.skip(writer_.remaining());  // never send what the ring held before
  s.sending.commit(slot_, opcode_, s.received.load(std::memory_order_acquire));
  s.unacknowledged_bytes.store(0, std::memory_order_relaxed);
  if (s.sending.unflushed_bytes() < s.limits.flush_threshold_bytes) return;
  if (s.sending.blocked()) return;  // the link is full: pump() goes on when it is writable
  // A failure is found again by whoever pumps.
  (void)s.write();
}

Status Stream::flush() {
  State& s = *state_;
  if (s.ended) return why_ended();
  return s.write();
}

Status Stream::say_goodbye() {
  State& s = *state_;
  if (s.ended) return why_ended();
  const std::span<std::byte> slot = s.sending.lock_slot(SendQueue::frame_bytes(0));
  if (slot.empty()) return Error(ErrorCode::kUnavailable, "no room for a goodbye");
  Draft(this, slot, wire::kOpGoodbye).commit();
  LW_TRY(flush());
  const std::lock_guard lock(s.link_mutex);
  if (s.link && !s.write_failed && !s.let_go) return {};
  return Error(ErrorCode::kUnavailable, "no link for a goodbye");
}

bool Stream::needs_flush() const { return state_->sending.unflushed_bytes() > 0; }

// Writes what is queued. A broken link is left to the pumping thread, which is woken.
Status Stream::State::write() {
  if (!sending.has_unwritten() && !sending.blocked()) return {};
  const std::lock_guard lock(link_mutex);
  if (!link || write_failed || let_go) return {};
  const bool was_blocked = sending.blocked();
  const Status written = sending.write_to(*link);
  if (!written.ok()) write_failed = true;
  // The pumping thread may be waiting to read alone.
  if (write_failed || (sending.blocked() && !was_blocked)) link->wake();
  return {};
}

// --- receiving ---

base::Result<std::size_t> Stream::pump(Deadline deadline) {
  State& s = *state_;
  if (s.ended) return why_ended();
  auto frames = s.pump_once(deadline);
  if (frames.ok()) return frames;
  LW_TRY(s.settle(std::move(frames).error()));
  return 0;
}

base::Result<std::size_t> Stream::State::pump_once(Deadline deadline) {
  if (has_offer.load(std::memory_order_relaxed)) {
    LW_TRY(take_offer());
    return 0;  // whoever has woken the old link has something to say to the caller
  }
  if (loss) {
    LW_TRY(await_offer(deadline));
    return 0;
  }
  if (!link || let_go) return link_failed(Error(ErrorCode::kLinkLost, "no link"));
  LW_TRY(write());
  if (!receiving.probably_more()) {
    LW_ASSIGN(const link::Readiness ready, wait_for_link(deadline));
    if (ready.writable || ready.woken) LW_TRY(write());
    if (!ready.readable) {
      if (!write_failed) return 0;
      // Whatever the peer said last (why it refuses us, say) is still there to be read.
    }
  }
  auto frames = read_and_deliver();
  LW_TRY(write());
  if (frames.ok() && *frames == 0 && write_failed) {
    return link_failed(Error(ErrorCode::kLinkLost, "the connection broke while sending"));
  }
  return frames;
}

base::Result<link::Readiness> Stream::State::wait_for_link(Deadline deadline) {
  auto ready = link->wait({.readable = true, .writable = sending.blocked()}, deadline);
  if (!ready.ok()) return link_failed(ready.error());
  return ready;
}

base::Result<std::size_t> Stream::State::read_and_deliver() {
  const auto bytes = receiving.fill(*link);
  if (!bytes.ok()) return link_failed(bytes.error());
  return deliver_all();
}

base::Result<std::size_t> Stream::State::deliver_all() {
  std::size_t count = 0;
  for (;;) {
    LW_ASSIGN(const std::optional<ReceivedFrame> frame, receiving.take());
    if (!frame) return count;
    const Status handled = deliver(*frame);
    receiving.release();
    if (!handled.ok()) return handled.error();
    if (ended) return count;
    ++count;
  }
}

Status Stream::State::deliver(const ReceivedFrame& frame) {
  if ((frame.header.flags & ~wire::kFrameUnnumbered) != 0) {
    return Error(ErrorCode::kWireFault, "a frame has flags of which this side knows nothing");
  }
  LW_TRY(acknowledge(frame.header.acknowledged));
  if ((frame.header.flags & wire::kFrameUnnumbered) != 0) return on_control(frame);
  return deliver_numbered(frame);
}

Status Stream::State::acknowledge(wire::Sequence sequence) {
  LW_TRY(sending.acknowledge(sequence));
  // Whoever waits for room looks right after this, and then maybe never again.
  if (sending.acknowledged_early()) const std::lock_guard wait_for_the_writer(link_mutex);
  return {};
}

Status Stream::State::deliver_numbered(const ReceivedFrame& frame) {
  const wire::Sequence expected = received.load(std::memory_order_relaxed) + 1;
  const wire::Sequence sequence = frame.header.sequence;
  if (sequence == 0 || sequence > expected) {
    return Error(ErrorCode::kWireFault, "frame " + std::to_string(sequence) + " came where " +
                                            std::to_string(expected) + " was due");
  }
  if (sequence < expected) {  // replayed although it had arrived
    count_received(frame.payload.size() + wire::kFrameHeaderBytes);
    return {};
  }
  received.store(sequence, std::memory_order_release);
  count_received(frame.payload.size() + wire::kFrameHeaderBytes);
  if (frame.header.opcode == wire::kOpGoodbye) goodbye_received = true;
  handling_thread = std::this_thread::get_id();
  Status handled = sink.on_frame({frame.header.opcode, sequence, frame.payload});
  handling_thread = std::thread::id();
  return handled;
}

void Stream::State::count_received(std::size_t bytes) {
  const std::size_t total =
      unacknowledged_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (total < limits.ack_every_bytes) return;
  unacknowledged_bytes.store(0, std::memory_order_relaxed);
  sending.want_ack(received.load(std::memory_order_relaxed));
}

Status Stream::State::on_control(const ReceivedFrame& frame) {
  if (frame.header.sequence != 0) {
    return Error(ErrorCode::kWireFault, "an unnumbered frame with a number");
  }
  wire::Reader r(frame.payload);
  switch (frame.header.opcode) {
    case wire::kOpAck:
    case wire::kOpPong:
      return {};  // that it came is the message
    case wire::kOpPing:
      sending.want_pong(r.u64("ping cookie"), received);
      return r.finish();
    case wire::kOpFault:
      return on_fault(frame.payload);
    default:
      return Error(ErrorCode::kWireFault,
                   "opcode " + std::to_string(frame.header.opcode) + " cannot be unnumbered");
  }
}

Status Stream::State::on_fault(std::span<const std::byte> payload) {
  wire::Reader r(payload);
  const std::uint64_t code = r.scalar("fault code");
  const std::string_view message = r.string("fault message").substr(0, kMaxFaultMessageBytes);
  LW_TRY(r.finish());
  const bool known = code <= static_cast<std::uint64_t>(ErrorCode::kInternal);
  end(Error(known ? static_cast<ErrorCode>(code) : ErrorCode::kInternal,
            "the other side ended the session: " + std::string(message)));
  return {};
}

// Inside a handler: the frames behind it must not be handled yet, but their acknowledgements count.
// The receive ring holds all that the peer may send unacknowledged, hence this ends.
Status Stream::State::make_room_while_handling(std::size_t frame_bytes) {
  while (!sending.has_room(frame_bytes)) {
    if (ended) return {};  // begin() says why
    LW_TRY(take_offer());
    if (loss) {
      LW_TRY(await_offer(Deadline::never()));
      continue;
    }
    LW_TRY(write());
    if (!link || write_failed || let_go) {
      LW_TRY(replace_lost_link(Error(ErrorCode::kLinkLost, "the connection broke")));
      continue;
    }
    const auto filled = receiving.fill(*link);
    if (!filled.ok()) {
      LW_TRY(replace_lost_link(Error(ErrorCode::kLinkLost, filled.error().message())));
      continue;
    }
    LW_TRY(acknowledge(receiving.peek_acknowledged()));
    if (*filled > 0 || sending.has_room(frame_bytes)) continue;
    LW_TRY(link->wait({.readable = !receiving.full(), .writable = sending.blocked()},
                      Deadline::never()));
  }
  return {};
}

// --- failures ---

Error Stream::State::link_failed(const Error& error) {
  link_lost = true;
  return Error(ErrorCode::kLinkLost, error.message());
}

Status Stream::State::settle(Error error) {
  if (ended) {
    const std::lock_guard lock(end_mutex);
    return *why_ended;
  }
  if (std::exchange(link_lost, false)) return replace_lost_link(std::move(error));
  tell_peer_and_end(error);
  return error;
}

Status Stream::State::replace_lost_link(Error error) {
  if (ended || goodbye_received) {
    end(Error(ErrorCode::kClosed, "the other side has ended the session"));
    const std::lock_guard lock(end_mutex);
    return *why_ended;
  }
  if (has_offer) return take_offer();
  if (!on_link_lost) return error;
  loss = LinkLoss{std::move(error), link && link->closed_by_peer()};
  {
    const std::lock_guard lock(link_mutex);
    lost_link = std::move(link);
  }
  const auto until = on_link_lost(LinkLoss(*loss));  // which may attach(), and so forget the loss
  if (!until.ok()) end(until.error());
  LW_TRY(until);
  repaired_until = *until;
  return {};
}

void Stream::State::tell_peer_and_end(const Error& error) {
  {
    const std::lock_guard lock(link_mutex);
    sending.want_fault(error.code(), error.message());
    // One try: a peer that does not even read is told nothing.
    if (link && !let_go) (void)sending.write_to(*link);
  }
  end(error);
}

// --- what others ask ---

void Stream::expect_link_by(Deadline deadline) {
  State& s = *state_;
  if (!s.loss || !s.loss->closed_by_peer) return;
  s.repaired_until = {std::min(s.repaired_until.at_ns, deadline.at_ns)};
}

void Stream::wake() noexcept {
  const std::lock_guard lock(state_->link_mutex);
  if (state_->link) return state_->link->wake();
  state_->woken_without_link = true;
  state_->without_link.notify_all();
}

void Stream::ping() {
  state_->sending.want_ping(static_cast<std::uint64_t>(state_->clock.now_ns()), state_->received);
  (void)state_->write();  // a failure is found by whoever pumps
}

std::size_t Stream::max_payload_bytes() const { return state_->limits.max_payload_bytes; }
wire::Sequence Stream::received() const { return state_->received.load(); }
wire::Sequence Stream::sent() const { return state_->sending.committed_sequence(); }
wire::Sequence Stream::acknowledged() const { return state_->sending.acknowledged(); }

}  // namespace longwire::session
