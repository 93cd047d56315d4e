// ReceiveBuffer: the receiving half of a Stream. Collects bytes of a link into frames; a frame lies
// contiguous in memory and stays there while it is handled, even if more is read meanwhile.
// Used by one thread at a time (whoever has the pump role).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "link/link.h"
#include "session/mirrored_buffer.h"
#include "wire/frame.h"

namespace longwire::session {

struct ReceivedFrame {
  wire::FrameHeader header;
  std::span<const std::byte> payload;
};

class ReceiveBuffer {
 public:
  ReceiveBuffer(MirroredBuffer ring, std::size_t max_payload_bytes)
      : ring_(std::move(ring)), max_payload_bytes_(max_payload_bytes) {}

  bool full() const noexcept { return written_ - oldest() == ring_.size(); }
  // Reads once from the link. 0: nothing there, or the buffer is full. Errors are the link's.
  base::Result<std::size_t> fill(link::Link& link);
  // The last fill() took all that it asked for, so there is probably more.
  bool probably_more() const noexcept { return probably_more_; }

  // Takes the next whole frame, if there is one. Its payload is valid until release().
  // kWireFault: the header makes no sense.
  base::Result<std::optional<ReceivedFrame>> take();
  // Ends the use of the frame that take() gave.
  void release() noexcept;

  // The highest acknowledgement in the frames that wait behind the one that was taken: for a
  // handler that must wait for room in the send queue. 0: none.
  wire::Sequence peek_acknowledged() const;

  // A new link: forgets all bytes behind the frame that was taken.
  void restart() noexcept;

 private:
  struct Peeked {
    wire::FrameHeader header;
    std::size_t bytes = 0;  // of the whole frame
  };
  base::Result<std::optional<Peeked>> peek_at(std::uint64_t offset) const;
  std::uint64_t oldest() const noexcept { return taken_from_; }

  const MirroredBuffer ring_;
  const std::size_t max_payload_bytes_;
  std::uint64_t taken_from_ = 0;  // start of the frame in use; == next_ where there is none
  std::uint64_t next_ = 0;        // start of the next frame
  std::uint64_t written_ = 0;     // end of what was read
  bool probably_more_ = false;
};

}  // namespace longwire::session
