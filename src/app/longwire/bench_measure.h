// Measures one node: the session by itself, then its first device through the OpenCL driver, as a
// program would use it.
#pragma once

#include <string>

#include "app/longwire/bench_figures.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/core/config.h"

namespace longwire::app {

inline constexpr base::Nanoseconds kFigureNs = base::kSecond;  // about, for each figure
inline constexpr int kMinSamples = 10;
inline constexpr int kMaxSamples = 20'000;
inline constexpr int kSetUps = 5;
inline constexpr int kSetUpPauseMs = 300;  // before each, so that the node has a spare worker again
inline constexpr std::size_t kFirstTransferBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMaxTransferBytes = std::size_t{256} << 20;
inline constexpr int kTransferTimes = 3;

// Set-up and round trips.
base::Status measure_session(const client::core::NodeAddress& node, const std::string& home,
                             Figures& figures);
// The rest. REQUIRES: the environment names that node alone; `driver` is our library.
base::Status measure_device(const std::string& driver, Figures& figures);

}  // namespace longwire::app
