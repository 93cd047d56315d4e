// Stream: the ordered, acknowledged frame stream of one session, one object per side, the same code
// on client and worker. DESIGN.md decisions 4 and 6.
//
// Sending. A frame is encoded straight into the send ring, which is also the replay buffer: bytes
// stay there until the other side has acknowledged them. Ring full means back-pressure: begin()
// pumps the link until there is room. No malloc, no copy beyond the encoding, one lock.
//
// Receiving. One thread at a time pumps (whoever waits for something; a background thread when
// nobody does): it reads bytes, checks sequence numbers, drops what was replayed twice, and hands
// each frame to the FrameSink in order. Handlers run on the pumping thread, must not block and must
// not call user code. A handler may send: where the ring is full it waits for acknowledgements
// alone, reading ahead but handling nothing. Only one side of a session may do so (the worker,
// whose frames answer the client's): two handlers that wait for each other would wait for ever.
//
// Losing the link. What was not acknowledged stays in the ring. pump() tells the LinkLostHandler,
// which says for how long to wait for another link (offer()), or why to end; without a handler
// pump() reports kLinkLost until attach(). While the stream waits everything else goes on: frames
// are queued as far as the ring has room, and whoever pumps just waits.
//
// Control frames (acknowledgement, ping, pong, fault) are the stream's own business; all others,
// kOpGoodbye included, go to the sink.
//
// Threads: every public member may be called from any thread, but for what needs the pump role.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/clock.h"
#include "base/result.h"
#include "link/link.h"
#include "wire/frame.h"
#include "wire/writer.h"

namespace longwire::session {

struct Frame {
  wire::Opcode opcode;
  wire::Sequence sequence;
  std::span<const std::byte> payload;  // valid during the call only
};

class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // An error ends the session with it (kWireFault: the peer is told).
  virtual base::Status on_frame(const Frame& frame) = 0;
};

// A sender never has more than this many bytes of frames unacknowledged; a receiver can hold that
// many unhandled. Part of the protocol.
inline constexpr std::size_t kMaxUnacknowledgedBytes = std::size_t{8} << 20;

// Both sides use the same; others than the defaults are for tests.
// REQUIRES: send_ring_bytes >= 2 * ack_every_bytes and holds two of the largest frames;
// receive_ring_bytes >= 2 * send_ring_bytes. Ring sizes are rounded up to powers of two.
struct StreamLimits {
  std::size_t send_ring_bytes = kMaxUnacknowledgedBytes;
  std::size_t receive_ring_bytes = 2 * kMaxUnacknowledgedBytes;
  std::size_t flush_threshold_bytes = std::size_t{32} << 10;  // unflushed bytes that force a write
  std::size_t ack_every_bytes = std::size_t{1} << 20;         // received bytes that force an ack
  std::size_t max_payload_bytes = wire::kMaxPayloadBytes;     // the smaller of both sides' Hello
};

// How a thread waits that is not the pumping one: for room in the ring. The Pump is one.
class StreamWaiter {
 public:
  virtual ~StreamWaiter() = default;
  virtual base::Status wait_until(const std::function<bool()>& done, base::Deadline deadline) = 0;
  virtual void notify() noexcept = 0;
};

class Stream {
 public:
  Stream(const base::Clock& clock, StreamLimits limits, FrameSink& sink);
  ~Stream();

  // Gives the stream its (first or next) link. With a next link both sides have exchanged what they
  // received last (`peer_received`), and everything after that is sent again (by the next flush).
  // kWireFault: the peer claims what cannot be. REQUIRES: the pump role, or that nobody pumps yet.
  base::Status attach(std::unique_ptr<link::Link> link, wire::Sequence peer_received);

  // attach() from any thread: the thread that pumps changes over to the link as soon as it can,
  // also from one that seems to live. Of two offers the later one counts; one that comes so late
  // that the peer has acknowledged more than `peer_received` since is dropped.
  void offer(std::unique_ptr<link::Link> link, wire::Sequence peer_received);
  // Stops using the link that the stream has, for the one that is about to be offered, and returns
  // what the peer must be told (received()): no later acknowledgement leaves on the old link. It is
  // not closed before the offer is taken, or the peer might take that for the end of this process.
  wire::Sequence let_link_go() noexcept;
  // Whether a peer that says so can have received just that (see attach()).
  base::Status check_received(wire::Sequence peer_received) const;

  struct LinkLoss {
    base::Error why;
    bool closed_by_peer = false;  // see link::Link
  };
  // Called once per loss, on the pumping thread: either attach()es another link, or says until when
  // to wait for an offer(); then, or with an error, the stream ends. Set before the first pump.
  using LinkLostHandler = std::function<base::Result<base::Deadline>(const LinkLoss&)>;
  void set_link_lost_handler(LinkLostHandler handler);
  // While the stream waits for a link after one that the peer had closed: no longer than that.
  // REQUIRES: the pump role.
  void expect_link_by(base::Deadline deadline);
  // Who makes other threads wait. Without one a thread that needs room pumps by itself, which is
  // right where only one thread uses the stream. nullptr takes it away again.
  void set_waiter(StreamWaiter* waiter);

  // --- sending ---------------------------------------------------------------------------------
  // A frame being encoded. Holds the send lock until commit() or destruction (which drops it).
  class Draft {
   public:
    Draft(Draft&&) noexcept;
    ~Draft();
    wire::Writer& writer();  // over exactly the payload_bytes asked for, rounded up to 8 with zeros
    void commit();           // numbered and queued; the next flush sends it
   private:
    friend class Stream;
    Draft(Stream* stream, std::span<std::byte> slot, wire::Opcode opcode);
    Stream* stream_;  // nullptr: moved from, or over
    std::span<std::byte> slot_;
    wire::Writer writer_;
    wire::Opcode opcode_;
  };
  // Errors: kLimit (payload over max_payload_bytes), or why the stream has ended. A draft must be
  // ended by the thread that began it, before that thread calls anything else of the stream.
  base::Result<Draft> begin(wire::Opcode opcode, std::size_t payload_bytes);
  // Writes what is queued, as much as the link takes now; the rest goes out from pump(). Ok while
  // the link is lost: the frames wait for the next one. Errors: why the stream has ended.
  base::Status flush();
  // The end of the link that follows is then no loss. Never waits. kUnavailable: there is no room,
  // or no link now.
  base::Status say_goodbye();
  // What sends many small frames soon, without a system call each: flushes at once over the
  // threshold, otherwise has the background thread flush (see ClientSession, WorkerSession).
  bool needs_flush() const;  // queued bytes that no flush has taken yet
  // Asks the peer for a sign of life, which is also an acknowledgement.
  void ping();

  // --- receiving -------------------------------------------------------------------------------
  // Reads and delivers whatever is there, after waiting at most until `deadline` for something to
  // read, for room to write when writes are pending, or for wake(). Only one thread pumps at a
  // time; REQUIRES: the caller holds the pump role of its session (see Pump in pump.h).
  // Returns the number of frames delivered.
  base::Result<std::size_t> pump(base::Deadline deadline);
  void wake() noexcept;

  std::size_t max_payload_bytes() const;  // of this session's frames, both ways
  wire::Sequence received() const;        // the highest sequence delivered in order
  wire::Sequence sent() const;            // the highest sequence committed
  wire::Sequence acknowledged() const;    // the highest sequence the peer has acknowledged

  // Ends the stream: later calls fail with `why`. The link is closed.
  void shut_down(base::Error why);
  // The same, and the peer is told why if its link takes it at once. Needs the pump role.
  void tell_and_shut_down(const base::Error& why);
  bool ended() const;
  base::Error why_ended() const;  // REQUIRES: ended()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::session
