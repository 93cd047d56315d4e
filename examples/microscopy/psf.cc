#include "psf.h"

#include <algorithm>
#include <cmath>

namespace microscopy {
namespace {

constexpr double kCutSigmas = 2.6;                 // a Gaussian ends here
constexpr int kAxialRadius = 8;                    // slices on each side that shine into this one
constexpr double kWidthSteps[] = {1.0, 2.4, 5.5};  // widths of the lateral Gaussians, in spots

Taps gaussian(double sigma_voxels) {
  Taps taps;
  taps.radius = std::max(1, static_cast<int>(std::ceil(kCutSigmas * sigma_voxels)));
  double sum = 0;
  for (int i = -taps.radius; i <= taps.radius; ++i) {
    const double weight = std::exp(-0.5 * i * i / (sigma_voxels * sigma_voxels));
    taps.weights.push_back(static_cast<float>(weight));
    sum += weight;
  }
  for (float& weight : taps.weights)
    weight = static_cast<float>(weight / sum);
  return taps;
}

// How much of the Gaussian with width `step` is in a spot of width `sigma`: the variances of the
// two neighbouring widths are mixed so that the mixture has the variance of the spot.
double share_of(std::size_t step, double sigma, double spot) {
  const double variance =
      std::clamp(sigma * sigma / (spot * spot), 1.0, kWidthSteps[2] * kWidthSteps[2]);
  const auto square = [](std::size_t i) { return kWidthSteps[i] * kWidthSteps[i]; };
  const std::size_t low = variance < square(1) ? 0 : 1;
  const double upper_share = (variance - square(low)) / (square(low + 1) - square(low));
  if (step == low) return 1.0 - upper_share;
  return step == low + 1 ? upper_share : 0.0;
}

}  // namespace

double lateral_sigma_um(const Optics& optics, double z_um) {
  const double spot = 0.225 * optics.wavelength_um / optics.numerical_aperture;
  const double angle = std::asin(optics.numerical_aperture / optics.refractive_index);
  return std::hypot(spot, 0.5 * z_um * std::tan(angle));
}

std::vector<Term> point_spread_function(const Optics& optics) {
  const double spot = lateral_sigma_um(optics, 0);
  std::vector<Term> terms;
  double sum = 0;
  for (std::size_t step = 0; step < std::size(kWidthSteps); ++step) {
    Term term{gaussian(kWidthSteps[step] * spot / optics.voxel_um), {kAxialRadius, {}}};
    for (int slice = -kAxialRadius; slice <= kAxialRadius; ++slice) {
      const double z = slice * optics.slice_um;
      const double light = std::exp(-0.5 * z * z / (optics.sheet_sigma_um * optics.sheet_sigma_um));
      const double weight = light * share_of(step, lateral_sigma_um(optics, z), spot);
      term.axial.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    terms.push_back(std::move(term));
  }
  for (Term& term : terms) {
    for (float& weight : term.axial.weights)
      weight = static_cast<float>(weight / sum);
  }
  return terms;
}

}  // namespace microscopy
