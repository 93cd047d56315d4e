#include "softcuda/interp/sampling.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "softcuda/interp/half.h"

namespace longwire::softcuda::interp {
namespace {

using machine::TexelFormat;
using machine::Texture;
using machine::TextureAddressing;

constexpr double kFarthest = 1e15;  // beyond any texel, and an integer of 64 bits
constexpr float kFractions = 256;   // of the linear filter

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

// The texel of one dimension that `index` means; negative: the border.
std::int64_t addressed(std::int64_t index, std::int64_t size, TextureAddressing mode) {
  if (index >= 0 && index < size) return index;
  switch (mode) {
    case TextureAddressing::kWrap:
      return (index % size + size) % size;
    case TextureAddressing::kMirror: {
      const std::int64_t folded = (index % (2 * size) + 2 * size) % (2 * size);
      return folded < size ? folded : 2 * size - 1 - folded;
    }
    case TextureAddressing::kBorder:
      return -1;
    case TextureAddressing::kClamp:
      break;
  }
  return index < 0 ? 0 : size - 1;
}

// Wrap and mirror are for normalised coordinates only.
TextureAddressing mode_of(const Texture& texture, int dimension) {
  const TextureAddressing mode = texture.addressing[dimension];
  const bool repeats = mode == TextureAddressing::kWrap || mode == TextureAddressing::kMirror;
  return repeats && !texture.normalized_coordinates ? TextureAddressing::kClamp : mode;
}

float linear_of_srgb(float v) {
  return v <= 0.04045F ? v / 12.92F : std::pow((v + 0.055F) / 1.055F, 2.4F);
}

bool holds_floats(TexelFormat format) {
  return format == TexelFormat::kF16 || format == TexelFormat::kF32;
}
bool gives_integers(const Texture& texture) {
  return texture.as_integer
             ? !holds_floats(texture.format)
             : texture.format == TexelFormat::kU32 || texture.format == TexelFormat::kS32;
}

template <class T>
T element(const std::byte* place) {
  T value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

// An integer as it is, or as a float of its range.
template <class T>
std::uint32_t integer(const std::byte* place, bool as_integer) {
  const T value = element<T>(place);
  if (as_integer) return static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
  const float most = static_cast<float>(std::numeric_limits<T>::max());
  return bits_of(std::max(static_cast<float>(value) / most, -1.0F));
}

std::uint32_t channel(const Texture& texture, const std::byte* place) {
  switch (texture.format) {
    case TexelFormat::kU8:
      return integer<std::uint8_t>(place, texture.as_integer);
    case TexelFormat::kU16:
      return integer<std::uint16_t>(place, texture.as_integer);
    case TexelFormat::kS8:
      return integer<std::int8_t>(place, texture.as_integer);
    case TexelFormat::kS16:
      return integer<std::int16_t>(place, texture.as_integer);
    case TexelFormat::kF16:
      return bits_of(float_of_f16(element<std::uint16_t>(place)));
    default:
      return element<std::uint32_t>(place);
  }
}

Texel border_of(const Texture& texture) {
  Texel texel;
  for (int n = 0; n < 4; ++n)
    texel.value[n] = gives_integers(texture)
                         ? static_cast<std::uint32_t>(static_cast<std::int64_t>(
                               std::clamp(texture.border[n], -2147483648.0F, 4294967040.0F)))
                         : bits_of(texture.border[n]);
  return texel;
}

// REQUIRES: the index is inside of the texture.
Texel read(const Texture& texture, const TexelIndex& at, std::uint32_t layer, TexelSource& source) {
  const std::uint32_t bytes = texture.texel_bytes();
  const std::uint64_t address =
      texture.address + layer * texture.layer + static_cast<std::uint64_t>(at.z) * texture.slice +
      static_cast<std::uint64_t>(at.y) * texture.pitch + static_cast<std::uint64_t>(at.x) * bytes;
  const std::byte* place = source.at(address, bytes);
  Texel texel;
  texel.value[3] = gives_integers(texture) ? 1 : bits_of(1.0F);
  for (int n = 0; n < texture.channels; ++n)
    texel.value[n] =
        channel(texture, place + static_cast<std::size_t>(n) * bytes_of(texture.format));
  if (texture.srgb && texture.format == TexelFormat::kU8 && !texture.as_integer)
    for (int n = 0; n < std::min<int>(texture.channels, 3); ++n)
      texel.value[n] = bits_of(linear_of_srgb(std::bit_cast<float>(texel.value[n])));
  return texel;
}

Texel read_addressed(const Texture& texture, const TexelIndex& at, std::uint32_t layer,
                     TexelSource& source) {
  const TexelIndex found{addressed(at.x, texture.width, mode_of(texture, 0)),
                         addressed(at.y, texture.height, mode_of(texture, 1)),
                         addressed(at.z, texture.depth, mode_of(texture, 2))};
  if (found.x < 0 || found.y < 0 || found.z < 0) return border_of(texture);
  return read(texture, found, std::min(layer, texture.layers - 1), source);
}

// In texels. What is no number is 0.
double scaled(float coordinate, std::uint32_t size, bool normalized) {
  const double value = normalized ? static_cast<double>(coordinate) * size : coordinate;
  return std::isnan(value) ? 0.0 : std::clamp(value, -kFarthest, kFarthest);
}

struct Footprint {
  TexelIndex first;
  float fraction[3] = {};  // of the second texel, dimension by dimension
};

Footprint footprint_of(const Texture& texture, const Coordinates& at) {
  Footprint footprint;
  const auto split = [&](float coordinate, std::uint32_t size, std::int64_t& index,
                         float& fraction) {
    const double place = scaled(coordinate, size, texture.normalized_coordinates) - 0.5;
    const double below = std::floor(place);
    index = static_cast<std::int64_t>(below);
    fraction = std::floor(static_cast<float>(place - below) * kFractions + 0.5F) / kFractions;
  };
  split(at.x, texture.width, footprint.first.x, footprint.fraction[0]);
  if (texture.dimensions > 1) split(at.y, texture.height, footprint.first.y, footprint.fraction[1]);
  if (texture.dimensions > 2) split(at.z, texture.depth, footprint.first.z, footprint.fraction[2]);
  return footprint;
}

Texel filtered(const Texture& texture, const Coordinates& at, TexelSource& source) {
  const Footprint footprint = footprint_of(texture, at);
  float sum[4] = {};
  for (int corner = 0; corner < 1 << texture.dimensions; ++corner) {
    float weight = 1;
    for (int n = 0; n < texture.dimensions; ++n)
      weight *= (corner >> n & 1) != 0 ? footprint.fraction[n] : 1 - footprint.fraction[n];
    if (weight == 0) continue;  // also where it would be no number
    const TexelIndex index{footprint.first.x + (corner & 1), footprint.first.y + (corner >> 1 & 1),
                           footprint.first.z + (corner >> 2 & 1)};
    const Texel texel = read_addressed(texture, index, at.layer, source);
    for (int n = 0; n < 4; ++n)
      sum[n] += weight * std::bit_cast<float>(texel.value[n]);
  }
  Texel result;
  for (int n = 0; n < 4; ++n)
    result.value[n] = bits_of(sum[n]);
  return result;
}

}  // namespace

Texel sample(const Texture& texture, const Coordinates& at, TexelSource& source) {
  if (texture.linear_filter && !gives_integers(texture)) return filtered(texture, at, source);
  const auto nearest = [&](float coordinate, std::uint32_t size) {
    return static_cast<std::int64_t>(
        std::floor(scaled(coordinate, size, texture.normalized_coordinates)));
  };
  return read_addressed(
      texture,
      {nearest(at.x, texture.width), texture.dimensions > 1 ? nearest(at.y, texture.height) : 0,
       texture.dimensions > 2 ? nearest(at.z, texture.depth) : 0},
      at.layer, source);
}

namespace {

Texel mixed(const Texel& from, const Texel& to, float fraction) {
  Texel result;
  for (int n = 0; n < 4; ++n)
    result.value[n] = bits_of(std::bit_cast<float>(from.value[n]) * (1 - fraction) +
                              std::bit_cast<float>(to.value[n]) * fraction);
  return result;
}

double length_in_texels(const Texture& texture, const Coordinates& step) {
  const auto texels = [&](float part, std::uint32_t size) {
    return static_cast<double>(part) * (texture.normalized_coordinates ? size : 1);
  };
  return std::hypot(texels(step.x, texture.width),
                    texture.dimensions > 1 ? texels(step.y, texture.height) : 0,
                    texture.dimensions > 2 ? texels(step.z, texture.depth) : 0);
}

}  // namespace

Texel sample_level(const Texture& texture, const Coordinates& at, float level,
                   TexelSource& source) {
  if (texture.levels.empty()) return sample(texture, at, source);
  float wanted = std::isnan(level) ? 0 : level + texture.level_bias;
  wanted = std::max(std::min(wanted, texture.most_level), texture.least_level);
  wanted = std::clamp(wanted, 0.0F, static_cast<float>(texture.levels.size() - 1));
  if (!texture.linear_mipmaps) {  // half way: the larger one
    const auto nearest = static_cast<std::size_t>(std::max(std::ceil(wanted - 0.5F), 0.0F));
    return sample(texture.levels[nearest], at, source);
  }
  const auto below = static_cast<std::size_t>(wanted);
  const float fraction =
      std::floor((wanted - static_cast<float>(below)) * kFractions + 0.5F) / kFractions;
  const Texel first = sample(texture.levels[below], at, source);
  if (fraction == 0) return first;
  return mixed(first, sample(texture.levels[below + 1], at, source), fraction);
}

float level_of(const Texture& texture, const Coordinates& dx, const Coordinates& dy) {
  return static_cast<float>(
      std::log2(std::max(length_in_texels(texture, dx), length_in_texels(texture, dy))));
}

// CUDA C++ Programming Guide, "Cubemap Textures": its table of faces.
Coordinates on_face(const Texture& texture, const Coordinates& d) {
  const float x = std::fabs(d.x), y = std::fabs(d.y), z = std::fabs(d.z);
  std::uint32_t face = 0;
  float m = 0, s = 0, t = 0;
  if (x > y && x > z) {
    face = d.x >= 0 ? 0 : 1;
    m = x;
    s = d.x >= 0 ? -d.z : d.z;
    t = -d.y;
  } else if (y > z) {
    face = d.y >= 0 ? 2 : 3;
    m = y;
    s = d.x;
    t = d.y >= 0 ? d.z : -d.z;
  } else {
    face = d.z >= 0 ? 4 : 5;
    m = z;
    s = d.z >= 0 ? d.x : -d.x;
    t = -d.y;
  }
  constexpr std::uint32_t kFaces = 6;
  const std::uint32_t cube = std::min(d.layer, texture.layers / kFaces - 1);
  return {(s / m + 1) / 2, (t / m + 1) / 2, 0, cube * kFaces + face};
}

Texel fetch(const Texture& texture, const TexelIndex& at, std::uint32_t layer,
            TexelSource& source) {
  const bool outside = at.x < 0 || at.x >= texture.width;
  if (texture.unbounded && outside) return {};
  return read_addressed(texture, at, layer, source);
}

Texel gather(const Texture& texture, const Coordinates& at, int component, TexelSource& source) {
  const TexelIndex first = footprint_of(texture, at).first;
  constexpr std::int64_t kOrder[4][2] = {{0, 1}, {1, 1}, {1, 0}, {0, 0}};
  Texel result;
  for (int n = 0; n < 4; ++n)
    result.value[n] = read_addressed(texture, {first.x + kOrder[n][0], first.y + kOrder[n][1], 0},
                                     at.layer, source)
                          .value[component];
  return result;
}

}  // namespace longwire::softcuda::interp
