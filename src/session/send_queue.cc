#include "session/send_queue.h"

#include <algorithm>

#include "base/check.h"
#include "wire/frame_codec.h"
#include "wire/opcodes.h"

namespace longwire::session {

using base::Error;
using base::ErrorCode;
using link::ConstBuffer;
using wire::kFrameHeaderBytes;

std::size_t SendQueue::frame_bytes(std::size_t payload_bytes) {
  return kFrameHeaderBytes + wire::round_up_8(payload_bytes);
}

bool SendQueue::has_room(std::size_t frame_bytes) const noexcept {
  // Not freed_ alone: an acknowledgement may arrive before the writer that sent the frame has said
  // so in flushed_ (and a peer may acknowledge what was never sent).
  const std::uint64_t oldest =
      std::min(freed_.load(std::memory_order_acquire), flushed_.load(std::memory_order_acquire));
  return committed_.load(std::memory_order_relaxed) + frame_bytes - oldest <= ring_.size();
}

std::span<std::byte> SendQueue::lock_slot(std::size_t frame_bytes) {
  LW_CHECK(frame_bytes <= ring_.size());
  draft_mutex_.lock();
  if (has_room(frame_bytes)) return ring_.at(committed_.load(), frame_bytes);
  draft_mutex_.unlock();
  return {};
}

void SendQueue::commit(std::span<std::byte> slot, wire::Opcode opcode,
                       wire::Sequence acknowledged) {
  const wire::Sequence sequence = committed_sequence_.load(std::memory_order_relaxed) + 1;
  wire::encode_frame_header(
      {.payload_bytes = static_cast<std::uint32_t>(slot.size() - kFrameHeaderBytes),
       .opcode = opcode,
       .flags = 0,
       .sequence = sequence,
       .acknowledged = acknowledged},
      slot.first<kFrameHeaderBytes>());
  committed_sequence_.store(sequence, std::memory_order_release);
  committed_.fetch_add(slot.size(), std::memory_order_release);
  draft_mutex_.unlock();
}

void SendQueue::drop() { draft_mutex_.unlock(); }

std::size_t SendQueue::unflushed_bytes() const noexcept {
  const std::uint64_t flushed = flushed_.load(std::memory_order_acquire);
  return committed_.load(std::memory_order_acquire) - flushed;
}

bool SendQueue::has_unwritten() const noexcept {
  return unflushed_bytes() > 0 || ack_wanted_.load() || pong_wanted_.load() || ping_wanted_.load();
}

std::span<const std::byte> SendQueue::control_rest() const {
  return std::span(control_).subspan(control_sent_, control_size_ - control_sent_);
}

base::Status SendQueue::write_to(link::Link& link) {
  if (control_rest().empty()) collect_control();
  const std::uint64_t end = committed_.load(std::memory_order_acquire);
  for (;;) {
    const std::uint64_t start = flushed_.load(std::memory_order_relaxed);
    const ConstBuffer frames = ring_.at(start, end - start);
    const ConstBuffer control = control_rest();
    if (frames.empty() && control.empty()) break;
    // A control frame half sent goes first; else behind the frames, of which the first may be half
    // sent. Both orders keep frames whole.
    const bool control_first = control_sent_ > 0;
    const std::array<ConstBuffer, 2> parts = {control_first ? control : frames,
                                              control_first ? frames : control};
    LW_ASSIGN(const std::size_t written, link.write_some(parts));
    if (written == 0) {
      blocked_.store(true, std::memory_order_release);
      return {};
    }
    const std::size_t first = std::min(written, parts[0].size());
    const std::size_t of_control = control_first ? first : written - first;
    control_sent_ += of_control;
    flushed_.store(start + (written - of_control), std::memory_order_release);
  }
  blocked_.store(false, std::memory_order_release);
  return {};
}

void SendQueue::collect_control() {
  control_sent_ = 0;
  control_size_ = 0;
  const auto put_cookie = [&](wire::Opcode opcode, std::uint64_t cookie) {
    put_control(opcode, std::as_bytes(std::span(&cookie, 1)));
  };
  if (ack_wanted_.exchange(false)) put_control(wire::kOpAck, {});
  if (pong_wanted_.exchange(false)) put_cookie(wire::kOpPong, pong_cookie_.load());
  if (ping_wanted_.exchange(false)) put_cookie(wire::kOpPing, ping_cookie_.load());
}

void SendQueue::put_control(wire::Opcode opcode, std::span<const std::byte> payload) {
  const std::size_t bytes = frame_bytes(payload.size());
  LW_CHECK(control_size_ + bytes <= control_.size());
  const std::span<std::byte> frame = std::span(control_).subspan(control_size_, bytes);
  wire::encode_frame_header({.payload_bytes = static_cast<std::uint32_t>(bytes - kFrameHeaderBytes),
                             .opcode = opcode,
                             .flags = wire::kFrameUnnumbered,
                             .sequence = 0,
                             .acknowledged = ack_value_.load(std::memory_order_acquire)},
                            frame.first<kFrameHeaderBytes>());
  wire::Writer w(frame.subspan(kFrameHeaderBytes));
  w.raw(payload);
  w.align();
  control_size_ += bytes;
}

void SendQueue::want_ack(wire::Sequence received) noexcept {
  ack_value_.store(received, std::memory_order_release);
  ack_wanted_.store(true, std::memory_order_release);
}

void SendQueue::want_pong(std::uint64_t cookie, wire::Sequence received) noexcept {
  ack_value_.store(received, std::memory_order_release);
  pong_cookie_.store(cookie);
  pong_wanted_.store(true);
}

void SendQueue::want_ping(std::uint64_t cookie, wire::Sequence received) noexcept {
  ack_value_.store(received, std::memory_order_release);
  ping_cookie_.store(cookie);
  ping_wanted_.store(true);
}

void SendQueue::want_fault(ErrorCode code, std::string_view message) {
  if (control_sent_ == 0) control_size_ = 0;  // it is the last word: the others matter no more
  std::array<std::byte, 16 + kMaxFaultMessageBytes> payload{};
  wire::Writer w(payload);
  w.scalar(static_cast<std::uint64_t>(code));
  w.string(message.substr(0, kMaxFaultMessageBytes));
  put_control(wire::kOpFault, w.written());
}

base::Status SendQueue::acknowledge(wire::Sequence sequence) {
  const wire::Sequence before = acknowledged_.load(std::memory_order_relaxed);
  if (sequence <= before) return {};  // replayed frames carry the acknowledgement of their time
  if (sequence > committed_sequence()) {
    return Error(ErrorCode::kWireFault,
                 "frame " + std::to_string(sequence) + " was acknowledged but never sent");
  }
  std::uint64_t offset = freed_.load(std::memory_order_relaxed);
  for (wire::Sequence s = before; s < sequence; ++s) {
    const std::span<const std::byte> header = ring_.at(offset, kFrameHeaderBytes);
    const auto payload = wire::decode_frame_header(header.first<kFrameHeaderBytes>()).payload_bytes;
    offset += kFrameHeaderBytes + payload;
  }
  freed_.store(offset, std::memory_order_release);
  acknowledged_.store(sequence, std::memory_order_release);
  return {};
}

void SendQueue::rewind() {
  flushed_.store(freed_.load(std::memory_order_acquire), std::memory_order_release);
  control_sent_ = 0;
  control_size_ = 0;
  blocked_.store(false, std::memory_order_release);
}

}  // namespace longwire::session
