#include "session/bulk.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "session/bulk_receiver.h"
#include "session/bulk_sender.h"
#include "session/handshake.h"
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
static_assert(kInlineBytes + kFrameFields <= kLeastPayloadBytes);
constexpr std::size_t kDropBytes = std::size_t{64} << 10;  // read at once of what nobody wants

struct Lane {
  explicit Lane(std::uint32_t number_, std::unique_ptr<link::Link> link_)
      : number(number_), link(std::move(link_)) {}
  const std::uint32_t number;
  const std::unique_ptr<link::Link> link;
  BulkSender::Lane sending;
  std::atomic<std::uint64_t> received{0};  // chunks, all of whose bytes have come
  std::uint64_t told = 0;                  // of them; guarded by the port's mutex
  std::size_t untold_bytes = 0;            // the reader's
  std::atomic<bool> over{false};           // to be read no further
  std::atomic<bool> reader_gone{false};
  std::atomic<bool> writer_gone{false};
  std::atomic<bool> final_known{false};  // how much of it the other side has received
  std::thread reader;
  std::thread writer;

  void close() {
    over = true;
    link->close();
  }
  bool gone() const { return reader_gone && writer_gone && final_known; }
};

// What kOpLaneReceived says.
struct LaneReceived {
  std::uint32_t lane = 0;
  std::uint64_t chunks = 0;
  bool over = false;
};

}  // namespace

struct BulkPort::State {
  State(const base::Clock& clock, Stream& stream_, LaneLoss lane_loss)
      : stream(stream_),
        repairs(lane_loss == LaneLoss::kIsRepaired),
        receiver(clock, [this] { on_completed_by_frame(); }),
        sender(lane_loss) {}

  void run_reader(Lane& lane);
  Status receive_chunk(Lane& lane, bool& ended_in_order);
  Status receive_header(Lane& lane, ChunkHeader& header, bool& ended_in_order);
  Status receive_data(Lane& lane, BulkReceiver::Chunk& chunk);
  void tell_all_received(bool now);
  void tell_received(const LaneReceived& message, bool now);
  void lane_ended(Lane& lane, const Status& status);
  void lane_broke(Lane& lane);
  void run_writer(Lane& lane);
  Status send_chunk(Lane& lane, const BulkSender::Chunk& chunk);
  void run_without_lanes();
  void on_completed_by_frame();
  bool start_bulk_out();
  // What is sent as frames, and read only where nothing is waited for: it may move in between.
  struct FrameSource {
    TransferId transfer = 0;
    std::uint64_t offset = 0;
    std::size_t bytes = 0;
    std::function<std::span<const std::byte>(std::size_t from)> lock;
    std::function<void()> unlock;
  };
  Status send_as_frames(const FrameSource& source);
  FrameSource source_of(const BulkSender::Chunk& chunk);
  Status on_lane_received(const LaneReceived& message);
  void reap();
  void shut_down(const Error& why);
  void fail(const Error& why);

  Stream& stream;
  const bool repairs;
  bool prompt = false;
  BulkReceiver receiver;
  BulkSender sender;
  std::function<void()> on_lane_lost;

  mutable std::mutex mutex;  // guards what follows
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<LaneReceived> early_ends;  // of lanes that are not known here yet
  std::thread bulk_out;                  // started when it is first needed
  bool ended = false;
  std::atomic<std::size_t> lanes_alive{0};
  std::atomic<bool> completed_by_frame{false};
  std::atomic<bool> queues{false};  // there has been a lane: what is sent waits in the queue
};

BulkPort::BulkPort(const base::Clock& clock, Stream& stream, LaneLoss lane_loss)
    : state_(std::make_unique<State>(clock, stream, lane_loss)) {}

BulkPort::~BulkPort() { stop(Error(ErrorCode::kClosed, "the session has ended")); }

void BulkPort::stop(const Error& why) {
  State& s = *state_;
  s.shut_down(why);
  for (const auto& lane : s.lanes) {
    if (lane->reader.joinable()) lane->reader.join();
    if (lane->writer.joinable()) lane->writer.join();
  }
  if (s.bulk_out.joinable()) s.bulk_out.join();
}

Status BulkPort::add_lane(std::unique_ptr<link::Link> link, std::uint32_t number) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (s.ended) return Error(ErrorCode::kClosed, "the session has ended");
  if (s.repairs) s.reap();
  const bool one_too_many = (s.repairs ? s.lanes_alive.load() : s.lanes.size()) >= kMaxLanes;
  const auto early = std::ranges::find(s.early_ends, number, &LaneReceived::lane);
  const bool over = early != s.early_ends.end();
  if (over) s.early_ends.erase(early);
  if (one_too_many || over) {
    if (s.repairs)
      s.tell_received({number, 0, true}, true);  // what the peer has sent there is lost
    return over ? Error(ErrorCode::kLinkLost, "the lane is over already")
                : Error(ErrorCode::kLimit, "too many lanes");
  }
  s.lanes.push_back(std::make_unique<Lane>(number, std::move(link)));
  Lane& lane = *s.lanes.back();
  ++s.lanes_alive;
  s.queues = true;
  s.sender.add_lane(lane.sending);
  lane.reader = base::try_start_thread("lw-lane-in", [&s, &lane] { s.run_reader(lane); });
  lane.writer = base::try_start_thread("lw-lane-out", [&s, &lane] { s.run_writer(lane); });
  if (lane.reader.joinable() && lane.writer.joinable()) return {};
  lock.unlock();
  const Error why(ErrorCode::kLimit, "cannot start a thread for a lane");
  s.fail(why);  // the peer has its end of the lane, and would use it
  return why;
}

// Lanes of which nothing more can be said. REQUIRES: mutex.
void BulkPort::State::reap() {
  std::erase_if(lanes, [](const std::unique_ptr<Lane>& lane) {
    if (!lane->gone()) return false;
    lane->reader.join();
    lane->writer.join();
    return true;
  });
}

std::size_t BulkPort::lanes() const { return state_->lanes_alive; }

void BulkPort::lane_never_came(std::uint32_t number) {
  if (state_->repairs) state_->tell_received({number, 0, true}, true);
}

void BulkPort::confirm_promptly() { state_->prompt = true; }

void BulkPort::set_lane_lost_handler(std::function<void()> handler) {
  state_->on_lane_lost = std::move(handler);
}

void BulkPort::drop_lanes() {
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& lane : state_->lanes)
      lane->close();
  }
  state_->receiver.look_again();
}

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
      lane->close();
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

// --- the end of a lane ---

void BulkPort::State::lane_ended(Lane& lane, const Status& status) {
  sender.end_lane(lane.sending);
  const std::size_t left = --lanes_alive;
  if (repairs && (status.ok() || status.error().code() != ErrorCode::kWireFault)) {
    return lane_broke(lane);
  }
  if (!status.ok()) return fail(Error(status.error()).during("bulk lane"));
  if (left > 0 || (sender.idle() && receiver.idle())) return;
  fail(Error(ErrorCode::kLinkLost, "the last bulk lane has ended inside a transfer"));
}

void BulkPort::State::lane_broke(Lane& lane) {
  lane.close();
  if (!start_bulk_out()) return;
  tell_received({lane.number, lane.received, true}, true);
  if (on_lane_lost) on_lane_lost();
}

void BulkPort::State::tell_received(const LaneReceived& message, bool now) {
  {
    auto draft = stream.begin(wire::kOpLaneReceived, 24);
    if (!draft.ok()) return;  // the session is over
    draft->writer().u64(message.lane);
    draft->writer().u64(message.chunks);
    draft->writer().u64(message.over ? 1 : 0);
    draft->commit();
  }
  if (now) (void)stream.flush();
}

Status BulkPort::on_lane_received(std::span<const std::byte> payload) {
  wire::Reader r(payload);
  LaneReceived message;
  const std::uint64_t number = r.u64("lane");
  message.chunks = r.u64("chunks");
  message.over = r.u64("over") != 0;
  if (number > std::numeric_limits<std::uint32_t>::max()) r.fail("lane");
  LW_TRY(r.finish());
  if (!state_->repairs) return Error(ErrorCode::kWireFault, "lanes of this session break for good");
  message.lane = static_cast<std::uint32_t>(number);
  return state_->on_lane_received(message);
}

Status BulkPort::State::on_lane_received(const LaneReceived& message) {
  Lane* found = nullptr;
  {
    const std::lock_guard lock(mutex);
    for (const auto& lane : lanes)
      if (lane->number == message.lane && !lane->final_known) found = lane.get();
    if (found == nullptr) {
      if (!message.over) return {};
      if (early_ends.size() == kMaxEarlyLaneEnds) early_ends.erase(early_ends.begin());
      early_ends.push_back(message);
      return {};
    }
    if (message.over) found->close();
  }
  if (message.over) receiver.look_again();
  LW_TRY(sender.confirm(found->sending, message.chunks, message.over));
  if (message.over) found->final_known = true;  // then it may be reaped
  return {};
}

// --- receiving on lanes ---

void BulkPort::State::run_reader(Lane& lane) {
  bool ended_in_order = false;
  Status status;
  while (status.ok() && !ended_in_order)
    status = receive_chunk(lane, ended_in_order);
  lane_ended(lane, status);
  lane.reader_gone = true;
}

Status BulkPort::State::receive_chunk(Lane& lane, bool& ended_in_order) {
  ChunkHeader header;
  LW_TRY(receive_header(lane, header, ended_in_order));
  if (ended_in_order) return {};
  LW_ASSIGN(BulkReceiver::Chunk chunk, receiver.begin_chunk(header, lane.over));
  const Status received = receive_data(lane, chunk);
  if (!received.ok()) chunk.abandon();
  LW_TRY(received);
  ++lane.received;  // before others can find their transfer complete with this chunk
  lane.untold_bytes += header.bytes;
  LW_ASSIGN(const auto finished, chunk.finish());
  if (!repairs) return {};
  const bool much = lane.untold_bytes >= kConfirmEveryBytes;
  if (much || finished.complete) {
    lane.untold_bytes = 0;
    tell_all_received(much || (prompt && finished.transfer_bytes > kPromptBytes));
  }
  return {};
}

// The chunks of a transfer that is complete have come on any of the lanes.
void BulkPort::State::tell_all_received(bool now) {
  std::array<LaneReceived, kMaxLanes> messages;
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex);
    for (const auto& lane : lanes) {
      const std::uint64_t received = lane->received;
      if (received == lane->told || lane->reader_gone || count == messages.size()) continue;
      lane->told = received;
      messages[count++] = {lane->number, received, false};
    }
  }
  for (std::size_t i = 0; i < count; ++i)
    tell_received(messages[i], now && i + 1 == count);
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
                    OnSent on_received, OnSent on_taken) {
  State& s = *state_;
  if (s.lanes_alive > 0 || (s.repairs && s.queues)) {
    return s.sender.send(transfer, offset, data, std::move(on_received), std::move(on_taken));
  }
  // A frame that the stream has taken needs its memory no more.
  const Status sent =
      s.send_as_frames({transfer, offset, data.size(),
                        [data](std::size_t from) { return data.subspan(from); }, [] {}});
  if (on_taken) on_taken(sent);
  on_received(sent);
}

bool BulkPort::rebase(TransferId transfer, std::span<const std::byte> data) {
  return state_->sender.rebase(transfer, data);
}

void BulkPort::State::run_writer(Lane& lane) {
  while (const auto chunk = sender.take(lane.sending)) {
    Status sent = send_chunk(lane, *chunk);
    const bool ok = sent.ok();
    const Error why = ok ? Error(ErrorCode::kInternal, "") : sent.error();
    sender.taken(lane.sending, *chunk, std::move(sent));
    if (ok) continue;
    if (!repairs) fail(Error(why).during("bulk lane"));
    lane.close();  // the reader says the rest
    break;
  }
  sender.leave(lane.sending);
  lane.writer_gone = true;
}

// The thread that sends what no lane sends. False: the session is over.
bool BulkPort::State::start_bulk_out() {
  {
    const std::lock_guard lock(mutex);
    if (ended) return false;
    if (bulk_out.joinable()) return true;
    bulk_out = base::try_start_thread("lw-bulk-out", [this] { run_without_lanes(); });
    if (bulk_out.joinable()) return true;
  }
  fail(Error(ErrorCode::kLimit, "cannot start a thread for bulk data"));
  return false;
}

void BulkPort::State::run_without_lanes() {
  while (sender.await_frame_work()) {
    if (completed_by_frame.exchange(false)) tell_all_received(true);
    const auto chunk = sender.take_for_frames();
    if (!chunk) continue;
    sender.sent_as_frames(*chunk, send_as_frames(source_of(*chunk)));
  }
}

BulkPort::State::FrameSource BulkPort::State::source_of(const BulkSender::Chunk& chunk) {
  return {chunk.transfer(), chunk.offset(), chunk.bytes(),
          [this, &chunk](std::size_t from) { return sender.lock_data(chunk, from); },
          [this, &chunk] { sender.unlock_data(chunk); }};
}

// By frames, or by what a lane could not wait with: its sender may wait for what has come on lanes
// before. Not told from here: this may be a frame handler.
void BulkPort::State::on_completed_by_frame() {
  if (!repairs || !queues || !start_bulk_out()) return;
  completed_by_frame = true;
  sender.poke();
}

Status BulkPort::State::send_chunk(Lane& lane, const BulkSender::Chunk& chunk) {
  std::array<std::byte, kLaneChunkHeaderBytes> header;
  wire::Writer w(header);
  w.u64(chunk.transfer());
  w.u64(chunk.offset());
  w.u32(static_cast<std::uint32_t>(chunk.bytes()));
  w.u32(0);
  for (std::size_t sent = 0; sent < header.size() + chunk.bytes();) {
    const std::size_t of_header = std::min(sent, header.size());
    const std::array<ConstBuffer, 2> parts = {std::span(header).subspan(of_header),
                                              sender.lock_data(chunk, sent - of_header)};
    const auto written = lane.link->write_some(parts);
    sender.unlock_data(chunk);
    LW_TRY(written);
    sent += *written;
    if (*written > 0) continue;
    LW_TRY(lane.link->wait({.readable = false, .writable = true}, Deadline::never()));
  }
  return {};
}

Status BulkPort::State::send_as_frames(const FrameSource& source) {
  const std::size_t most = std::min(kStreamChunkBytes, stream.max_payload_bytes() - kFrameFields);
  for (std::size_t sent = 0; sent < source.bytes;) {
    const std::size_t bytes = std::min(source.bytes - sent, most);
    const auto encode = [&](auto& out, std::span<const std::byte> piece) {
      out.u64(source.transfer);
      out.u64(source.offset + sent);
      out.bytes(piece);
    };
    wire::Sizer sizer;
    encode(sizer, {static_cast<const std::byte*>(nullptr), bytes});  // whose size alone matters
    LW_ASSIGN(Stream::Draft draft, stream.begin(wire::kOpBulkData, sizer.size()));
    encode(draft.writer(), source.lock(sent).first(bytes));
    source.unlock();
    draft.commit();
    sent += bytes;
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
