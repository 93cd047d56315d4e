// Pump: who reads the link. The thread that waits for an answer reads it itself (no hop to another
// thread); the other waiting threads sleep until their own answer came, or until the role falls to
// them; a background thread reads only while nobody waits. DESIGN.md decision 3.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "session/stream.h"

namespace longwire::session {

// The background thread leaves the link alone for this long after a thread has pumped for itself:
// programs wait again and again, and waking another thread each time would double the latency.
// It is also how late a completion may be noticed that nobody waits for; up to four times that
// after a long time of nothing but such waits.
inline constexpr base::Nanoseconds kBackgroundGraceNs = 500'000;

class Pump final : public StreamWaiter {
 public:
  // Makes itself the stream's waiter. `clock` is that of the links' deadlines; both outlive it.
  Pump(Stream& stream, const base::Clock& clock);
  // Stops and joins the background thread. REQUIRES: no thread is in wait_until().
  ~Pump() override;

  // Starts the background thread (all signals blocked in it). Until then nothing is read unless
  // somebody waits.
  void start_background();

  // Returns when done() holds, the deadline passes (kTimeout) or the stream ends (its error). A
  // link that is lost for good (see Stream::set_link_lost_handler) ends the stream. done() is
  // called without locks held, often and from any pumping thread; it must be cheap and thread-safe.
  // What makes done() true must be a frame handler, or be followed by notify(). Flushes the stream
  // first. Never from a frame handler.
  base::Status wait_until(const std::function<bool()>& done, base::Deadline deadline) override;

  // Makes every waiter look at its done() again.
  void notify() noexcept override;

  // Some thread is in wait_until().
  bool waited_for() const noexcept;

  // Queued frames, if there are any, should go out soon, though nobody waits for an answer: wakes
  // the background thread to flush, once per batch.
  void flush_soon() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::session
