// SendQueue: the sending half of a Stream. A ring of encoded frames that is both the send queue and
// the replay buffer, and a small side buffer of unnumbered control frames (never replayed).
//
//        freed_            flushed_           committed_
//   ------|--- sent, not yet --|--- waiting for ---|--- free, or a draft --->   offsets, ever
//   growing
//              acknowledged        the link
//
// Threads: a lock of its own for encoding, so that frames are encoded while another thread is
// inside the system call. write_to(), want_fault() and rewind() need the lock that guards the link,
// acknowledge() and rewind() the pump role.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include "base/result.h"
#include "link/link.h"
#include "session/mirrored_buffer.h"
#include "wire/frame.h"

namespace longwire::session {

inline constexpr std::size_t kMaxFaultMessageBytes = 256;

class SendQueue {
 public:
  explicit SendQueue(MirroredBuffer ring) : ring_(std::move(ring)) {}

  // --- encoding ----------------------------------------------------------------------------------
  static std::size_t frame_bytes(std::size_t payload_bytes);
  bool has_room(std::size_t frame_bytes) const noexcept;
  // Locks the queue for encoding and gives the place of the next frame, or locks nothing and gives
  // an empty span where there is no room now. REQUIRES: frame_bytes <= ring size.
  std::span<std::byte> lock_slot(std::size_t frame_bytes);
  // Both end what lock_slot() began.
  void commit(std::span<std::byte> slot, wire::Opcode opcode, wire::Sequence acknowledged);
  void drop();

  // --- writing -----------------------------------------------------------------------------------
  // Writes what had been committed before the call, as far as the link takes it.
  // Errors are the link's.
  base::Status write_to(link::Link& link);
  // Numbered bytes that no link has taken yet.
  std::size_t unflushed_bytes() const noexcept;
  bool has_unwritten() const noexcept;
  // The link was full: more has to be written when it is writable.
  bool blocked() const noexcept { return blocked_.load(std::memory_order_acquire); }

  // Unnumbered frames, written behind what is queued. The newest of a kind replaces the older.
  void want_ack(wire::Sequence received) noexcept;
  void want_pong(std::uint64_t cookie, wire::Sequence received) noexcept;
  void want_ping(std::uint64_t cookie, wire::Sequence received) noexcept;
  void want_fault(base::ErrorCode code, std::string_view message);

  // --- acknowledgement and replay ----------------------------------------------------------------
  // Frees every frame up to `sequence`. kWireFault if it was never committed.
  base::Status acknowledge(wire::Sequence sequence);
  // The peer has acknowledged what a writer, still inside its system call, has not yet counted as
  // sent: there is more room once that writer is out.
  bool acknowledged_early() const noexcept { return freed_.load() > flushed_.load(); }
  // A new link: everything unacknowledged is to be written again, nothing of the old control
  // frames. `acknowledge` what the peer has before.
  void rewind();

  wire::Sequence committed_sequence() const noexcept {
    return committed_sequence_.load(std::memory_order_acquire);
  }
  wire::Sequence acknowledged() const noexcept {
    return acknowledged_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t kControlBytes = 1024;

  void put_control(wire::Opcode opcode, std::span<const std::byte> payload);
  void collect_control();
  std::span<const std::byte> control_rest() const;

  const MirroredBuffer ring_;

  std::mutex draft_mutex_;
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<wire::Sequence> committed_sequence_{0};

  std::atomic<std::uint64_t> flushed_{0};
  std::atomic<bool> blocked_{false};
  std::array<std::byte, kControlBytes> control_{};  // [control_sent_, control_size_) is to be sent
  std::size_t control_sent_ = 0;
  std::size_t control_size_ = 0;

  std::atomic<bool> ack_wanted_{false};
  std::atomic<bool> pong_wanted_{false};
  std::atomic<bool> ping_wanted_{false};
  std::atomic<wire::Sequence> ack_value_{0};
  std::atomic<std::uint64_t> pong_cookie_{0};
  std::atomic<std::uint64_t> ping_cookie_{0};

  std::atomic<std::uint64_t> freed_{0};
  std::atomic<wire::Sequence> acknowledged_{0};
};

}  // namespace longwire::session
