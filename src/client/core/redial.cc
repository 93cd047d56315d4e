#include "client/core/redial.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/thread.h"

namespace longwire::client::core {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Nanoseconds;

Redial::Redial(const base::Clock& clock, Session session)
    : clock_(clock),
      session_(std::move(session)),
      attempt_ns_(std::clamp(kRoundTripsPerAttempt * session_.round_trip_ns, kLeastAttemptNs,
                             kMostAttemptNs)) {}

Redial::~Redial() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Redial::begin(bool closed_by_peer) noexcept {
  Lock lock(mutex_);
  if (stopped_) return;
  closed_by_peer_ = closed_by_peer || (wanted_ && closed_by_peer_);
  wanted_ = true;
  if (!thread_.joinable()) thread_ = base::try_start_thread("lw-redial", [this] { run(); });
  changed_.notify_all();
  if (thread_.joinable()) return;
  stopped_ = true;
  lock.unlock();
  session_.lost(Error(ErrorCode::kLimit, "no thread to connect again"));
}

void Redial::expect_nobody_for(std::uint64_t within_ms) noexcept {
  const auto most_ms = static_cast<std::uint64_t>(session_.grace_ns / base::kMillisecond);
  const auto told_ns = static_cast<Nanoseconds>(std::min(within_ms, most_ms)) * base::kMillisecond;
  const Lock lock(mutex_);
  nobody_there_ns_ = std::max(told_ns, kNobodyThereNs);
}

void Redial::stop() noexcept {
  const Lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void Redial::run() {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ || stopped_; });
    if (stopped_) return;
    redial(lock);
  }
}

void Redial::redial(Lock& lock) {
  const Nanoseconds began_ns = clock_.now_ns();
  refused_since_ns_ = 0;
  for (Nanoseconds backoff_ns = kFirstBackoffNs; !stopped_;
       backoff_ns = std::min(2 * backoff_ns, kMostBackoffNs)) {
    lock.unlock();
    auto opened = session_.open(Deadline::in(clock_, attempt_ns_));
    lock.lock();
    if (stopped_) return;
    if (opened.ok()) {
      wanted_ = closed_by_peer_ = false;  // what is lost from now on is the new link
      lock.unlock();
      session_.resumed(std::move(opened).value());
      lock.lock();
      return;
    }
    if (give_up(opened.error(), began_ns)) {
      stopped_ = true;
      lock.unlock();
      session_.lost(std::move(opened).error());
      lock.lock();
      return;
    }
    back_off(lock, backoff_ns);
  }
}

// REQUIRES: mutex_.
bool Redial::give_up(const Error& why, Nanoseconds began_ns) {
  const Nanoseconds now_ns = clock_.now_ns();
  if (why.code() == ErrorCode::kNotFound) return true;
  if (now_ns - began_ns >= session_.grace_ns) return true;
  if (why.code() != ErrorCode::kClosed) {
    refused_since_ns_ = 0;
    return false;
  }
  if (refused_since_ns_ == 0) refused_since_ns_ = now_ns;
  return closed_by_peer_ && now_ns - refused_since_ns_ >= nobody_there_ns_;
}

void Redial::back_off(Lock& lock, Nanoseconds nominal_ns) {
  const auto quarter = static_cast<std::uint64_t>(nominal_ns / 4);
  const Nanoseconds nap_ns =
      nominal_ns - nominal_ns / 4 + static_cast<Nanoseconds>(random_.below(2 * quarter + 1));
  changed_.wait_for(lock, std::chrono::nanoseconds(nap_ns), [this] { return stopped_; });
}

}  // namespace longwire::client::core
