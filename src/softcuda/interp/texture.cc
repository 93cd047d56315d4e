// tex, tld4, suld, sust, txq and suq.
#include <algorithm>
#include <bit>
#include <cstring>

#include "softcuda/interp/lanes.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/sampling.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Mode;
using ir::Type;
using machine::Access;
using machine::FaultKind;
using machine::Texture;
using std::uint16_t, std::uint32_t, std::uint64_t;

bool is_cube(Mode mode) { return mode == Mode::kCube || mode == Mode::kArrayCube; }
bool is_layered(Mode mode) {
  return mode == Mode::kArray1d || mode == Mode::kArray2d || mode == Mode::kArrayCube;
}

int dimensions_of(Mode mode) {
  if (mode == Mode::k3d || is_cube(mode)) return 3;
  return mode == Mode::k2d || mode == Mode::kArray2d ? 2 : 1;
}

// Texels of one lane, with every address looked at: the memory may have gone since.
class Memory final : public TexelSource {
 public:
  Memory(const Context& c, const Step& s, int lane) : c_(c), s_(s), lane_(lane) {}
  const std::byte* at(uint64_t address, uint32_t bytes) override {
    return place(address, bytes, Access::kRead);
  }
  std::byte* place(uint64_t address, uint32_t bytes, Access access) {
    const machine::BlockState& block = *c_.block;
    if (!block.careful && address % bytes == 0 && block.memory.covers(address, bytes))
      return reinterpret_cast<std::byte*>(address);
    return c_.warp->at(ir::Space::kGlobal, lane_, address, bytes, access, s_.source->place);
  }

 private:
  const Context& c_;
  const Step& s_;
  const int lane_;
};

// What a lane's handle stands for; lanes mostly have the same.
class Lookup {
 public:
  Lookup(const Context& c, const Step& s, const Slot& slot, bool surface)
      : c_(c), s_(s), handles_(c.at<uint64_t>(slot)), surface_(surface) {}
  const Texture& of(int lane) {
    const uint64_t handle = handles_[lane];
    if (found_ == nullptr || handle != handle_) found_ = c_.block->textures->find(handle);
    handle_ = handle;
    if (found_ == nullptr || found_->surface != surface_)
      c_.warp->fault(FaultKind::kIllegalAddress, lane, handle, s_.source->place,
                     surface_ ? "no surface has this handle" : "no texture has this handle");
    return *found_;
  }

 private:
  const Context& c_;
  const Step& s_;
  const uint64_t* handles_;
  const bool surface_;
  const Texture* found_ = nullptr;
  uint64_t handle_ = 0;
};

uint32_t half_of(uint32_t bits) { return f16_of(std::bit_cast<float>(bits)); }

void put_texel(const Context& c, const Step& s, int lane, const Texel& texel) {
  const bool packed = s.source->type == Type::kF16x2;
  for (std::size_t n = 0; n < s.count[0] && n < (packed ? 2 : 4); ++n) {
    uint32_t value = texel.value[n];
    if (s.source->type == Type::kF16) value = half_of(value);
    if (packed) value = half_of(texel.value[2 * n]) | half_of(texel.value[2 * n + 1]) << 16;
    put(c, s.slot(0, static_cast<int>(n)), lane, value);
  }
}

uint32_t word(const Context& c, const Step& s, int element, int lane) {
  return static_cast<uint32_t>(get<uint64_t>(c, s.slot(3, element), lane));
}

// Where the instruction reads a texture; of a cube: on one of its faces.
Coordinates coordinates_of(const Context& c, const Step& s, const Texture& texture, int lane) {
  const Mode mode = s.source->modifiers.mode;
  const int first = is_layered(mode) ? 1 : 0, count = dimensions_of(mode);
  const auto real = [&](int n) { return std::bit_cast<float>(word(c, s, first + n, lane)); };
  Coordinates at;
  at.x = real(0);
  if (count > 1) at.y = real(1);
  if (count > 2) at.z = real(2);
  if (first != 0) at.layer = word(c, s, 0, lane);
  return is_cube(mode) && texture.cube ? on_face(texture, at) : at;
}

// Operands after the coordinates: a level, or two gradients.
constexpr int kLevel = 4, kSecondGradient = 5;

uint32_t word_of(const Context& c, const Step& s, int operand, int element, int lane) {
  return static_cast<uint32_t>(get<uint64_t>(c, s.slot(operand, element), lane));
}

Coordinates gradient(const Context& c, const Step& s, int operand, int lane) {
  const int count = dimensions_of(s.source->modifiers.mode);
  const auto part = [&](int n) {
    return n < count ? std::bit_cast<float>(word_of(c, s, operand, n, lane)) : 0;
  };
  return {part(0), part(1), part(2), 0};
}

Texel texel_of(const Context& c, const Step& s, const Texture& texture, int lane) {
  Memory memory(c, s, lane);
  const Coordinates at = coordinates_of(c, s, texture, lane);
  if (!s.has(kLevel)) return sample(texture, at, memory);
  const float level = s.has(kSecondGradient) ? level_of(texture, gradient(c, s, kLevel, lane),
                                                        gradient(c, s, kSecondGradient, lane))
                                             : std::bit_cast<float>(word_of(c, s, kLevel, 0, lane));
  return sample_level(texture, at, level, memory);
}

void tex(Context& c, const Step& s) {
  Lookup lookup(c, s, s.slot(1), false);
  each_active(c, [&](int i) { put_texel(c, s, i, texel_of(c, s, lookup.of(i), i)); });
}

// Integers say which level they are of.
const Texture& level_of_integer(const Context& c, const Step& s, const Texture& texture, int lane) {
  if (!s.has(kLevel) || texture.levels.empty()) return texture;
  const auto level = static_cast<std::int32_t>(word_of(c, s, kLevel, 0, lane));
  const auto last = static_cast<std::int32_t>(texture.levels.size() - 1);
  return texture.levels[static_cast<std::size_t>(std::clamp(level, 0, last))];
}

void tex_integers(Context& c, const Step& s) {
  const Mode mode = s.source->modifiers.mode;
  const int first = is_layered(mode) ? 1 : 0, count = dimensions_of(mode);
  Lookup lookup(c, s, s.slot(1), false);
  each_active(c, [&](int i) {
    const auto index = [&](int n) {
      return n < count ? static_cast<std::int32_t>(word(c, s, first + n, i)) : 0;
    };
    Memory memory(c, s, i);
    put_texel(c, s, i,
              fetch(level_of_integer(c, s, lookup.of(i), i), {index(0), index(1), index(2)},
                    first != 0 ? word(c, s, 0, i) : 0, memory));
  });
}

void tld4(Context& c, const Step& s) {
  Lookup lookup(c, s, s.slot(1), false);
  each_active(c, [&](int i) {
    Memory memory(c, s, i);
    const Texture& texture = lookup.of(i);
    put_texel(
        c, s, i,
        gather(texture, coordinates_of(c, s, texture, i), s.source->modifiers.shape.count, memory));
  });
}

// --- surfaces: x is in bytes ---

struct SurfaceAccess {
  uint64_t address = 0;
  bool outside = false;
};

SurfaceAccess surface_access(const Context& c, const Step& s, const Texture& surface, int operand,
                             int lane, uint32_t bytes) {
  const ir::Modifiers& m = s.source->modifiers;
  const int first = is_layered(m.mode) ? 1 : 0, count = dimensions_of(m.mode);
  const std::int64_t row = std::int64_t{surface.width} * surface.texel_bytes();
  const std::int64_t most[4] = {row - bytes, std::int64_t{surface.height} - 1,
                                std::int64_t{surface.depth} - 1, std::int64_t{surface.layers} - 1};
  std::int64_t at[4] = {};
  for (int n = 0; n < count; ++n)
    at[n] = static_cast<std::int32_t>(get<uint64_t>(c, s.slot(operand, first + n), lane));
  if (first != 0) at[3] = static_cast<std::int32_t>(get<uint64_t>(c, s.slot(operand, 0), lane));
  SurfaceAccess access;
  access.address = surface.address;
  const uint64_t steps[4] = {1, surface.pitch, surface.slice, surface.layer};
  for (int n = 0; n < 4; ++n) {
    if (at[n] < 0 || at[n] > most[n]) {
      access.outside = true;
      at[n] = std::max<std::int64_t>(std::min(at[n], most[n]), 0);
    }
    access.address += static_cast<uint64_t>(at[n]) * steps[n];
  }
  if (most[0] < 0) access.outside = true;  // wider than a row: nothing of it is there
  if (access.outside && (most[0] < 0 || (!m.saturate && !m.wrap)))
    c.warp->fault(FaultKind::kTrap, lane, access.address, s.source->place,
                  "outside of the surface");
  return access;
}

void suld(Context& c, const Step& s) {
  const uint32_t element = static_cast<uint32_t>(ir::bits_of(s.source->type)) / 8;
  const uint32_t bytes = element * s.count[0];
  Lookup lookup(c, s, s.slot(1), true);
  each_active(c, [&](int i) {
    const SurfaceAccess access = surface_access(c, s, lookup.of(i), 2, i, bytes);
    std::byte data[32] = {};
    if (!access.outside || s.source->modifiers.saturate)
      std::memcpy(data, Memory(c, s, i).at(access.address, bytes), bytes);
    for (uint32_t n = 0; n < s.count[0]; ++n) {
      uint64_t value = 0;
      std::memcpy(&value, data + std::size_t{n} * element, element);
      put(c, s.slot(0, static_cast<int>(n)), i, value);
    }
  });
}

void sust(Context& c, const Step& s) {
  const uint32_t element = static_cast<uint32_t>(ir::bits_of(s.source->type)) / 8;
  const uint32_t bytes = element * s.count[2];
  Lookup lookup(c, s, s.slot(0), true);
  each_active(c, [&](int i) {
    const SurfaceAccess access = surface_access(c, s, lookup.of(i), 1, i, bytes);
    if (access.outside && !s.source->modifiers.saturate) return;
    std::byte* place = Memory(c, s, i).place(access.address, bytes, Access::kWrite);
    for (uint32_t n = 0; n < s.count[2]; ++n) {
      const uint64_t value = get<uint64_t>(c, s.slot(2, static_cast<int>(n)), i);
      std::memcpy(place + std::size_t{n} * element, &value, element);
    }
  });
}

// --- txq, suq: PTX ISA, "Channel Data Type and Channel Order Fields" has OpenCL's numbers ---

uint32_t channel_data_type(const Texture& t) {
  constexpr uint32_t kIntegers[] = {0x10da, 0x10db, 0x10dc, 0x10d7, 0x10d8, 0x10d9, 0x10dd, 0x10de};
  constexpr uint32_t kNormalized[] = {0x10d2, 0x10d3, 0x10dc, 0x10d0,
                                      0x10d1, 0x10d9, 0x10dd, 0x10de};
  return (t.surface || t.as_integer ? kIntegers : kNormalized)[static_cast<int>(t.format)];
}

uint32_t channel_order(const Texture& t) {
  return t.channels == 1 ? 0x10b0 : t.channels == 2 ? 0x10b2 : 0x10b5;  // R, RG, RGBA
}

uint32_t addressing(const Texture& t, int n) {  // wrap, clamp, mirror, border
  constexpr uint32_t kNumbers[] = {0, 3, 1, 4};
  return kNumbers[static_cast<int>(t.addressing[n])];
}

// 0 of what our textures never have: samples, a linear surface.
uint32_t answer(Mode asked, const Texture& t) {
  switch (asked) {
    case Mode::kWidth:
      return t.width;
    case Mode::kHeight:
      return t.height;
    case Mode::kDepth:
      return t.depth;
    case Mode::kChannelDataType:
      return channel_data_type(t);
    case Mode::kChannelOrder:
      return channel_order(t);
    case Mode::kNormalizedCoordinates:
      return t.normalized_coordinates ? 1 : 0;
    case Mode::kArraySize:
      return t.layered ? t.layers : 0;
    case Mode::kMipmapLevels:
      return static_cast<uint32_t>(t.levels.size());
    case Mode::kFilterMode:
      return t.linear_filter ? 1 : 0;
    case Mode::kAddressMode0:
    case Mode::kAddressMode1:
    case Mode::kAddressMode2:
      return addressing(t, static_cast<int>(asked) - static_cast<int>(Mode::kAddressMode0));
    default:
      return 0;
  }
}

template <bool kSurface>
void query(Context& c, const Step& s) {
  Lookup lookup(c, s, s.slot(1), kSurface);
  each_active(c,
              [&](int i) { put(c, s.slot(0), i, answer(s.source->modifiers.mode, lookup.of(i))); });
}

bool has_geometry(const ir::Instruction& i) {
  const Mode mode = i.modifiers.mode;
  return mode == Mode::k1d || mode == Mode::k2d || mode == Mode::k3d || mode == Mode::kArray1d ||
         mode == Mode::kArray2d;
}

// Directions are floats, and have no gradients here.
bool is_of_cube(const ir::Instruction& i) {
  return is_cube(i.modifiers.mode) && i.type2 == Type::kF32 && i.operand_count <= kSecondGradient;
}

}  // namespace

Handler select_Tex(const ir::Instruction& i) {
  if (!has_geometry(i) && !is_of_cube(i)) return nullptr;
  return i.type2 == Type::kF32 ? &tex : &tex_integers;
}
Handler select_Tld4(const ir::Instruction& i) {
  const Mode mode = i.modifiers.mode;
  return mode == Mode::k2d || mode == Mode::kArray2d || is_of_cube(i) ? &tld4 : nullptr;
}
Handler select_Suld(const ir::Instruction& i) { return has_geometry(i) ? &suld : nullptr; }
Handler select_Sust(const ir::Instruction& i) { return has_geometry(i) ? &sust : nullptr; }
Handler select_Txq(const ir::Instruction&) { return &query<false>; }
Handler select_Suq(const ir::Instruction&) { return &query<true>; }

}  // namespace longwire::softcuda::interp
