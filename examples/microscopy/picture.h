// From a volume to something worth looking at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "volume.h"

namespace microscopy {

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

struct Picture {
  Picture(std::size_t w, std::size_t h) : width(w), height(h), pixels(w * h) {}
  Rgb& at(std::size_t x, std::size_t y) { return pixels[y * width + x]; }
  const Rgb& at(std::size_t x, std::size_t y) const { return pixels[y * width + x]; }

  std::size_t width, height;
  std::vector<Rgb> pixels;
};

// Maximum-intensity projections: the volume seen from above, and below it from the side, where one
// slice is `slice_pixels` high. The hue says how deep a voxel lies (violet: far, yellow: near), the
// brightness how many photons it sent; each picture is exposed for its own brightest voxels.
Picture project(const Volume& volume, double background, std::size_t slice_pixels);

// Twice as large, smoothly.
Picture enlarge(const Picture& picture);

// Side by side, with a dark gap.
Picture beside(const std::vector<Picture>& pictures);

}  // namespace microscopy
