// Bulk transfers: data too large for the command stream goes beside it, on lanes (further links of
// the same session), or as kOpBulkData frames where a session has no lane. DESIGN.md decision 5.
//
// A command that carries or wants bulk data names a transfer: BulkRef{transfer, bytes, mode}.
//   inline      (<= kInlineBytes)  the bytes ride in the command or its completion; no transfer
//   eager       the sender has staging credit of the receiver: bytes may be sent at once
//   rendezvous  bytes are sent once the receiver has said kOpBulkGrant
// Credit is session-wide (Welcome.eager_credit_bytes), taken by eager transfers, given back by
// kOpBulkCredit. A transfer without enough credit is sent as rendezvous: nobody ever waits with the
// command stream in hand, so a transfer blocked by a user event cannot stop another.
//
// Lanes that break. Where the session outlives its links (LaneLoss::kIsRepaired) each side tells
// the other by kOpLaneReceived how many chunks of a lane it has received: now and then, so that
// memory can be let go, and for the last time when the lane is over. What the other has not
// received goes over another lane, or as frames while there is none. docs/PROTOCOL.md, "Bulk data".
//
// On a lane every chunk is: u64 transfer, u64 offset, u32 bytes, u32 flags (0), then the bytes; at
// most kChunkBytes each. Chunks of one transfer may arrive in any order over different lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/result.h"
#include "link/link.h"
#include "session/stream.h"

namespace longwire::session {

inline constexpr std::size_t kInlineBytes = std::size_t{64} << 10;
inline constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
inline constexpr std::size_t kLaneChunkHeaderBytes = 24;
inline constexpr std::size_t kMaxLanes = 8;
// How long a lane holds up a chunk that nobody has announced: the command that names the transfer
// is on another link. Then the chunk is kept, as its command may wait for what comes behind it.
// Where too much is kept already the lane waits on, and in the end that is a fault.
inline constexpr base::Nanoseconds kHoldUpNs = 50 * base::kMillisecond;
inline constexpr base::Nanoseconds kUnannouncedTimeoutNs = 60 * base::kSecond;
// Without lanes chunks are frames: smaller, so that commands find their way between them; what
// comes unannounced is copied and kept. An honest sender has credit for no more than this.
inline constexpr std::size_t kStreamChunkBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMaxUnannouncedBytes = std::size_t{64} << 20;
// A sender cuts more than 64 KiB into chunks of which all but the last are large: no honest one
// comes near. Small ones cost more memory than the bytes that they bring.
inline constexpr std::size_t kMaxUnannouncedChunks = std::size_t{1} << 15;
inline constexpr std::size_t kMaxTransfers = std::size_t{1} << 16;  // announced, or being sent
inline constexpr std::size_t kMaxForgottenTransfers = 4096;
// A receiver confirms what it has received of a lane with each transfer that is complete, and sends
// that at once where so many bytes are unconfirmed, else with whatever is sent next. A node also
// confirms transfers of more than kPromptBytes at once: then its client may be waiting.
inline constexpr std::size_t kConfirmEveryBytes = std::size_t{16} << 20;
inline constexpr std::size_t kPromptBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxEarlyLaneEnds = 64;  // of lanes that are not yet known here

using TransferId = std::uint64_t;  // made by the client, never 0, never used again in a session

enum class BulkMode : std::uint32_t { kInline = 0, kEager = 1, kRendezvous = 2 };

struct BulkRef {
  TransferId transfer = 0;
  std::uint64_t bytes = 0;
  BulkMode mode = BulkMode::kInline;
};

// Where the bytes of an incoming transfer go. Called on lane threads (or the pumping thread, for
// kOpBulkData), for one chunk at a time per lane. Must not call user code.
class BulkSink {
 public:
  virtual ~BulkSink() = default;
  // Where to put [offset, offset+bytes). The lane receives straight into it. May block until there
  // is room, but only for something that needs no act of the peer's program. Empty: drop the bytes
  // (the transfer was aborted). Offset and bytes have been checked against the transfer's size.
  virtual std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) = 0;
  // What buffer() gave for those bytes is not used any more: their lane broke in the middle. They
  // will be asked for again, maybe in other portions.
  virtual void returned(std::uint64_t, std::size_t) {}
  // Those bytes are there. `complete` once every byte of the transfer has come.
  virtual void received(std::uint64_t offset, std::size_t bytes, bool complete) = 0;
  // The transfer will never be complete: the session or its lanes ended, or the peer aborted. The
  // last call.
  virtual void aborted(const base::Error& why) = 0;
};

// kEndsSession: a lane that breaks breaks the session, the port and its stream end; one that ends
// in order at the end of a chunk is just one lane less.
enum class LaneLoss : std::uint8_t { kEndsSession, kIsRepaired };

class BulkPort {
 public:
  using OnSent = std::function<void(base::Status)>;

  // `stream` carries chunks while there are no lanes. Both outlive the port.
  BulkPort(const base::Clock& clock, Stream& stream, LaneLoss lane_loss = LaneLoss::kEndsSession);
  ~BulkPort();  // ends the lane threads

  // Adds a lane (after its own handshake) and starts its reader and writer thread. `number` is that
  // of its Hello; with kIsRepaired no two lanes of a session have the same.
  base::Status add_lane(std::unique_ptr<link::Link> lane, std::uint32_t number);
  std::size_t lanes() const;
  // This side has given the lane up before it had it; the other side may have it, and use it.
  void lane_never_came(std::uint32_t number);
  // The other side waits for the confirmation of large transfers. Before the first lane.
  void confirm_promptly();
  // Gives up every lane, as if it had broken.
  void drop_lanes();
  // Called on a thread of the port when a lane is gone, unless the port has ended. Before the first
  // lane.
  void set_lane_lost_handler(std::function<void()> handler);

  // Announces an incoming transfer. Chunks that come before are held up on their lane until then
  // (the command that names the transfer is on another link) for kHoldUpNs, and then kept. The
  // sink is shared by the caller and the lanes; the port drops it after its last call. A port that
  // has ended calls aborted() at once.
  void expect(TransferId transfer, std::uint64_t bytes, const std::shared_ptr<BulkSink>& sink);
  // Forgets it: chunks that still come are dropped. The sink is not called again after the return
  // (so a sink that blocks in buffer() must be unblocked first), and nothing is written into what
  // buffer() gave. May be called from inside the sink.
  void cancel(TransferId transfer);
  // For the session's frame dispatcher: a kOpBulkAbort frame. Calls the sink's aborted().
  void on_peer_abort(TransferId transfer, const base::Error& why);

  // Queues [data] as bytes offset.. of an outgoing transfer, cut into chunks, spread over lanes.
  // `data` must stay valid until on_received, which is called exactly once, from a thread of the
  // port or of its frame dispatcher (or inside send()): ok when nothing of it can be needed again.
  // Before that, on_taken, if there is one, is called once in the same way: ok when the links have
  // taken all of it.
  void send(TransferId transfer, std::uint64_t offset, std::span<const std::byte> data,
            OnSent on_received, OnSent on_taken = nullptr);
  // From now on the same bytes of a transfer that was sent in one piece are in `data`, and the
  // memory that send() was given is not read any more: waits for as long as a link takes what it
  // has room for now. False: the transfer is over, and no memory is read.
  bool rebase(TransferId transfer, std::span<const std::byte> data);

  // For the session's frame dispatcher: a kOpBulkData frame.
  base::Status on_stream_chunk(std::span<const std::byte> payload);
  // A kOpLaneReceived frame.
  base::Status on_lane_received(std::span<const std::byte> payload);

  // Ends every lane and aborts every transfer, in both directions. From any thread, also a sink's.
  void shut_down(const base::Error& why);
  // As shut_down(), and waits for the threads of the lanes: no sink and no on_sent is called after
  // it. Not from a sink, and by one thread at a time.
  void stop(const base::Error& why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::session
