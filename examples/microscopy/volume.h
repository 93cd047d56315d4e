// A stack of images: x runs fastest, then y, then z (the slice).
#pragma once

#include <cstddef>
#include <vector>

namespace microscopy {

struct Extent {
  std::size_t width = 0, height = 0, depth = 0;  // voxels
  std::size_t voxels() const { return width * height * depth; }
};

struct Volume {
  explicit Volume(Extent size) : extent(size), values(size.voxels(), 0.0F) {}
  std::size_t index(std::size_t x, std::size_t y, std::size_t z) const {
    return (z * extent.height + y) * extent.width + x;
  }
  float& at(std::size_t x, std::size_t y, std::size_t z) { return values[index(x, y, z)]; }
  float at(std::size_t x, std::size_t y, std::size_t z) const { return values[index(x, y, z)]; }

  Extent extent;
  std::vector<float> values;  // photons
};

}  // namespace microscopy
