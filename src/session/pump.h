// PumpRole: who reads the link. The thread that waits for an answer reads it itself (no hop to
// another thread); a background thread reads only while nobody waits. DESIGN.md decision 3.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "session/stream.h"

namespace longwire::session {

class Pump {
 public:
  explicit Pump(Stream& stream, const base::Clock& clock);
  ~Pump();  // stops and joins the background thread

  // Starts the background thread (all signals blocked in it). Until then nothing is read unless
  // somebody waits.
  void start_background();

  // Returns when done() holds, the deadline passes (kTimeout) or the stream ends (its error).
  // done() is called without locks held, often; it must be cheap and thread-safe. What makes done()
  // true must be a frame handler, or be followed by notify(). Flushes the stream first.
  base::Status wait_until(const std::function<bool()>& done, base::Deadline deadline);

  // Makes every waiter look at its done() again.
  void notify() noexcept;

  // Queued frames should go out soon, though nobody waits for an answer: wakes the background
  // thread to flush, once per batch.
  void flush_soon() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longwire::session
