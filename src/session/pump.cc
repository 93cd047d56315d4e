#include "session/pump.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/thread.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Nanoseconds;
using base::Status;

constexpr int kMaxBusyNaps = 2;  // each doubles the nap: 0.5, 1, 2 ms

// A thread in wait_until() that does not pump. Lives on its stack; guarded by State::mutex.
struct Follower {
  Follower(std::uint64_t number_, const std::function<bool()>& done_)
      : number(number_), done(done_) {}
  const std::uint64_t number;
  const std::function<bool()>& done;
  std::condition_variable changed;
  bool look_again = false;  // notify() was called, or its done() was seen to hold
  bool leads = false;       // the pump role was handed to it
  bool in_use = false;      // the leader is calling done(): the thread must not leave
  bool leaving = false;     // and it waits for that
};

}  // namespace

struct Pump::State {
  State(Stream& stream_, const base::Clock& clock_) : stream(stream_), clock(clock_) {}

  using Lock = std::unique_lock<std::mutex>;

  Status follow(Lock& lock, const std::function<bool()>& done, Deadline deadline, bool& leads);
  Status lead(const std::function<bool()>& done, Deadline deadline);
  void look_at_followers();
  void hand_over(Lock& lock);
  void run_background();
  void pump_in_background(Lock& lock);
  void sleep_in_background(Lock& lock);
  // Pumps once; a link lost for good ends the stream.
  Status pump_once(Deadline deadline);
  bool wait_on(std::condition_variable& cv, Lock& lock, Deadline deadline);

  Stream& stream;
  const base::Clock& clock;

  std::mutex mutex;
  std::vector<Follower*> followers;  // by ascending number
  std::uint64_t next_number = 1;
  bool role_taken = false;
  std::thread::id role_thread;
  bool background_pumps = false;      // it is the background thread that holds the role
  std::uint64_t foreground_turn = 0;  // counts the waits that pumped
  Nanoseconds last_foreground_ns = 0;

  std::condition_variable background_changed;
  bool background_runs = false;
  bool background_sleeps_deep =
      false;          // without a time-out: whoever gives up the role must wake it
  int busy_naps = 0;  // of the background thread, in a row
  bool stop = false;
  std::atomic<bool> flush_wanted{false};
  std::thread background;
};

Pump::Pump(Stream& stream, const base::Clock& clock)
    : state_(std::make_unique<State>(stream, clock)) {
  stream.set_waiter(this);
}

Pump::~Pump() {
  state_->stream.set_waiter(nullptr);
  if (!state_->background.joinable()) return;
  {
    const State::Lock lock(state_->mutex);
    state_->stop = true;
    state_->background_changed.notify_all();
  }
  state_->stream.wake();
  state_->background.join();
}

// --- waiting ---

Status Pump::wait_until(const std::function<bool()>& done, Deadline deadline) {
  State& s = *state_;
  if (done()) return {};
  LW_TRY(s.stream.flush());
  State::Lock lock(s.mutex);
  if (s.role_taken || !s.followers.empty()) {
    bool leads = false;
    LW_TRY(s.follow(lock, done, deadline, leads));
    if (!leads) return {};
  }
  s.role_taken = true;
  s.role_thread = std::this_thread::get_id();
  ++s.foreground_turn;
  lock.unlock();
  Status result = s.lead(done, deadline);
  lock.lock();
  s.last_foreground_ns = s.clock.now_ns();
  s.hand_over(lock);
  return result;
}

// Sleeps until done() holds (ok) or the role is handed over (ok and `leads`).
Status Pump::State::follow(Lock& lock, const std::function<bool()>& done, Deadline deadline,
                           bool& leads) {
  Follower self(next_number++, done);
  followers.push_back(&self);
  if (background_pumps) stream.wake();  // it gives way to whoever waits
  Status result;
  for (;;) {
    lock.unlock();
    const bool is_done = done();  // after registering: no change in between is missed
    const bool over = stream.ended();
    lock.lock();
    if (is_done) break;
    if (over) result = stream.why_ended();
    if (over || self.leads) break;
    bool in_time = true;
    while (!self.look_again && !self.leads && in_time) {
      in_time = wait_on(self.changed, lock, deadline);
    }
    if (!in_time && !self.look_again && !self.leads) {
      result = Error(ErrorCode::kTimeout, "no answer in time");
      break;
    }
    self.look_again = false;
  }
  self.leaving = true;
  while (self.in_use)
    self.changed.wait(lock);
  std::erase(followers, &self);
  leads = self.leads && result.ok();
  if (self.leads && !leads) hand_over(lock);  // the role came too late to be of use
  return result;
}

// With the role: pumps until done() holds.
Status Pump::State::lead(const std::function<bool()>& done, Deadline deadline) {
  while (!done()) {
    LW_TRY(pump_once(deadline));
    look_at_followers();
    if (!deadline.is_never() && clock.now_ns() >= deadline.at_ns && !done()) {
      return Error(ErrorCode::kTimeout, "no answer in time");
    }
  }
  return {};
}

Status Pump::State::pump_once(Deadline deadline) {
  const auto frames = stream.pump(deadline);
  if (frames.ok()) return {};
  stream.shut_down(frames.error());
  return frames.error();
}

// Wakes those whose answer has come, and nobody else.
void Pump::State::look_at_followers() {
  Lock lock(mutex);
  std::uint64_t last = 0;
  for (;;) {  // by number, since followers come and go while done() is called
    const auto next = std::find_if(followers.begin(), followers.end(),
                                   [&](const Follower* f) { return f->number > last; });
    if (next == followers.end()) return;
    Follower& follower = **next;
    last = follower.number;
    if (follower.look_again) continue;
    follower.in_use = true;
    lock.unlock();
    const bool is_done = follower.done();
    lock.lock();
    follower.in_use = false;
    if (!is_done && !follower.leaving) continue;
    follower.look_again = true;
    follower.changed.notify_one();
  }
}

// Gives the role to a follower, or to nobody. REQUIRES: this thread has it.
void Pump::State::hand_over(Lock&) {
  background_pumps = false;
  role_thread = {};
  if (!followers.empty()) {
    followers.front()->leads = true;
    followers.front()->changed.notify_one();
    return;  // role_taken stays
  }
  role_taken = false;
  if (background_sleeps_deep) background_changed.notify_one();
}

void Pump::notify() noexcept {
  State& s = *state_;
  const State::Lock lock(s.mutex);
  for (Follower* follower : s.followers) {
    follower->look_again = true;
    follower->changed.notify_one();
  }
  // A frame handler is on its way to look, anyway.
  if (s.role_taken && s.role_thread != std::this_thread::get_id()) s.stream.wake();
  if (s.background_runs && s.stream.ended()) s.background_changed.notify_one();
}

bool Pump::waited_for() const noexcept {
  const State::Lock lock(state_->mutex);
  return (state_->role_taken && !state_->background_pumps) || !state_->followers.empty();
}

bool Pump::State::wait_on(std::condition_variable& cv, Lock& lock, Deadline deadline) {
  if (deadline.is_never()) {
    cv.wait(lock);
    return true;
  }
  const Nanoseconds left = deadline.at_ns - clock.now_ns();
  if (left <= 0) return false;
  cv.wait_for(lock, std::chrono::nanoseconds(left));
  return true;
}

// --- the background thread ---

void Pump::start_background() {
  const State::Lock lock(state_->mutex);
  LW_CHECK(!state_->background_runs);
  state_->background =
      base::try_start_thread("lw-pump", [s = state_.get()] { s->run_background(); });
  state_->background_runs =
      state_->background.joinable();  // else who sends flushes, see flush_soon()
}

void Pump::flush_soon() noexcept {
  State& s = *state_;
  if (!s.stream.needs_flush()) return;  // its sender was quicker: so much that it went at once
  if (s.flush_wanted.exchange(true)) return;  // this batch has been announced
  {
    const State::Lock lock(s.mutex);
    if (s.background_runs) {
      if (s.background_pumps) {
        s.stream.wake();
      } else {
        s.background_changed.notify_one();
      }
      return;
    }
  }
  s.flush_wanted = false;
  (void)s.stream.flush();  // its failure is found by whoever pumps
}

void Pump::State::run_background() {
  Lock lock(mutex);
  while (!stop) {
    if (flush_wanted.exchange(false)) {
      lock.unlock();
      (void)stream.flush();
      lock.lock();
    } else if (stream.ended()) {
      background_changed.wait(lock);
    } else if (role_taken || clock.now_ns() - last_foreground_ns < kBackgroundGraceNs) {
      sleep_in_background(lock);
    } else {
      pump_in_background(lock);
    }
  }
}

void Pump::State::pump_in_background(Lock& lock) {
  role_taken = true;
  role_thread = std::this_thread::get_id();
  background_pumps = true;
  while (!stop && followers.empty()) {
    lock.unlock();
    flush_wanted.exchange(false);  // pumping begins with a flush
    const Status pumped = pump_once(Deadline::never());
    look_at_followers();
    lock.lock();
    if (!pumped.ok()) break;
  }
  hand_over(lock);
}

// While others pump, or have just done so. Those who pump in short turns leave the thread asleep
// and are not burdened with waking it, and the longer they go on the longer it sleeps; a long turn
// ends with a wake-up.
void Pump::State::sleep_in_background(Lock& lock) {
  const std::uint64_t turn = foreground_turn;
  const bool was_taken = role_taken;
  background_changed.wait_for(lock, std::chrono::nanoseconds(kBackgroundGraceNs << busy_naps));
  if (turn != foreground_turn) {
    busy_naps = std::min(busy_naps + 1, kMaxBusyNaps);
    return;
  }
  busy_naps = 0;
  if (stop || !was_taken || !role_taken || flush_wanted) return;
  background_sleeps_deep = true;
  background_changed.wait(lock);
  background_sleeps_deep = false;
}

}  // namespace longwire::session
