#include "worker/core/outbox.h"

#include <algorithm>

namespace longwire::worker::core {
namespace {

// This thread is inside a Turn: it must not wait for room.
thread_local bool in_turn = false;

}  // namespace

void RoomWaiter::set_dispatch_thread(session::Stream& stream) {
  const std::lock_guard lock(mutex_);
  stream_ = &stream;
  dispatch_ = std::this_thread::get_id();
}

base::Status RoomWaiter::wait_until(const std::function<bool()>& done, base::Deadline) {
  if (in_turn) return base::Error(base::ErrorCode::kUnavailable, "no room in the send ring");
  std::unique_lock lock(mutex_);
  if (std::this_thread::get_id() == dispatch_) {
    lock.unlock();
    while (!done()) {
      LW_TRY(stream_->pump(base::Deadline::never()));
      notify();
    }
    return {};
  }
  while (!done()) {
    const std::uint64_t turn = turn_;
    changed_.wait(lock, [&] { return turn_ != turn; });
  }
  return {};
}

void RoomWaiter::notify() noexcept {
  const std::lock_guard lock(mutex_);
  ++turn_;
  changed_.notify_all();
}

void Outbox::Turn::reply(wire::Token token, std::int32_t status) {
  if (token == 0) return;
  box_.put(wire::kOpReply, [&](auto& out) {
    wire::put_reply_header(out, wire::ReplyHeader{token, status});
  });
}

void Outbox::Turn::object_failed(wire::Handle object, std::int32_t status) {
  box_.put(wire::kOpObjectFailed, [&](auto& out) {
    out.u64(object);
    wire::put_i32(out, status);
  });
}

void Outbox::Turn::notify(wire::Handle object, std::uint32_t kind, std::span<const std::byte> text,
                          std::span<const std::byte> data) {
  box_.put(wire::kOpNotify, [&](auto& out) {
    out.u64(object);
    wire::put_u32(out, kind);
    out.bytes(text);
    out.bytes(data);
  });
}

void Outbox::Turn::standard_output(std::span<const std::byte> text) {
  constexpr std::size_t kAtOnce = wire::kMaxPayloadBytes / 2;
  while (!text.empty()) {
    const auto part = text.first(std::min(text.size(), kAtOnce));
    box_.put(wire::kOpStdout, [&](auto& out) { out.bytes(part); });
    text = text.subspan(part.size());
  }
}

void Outbox::Turn::grant(std::uint64_t transfer) {
  box_.put(wire::kOpBulkGrant, [&](auto& out) { out.u64(transfer); });
}

void Outbox::Turn::credit(std::uint64_t bytes) {
  box_.put(wire::kOpBulkCredit, [&](auto& out) { out.u64(bytes); });
}

void Outbox::Turn::abort(std::uint64_t transfer, std::int32_t status) {
  box_.put(wire::kOpBulkAbort, [&](auto& out) {
    out.u64(transfer);
    wire::put_i32(out, status);
  });
}

void Outbox::Turn::agent_away(std::uint64_t within_ms) {
  box_.put(wire::kOpAgentAway, [&](auto& out) { out.u64(within_ms); });
}

void Outbox::flush() noexcept {
  flushed_at_ns_.store(clock_.now_ns(), std::memory_order_relaxed);
  flushes_.fetch_add(1, std::memory_order_relaxed);
  if (const auto status = stream_.flush(); !status.ok()) logger_.debug(status.error().message());
}

void Outbox::flush_in_burst() noexcept {
  // Of the driver's callbacks some come on the dispatch thread, which flushes before it waits.
  if (std::this_thread::get_id() == dispatch_.load(std::memory_order_relaxed)) return;
  const base::Nanoseconds now_ns = clock_.now_ns();
  const auto before_ns = last_in_burst_ns_.exchange(now_ns, std::memory_order_relaxed);
  if (now_ns - before_ns >= kBurstGapNs || overdue(now_ns)) return flush();
  deferred_ = true;
  if (!watched_ && !watched_.exchange(true)) stream_.wake();
}

base::Deadline Outbox::before_wait() noexcept {
  bool burst = deferred_.exchange(false);
  watched_ = burst;
  if (!burst && deferred_) watched_ = burst = true;
  return burst ? base::Deadline::in(clock_, kBatchNs) : base::Deadline::never();
}

base::Result<session::Stream::Draft> Outbox::begin(wire::Opcode opcode, std::size_t bytes) {
  in_turn = true;
  auto draft = stream_.begin(opcode, bytes);
  in_turn = false;
  return draft;
}

bool Outbox::no_room(const base::Error& why) const {
  return why.code() == base::ErrorCode::kUnavailable && !stream_.ended();
}

void Outbox::keep(Aside aside) {
  aside_bytes_ += aside.payload.size();
  aside_.push_back(std::move(aside));
}

bool Outbox::drain_locked() {
  while (!aside_.empty()) {
    const Aside& first = aside_.front();
    auto draft = begin(first.opcode, first.payload.size());
    if (!draft.ok() && no_room(draft.error())) return false;
    if (draft.ok()) {
      draft->writer().raw(first.payload);
      draft->commit();
    }
    aside_bytes_ -= first.payload.size();
    aside_.pop_front();
  }
  return true;
}

void Outbox::drain() {
  const std::lock_guard lock(order_);
  drain_locked();
}

bool Outbox::too_much_aside() const {
  const std::lock_guard lock(order_);
  return aside_bytes_ > kMaxAsideBytes;
}

bool Outbox::refused(wire::Opcode opcode, const base::Error& why) {
  if (!stream_.ended()) {
    logger_.warning("cannot send frame of opcode " + std::to_string(opcode) + ": " +
                    why.to_string());
  }
  return false;
}

}  // namespace longwire::worker::core
