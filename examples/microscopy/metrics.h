// How far a volume is from the truth.
#pragma once

#include <cstdint>

#include "volume.h"

namespace microscopy {

struct Distance {
  double nrmse = 0;    // root of the mean squared error over the root of the mean squared truth
  double psnr_db = 0;  // peak of the truth over the root of the mean squared error
};

// `background` photons per voxel are taken off `volume` first.
Distance distance(const Volume& volume, double background, const Volume& truth);

// FNV-1a over the bits of all voxels: equal for two runs only when every bit is.
std::uint64_t fingerprint(const Volume& volume);

}  // namespace microscopy
