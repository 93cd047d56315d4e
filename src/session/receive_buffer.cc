#include "session/receive_buffer.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "wire/frame_codec.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using wire::kFrameHeaderBytes;

constexpr std::size_t kMaxReadBytes = std::size_t{256} << 10;  // of one read

}  // namespace

base::Result<std::size_t> ReceiveBuffer::fill(link::Link& link) {
  if (taken_from_ == written_) taken_from_ = next_ = written_ = 0;  // the same warm memory again
  const std::size_t room = ring_.size() - (written_ - oldest());
  const std::size_t wanted = std::min(room, kMaxReadBytes);
  probably_more_ = false;
  if (wanted == 0) return 0;
  LW_ASSIGN(const std::size_t bytes, link.read_some(ring_.at(written_, wanted)));
  written_ += bytes;
  probably_more_ = bytes == wanted;
  return bytes;
}

base::Result<std::optional<ReceiveBuffer::Peeked>> ReceiveBuffer::peek_at(
    std::uint64_t offset) const {
  const std::size_t there = written_ - offset;
  if (there < kFrameHeaderBytes) return std::optional<Peeked>();
  const std::span<const std::byte> bytes = ring_.at(offset, kFrameHeaderBytes);
  Peeked peeked{wire::decode_frame_header(bytes.first<kFrameHeaderBytes>())};
  const std::size_t payload_bytes = peeked.header.payload_bytes;
  if (payload_bytes > max_payload_bytes_ || payload_bytes % 8 != 0) {
    return Error(ErrorCode::kWireFault,
                 "a frame of " + std::to_string(payload_bytes) + " bytes is not possible");
  }
  peeked.bytes = kFrameHeaderBytes + payload_bytes;
  if (there < peeked.bytes) return std::optional<Peeked>();
  return std::optional(peeked);
}

base::Result<std::optional<ReceivedFrame>> ReceiveBuffer::take() {
  LW_CHECK(taken_from_ == next_);
  LW_ASSIGN(const std::optional<Peeked> peeked, peek_at(next_));
  if (!peeked) return std::optional<ReceivedFrame>();
  const std::span<const std::byte> frame = ring_.at(next_, peeked->bytes);
  next_ += peeked->bytes;
  return std::optional(ReceivedFrame{peeked->header, frame.subspan(kFrameHeaderBytes)});
}

void ReceiveBuffer::release() noexcept { taken_from_ = next_; }

wire::Sequence ReceiveBuffer::peek_acknowledged() const {
  wire::Sequence highest = 0;
  for (std::uint64_t offset = next_;;) {
    const auto peeked = peek_at(offset);
    // What makes no sense is found again, and reported, when its turn comes.
    if (!peeked.ok() || !peeked.value()) return highest;
    highest = std::max(highest, (*peeked)->header.acknowledged);
    offset += (*peeked)->bytes;
  }
}

void ReceiveBuffer::restart() noexcept { written_ = next_; }

}  // namespace longwire::session
