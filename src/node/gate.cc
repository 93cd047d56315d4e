#include "node/gate.h"

#include <algorithm>

#include "base/check.h"

namespace longwire::node {
namespace {

inline constexpr double kNanosecondsPerMinute = 60.0 * static_cast<double>(base::kSecond);

}  // namespace

std::string_view name_of(Gate::Verdict verdict) noexcept {
  switch (verdict) {
    case Gate::Verdict::kAdmitted:
      return "admitted";
    case Gate::Verdict::kFull:
      return "too many handshakes";
    case Gate::Verdict::kAddressFull:
      return "too many handshakes of this address";
    case Gate::Verdict::kTooFast:
      return "too many fruitless connections of this address";
  }
  return "?";
}

Gate::Verdict Gate::enter(const std::string& address) {
  if (in_flight_ >= limits_.handshakes) return Verdict::kFull;
  Entry* entry = entry_of(address);
  if (entry == nullptr) return Verdict::kFull;
  refill(*entry);
  if (entry->in_flight >= limits_.handshakes_per_address) return Verdict::kAddressFull;
  if (entry->tokens < 1) return Verdict::kTooFast;
  entry->tokens -= 1;
  ++entry->in_flight;
  ++in_flight_;
  return Verdict::kAdmitted;
}

void Gate::leave(const std::string& address, bool fruitful) {
  const auto found = entries_.find(address);
  LW_CHECK(found != entries_.end() && found->second.in_flight > 0 && in_flight_ > 0);
  --found->second.in_flight;
  --in_flight_;
  if (fruitful) found->second.tokens += 1;
}

std::size_t Gate::in_flight(const std::string& address) const {
  const auto found = entries_.find(address);
  return found == entries_.end() ? 0 : found->second.in_flight;
}

std::string Gate::most_crowded() const {
  const auto most = std::ranges::max_element(
      entries_, {}, [](const auto& entry) { return entry.second.in_flight; });
  return most == entries_.end() ? std::string() : most->first;
}

Gate::Entry* Gate::entry_of(const std::string& address) {
  const auto found = entries_.find(address);
  if (found != entries_.end()) return &found->second;
  if (entries_.size() >= kMaxGateAddresses) forget_idle();
  if (entries_.size() >= kMaxGateAddresses) return nullptr;
  Entry fresh;
  fresh.tokens = limits_.connections_per_minute;
  fresh.filled_at_ns = clock_.now_ns();
  return &entries_.emplace(address, fresh).first->second;
}

void Gate::refill(Entry& entry) {
  const base::Nanoseconds now_ns = clock_.now_ns();
  const auto passed_ns = static_cast<double>(now_ns - entry.filled_at_ns);
  const double most = limits_.connections_per_minute;
  entry.tokens = std::min(most, entry.tokens + passed_ns * most / kNanosecondsPerMinute);
  entry.filled_at_ns = now_ns;
}

void Gate::forget_idle() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    refill(it->second);
    const bool idle =
        it->second.in_flight == 0 && it->second.tokens >= limits_.connections_per_minute;
    it = idle ? entries_.erase(it) : std::next(it);
  }
}

}  // namespace longwire::node
