#include "client/opencl/image_layout.h"

#include <gtest/gtest.h>

namespace longwire::client::opencl {
namespace {

struct FormatCase {
  cl_channel_order order;
  cl_channel_type type;
  std::size_t bytes;
};

TEST(ImageFormat, ElementSizes) {
  const FormatCase cases[] = {
      {CL_R, CL_UNORM_INT8, 1},
      {CL_A, CL_SIGNED_INT16, 2},
      {CL_RG, CL_FLOAT, 8},
      {CL_RA, CL_HALF_FLOAT, 4},
      {CL_RGBA, CL_UNORM_INT8, 4},
      {CL_RGBA, CL_FLOAT, 16},
      {CL_RGBA, CL_UNSIGNED_INT32, 16},
      {CL_BGRA, CL_UNORM_INT8, 4},
      {CL_ARGB, CL_SIGNED_INT8, 4},
      {CL_ABGR, CL_UNSIGNED_INT8, 4},
      {CL_LUMINANCE, CL_FLOAT, 4},
      {CL_INTENSITY, CL_UNORM_INT16, 2},
      {CL_DEPTH, CL_FLOAT, 4},
      {CL_DEPTH, CL_UNORM_INT16, 2},
      {CL_RGB, CL_UNORM_SHORT_565, 2},
      {CL_RGBx, CL_UNORM_INT_101010, 4},
      {CL_sRGBA, CL_UNORM_INT8, 4},
      {CL_sRGB, CL_UNORM_INT8, 3},
      {CL_Rx, CL_UNORM_INT8, 1},
      {CL_RGBA, CL_UNORM_INT_101010_2, 4},
  };
  for (const FormatCase& one : cases)
    EXPECT_EQ(element_bytes({one.order, one.type}), one.bytes) << one.order << " " << one.type;
}

TEST(ImageFormat, CombinationsThatDoNotExist) {
  const cl_image_format cases[] = {
      {CL_RGB, CL_UNORM_INT8},
      {CL_RGBA, CL_UNORM_SHORT_565},
      {CL_BGRA, CL_FLOAT},
      {CL_LUMINANCE, CL_SIGNED_INT8},
      {CL_DEPTH, CL_UNORM_INT8},
      {CL_sRGBA, CL_FLOAT},
      {CL_R, 0x1234},
      {0x1234, CL_FLOAT},
  };
  for (const auto& one : cases)
    EXPECT_EQ(element_bytes(one), 0u);
}

ImageShape shape(cl_mem_object_type type, std::size_t w, std::size_t h, std::size_t d,
                 std::size_t n) {
  return {type, w, h, d, n, 4};
}

TEST(ImageShape, BoxOfEveryType) {
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE1D, 5, 0, 0, 0).box(), (Extent3{5, 1, 1}));
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE1D_BUFFER, 5, 0, 0, 0).box(), (Extent3{5, 1, 1}));
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE1D_ARRAY, 5, 0, 0, 7).box(), (Extent3{5, 7, 1}));
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE2D, 5, 6, 0, 0).box(), (Extent3{5, 6, 1}));
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE2D_ARRAY, 5, 6, 0, 7).box(), (Extent3{5, 6, 7}));
  EXPECT_EQ(shape(CL_MEM_OBJECT_IMAGE3D, 5, 6, 8, 0).box(), (Extent3{5, 6, 8}));
}

TEST(ImageShape, Regions) {
  const ImageShape image = shape(CL_MEM_OBJECT_IMAGE2D, 5, 6, 0, 0);
  EXPECT_EQ(image.check_region({0, 0, 0}, {5, 6, 1}), CL_SUCCESS);
  EXPECT_EQ(image.check_region({4, 5, 0}, {1, 1, 1}), CL_SUCCESS);
  EXPECT_EQ(image.check_region({0, 0, 0}, {5, 7, 1}), CL_INVALID_VALUE);
  EXPECT_EQ(image.check_region({1, 0, 0}, {5, 1, 1}), CL_INVALID_VALUE);
  EXPECT_EQ(image.check_region({0, 0, 0}, {5, 6, 2}), CL_INVALID_VALUE);
  EXPECT_EQ(image.check_region({0, 0, 1}, {5, 6, 1}), CL_INVALID_VALUE);
  EXPECT_EQ(image.check_region({0, 0, 0}, {0, 6, 1}), CL_INVALID_VALUE);
  EXPECT_EQ(image.check_region({2, 0, 0}, {~std::size_t{0}, 1, 1}), CL_INVALID_VALUE);
}

TEST(ImageShape, TightPitchesAndBytes) {
  const ImageShape cube = shape(CL_MEM_OBJECT_IMAGE3D, 5, 6, 8, 0);
  EXPECT_EQ(cube.tight_row_pitch(), 20u);
  EXPECT_EQ(cube.tight_slice_pitch(20), 120u);
  EXPECT_EQ(cube.bytes(20, 120), 960u);
  const ImageShape lines = shape(CL_MEM_OBJECT_IMAGE1D_ARRAY, 5, 0, 0, 7);
  EXPECT_EQ(lines.tight_slice_pitch(20), 20u);
  EXPECT_EQ(lines.bytes(20, 20), 140u);
  const ImageShape plane = shape(CL_MEM_OBJECT_IMAGE2D, 5, 6, 0, 0);
  EXPECT_EQ(plane.tight_slice_pitch(20), 0u);
  EXPECT_EQ(plane.bytes(32, 0), 192u);
}

TEST(ImageShape, WhatLeaves64BitsIsAbsurdAndNotSmall) {
  constexpr std::size_t kHuge = std::size_t{1} << 62;
  const ImageShape shape{CL_MEM_OBJECT_IMAGE3D, kHuge, 4, 4, 0, 4};
  EXPECT_EQ(shape.tight_row_pitch(), kAbsurdBytes);
  EXPECT_EQ(shape.tight_slice_pitch(kHuge), kAbsurdBytes);
  EXPECT_EQ(shape.bytes(1, kHuge), kAbsurdBytes);
}

TEST(ImageShape, HostPitches) {
  const ImageShape plane = shape(CL_MEM_OBJECT_IMAGE2D, 5, 6, 0, 0);
  const auto tight = plane.host_pitches({3, 2, 1}, 0, 0);
  ASSERT_TRUE(tight);
  EXPECT_EQ(tight->row, 12u);
  EXPECT_FALSE(plane.host_pitches({3, 2, 1}, 11, 0));
  const ImageShape cube = shape(CL_MEM_OBJECT_IMAGE3D, 5, 6, 8, 0);
  EXPECT_FALSE(cube.host_pitches({3, 2, 2}, 16, 31));
  const auto wide = cube.host_pitches({3, 2, 2}, 16, 0);
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->slice, 32u);
}

// A 1D array's lines are a slice pitch apart, not a row pitch.
TEST(ImageShape, LinesOfAnArrayAreSlices) {
  const ImageShape lines = shape(CL_MEM_OBJECT_IMAGE1D_ARRAY, 5, 0, 0, 7);
  std::byte memory[1];
  const Rows rows = lines.rows_of({3, 2, 1}, memory, 24, 48);
  EXPECT_EQ(rows.row_bytes, 12u);
  EXPECT_EQ(rows.rows, 2u);
  EXPECT_EQ(rows.row_pitch, 48u);
  EXPECT_EQ(lines.offset_of({1, 2, 0}, 24, 48), 100u);
}

}  // namespace
}  // namespace longwire::client::opencl
