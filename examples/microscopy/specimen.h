// What lies under the microscope, and the camera that counts its photons.
#pragma once

#include <cstdint>

#include "volume.h"

namespace microscopy {

struct Specimen {
  Volume truth;  // photons that each voxel sends out while the camera looks
  int filaments = 0;
  int vesicles = 0;
};

// A cell in the manner of stained microtubules: filaments grow from an organising centre beside the
// nucleus and bend around it; vesicles (small bright beads) lie in between. The same seed gives the
// same cell.
Specimen grow_cell(Extent extent, std::uint64_t seed);

// Replaces each expected count by one drawn from the Poisson distribution around it: what a camera
// that counts photons sees.
void count_photons(Volume& expected, double background, std::uint64_t seed);

}  // namespace microscopy
