// NodeSession: one client process's session with one node, for every API. It owns the stream, the
// pump and the bulk lanes; sends commands without waiting; matches replies to tokens; hands pushes
// (completions, notifications) to its PushSink. src/driver connects it to links. A link that is
// lost is replaced (redial.h) where the node resumes sessions; meanwhile calls just take longer.
//
// Threads: everything may be called from any thread. Handlers of PushSink run on the pumping
// thread: they must not block, must not wait for the session, and must not call user code.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/core/connector.h"
#include "client/core/counters.h"
#include "client/core/reply_table.h"
#include "client/core/wait_meter.h"
#include "session/bulk.h"
#include "session/handshake.h"
#include "session/pump.h"
#include "session/stream.h"
#include "wire/blob.h"
#include "wire/frame.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::client::core {

// What the worker pushes on its own account.
class PushSink {
 public:
  virtual ~PushSink() = default;
  virtual void on_push(wire::Opcode opcode, wire::Reader& payload) = 0;
  virtual void on_session_lost(const base::Error& why) = 0;  // once; nothing follows it
};

// Named limits.
inline constexpr base::Nanoseconds kLaneConnectTimeout = 5 * base::kSecond;
inline constexpr int kRoundTripsForLanes = 10;
// Lanes that broke are opened again, in so many attempts; bulk data goes as frames meanwhile.
inline constexpr int kLaneAttempts = 5;
inline constexpr base::Nanoseconds kLaneAttemptTimeout = base::kSecond;
inline constexpr base::Nanoseconds kLaneBackoff = 100 * base::kMillisecond;  // doubling

// For the first lanes of a session that outlives its links. A call waits for them, and hears of the
// session's loss no sooner: so not longer than the way to the node asks for. What has not come by
// then is opened in the background.
constexpr base::Nanoseconds first_lanes_timeout(base::Nanoseconds round_trip_ns) {
  return std::clamp(kRoundTripsForLanes * round_trip_ns, kLaneAttemptTimeout, kLaneConnectTimeout);
}

class NodeSession final : public session::FrameSink {
 public:
  NodeSession(const base::Clock& clock, std::unique_ptr<Connector> connector);
  ~NodeSession() override;

  base::Status connect(
      base::Deadline deadline);  // opens the session; lanes are opened on first use
  void set_push_sink(PushSink* sink);
  // Ends the session in order, and its threads; every call fails from then on. Also done by the
  // destructor. REQUIRES: no other thread is in a call.
  void close() noexcept;
  // At the end of the process: says goodbye if that needs no waiting, and takes nothing apart.
  void say_goodbye() noexcept;
  const session::Welcome& welcome() const;
  std::string node_name() const;
  bool lost() const noexcept;
  SessionCounters counters() const;  // since connect(); also once the session is lost

  // When a queued command goes out: soon, by the background thread; or by the caller, which flushes
  // or waits in a moment, so that no other thread need be woken.
  enum class Flush : std::uint8_t { kSoon, kByCaller };

  // Queues a command. M is a generated message.
  template <class M>
  base::Status send(const M& message, Flush when = Flush::kSoon) {
    LW_ASSIGN(auto draft, begin(M::kOpcode, encoded_size(message)));
    encode(draft.writer(), message);
    draft.commit();
    if (when == Flush::kSoon) flush_soon();
    return {};
  }
  base::Status flush();

  // One round trip: sends (message.token is set here), flushes, waits. Ok when answered (on_reply
  // has run), else why the session is lost, or kTimeout.
  template <class M>
  base::Status call(M message, const ReplyHandler& on_reply,
                    base::Deadline deadline = base::Deadline::never()) {
    PendingReply pending;
    pending.handler = &on_reply;
    LW_TRY(add_reply(pending));
    message.token = pending.token;
    return await_reply(pending, send(message, Flush::kByCaller), deadline);
  }

  // Whether the node says of itself what it has, so that nobody need ask (kFeatureIntroduction);
  // and its message, for which this waits. The bytes stay while the session does.
  bool introduces_itself() const noexcept;
  base::Result<std::span<const std::byte>> introduction(base::Deadline deadline);

  // As call(), without waiting. Ok: the handler runs exactly once; an error: it never does.
  template <class M>
  base::Status request(M message, ReplyHandler on_reply, Flush when = Flush::kSoon) {
    LW_ASSIGN(PendingReply* const pending, add_owned_reply(std::move(on_reply)));
    message.token = pending->token;
    return sent_request(message.token, send(message, when));
  }

  // Waits for anything that handlers or pushes make true.
  base::Status wait_until(const std::function<bool()>& done,
                          base::Deadline deadline = base::Deadline::never());
  void notify() noexcept;

  // --- bulk data ---
  // Makes the blob for `data`: inline (copied into the message by its encoding) up to
  // kInlineBytes; otherwise a transfer, queued by start_upload() *after* the command was sent.
  wire::Blob make_blob(std::span<const std::byte> data);
  // As make_blob() for data that is not there yet: always a transfer, whatever its size.
  wire::Blob make_blob_for_later(std::uint64_t bytes);
  // Sends the bytes of a blob made by make_blob() (nothing for inline). `data` must stay valid
  // until on_sent, called once on any thread, maybe in a frame handler. Before that on_taken, where
  // blobs are eager: the links have all bytes, but may have to send them again.
  using OnSent = std::function<void(base::Status)>;
  void start_upload(const wire::Blob& blob, std::span<const std::byte> data, OnSent on_sent,
                    OnSent on_taken = nullptr);
  // As start_upload(), returning when `data` may be reused.
  base::Status upload(const wire::Blob& blob, std::span<const std::byte> data);
  // Makes the blob that names a download of `destination.size()` bytes; the bytes are put there by
  // lanes or, for inline, from the reply by the ReplyHandler of the caller. `all_there` of the
  // returned object turns true when lane bytes are complete (at once for inline).
  struct Download {
    wire::Blob blob;
    std::shared_ptr<std::atomic<bool>> all_there;  // shared by the lane's sink and the waiter
  };
  Download expect_download(std::span<std::byte> destination,
                           std::function<void(bool whole)> on_end);
  void cancel_download(const Download& download);

  // Runs `work` soon on this session's service thread: for frame handlers, which must not block.
  void post(std::function<void()> work) noexcept;
  // Whether this thread is inside a frame handler (of any session).
  static bool in_frame_handler() noexcept;

  // For pthread_atfork, in that order: no lock of the session is held while the process is copied;
  // in the child every call fails from then on and the parent's connection is not touched.
  void before_fork() noexcept;
  void after_fork(bool in_child) noexcept;

 private:
  base::Result<session::Stream::Draft> begin(wire::Opcode opcode, std::size_t payload_bytes);
  void flush_soon() noexcept;
  base::Status add_reply(PendingReply& pending);
  base::Result<PendingReply*> add_owned_reply(ReplyHandler on_reply);
  base::Status await_reply(PendingReply& pending, base::Status sent, base::Deadline deadline);
  base::Status sent_request(wire::Token token, base::Status sent);

  base::Status on_frame(const session::Frame& frame) override;
  base::Status dispatch(const session::Frame& frame);
  base::Status on_introduction(std::span<const std::byte> payload);
  base::Status on_reply(wire::Reader& payload);
  base::Status on_bulk(wire::Opcode opcode, wire::Reader& payload);
  void send_upload(session::TransferId transfer, std::span<const std::byte> data, OnSent on_sent,
                   OnSent on_taken);
  base::Status upload_with_copy(const wire::Blob& blob, std::span<const std::byte> data);
  void ensure_lanes();
  bool open_lanes(base::Nanoseconds timeout_ns);
  bool add_lane(base::Result<Connector::Opened> opened, std::uint32_t number);
  void reopen_lanes();
  base::Status wait(const std::function<bool()>& done, base::Deadline deadline,
                    WaitMeter::For what);
  base::Status fail_if_ended(base::Status status);
  void lose(const base::Error& why);
  void await_loss() noexcept;
  void watch();
  bool resumes() const noexcept;
  void prepare_redial(base::Nanoseconds round_trip_ns);
  void adopt_resumed(Connector::Opened opened);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::client::core
