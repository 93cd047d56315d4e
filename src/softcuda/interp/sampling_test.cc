// Sampling against what the CUDA C++ Programming Guide says of it ("Texture Fetching").
#include "softcuda/interp/sampling.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace longwire::softcuda::interp {
namespace {

using machine::TexelFormat;
using machine::Texture;
using machine::TextureAddressing;

// Any address, as it comes; counts what was read.
class Plain final : public TexelSource {
 public:
  const std::byte* at(std::uint64_t address, std::uint32_t) override {
    ++reads;
    return reinterpret_cast<const std::byte*>(address);
  }
  int reads = 0;
};

template <class T>
Texture over(const std::vector<T>& data, TexelFormat format, std::uint32_t width,
             std::uint32_t height = 1) {
  Texture texture;
  texture.address = reinterpret_cast<std::uint64_t>(data.data());
  texture.format = format;
  texture.width = width;
  texture.height = height;
  texture.pitch = width * sizeof(T);
  texture.dimensions = height > 1 ? 2 : 1;
  for (auto& mode : texture.addressing)
    mode = TextureAddressing::kClamp;
  return texture;
}

float x_of(const Texture& texture, float x, float y = 0) {
  Plain plain;
  return std::bit_cast<float>(sample(texture, {x, y, 0, 0}, plain).value[0]);
}

const std::vector<float> kRow = {10, 20, 30, 40};

TEST(SamplingTest, NearestTakesTheTexelThatTheCoordinateIsIn) {
  Texture texture = over(kRow, TexelFormat::kF32, 4);
  EXPECT_EQ(x_of(texture, 0.0F), 10);
  EXPECT_EQ(x_of(texture, 1.999F), 20);
  EXPECT_EQ(x_of(texture, -5), 10);
  EXPECT_EQ(x_of(texture, 99), 40);
  texture.normalized_coordinates = true;
  EXPECT_EQ(x_of(texture, 0.5F), 30);
  EXPECT_EQ(x_of(texture, 1.0F), 40);  // clamped
  for (float odd : {std::numeric_limits<float>::quiet_NaN(), 1e30F, -1e30F,
                    std::numeric_limits<float>::infinity()})
    EXPECT_GE(x_of(texture, odd), 10) << odd;
}

TEST(SamplingTest, AddressModes) {
  Texture texture = over(kRow, TexelFormat::kF32, 4);
  texture.normalized_coordinates = true;
  texture.addressing[0] = TextureAddressing::kWrap;
  EXPECT_EQ(x_of(texture, 1.25F + 0.01F), 20);
  EXPECT_EQ(x_of(texture, -0.01F), 40);
  texture.addressing[0] = TextureAddressing::kMirror;
  EXPECT_EQ(x_of(texture, 1.01F), 40);
  EXPECT_EQ(x_of(texture, 1.30F), 30);
  EXPECT_EQ(x_of(texture, -0.30F), 20);
  texture.addressing[0] = TextureAddressing::kBorder;
  texture.border[0] = -3;
  EXPECT_EQ(x_of(texture, 1.0F), -3);
  EXPECT_EQ(x_of(texture, 0.99F), 40);
  // Wrap and mirror want normalised coordinates: without, they clamp.
  texture.normalized_coordinates = false;
  texture.addressing[0] = TextureAddressing::kWrap;
  EXPECT_EQ(x_of(texture, 5), 40);
}

TEST(SamplingTest, LinearFilterHasFractionsOfEightBits) {
  Texture texture = over(kRow, TexelFormat::kF32, 4);
  texture.linear_filter = true;
  EXPECT_EQ(x_of(texture, 0.5F), 10);
  EXPECT_EQ(x_of(texture, 1.0F), 15);
  EXPECT_EQ(x_of(texture, 0.5F + 0.3F), 10 + 10 * (77.0F / 256));  // 0.3 is 76.8 / 256
  EXPECT_EQ(x_of(texture, 0), 10);                                 // both are the first
  EXPECT_EQ(x_of(texture, 1.4999F), 20);                           // 255.97 / 256 is 1
  texture.addressing[0] = TextureAddressing::kBorder;
  EXPECT_EQ(x_of(texture, 0), 5);  // half of the border
}

TEST(SamplingTest, TwoDimensions) {
  const std::vector<float> data = {0, 1, 2, 10, 11, 12};
  Texture texture = over(data, TexelFormat::kF32, 3, 2);
  EXPECT_EQ(x_of(texture, 2.5F, 1.5F), 12);
  texture.linear_filter = true;
  EXPECT_EQ(x_of(texture, 1, 1), (0 + 1 + 10 + 11) / 4.0F);
  EXPECT_EQ(x_of(texture, 1.5F, 1.25F), 1 * 0.25F + 11 * 0.75F);
  Plain plain;
  const Texel four = gather(texture, {1, 1, 0, 0}, 0, plain);
  EXPECT_EQ(std::bit_cast<float>(four.value[0]), 10);
  EXPECT_EQ(std::bit_cast<float>(four.value[1]), 11);
  EXPECT_EQ(std::bit_cast<float>(four.value[2]), 1);
  EXPECT_EQ(std::bit_cast<float>(four.value[3]), 0);
}

TEST(SamplingTest, ThreeDimensionsAndLayers) {
  const std::vector<float> data = {0, 1, 2, 3, 4, 5, 6, 7};
  Texture texture = over(data, TexelFormat::kF32, 2, 2);
  texture.depth = 2;
  texture.dimensions = 3;
  texture.slice = 16;
  texture.linear_filter = true;
  Plain plain;
  EXPECT_EQ(std::bit_cast<float>(sample(texture, {1, 1, 1, 0}, plain).value[0]), 3.5F);
  EXPECT_EQ(plain.reads, 8);
  Texture layered = over(data, TexelFormat::kF32, 2, 2);
  layered.layered = true;
  layered.layers = 2;
  layered.layer = 16;
  EXPECT_EQ(std::bit_cast<float>(sample(layered, {1.5F, 0, 0, 1}, plain).value[0]), 5);
  EXPECT_EQ(std::bit_cast<float>(sample(layered, {1.5F, 0, 0, 77}, plain).value[0]), 5);
}

TEST(SamplingTest, IntegersComeAsTheyAreOrAsFloats) {
  const std::vector<std::uint8_t> bytes = {0, 255, 51, 7};
  const std::vector<std::int8_t> signs = {-128, -127, 127, 0};
  Texture texture = over(bytes, TexelFormat::kU8, 4);
  EXPECT_EQ(x_of(texture, 1), 1);
  EXPECT_EQ(x_of(texture, 2), 0.2F);
  texture = over(signs, TexelFormat::kS8, 4);
  EXPECT_EQ(x_of(texture, 0), -1);
  EXPECT_EQ(x_of(texture, 1), -1);
  EXPECT_EQ(x_of(texture, 2), 1);
  texture.as_integer = true;
  texture.linear_filter = true;  // of no effect on integers
  Plain plain;
  const Texel texel = sample(texture, {0, 0, 0, 0}, plain);
  EXPECT_EQ(static_cast<std::int32_t>(texel.value[0]), -128);
  EXPECT_EQ(texel.value[1], 0U);
  EXPECT_EQ(texel.value[3], 1U);
}

TEST(SamplingTest, ChannelsAndHalves) {
  const std::vector<std::uint16_t> halves = {0x3c00, 0x4000, 0xc000, 0x3800};  // 1 2 -2 0.5
  Texture texture = over(halves, TexelFormat::kF16, 2);
  texture.channels = 2;
  Plain plain;
  const Texel texel = sample(texture, {1, 0, 0, 0}, plain);
  EXPECT_EQ(std::bit_cast<float>(texel.value[0]), -2);
  EXPECT_EQ(std::bit_cast<float>(texel.value[1]), 0.5F);
  EXPECT_EQ(std::bit_cast<float>(texel.value[2]), 0);
  EXPECT_EQ(std::bit_cast<float>(texel.value[3]), 1);
}

TEST(SamplingTest, PlainMemoryReadsAsZeroOutside) {
  Texture texture = over(kRow, TexelFormat::kF32, 4);
  texture.unbounded = true;
  Plain plain;
  EXPECT_EQ(std::bit_cast<float>(fetch(texture, {3, 0, 0}, 0, plain).value[0]), 40);
  EXPECT_EQ(fetch(texture, {4, 0, 0}, 0, plain).value[0], 0U);
  EXPECT_EQ(fetch(texture, {-1, 0, 0}, 0, plain).value[0], 0U);
  EXPECT_EQ(plain.reads, 1);
}

// Two levels of a row of four: {10, 20, 30, 40} and {15, 35}.
struct Mipmapped {
  std::vector<float> first = kRow, second = {15, 35};
  Texture texture = over(first, TexelFormat::kF32, 4);
  Mipmapped() {
    texture.normalized_coordinates = true;
    texture.most_level = 9;
    Texture half = over(second, TexelFormat::kF32, 2);
    half.normalized_coordinates = true;
    texture.levels = {texture, half};
  }
  float at(float x, float level) const {
    Plain plain;
    return std::bit_cast<float>(sample_level(texture, {x, 0, 0, 0}, level, plain).value[0]);
  }
};

TEST(SamplingTest, TheNearestLevelIsTaken) {
  Mipmapped m;
  EXPECT_EQ(m.at(0.9F, 0), 40);
  EXPECT_EQ(m.at(0.9F, 0.5F), 40);
  EXPECT_EQ(m.at(0.9F, 0.6F), 35);
  EXPECT_EQ(m.at(0.9F, 99), 35);
  EXPECT_EQ(m.at(0.9F, -99), 40);
  EXPECT_EQ(m.at(0.9F, std::numeric_limits<float>::quiet_NaN()), 40);
  m.texture.level_bias = 1;
  EXPECT_EQ(m.at(0.9F, 0), 35);
  m.texture.most_level = 0.25F;
  EXPECT_EQ(m.at(0.9F, 0), 40);
  m.texture.most_level = 9;
  m.texture.least_level = 1;
  EXPECT_EQ(m.at(0.9F, -5), 35);
}

TEST(SamplingTest, LevelsAreMixed) {
  Mipmapped m;
  m.texture.linear_mipmaps = true;
  EXPECT_EQ(m.at(0.9F, 0.25F), 40 * 0.75F + 35 * 0.25F);
  EXPECT_EQ(m.at(0.9F, 1), 35);
  EXPECT_EQ(m.at(0.9F, 7), 35);
}

TEST(SamplingTest, GradientsGiveTheLevel) {
  Texture texture = over(kRow, TexelFormat::kF32, 2, 2);
  EXPECT_EQ(level_of(texture, {2, 0, 0, 0}, {0, 4, 0, 0}), 2);
  texture.normalized_coordinates = true;
  EXPECT_EQ(level_of(texture, {0.5F, 0, 0, 0}, {0, 1, 0, 0}), 1);
  EXPECT_TRUE(std::isinf(level_of(texture, {}, {})));  // the largest level, after clamping
}

TEST(SamplingTest, ADirectionGoesThroughAFace) {
  Texture texture;
  texture.layers = 12;
  texture.cube = true;
  const struct {
    Coordinates direction;
    std::uint32_t face;
    float x, y;
  } cases[] = {{{2, 1, 0, 0}, 0, 0.5F, 0.25F},  {{-2, 0, 1, 0}, 1, 0.75F, 0.5F},
               {{1, 2, 0, 0}, 2, 0.75F, 0.5F},  {{0, -2, 1, 0}, 3, 0.5F, 0.25F},
               {{1, 0, 2, 1}, 10, 0.75F, 0.5F}, {{1, 0, -2, 1}, 11, 0.25F, 0.5F},
               {{0, 0, 1, 99}, 10, 0.5F, 0.5F}};
  for (const auto& each : cases) {
    const Coordinates got = on_face(texture, each.direction);
    EXPECT_EQ(got.layer, each.face);
    EXPECT_EQ(got.x, each.x) << each.face;
    EXPECT_EQ(got.y, each.y) << each.face;
  }
}

}  // namespace
}  // namespace longwire::softcuda::interp
