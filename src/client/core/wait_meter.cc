#include "client/core/wait_meter.h"

#include <array>

namespace longwire::client::core {
namespace {

// What this thread has waited for, by session. A thread that waits for more nodes than this in
// turns may count one of its further waits for the same answers as a round trip.
constexpr std::size_t kSessionsPerThread = 8;
struct Waited {
  std::uint64_t serial = 0;
  wire::Sequence sent = 0;  // by then
};
thread_local std::array<Waited, kSessionsPerThread> t_waited;

std::uint64_t next_serial() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

WaitMeter::WaitMeter(const base::Clock& clock) noexcept : clock_(clock), serial_(next_serial()) {}

bool WaitMeter::is_round_trip(wire::Sequence sent) const noexcept {
  Waited& waited = t_waited[serial_ % kSessionsPerThread];
  if (waited.serial == serial_ && waited.sent >= sent) return false;
  waited = {serial_, sent};
  return true;
}

WaitMeter::Scope::Scope(WaitMeter& meter, For what, wire::Sequence sent) noexcept
    : meter_(meter), since_ns_(meter.clock_.now_ns()) {
  ThreadCounters& thread = thread_counters();
  ++thread.waits;
  meter.waits_.fetch_add(1, std::memory_order_relaxed);
  if (what != For::kAnswer || !meter.is_round_trip(sent)) return;
  ++thread.round_trips;
  meter.round_trips_.fetch_add(1, std::memory_order_relaxed);
}

WaitMeter::Scope::~Scope() {
  const base::Nanoseconds blocked_ns = meter_.clock_.now_ns() - since_ns_;
  thread_counters().blocked_ns += blocked_ns;
  meter_.blocked_ns_.fetch_add(blocked_ns, std::memory_order_relaxed);
}

void WaitMeter::read_into(SessionCounters& counters) const noexcept {
  counters.setup_round_trips = setup_round_trips_.load(std::memory_order_relaxed);
  counters.round_trips = round_trips_.load(std::memory_order_relaxed);
  counters.waits = waits_.load(std::memory_order_relaxed);
  counters.blocked_ns = blocked_ns_.load(std::memory_order_relaxed);
}

}  // namespace longwire::client::core
