#include "session/bulk.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "session/bulk_receiver.h"
#include "session/bulk_sender.h"
#include "wire/opcodes.h"
#include "wire/reader.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;
using link::ConstBuffer;

constexpr std::size_t kFrameFields = 24;  // of a kOpBulkData frame, beside the data
constexpr std::size_t kDropBytes = std::size_t{64} << 10;  // read at once of what nobody wants

struct Lane {
  std::size_t number = 0;
  std::unique_ptr<link::Link> link;
  bool over = false;  // guarded by the BulkSender
  std::thread reader;
  std::thread writer;
};

}  // namespace

struct BulkPort::State {
  State(const base::Clock& clock, Stream& stream_) : stream(stream_), receiver(clock) {}

  void run_reader(Lane& lane);
  Status receive_chunk(Lane& lane, bool& ended_in_order);
  Status receive_header(Lane& lane, ChunkHeader& header, bool& ended_in_order);
  Status receive_data(Lane& lane, BulkReceiver::Chunk& chunk);
  void run_writer(Lane& lane);
  Status send_chunk(Lane& lane, const BulkSender::Chunk& chunk);
  Status send_as_frames(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data);
  void lane_ended(Lane& lane);
  void shut_down(const Error& why);
  void fail(const Error& why);

  Stream& stream;
  BulkReceiver receiver;
  BulkSender sender;

  mutable std::mutex mutex;  // guards lanes and ended
  std::vector<std::unique_ptr<Lane>> lanes;
  std::atomic<std::size_t> lanes_alive{0};
  bool ended = false;
};

BulkPort::BulkPort(const base::Clock& clock, Stream& stream)
    : state_(std::make_unique<State>(clock, stream)) {}

BulkPort::~BulkPort() {
  state_->shut_down(Error(ErrorCode::kClosed, "the session has ended"));
  for (const auto& lane : state_->lanes) {
    if (lane->reader.joinable()) lane->reader.join();
    if (lane->writer.joinable()) lane->writer.join();
  }
}

Status BulkPort::add_lane(std::unique_ptr<link::Link> link) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (s.ended) return Error(ErrorCode::kClosed, "the session has ended");
  if (s.lanes.size() >= kMaxLanes) return Error(ErrorCode::kLimit, "too many lanes");
  s.lanes.push_back(std::make_unique<Lane>());
  Lane& lane = *s.lanes.back();
  lane.number = s.lanes.size() - 1;
  lane.link = std::move(link);
  ++s.lanes_alive;
  lane.reader = base::try_start_thread("lw-lane-in", [&s, &lane] { s.run_reader(lane); });
  lane.writer = base::try_start_thread("lw-lane-out", [&s, &lane] { s.run_writer(lane); });
  if (lane.reader.joinable() && lane.writer.joinable()) return {};
  lock.unlock();
  const Error why(ErrorCode::kLimit, "cannot start a thread for a lane");
  s.fail(why);  // the peer has its end of the lane, and would use it
  return why;
}

std::size_t BulkPort::lanes() const { return state_->lanes_alive; }

void BulkPort::expect(TransferId transfer, std::uint64_t bytes,
                      const std::shared_ptr<BulkSink>& sink) {
  state_->receiver.expect(transfer, bytes, sink);
}

void BulkPort::cancel(TransferId transfer) { state_->receiver.cancel(transfer); }

void BulkPort::on_peer_abort(TransferId transfer, const Error& why) {
  state_->receiver.abort(transfer, why);
}

void BulkPort::shut_down(const Error& why) { state_->shut_down(why); }

void BulkPort::State::shut_down(const Error& why) {
  {
    const std::lock_guard lock(mutex);
    if (ended) return;
    ended = true;
    for (const auto& lane : lanes)
      lane->link->close();
  }
  sender.shut_down(why);
  receiver.shut_down(why);
}

// A lane is broken: so is the session.
void BulkPort::State::fail(const Error& why) {
  {
    const std::lock_guard lock(mutex);
    if (ended) return;
  }
  shut_down(why);
  stream.shut_down(why);
}

// --- receiving on lanes ---

void BulkPort::State::run_reader(Lane& lane) {
  bool ended_in_order = false;
  Status status;
  while (status.ok() && !ended_in_order)
    status = receive_chunk(lane, ended_in_order);
  if (!status.ok()) fail(Error(status.error()).during("bulk lane"));
  lane_ended(lane);
}

void BulkPort::State::lane_ended(Lane& lane) {
  sender.end_lane(lane.number, lane.over);
  if (--lanes_alive > 0 || (sender.idle() && receiver.idle())) return;
  fail(Error(ErrorCode::kLinkLost, "the last bulk lane has ended inside a transfer"));
}

Status BulkPort::State::receive_chunk(Lane& lane, bool& ended_in_order) {
  ChunkHeader header;
  LW_TRY(receive_header(lane, header, ended_in_order));
  if (ended_in_order) return {};
  LW_ASSIGN(BulkReceiver::Chunk chunk, receiver.begin_chunk(header));
  LW_TRY(receive_data(lane, chunk));
  return chunk.finish();
}

Status BulkPort::State::receive_header(Lane& lane, ChunkHeader& header, bool& ended_in_order) {
  std::array<std::byte, kLaneChunkHeaderBytes> bytes;
  for (std::size_t there = 0; there < bytes.size();) {
    const auto read = lane.link->read_some(std::span(bytes).subspan(there));
    if (!read.ok() && read.error().code() == ErrorCode::kClosed && there == 0) {
      ended_in_order = true;
      return {};
    }
    LW_TRY(read);
    there += *read;
    if (*read == 0) {
      LW_TRY(lane.link->wait({.readable = true, .writable = false}, Deadline::never()));
    }
  }
  wire::Reader r(bytes);
  header.transfer = r.u64("transfer");
  header.offset = r.u64("offset");
  header.bytes = r.u32("bytes");
  if (r.u32("flags") != 0) r.fail("flags");
  return r.finish();
}

Status BulkPort::State::receive_data(Lane& lane, BulkReceiver::Chunk& chunk) {
  std::vector<std::byte> dropped;
  while (chunk.missing() > 0) {
    std::span<std::byte> place = chunk.lock_memory();
    if (place.empty()) {
      dropped.resize(kDropBytes);
      place = std::span(dropped).first(std::min(kDropBytes, chunk.missing()));
    }
    const auto read = lane.link->read_some(place);
    chunk.unlock_memory(read.ok() ? *read : 0);
    LW_TRY(read);
    if (*read > 0) continue;
    LW_TRY(lane.link->wait({.readable = true, .writable = false}, Deadline::never()));
  }
  return {};
}

// --- sending ---

void BulkPort::send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
                    std::function<void(Status)> on_sent) {
  State& s = *state_;
  if (s.lanes_alive > 0) return s.sender.send(transfer, offset, data, std::move(on_sent));
  on_sent(s.send_as_frames(transfer, offset, data));
}

void BulkPort::State::run_writer(Lane& lane) {
  while (const auto chunk = sender.take(lane.number, lane.over)) {
    Status sent = send_chunk(lane, *chunk);
    const bool ok = sent.ok();
    const Error why = ok ? Error(ErrorCode::kInternal, "") : sent.error();
    sender.done(*chunk, std::move(sent));
    if (!ok) return fail(Error(why).during("bulk lane"));
  }
}

Status BulkPort::State::send_chunk(Lane& lane, const BulkSender::Chunk& chunk) {
  std::array<std::byte, kLaneChunkHeaderBytes> header;
  wire::Writer w(header);
  w.u64(chunk.transfer);
  w.u64(chunk.offset);
  w.u32(static_cast<std::uint32_t>(chunk.data.size()));
  w.u32(0);
  std::array<ConstBuffer, 2> parts = {header, chunk.data};
  while (!parts[1].empty()) {  // the data is never empty, and goes last
    LW_ASSIGN(std::size_t written, lane.link->write_some(parts));
    if (written == 0) {
      LW_TRY(lane.link->wait({.readable = false, .writable = true}, Deadline::never()));
    }
    for (ConstBuffer& part : parts) {
      const std::size_t n = std::min(written, part.size());
      part = part.subspan(n);
      written -= n;
    }
  }
  return {};
}

Status BulkPort::State::send_as_frames(TransferId transfer, std::uint64_t offset,
                                       std::span<const std::byte> data) {
  const std::size_t most = std::min(kStreamChunkBytes, stream.max_payload_bytes() - kFrameFields);
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), most));
    wire::Sizer sizer;
    const auto encode = [&](auto& out) {
      out.u64(transfer);
      out.u64(offset);
      out.bytes(piece);
    };
    encode(sizer);
    {
      LW_ASSIGN(Stream::Draft draft, stream.begin(wire::kOpBulkData, sizer.size()));
      encode(draft.writer());
      draft.commit();
    }
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return stream.flush();
}

Status BulkPort::on_stream_chunk(std::span<const std::byte> payload) {
  wire::Reader r(payload);
  ChunkHeader header;
  header.transfer = r.u64("transfer");
  header.offset = r.u64("offset");
  const std::span<const std::byte> data = r.bytes("bulk bytes");
  LW_TRY(r.finish());
  header.bytes = static_cast<std::uint32_t>(data.size());
  return state_->receiver.on_frame(header, data);
}

}  // namespace longwire::session
