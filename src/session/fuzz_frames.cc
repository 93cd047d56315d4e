// Fuzzes the receiving side of a Stream: the input is what a peer sends, in pieces as large as its
// first byte says. Frames of bulk data go to a BulkPort that expects some transfers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "fuzz/target.h"
#include "session/bulk.h"
#include "session/stream.h"
#include "wire/frame_codec.h"
#include "wire/opcodes.h"

namespace longwire::session {
namespace {

class InputLink final : public link::Link {
 public:
  InputLink(std::span<const std::byte> input, std::size_t step) : input_(input), step_(step) {}
  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::size_t n = std::min({out.size(), input_.size(), step_});
    std::copy_n(input_.begin(), n, out.begin());
    input_ = input_.subspan(n);
    if (n == 0 && !out.empty()) return base::Error(base::ErrorCode::kClosed, "end of the input");
    return n;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    std::size_t total = 0;
    for (const auto part : parts)
      total += part.size();
    return total;
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline) override {
    return link::Readiness{interest.readable, interest.writable, false};
  }
  void wake() noexcept override {}
  void close() noexcept override {}
  link::LinkInfo info() const override { return {}; }

 private:
  std::span<const std::byte> input_;
  const std::size_t step_;
};

class BufferSink final : public BulkSink {
 public:
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    return std::span(memory_).subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t, bool) override {}
  void aborted(const base::Error&) override {}
  static constexpr std::size_t kBytes = 1000;

 private:
  std::vector<std::byte> memory_ = std::vector<std::byte>(kBytes);
};

class Dispatcher final : public FrameSink {
 public:
  base::Status on_frame(const Frame& frame) override {
    if (frame.sequence != ++last_) std::abort();  // in order, each once
    if (frame.opcode == wire::kOpBulkData) return port->on_stream_chunk(frame.payload);
    // An answer, which needs room in the ring.
    auto draft = stream->begin(wire::kFirstCommand, 64);
    if (draft.ok()) draft->commit();
    return {};
  }
  Stream* stream = nullptr;
  BulkPort* port = nullptr;

 private:
  wire::Sequence last_ = 0;
};

constexpr StreamLimits kLimits{.send_ring_bytes = 4096,
                               .receive_ring_bytes = 8192,
                               .flush_threshold_bytes = 256,
                               .ack_every_bytes = 512,
                               .max_payload_bytes = 1024};

void run(std::span<const std::byte> input) {
  if (input.empty()) return;
  const std::size_t step = 1 + std::to_integer<std::size_t>(input[0]) * 8;
  Dispatcher dispatcher;
  Stream stream(base::monotonic_clock(), kLimits, dispatcher);
  BulkPort port(base::monotonic_clock(), stream);
  dispatcher.stream = &stream;
  dispatcher.port = &port;
  for (TransferId id = 1; id <= 3; ++id) {
    port.expect(id, BufferSink::kBytes, std::make_shared<BufferSink>());
  }
  if (!stream.attach(std::make_unique<InputLink>(input.subspan(1), step), 0).ok()) std::abort();
  while (stream.pump(base::Deadline{0}).ok()) {
  }
}

// --- seeds ---

fuzz::Bytes frame(wire::Opcode opcode, std::uint16_t flags, wire::Sequence sequence,
                  std::span<const std::byte> payload, wire::Sequence acknowledged = 0) {
  fuzz::Bytes bytes(wire::kFrameHeaderBytes);
  wire::encode_frame_header(
      {static_cast<std::uint32_t>(payload.size()), opcode, flags, sequence, acknowledged},
      std::span<std::byte, wire::kFrameHeaderBytes>(bytes));
  return fuzz::append(bytes, payload);
}

fuzz::Bytes chunk(wire::Sequence sequence, TransferId transfer, std::uint64_t offset,
                  std::size_t bytes) {
  return frame(wire::kOpBulkData, 0, sequence, fuzz::written([&](auto& out) {
                 out.u64(transfer);
                 out.u64(offset);
                 out.bytes(fuzz::Bytes(bytes));
               }));
}

fuzz::Bytes unnumbered(wire::Opcode opcode, wire::Sequence acknowledged = 0) {
  const auto cookie = fuzz::written([](auto& out) { out.u64(7); });
  return frame(opcode, wire::kFrameUnnumbered, 0,
               opcode == wire::kOpAck ? std::span<const std::byte>() : cookie, acknowledged);
}

fuzz::Bytes session_in_order() {
  fuzz::Bytes all;
  fuzz::append(all, frame(wire::kFirstCommand, 0, 1, fuzz::Bytes(64)));
  fuzz::append(all, unnumbered(wire::kOpPing));
  fuzz::append(all, chunk(2, 1, 0, 504));
  fuzz::append(all, chunk(3, 1, 504, 496));
  fuzz::append(all, unnumbered(wire::kOpAck, 1));
  fuzz::append(all, chunk(4, 9, 0, 8));  // nobody has announced it
  fuzz::append(all, frame(wire::kFirstCommand, 0, 5, {}, 2));
  return fuzz::append(all, frame(wire::kOpGoodbye, 0, 6, {}));
}

}  // namespace
}  // namespace longwire::session

std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  using namespace longwire::session;
  const Bytes fault = frame(wire::kOpFault, wire::kFrameUnnumbered, 0, written([](auto& out) {
                              out.u64(9);
                              out.string("enough");
                            }));
  Bytes twice = frame(wire::kFirstCommand, 0, 1, Bytes(8));
  append(twice, Bytes(twice));  // replayed: dropped
  return {{"in_order", selected(255, session_in_order())},
          {"in_small_pieces", selected(0, session_in_order())},
          {"fault", selected(9, fault)},
          {"pong", selected(9, unnumbered(wire::kOpPong))},
          {"replayed", selected(9, twice)},
          {"past_its_transfer", selected(9, chunk(1, 1, 999, 8))},
          {"largest", selected(200, frame(wire::kFirstCommand, 0, 1, Bytes(1024)))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  longwire::session::run(std::as_bytes(std::span(data, size)));
  return 0;
}
