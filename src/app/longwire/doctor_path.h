// Checks of `longwire doctor` that measure the way to a node through a session with it.
#pragma once

#include "app/longwire/doctor_finding.h"
#include "app/longwire/doctor_node.h"

namespace longwire::app {

inline constexpr int kRoundTripSamples = 50;
inline constexpr int kIdleSamples = 5;
inline constexpr int kIdlePauseMs = 300;  // radios doze after 50 to 200 ms
inline constexpr base::Nanoseconds kDozeRiseNs = 5 * base::kMillisecond;
inline constexpr int kDozeFactor = 3;
inline constexpr std::size_t kLargeMessageBytes = std::size_t{32} << 10;
inline constexpr std::size_t kRateMessageBytes = std::size_t{64} << 10;
inline constexpr int kRateMessages = 64;
inline constexpr base::Nanoseconds kStallNs = 5 * base::kSecond;
// The node's drivers may start for it.
inline constexpr base::Nanoseconds kDescribeTimeoutNs = 30 * base::kSecond;
inline constexpr base::Nanoseconds kLongLinkNs = 10 * base::kMillisecond;

// "round-trip", "power-saving", "large-messages", "devices", "rate", "congestion". REQUIRES: a
// session.
Findings check_path(const Reached& reached, base::Nanoseconds stall_ns = kStallNs);

// Medians of round trips, one right after the other and after pauses.
Finding judge_power_saving(base::Nanoseconds busy_ns, base::Nanoseconds idle_ns);
Finding judge_congestion(base::Nanoseconds round_trip_ns, const std::string& control);

}  // namespace longwire::app
