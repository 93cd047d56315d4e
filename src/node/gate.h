// Gate: how many strangers may knock at once, and how often one address may. A connection enters
// when it is accepted and leaves when it has been handed to a worker or closed; one that came to
// something is given its token back, so that only fruitless connections are slowed down.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "node/config.h"

namespace longwire::node {

inline constexpr std::size_t kMaxGateAddresses = 4096;  // remembered; more are refused

class Gate {
 public:
  Gate(const base::Clock& clock, const LimitsConfig& limits) : clock_(clock), limits_(limits) {}

  enum class Verdict : std::uint8_t { kAdmitted, kFull, kAddressFull, kTooFast };
  Verdict enter(const std::string& address);
  // REQUIRES: enter(address) admitted it, once per time.
  void leave(const std::string& address, bool fruitful);
  std::size_t in_flight() const noexcept { return in_flight_; }
  std::size_t in_flight(const std::string& address) const;
  // Of all addresses that with the most in flight; empty where there is none.
  std::string most_crowded() const;

 private:
  struct Entry {
    double tokens = 0;
    base::Nanoseconds filled_at_ns = 0;
    std::uint32_t in_flight = 0;
  };
  Entry* entry_of(const std::string& address);
  void refill(Entry& entry);
  void forget_idle();

  const base::Clock& clock_;
  const LimitsConfig& limits_;
  std::unordered_map<std::string, Entry> entries_;
  std::size_t in_flight_ = 0;
};

std::string_view name_of(Gate::Verdict verdict) noexcept;

}  // namespace longwire::node
