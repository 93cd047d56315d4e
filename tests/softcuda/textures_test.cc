// kernels/textures.cu
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

struct Shape {
  std::size_t width = 1, height = 0, depth = 0;
  unsigned flags = 0;
};

struct TextureOptions {
  CUaddress_mode mode = CU_TR_ADDRESS_MODE_CLAMP;
  CUfilter_mode filter = CU_TR_FILTER_MODE_POINT;
  unsigned flags = 0;
};

class TextureKernels : public KernelsTest {
 protected:
  TextureKernels() : KernelsTest("textures") {}

  void TearDown() override {
    for (CUtexObject texture : textures_)
      EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
    for (CUarray array : arrays_)
      EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
    KernelsTest::TearDown();
  }

  template <class T>
  CUarray array_of(const std::vector<T>& values, const Shape& shape, CUarray_format format,
                   unsigned channels = 1) {
    const CUDA_ARRAY3D_DESCRIPTOR description{shape.width, shape.height, shape.depth,
                                              format,      channels,     shape.flags};
    CUarray array = nullptr;
    EXPECT_EQ(cuArray3DCreate(&array, &description), CUDA_SUCCESS);
    arrays_.push_back(array);
    copy(array, const_cast<T*>(values.data()), sizeof(T), shape, true);
    return array;
  }
  template <class T>
  std::vector<T> values_of(CUarray array, const Shape& shape) {
    std::vector<T> values(shape.width * std::max<std::size_t>(shape.height, 1) *
                          std::max<std::size_t>(shape.depth, 1));
    copy(array, values.data(), sizeof(T), shape, false);
    return values;
  }
  CUtexObject texture_of(const CUDA_RESOURCE_DESC& resource, const TextureOptions& options) {
    CUDA_TEXTURE_DESC description{};
    for (auto& mode : description.addressMode)
      mode = options.mode;
    description.filterMode = options.filter;
    description.flags = options.flags;
    CUtexObject texture = 0;
    EXPECT_EQ(cuTexObjectCreate(&texture, &resource, &description, nullptr), CUDA_SUCCESS);
    textures_.push_back(texture);
    return texture;
  }
  static CUDA_RESOURCE_DESC resource_of(CUarray array) {
    CUDA_RESOURCE_DESC resource{};
    resource.resType = CU_RESOURCE_TYPE_ARRAY;
    resource.res.array.hArray = array;
    return resource;
  }

 private:
  static void copy(CUarray array, void* host, std::size_t element, const Shape& shape, bool in) {
    CUDA_MEMCPY3D asked{};
    asked.srcMemoryType = in ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_ARRAY;
    asked.dstMemoryType = in ? CU_MEMORYTYPE_ARRAY : CU_MEMORYTYPE_HOST;
    asked.srcHost = asked.dstHost = host;
    asked.srcArray = asked.dstArray = array;
    asked.WidthInBytes = asked.srcPitch = asked.dstPitch = shape.width * element;
    asked.Height = asked.srcHeight = asked.dstHeight = std::max<std::size_t>(shape.height, 1);
    asked.Depth = std::max<std::size_t>(shape.depth, 1);
    EXPECT_EQ(cuMemcpy3D(&asked), CUDA_SUCCESS);
  }
  std::vector<CUtexObject> textures_;
  std::vector<CUarray> arrays_;
};

// The Programming Guide's linear filter, computed in double.
double bilinear(const std::vector<float>& image, int width, int height, double x, double y) {
  const auto texel = [&](int i, int j) {
    i = std::clamp(i, 0, width - 1), j = std::clamp(j, 0, height - 1);
    return static_cast<double>(image[static_cast<std::size_t>(j * width + i)]);
  };
  const double left = x - 0.5, top = y - 0.5;
  const int i = static_cast<int>(std::floor(left)), j = static_cast<int>(std::floor(top));
  const double a = left - i, b = top - j;
  return (1 - a) * (1 - b) * texel(i, j) + a * (1 - b) * texel(i + 1, j) +
         (1 - a) * b * texel(i, j + 1) + a * b * texel(i + 1, j + 1);
}

TEST_F(TextureKernels, an_image_is_rotated_with_a_linear_filter) {
  constexpr int kWidth = 67, kHeight = 45;
  const auto image = random_floats(kWidth * kHeight, 0, 1);
  const CUarray array = array_of(image, {kWidth, kHeight}, CU_AD_FORMAT_FLOAT);
  const CUtexObject texture = texture_of(
      resource_of(array),
      {CU_TR_ADDRESS_MODE_CLAMP, CU_TR_FILTER_MODE_LINEAR, CU_TRSF_NORMALIZED_COORDINATES});
  DeviceArray<float> out(image.size());
  const float angle = 0.4F, sine = std::sin(angle), cosine = std::cos(angle);
  run("rotate", {{5, 12}, {16, 4}}, texture, out, kWidth, kHeight, sine, cosine);
  const auto got = out.get();
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const double u = (x + 0.5) / kWidth - 0.5, v = (y + 0.5) / kHeight - 0.5;
      const double wanted = bilinear(image, kWidth, kHeight, (u * cosine - v * sine + 0.5) * kWidth,
                                     (v * cosine + u * sine + 0.5) * kHeight);
      // Fractions of 8 bits: half a step in each direction.
      ASSERT_NEAR(got[static_cast<std::size_t>(y * kWidth + x)], wanted, 2 * 0.5 / 256 + 1e-4)
          << x << " " << y;
    }
}

TEST_F(TextureKernels, address_modes_outside_of_a_row) {
  const std::vector<float> row = {1, 2, 3, 4};
  const std::vector<float> at = {-1.1F, -0.1F, 0, 0.3F, 0.99F, 1, 1.3F, 2.3F};
  const struct {
    CUaddress_mode mode;
    std::vector<float> wanted;
  } cases[] = {{CU_TR_ADDRESS_MODE_WRAP, {4, 4, 1, 2, 4, 1, 2, 2}},
               {CU_TR_ADDRESS_MODE_MIRROR, {4, 1, 1, 2, 4, 4, 3, 2}},
               {CU_TR_ADDRESS_MODE_CLAMP, {1, 1, 1, 2, 4, 4, 4, 4}},
               {CU_TR_ADDRESS_MODE_BORDER, {0, 0, 1, 2, 4, 0, 0, 0}}};
  const CUarray array = array_of(row, {4}, CU_AD_FORMAT_FLOAT);
  DeviceArray<float> x(at), out(at.size());
  for (const auto& each : cases) {
    const CUtexObject texture = texture_of(
        resource_of(array), {each.mode, CU_TR_FILTER_MODE_POINT, CU_TRSF_NORMALIZED_COORDINATES});
    run("at_coordinates", {{2}, {4}}, texture, x, out);
    EXPECT_EQ(out.get(), each.wanted) << each.mode;
  }
}

TEST_F(TextureKernels, plain_memory_is_fetched_and_zero_outside) {
  constexpr int kCount = 200;
  std::vector<int> pairs(2 * kCount);
  std::iota(pairs.begin(), pairs.end(), 0);
  DeviceArray<int> memory(pairs), out(64);
  auto index = random_ints(64, 0, kCount - 1);
  index[5] = -1;
  index[6] = kCount;
  DeviceArray<int> places(index);
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_LINEAR;
  resource.res.linear = {memory.address(), CU_AD_FORMAT_SIGNED_INT32, 2, pairs.size() * 4};
  const CUtexObject texture = texture_of(resource, {});
  run("sum_linear", {{2}, {32}}, texture, places, out);
  std::vector<int> wanted;
  for (int i : index)
    wanted.push_back(i < 0 || i >= kCount ? 0 : 2 * i + 1000 * (2 * i + 1));
  EXPECT_EQ(out.get(), wanted);
}

TEST_F(TextureKernels, bytes_as_they_are_and_as_floats) {
  constexpr unsigned kWidth = 5, kHeight = 3;
  std::vector<std::uint32_t> pixels(kWidth * kHeight);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint32_t>(i * 0x11070301U + 0x80FF0033U);
  const CUarray array = array_of(pixels, {kWidth, kHeight}, CU_AD_FORMAT_UNSIGNED_INT8, 4);
  const CUtexObject raw =
      texture_of(resource_of(array),
                 {CU_TR_ADDRESS_MODE_CLAMP, CU_TR_FILTER_MODE_POINT, CU_TRSF_READ_AS_INTEGER});
  const CUtexObject scaled = texture_of(resource_of(array), {});
  DeviceArray<std::uint32_t> bytes(pixels.size());
  DeviceArray<float> floats(pixels.size() * 4);
  run("colours", {{1}, {kWidth, kHeight}}, raw, scaled, bytes, floats);
  EXPECT_EQ(bytes.get(), pixels);
  const auto got = floats.get();
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], static_cast<float>(pixels[i / 4] >> (i % 4 * 8) & 0xff) / 255.0F) << i;
}

TEST_F(TextureKernels, a_volume_and_layers) {
  constexpr int kSize = 5;
  std::vector<float> values(kSize * kSize * kSize);
  std::iota(values.begin(), values.end(), 0.0F);
  const CUarray cube = array_of(values, {kSize, kSize, kSize}, CU_AD_FORMAT_FLOAT);
  const CUtexObject texture =
      texture_of(resource_of(cube), {CU_TR_ADDRESS_MODE_CLAMP, CU_TR_FILTER_MODE_LINEAR, 0});
  DeviceArray<float> out(values.size()), rows(kSize * kSize);
  run("volume", {{kSize}, {kSize, kSize}}, texture, out, kSize);
  const auto got = out.get();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool last_x = i % kSize == kSize - 1, last_y = i / kSize % kSize == kSize - 1;
    ASSERT_EQ(got[i], values[i] + (last_x ? 0 : 0.25F) + (last_y ? 0 : 0.5F * kSize)) << i;
  }
  const CUarray layered =
      array_of(values, {kSize, kSize, kSize, CUDA_ARRAY3D_LAYERED}, CU_AD_FORMAT_FLOAT);
  run("layers", {{kSize}, {kSize}}, texture_of(resource_of(layered), {}), rows);
  const auto of_layers = rows.get();
  for (std::size_t i = 0; i < of_layers.size(); ++i)
    ASSERT_EQ(of_layers[i], values[i / kSize * kSize * kSize + kSize + i % kSize]) << i;
}

TEST_F(TextureKernels, four_texels_are_gathered) {
  const CUarray array = array_of(std::vector<float>{1, 2, 3, 4}, {2, 2}, CU_AD_FORMAT_FLOAT);
  DeviceArray<float> out(4);
  run("corners", {}, texture_of(resource_of(array), {}), out);
  EXPECT_EQ(out.get(), (std::vector<float>{3, 4, 2, 1}));
}

// PTX ISA 9.7.10.5 txq, 9.7.11.4 suq; 5.3.3 has the numbers of channels, which are OpenCL's.
TEST_F(TextureKernels, attributes_are_told) {
  constexpr unsigned kUnormInt8 = 0x10d2, kUnsignedInt8 = 0x10da, kR = 0x10b0, kRgba = 0x10b5;
  constexpr unsigned kWrap = 0, kClampToEdge = 3;
  const std::vector<std::uint32_t> texels(7 * 5 * 3);
  const CUarray plain =
      array_of(texels, {7, 5, 0, CUDA_ARRAY3D_SURFACE_LDST}, CU_AD_FORMAT_UNSIGNED_INT8, 4);
  const CUarray layered = array_of(std::vector<std::uint8_t>(7 * 5 * 3),
                                   {7, 5, 3, CUDA_ARRAY3D_LAYERED | CUDA_ARRAY3D_SURFACE_LDST},
                                   CU_AD_FORMAT_UNSIGNED_INT8);
  CUsurfObject surfaces[2] = {};
  const CUDA_RESOURCE_DESC resources[] = {resource_of(plain), resource_of(layered)};
  for (int n = 0; n < 2; ++n)
    ASSERT_EQ(cuSurfObjectCreate(&surfaces[n], &resources[n]), CUDA_SUCCESS);
  DeviceArray<unsigned> out(17);
  run("queries", {},
      texture_of(resources[0], {CU_TR_ADDRESS_MODE_WRAP, CU_TR_FILTER_MODE_LINEAR,
                                CU_TRSF_NORMALIZED_COORDINATES}),
      surfaces[1], out);
  EXPECT_EQ(out.get(), (std::vector<unsigned>{7, 5, 1, 0, kUnormInt8, kRgba, 1, 0, 0, 1, kWrap, 7,
                                              5, kUnsignedInt8, kR, 3, 0}));
  run("queries", {},
      texture_of(resources[1],
                 {CU_TR_ADDRESS_MODE_CLAMP, CU_TR_FILTER_MODE_POINT, CU_TRSF_READ_AS_INTEGER}),
      surfaces[0], out);
  EXPECT_EQ(out.get(), (std::vector<unsigned>{7, 5, 1, 3, kUnsignedInt8, kR, 0, 0, 0, 0,
                                              kClampToEdge, 7, 5, kUnsignedInt8, kRgba, 0, 0}));
  for (CUsurfObject surface : surfaces)
    EXPECT_EQ(cuSurfObjectDestroy(surface), CUDA_SUCCESS);
}

TEST_F(TextureKernels, surfaces_are_read_and_written) {
  constexpr unsigned kWidth = 6, kHeight = 4;
  struct Four {
    float v[4];
    bool operator==(const Four& other) const { return std::memcmp(v, other.v, sizeof v) == 0; }
  };
  std::vector<Four> values(kWidth * kHeight), wanted;
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t n = 0; n < 4; ++n)
      values[i].v[n] = static_cast<float>(4 * i + n);
  for (Four each : values) {
    for (float& part : each.v)
      part *= 2;
    wanted.push_back(each);
  }
  const Shape shape{kWidth, kHeight, 0, CUDA_ARRAY3D_SURFACE_LDST};
  const CUarray array = array_of(values, shape, CU_AD_FORMAT_FLOAT, 4);
  const CUDA_RESOURCE_DESC resource = resource_of(array);
  CUsurfObject surface = 0;
  ASSERT_EQ(cuSurfObjectCreate(&surface, &resource), CUDA_SUCCESS);
  run("twice", {{kHeight}, {kWidth + 2}}, surface, static_cast<int>(kWidth));
  EXPECT_EQ(values_of<Four>(array, shape), wanted);
  EXPECT_EQ(cuSurfObjectDestroy(surface), CUDA_SUCCESS);
}

TEST_F(TextureKernels, small_elements_of_a_surface) {
  std::vector<std::uint16_t> values = {0x1234, 0xffff, 7, 0x8000};
  const Shape shape{4, 0, 0, CUDA_ARRAY3D_SURFACE_LDST};
  const CUarray array = array_of(values, shape, CU_AD_FORMAT_HALF);
  const CUDA_RESOURCE_DESC resource = resource_of(array);
  CUsurfObject surface = 0;
  ASSERT_EQ(cuSurfObjectCreate(&surface, &resource), CUDA_SUCCESS);
  DeviceArray<std::uint16_t> out(4);
  run("halves", {{1}, {4}}, surface, out);
  EXPECT_EQ(out.get(), values);
  EXPECT_EQ(values_of<std::uint16_t>(array, shape),
            (std::vector<std::uint16_t>{0x1200, 0xff01, 2, 0x8003}));
  EXPECT_EQ(cuSurfObjectDestroy(surface), CUDA_SUCCESS);
}

// Levels of 8, 4, 2 and 1 texels in a row, all of one value: 0, 100, 200, 300.
TEST_F(TextureKernels, levels_of_a_mipmapped_array) {
  constexpr unsigned kLevels = 4;
  const CUDA_ARRAY3D_DESCRIPTOR description{8, 8, 0, CU_AD_FORMAT_FLOAT, 1, 0};
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
  CUmipmappedArray& mipmap = resource.res.mipmap.hMipmappedArray;
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmap, &description, kLevels), CUDA_SUCCESS);
  for (unsigned level = 0; level < kLevels; ++level) {
    CUarray array = nullptr;
    ASSERT_EQ(cuMipmappedArrayGetLevel(&array, mipmap, level), CUDA_SUCCESS);
    const std::size_t size = 8 >> level;
    const std::vector<float> texels(size * size, static_cast<float>(100 * level));
    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = texels.data();
    copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
    copy.dstArray = array;
    copy.WidthInBytes = copy.srcPitch = size * sizeof(float);
    copy.Height = size;
    ASSERT_EQ(cuMemcpy2D(&copy), CUDA_SUCCESS);
  }
  CUDA_TEXTURE_DESC as{};
  as.flags = CU_TRSF_NORMALIZED_COORDINATES;
  as.maxMipmapLevelClamp = kLevels;
  as.filterMode = CU_TR_FILTER_MODE_LINEAR;
  const std::vector<float> level = {-1, 0, 0.75F, 1, 1.25F, 2, 3, 9};
  DeviceArray<float> in(level), by_level(level.size()), by_gradient(level.size());
  for (const CUfilter_mode filter : {CU_TR_FILTER_MODE_POINT, CU_TR_FILTER_MODE_LINEAR}) {
    as.mipmapFilterMode = filter;
    CUtexObject texture = 0;
    ASSERT_EQ(cuTexObjectCreate(&texture, &resource, &as, nullptr), CUDA_SUCCESS);
    run("levels", {{1}, {static_cast<unsigned>(level.size())}}, texture, in, by_level, by_gradient);
    const bool linear = filter == CU_TR_FILTER_MODE_LINEAR;
    const std::vector<float> wanted = {0,   0,  linear ? 75.F : 100, 100, linear ? 125.F : 100, 200,
                                       300, 300};
    EXPECT_EQ(by_level.get(), wanted);
    EXPECT_EQ(by_gradient.get(), wanted);
    EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  }
  EXPECT_EQ(cuMipmappedArrayDestroy(mipmap), CUDA_SUCCESS);
}

TEST_F(TextureKernels, faces_of_cubes) {
  std::vector<float> texels(2 * 2 * 12);
  std::iota(texels.begin(), texels.end(), 0.0F);  // 4 * face + 2 * row + column
  const Shape one{2, 2, 6, CUDA_ARRAY3D_CUBEMAP};
  const Shape two{2, 2, 12, CUDA_ARRAY3D_CUBEMAP | CUDA_ARRAY3D_LAYERED};
  const TextureOptions as{CU_TR_ADDRESS_MODE_WRAP, CU_TR_FILTER_MODE_POINT, 0};
  const CUtexObject cube = texture_of(resource_of(array_of(texels, one, CU_AD_FORMAT_FLOAT)), as);
  const CUtexObject cubes = texture_of(resource_of(array_of(texels, two, CU_AD_FORMAT_FLOAT)), as);
  struct Direction {
    float x, y, z;
  };
  // Each to the middle of a texel: the face's is the longest part.
  const std::vector<Direction> directions = {{2, 1, 1},  {-2, 1, 1},  {1, 2, 1},
                                             {1, -2, 1}, {-1, -1, 2}, {-1, -1, -2}};
  const std::vector<float> wanted = {0 + 0, 4 + 1, 8 + 3, 12 + 1, 16 + 2, 20 + 3};
  DeviceArray<Direction> in(directions);
  DeviceArray<float> out(directions.size()), second(directions.size());
  run("faces", {{1}, {static_cast<unsigned>(directions.size())}}, cube, cubes, in, out, second);
  EXPECT_EQ(out.get(), wanted);
  std::vector<float> further = wanted;
  for (float& each : further)
    each += 24;
  EXPECT_EQ(second.get(), further);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
