#include "metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace microscopy {

Distance distance(const Volume& volume, double background, const Volume& truth) {
  double error = 0;
  double signal = 0;
  double peak = 0;
  for (std::size_t i = 0; i < truth.values.size(); ++i) {
    const double expected = truth.values[i];
    const double difference = volume.values[i] - background - expected;
    error += difference * difference;
    signal += expected * expected;
    peak = std::max(peak, expected);
  }
  const double rmse = std::sqrt(error / static_cast<double>(truth.values.size()));
  return {std::sqrt(error / signal), 20 * std::log10(peak / rmse)};
}

std::uint64_t fingerprint(const Volume& volume) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const float value : volume.values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((bits >> shift) & 0xff)) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace microscopy
