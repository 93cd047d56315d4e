// The point-spread function of a light-sheet microscope: what one glowing point looks like.
//
// In focus a point is a Gaussian spot (Zhang, Zerubia and Olivo-Marin, "Gaussian approximations of
// fluorescence microscope point-spread function models", Applied Optics 46, 2007). Away from focus
// the cone of light that the lens accepts makes it wider, like an hourglass; and the sheet of light
// that makes the specimen glow has a thickness, so planes far from focus are dark.
//
// No such hourglass is a product of three one-dimensional functions, but a sum of a few of them
// comes close: lateral Gaussians of fixed widths, mixed differently in each plane. Each term costs
// three short one-dimensional convolutions in place of one huge three-dimensional one.
#pragma once

#include <vector>

namespace microscopy {

// A water-dipping objective and a thin sheet of light.
struct Optics {
  double wavelength_um = 0.52;      // green fluorescent protein
  double numerical_aperture = 0.8;  // of the detection lens
  double refractive_index = 1.33;   // water
  double sheet_sigma_um = 0.9;      // thickness of the light sheet
  double voxel_um = 0.10;           // across
  double slice_um = 0.30;           // from slice to slice
};

// One-dimensional weights of 2 * radius + 1 samples, the middle one at offset 0. Symmetric.
struct Taps {
  int radius = 0;
  std::vector<float> weights;
};

// PSF(x, y, z) = sum over terms of lateral(x) * lateral(y) * axial(z).
struct Term {
  Taps lateral;
  Taps axial;
};

// Width of the spot `z_um` away from focus, as the sigma of a Gaussian.
double lateral_sigma_um(const Optics& optics, double z_um);

// The terms; together their weights sum to one, so that no light is lost or made.
std::vector<Term> point_spread_function(const Optics& optics);

}  // namespace microscopy
