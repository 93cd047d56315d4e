// Outbox: everything that a worker sends. Any thread may use it; a vendor driver's callback thread
// writes straight into the stream, with no hop to another thread.
//
// Order matters (a completion goes before the reply that it makes true), so frames are written
// during a Turn: what one Turn writes stays together, and later Turns come after it.
//
// A Turn never waits for the client to read, or a slow client could stop the dispatch thread behind
// a callback's Turn, and with it the acknowledgements that make room. What the send ring has no
// room for is kept aside and sent by drain(); on_command() of the worker first drains what is too
// much.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "session/stream.h"
#include "wire/fields.h"
#include "wire/opcodes.h"
#include "wire/reply.h"
#include "wire/writer.h"

namespace longwire::worker::core {

// More than this kept aside, and no further command is taken in before it is sent.
inline constexpr std::size_t kMaxAsideBytes = std::size_t{4} << 20;

// Completions that follow each other closely share a system call: one that comes within kBurstGapNs
// of the one before waits for others, until kBatchNs have passed since the last flush.
inline constexpr base::Nanoseconds kBurstGapNs = 15'000;
inline constexpr base::Nanoseconds kBatchNs = 50'000;

// The stream's waiter on a worker. Threads that may wait (bulk data in the stream) sleep until the
// dispatch thread has made room; that one pumps by itself; a Turn does not wait.
class RoomWaiter final : public session::StreamWaiter {
 public:
  // Says that this thread is the dispatch thread. `stream` outlives the waiter's use.
  void set_dispatch_thread(session::Stream& stream);
  base::Status wait_until(const std::function<bool()>& done, base::Deadline deadline) override;
  void notify() noexcept override;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t turn_ = 0;
  session::Stream* stream_ = nullptr;
  std::thread::id dispatch_;
};

class Outbox {
 public:
  Outbox(session::Stream& stream, base::Logger& logger, const base::Clock& clock) noexcept
      : stream_(stream), logger_(logger), clock_(clock) {}

  class Turn {
   public:
    // A generated push (false: it is too large for a frame), or a reply with fields of its own. A
    // reply that is too large for a frame becomes `too_large_status` without fields; so nobody
    // waits for ever.
    template <class M>
    bool push(const M& message) {
      return box_.put(M::kOpcode, [&](auto& out) { body(out, message); });
    }
    template <class R>
    void reply(wire::Token token, std::int32_t status, const R& fields,
               std::int32_t too_large_status) {
      if (token == 0) return;
      const wire::ReplyHeader header{token, status};
      const bool sent = box_.put(wire::kOpReply, [&](auto& out) {
        wire::put_reply_header(out, header);
        body(out, fields);
      });
      if (!sent) reply(token, too_large_status);
    }
    void reply(wire::Token token, std::int32_t status);
    void object_failed(wire::Handle object, std::int32_t status);
    void notify(wire::Handle object, std::uint32_t kind, std::span<const std::byte> text,
                std::span<const std::byte> data);
    void standard_output(std::span<const std::byte> text);
    void grant(std::uint64_t transfer);
    void credit(std::uint64_t bytes);
    void abort(std::uint64_t transfer, std::int32_t status);
    void agent_away(std::uint64_t within_ms);

   private:
    friend class Outbox;
    explicit Turn(Outbox& box) : box_(box), lock_(box.order_) {}
    template <class M>
    static void body(wire::Sizer& out, const M& m) {
      out.skip(encoded_size(m));
    }
    template <class M>
    static void body(wire::Writer& out, const M& m) {
      encode(out, m);
    }
    Outbox& box_;
    std::unique_lock<std::mutex> lock_;
  };

  Turn turn() { return Turn(*this); }
  // Sends what is queued as far as the link takes it; errors show at the next pump.
  void flush() noexcept;
  // As flush(), where more is about to follow: in a burst what is queued waits for that, or for the
  // dispatch thread, which looks after kBatchNs (or after the native call that it is in).
  void flush_in_burst() noexcept;
  std::uint64_t flushes() const noexcept { return flushes_.load(std::memory_order_relaxed); }

  // For the dispatch thread: who it is, when it must look again although nothing comes, and,
  // between commands, what is due.
  void set_dispatch_thread() noexcept { dispatch_ = std::this_thread::get_id(); }
  base::Deadline before_wait() noexcept;
  void flush_overdue() noexcept {
    if (deferred_.load(std::memory_order_relaxed) && overdue(clock_.now_ns())) flush();
  }

  // Queues what was kept aside, as far as there is room; inside a frame handler all of it. Called
  // by the dispatch thread.
  void drain();
  bool too_much_aside() const;

 private:
  struct Aside {
    wire::Opcode opcode;
    std::vector<std::byte> payload;
  };

  template <class Encode>
  bool put(wire::Opcode opcode, Encode&& encode) {
    wire::Sizer sizer;
    encode(sizer);
    if (drain_locked()) {
      auto draft = begin(opcode, sizer.size());
      if (draft.ok()) {
        encode(draft->writer());
        draft->commit();
        return true;
      }
      if (!no_room(draft.error())) return refused(opcode, draft.error());
    }
    Aside aside{opcode, std::vector<std::byte>(sizer.size())};
    wire::Writer writer(aside.payload);
    encode(writer);
    keep(std::move(aside));
    return true;
  }
  base::Result<session::Stream::Draft> begin(wire::Opcode opcode, std::size_t payload_bytes);
  bool no_room(const base::Error& why) const;
  void keep(Aside aside);
  bool drain_locked();                                        // true: nothing is left aside
  bool refused(wire::Opcode opcode, const base::Error& why);  // false
  bool overdue(base::Nanoseconds now_ns) const noexcept {
    return now_ns - flushed_at_ns_.load(std::memory_order_relaxed) >= kBatchNs;
  }

  session::Stream& stream_;
  base::Logger& logger_;
  const base::Clock& clock_;

  std::atomic<std::thread::id> dispatch_{};
  std::atomic<base::Nanoseconds> flushed_at_ns_{0};
  std::atomic<base::Nanoseconds> last_in_burst_ns_{0};
  std::atomic<std::uint64_t> flushes_{0};
  // A pair as in Dekker's algorithm: who defers sets the first and reads the second, the dispatch
  // thread the other way round.
  std::atomic<bool> deferred_{false};  // something waits that flush_in_burst() has not sent
  std::atomic<bool> watched_{false};   // the dispatch thread looks within kBatchNs, or is woken

  mutable std::mutex order_;
  std::deque<Aside> aside_;
  std::size_t aside_bytes_ = 0;
};

}  // namespace longwire::worker::core
