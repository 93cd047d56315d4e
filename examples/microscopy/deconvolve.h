// Image formation and its undoing, on an OpenCL device.
#pragma once

#include <functional>
#include <vector>

#include "device.h"
#include "psf.h"
#include "volume.h"

namespace microscopy {

// Convolves volumes of one size with a point-spread function.
class Blur {
 public:
  Blur(const Device& device, Extent extent, const std::vector<Term>& psf);
  // REQUIRES: `in` and `out` differ. The PSF is symmetric, so this is its own adjoint.
  void apply(const Buffer& in, const Buffer& out) const;

 private:
  struct DeviceTerm {
    Buffer lateral, axial;
    int lateral_radius, axial_radius;
  };
  const Device& device_;
  Extent extent_;
  std::vector<DeviceTerm> terms_;
  Kernel x_, y_, z_;
  Buffer along_x_, along_y_;
};

// What the microscope would show of `truth` with a camera that makes no noise.
Volume form_image(const Device& device, const Blur& blur, const Volume& truth);

struct Restoration {
  int iterations = 0;
  double background = 0;                   // photons per voxel that come from nowhere
  std::function<void(int done)> progress;  // may be empty
};

// Richardson-Lucy deconvolution: the most likely specimen, given Poisson noise (Richardson 1972,
// Lucy 1974), made several times faster by looking ahead along the last step (Biggs and Andrews,
// "Acceleration of iterative image restoration algorithms", Applied Optics 36, 1997).
Volume restore(const Device& device, const Blur& blur, const Volume& measured,
               const Restoration& how);

}  // namespace microscopy
