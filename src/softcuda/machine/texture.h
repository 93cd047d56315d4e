// Textures and surfaces: what stands behind their handles, as the driver describes it and back ends
// read it. CUDA C++ Programming Guide, "Texture Fetching".
//
// A grid sees the table as it was when it began, so that none of it goes away under a kernel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"

namespace longwire::softcuda::machine {

inline constexpr std::uint32_t kMaxTextures = 1 << 16;  // and surfaces, at once

enum class TexelFormat : std::uint8_t { kU8, kU16, kU32, kS8, kS16, kS32, kF16, kF32 };

constexpr std::uint32_t bytes_of(TexelFormat format) noexcept {
  constexpr std::uint8_t kBytes[] = {1, 2, 4, 1, 2, 4, 2, 4};
  return kBytes[static_cast<int>(format)];
}

enum class TextureAddressing : std::uint8_t { kWrap, kClamp, kMirror, kBorder };

struct Texture {
  // --- where texels are: layer, then slice, then row ---
  std::uint64_t address = 0;
  std::uint64_t pitch = 0, slice = 0, layer = 0;               // bytes from one to the next
  std::uint32_t width = 1, height = 1, depth = 1, layers = 1;  // in texels
  TexelFormat format = TexelFormat::kF32;
  std::uint8_t channels = 1;    // 1, 2 or 4
  std::uint8_t dimensions = 1;  // 1, 2 or 3
  bool layered = false;
  bool cube = false;  // every six layers are the faces of a cube: x, -x, y, -y, z, -z
  bool surface = false;

  // --- how they are read ---
  TextureAddressing addressing[3] = {};
  bool linear_filter = false;
  bool normalized_coordinates = false;
  bool as_integer = false;  // integers as they are; else as floats of -1 or 0 to 1
  bool srgb = false;
  bool unbounded = false;  // plain memory: what is outside reads as zero
  float border[4] = {};

  // --- of a mipmapped array: its levels; the first is this texture without them ---
  std::vector<Texture> levels;
  bool linear_mipmaps = false;  // between two levels; else the nearer
  float level_bias = 0, least_level = 0, most_level = 0;

  std::uint32_t texel_bytes() const noexcept { return bytes_of(format) * channels; }
};

class TextureTable {
 public:
  // nullptr: no texture has this handle.
  const Texture* find(std::uint64_t handle) const noexcept;

 private:
  friend class Textures;
  static constexpr std::uint32_t kChunk = 256;
  struct Entry {
    std::uint64_t handle = 0;
    std::shared_ptr<const Texture> texture;  // with other versions of the table
  };
  using Chunk = std::array<Entry, kChunk>;
  std::vector<std::shared_ptr<const Chunk>> chunks_;  // the same
};

// Threads: any.
class Textures {
 public:
  Textures();
  // kLimit: there are too many. A handle is never 0, and none is given twice.
  base::Result<std::uint64_t> add(const Texture& texture);
  bool remove(std::uint64_t handle);  // false: no texture has it
  // Shared by the grids that began while it was the newest.
  std::shared_ptr<const TextureTable> snapshot() const;

 private:
  void put(std::uint32_t index, std::uint64_t handle, std::shared_ptr<const Texture> texture);

  mutable std::mutex mutex_;
  std::shared_ptr<const TextureTable> table_;
  std::vector<std::uint32_t> free_;
  std::uint32_t used_ = 0;  // indices that were given once
  std::uint64_t generation_ = 0;
};

}  // namespace longwire::softcuda::machine
