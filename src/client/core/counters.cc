#include "client/core/counters.h"

namespace longwire::client::core {

std::atomic<bool> g_count_thread_bytes{false};

ThreadCounters& ThreadCounters::operator+=(const ThreadCounters& other) noexcept {
  round_trips += other.round_trips;
  waits += other.waits;
  blocked_ns += other.blocked_ns;
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  return *this;
}

ThreadCounters ThreadCounters::operator-(const ThreadCounters& before) const noexcept {
  return {round_trips - before.round_trips, waits - before.waits, blocked_ns - before.blocked_ns,
          bytes_sent - before.bytes_sent, bytes_received - before.bytes_received};
}

ThreadCounters& thread_counters() noexcept {
  thread_local ThreadCounters counters;
  return counters;
}

}  // namespace longwire::client::core
