// Sampling: which texels a texture instruction reads, and what it makes of them. The filter's
// fractions have 8 bits, as the CUDA C++ Programming Guide documents ("Linear Filtering"); the sum
// is in single precision.
#pragma once

#include <cstdint>

#include "softcuda/machine/texture.h"

namespace longwire::softcuda::interp {

// Bits of f32, or integers: what the texture holds says which.
struct Texel {
  std::uint32_t value[4] = {};
};

// How to come to memory: the place of a texel of so many bytes, or a fault.
class TexelSource {
 public:
  virtual const std::byte* at(std::uint64_t address, std::uint32_t bytes) = 0;

 protected:
  ~TexelSource() = default;
};

struct Coordinates {
  float x = 0, y = 0, z = 0;
  std::uint32_t layer = 0;
};
struct TexelIndex {
  std::int64_t x = 0, y = 0, z = 0;
};

// tex with coordinates of floats, and with integers (neither filtered nor normalised).
Texel sample(const machine::Texture& texture, const Coordinates& at, TexelSource& source);
Texel fetch(const machine::Texture& texture, const TexelIndex& at, std::uint32_t layer,
            TexelSource& source);
// The same between the levels of a mipmapped texture, or at one of them; others have one level.
Texel sample_level(const machine::Texture& texture, const Coordinates& at, float level,
                   TexelSource& source);
// tex.grad: the level at which the longer of the two steps is one texel long.
float level_of(const machine::Texture& texture, const Coordinates& dx, const Coordinates& dy);
// A direction, to coordinates of the cube's face that it goes through.
// REQUIRES: the texture is of a cube.
Coordinates on_face(const machine::Texture& texture, const Coordinates& direction);
// tld4: one component of the four texels that a linear filter would read.
Texel gather(const machine::Texture& texture, const Coordinates& at, int component,
             TexelSource& source);

}  // namespace longwire::softcuda::interp
