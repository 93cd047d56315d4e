// Arrays, texture and surface objects, through the exported functions.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

constexpr size_t kHuge = std::numeric_limits<size_t>::max();

class ArrayTest : public ContextTest {
 protected:
  static CUresult create(CUarray* array, size_t width, size_t height, size_t depth = 0,
                         unsigned int flags = 0, CUarray_format format = CU_AD_FORMAT_FLOAT,
                         unsigned int channels = 1) {
    const CUDA_ARRAY3D_DESCRIPTOR description{width, height, depth, format, channels, flags};
    return cuArray3DCreate(array, &description);
  }
  static CUDA_RESOURCE_DESC resource_of(CUarray array) {
    CUDA_RESOURCE_DESC resource{};
    resource.resType = CU_RESOURCE_TYPE_ARRAY;
    resource.res.array.hArray = array;
    return resource;
  }
};

TEST_F(ArrayTest, levels_of_a_mipmapped_array_are_arrays) {
  CUmipmappedArray mipmap = nullptr;
  CUarray level = nullptr;
  size_t before = 0, after = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  const CUDA_ARRAY3D_DESCRIPTOR asked{20, 6, 0, CU_AD_FORMAT_SIGNED_INT32, 1, 0};
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmap, &asked, 99), CUDA_SUCCESS);  // as many as there can be
  const size_t widths[] = {20, 10, 5, 2, 1}, heights[] = {6, 3, 1, 1, 1};
  for (unsigned int i = 0; i < 5; ++i) {
    ASSERT_EQ(cuMipmappedArrayGetLevel(&level, mipmap, i), CUDA_SUCCESS);
    CUDA_ARRAY3D_DESCRIPTOR got{};
    ASSERT_EQ(cuArray3DGetDescriptor(&got, level), CUDA_SUCCESS);
    EXPECT_EQ(got.Width, widths[i]);
    EXPECT_EQ(got.Height, heights[i]);
    EXPECT_EQ(got.Depth, 0U);
  }
  EXPECT_EQ(cuMipmappedArrayGetLevel(&level, mipmap, 5), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMipmappedArrayGetLevel(&level, mipmap, 2), CUDA_SUCCESS);
  std::vector<int> in{1, 2, 3, 4, 5}, out(5);
  ASSERT_EQ(cuMemcpyHtoA(level, 0, in.data(), 20), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyAtoH(out.data(), level, 0, 20), CUDA_SUCCESS);
  EXPECT_EQ(out, in);
  EXPECT_EQ(cuMemcpyHtoA(level, 0, in.data(), 24), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuArrayDestroy(level), CUDA_ERROR_INVALID_HANDLE);  // goes with the whole
  CUtexObject texture = 0;
  const CUDA_RESOURCE_DESC one = resource_of(level);
  CUDA_TEXTURE_DESC description{};
  description.flags = CU_TRSF_READ_AS_INTEGER;
  ASSERT_EQ(cuTexObjectCreate(&texture, &one, &description, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  CUDA_RESOURCE_DESC all{};
  all.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
  all.res.mipmap.hMipmappedArray = mipmap;
  EXPECT_EQ(cuTexObjectCreate(&texture, &all, &description, nullptr), CUDA_ERROR_INVALID_VALUE);
  description.flags |= CU_TRSF_NORMALIZED_COORDINATES;  // which such a texture must have
  ASSERT_EQ(cuTexObjectCreate(&texture, &all, &description, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  CUDA_RESOURCE_VIEW_DESC view{};
  view.firstMipmapLevel = 1;
  EXPECT_EQ(cuTexObjectCreate(&texture, &all, &description, &view), CUDA_ERROR_INVALID_VALUE);
  view.lastMipmapLevel = 1;
  ASSERT_EQ(cuTexObjectCreate(&texture, &all, &description, &view), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  ASSERT_EQ(cuMipmappedArrayDestroy(mipmap), CUDA_SUCCESS);
  EXPECT_EQ(cuMipmappedArrayDestroy(mipmap), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMemcpyHtoA(level, 0, in.data(), 20), CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
}

TEST_F(ArrayTest, mipmaps_of_layers_and_of_nothing) {
  CUmipmappedArray mipmap = nullptr;
  CUarray level = nullptr;
  CUDA_ARRAY3D_DESCRIPTOR asked{8, 4, 3, CU_AD_FORMAT_FLOAT, 2, CUDA_ARRAY3D_LAYERED};
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmap, &asked, 0), CUDA_SUCCESS);  // one at least
  EXPECT_EQ(cuMipmappedArrayGetLevel(&level, mipmap, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMipmappedArrayDestroy(mipmap), CUDA_SUCCESS);
  ASSERT_EQ(cuMipmappedArrayCreate(&mipmap, &asked, 4), CUDA_SUCCESS);
  ASSERT_EQ(cuMipmappedArrayGetLevel(&level, mipmap, 3), CUDA_SUCCESS);
  CUDA_ARRAY3D_DESCRIPTOR got{};
  ASSERT_EQ(cuArray3DGetDescriptor(&got, level), CUDA_SUCCESS);
  EXPECT_EQ(got.Width, 1U);
  EXPECT_EQ(got.Height, 1U);
  EXPECT_EQ(got.Depth, 3U);
  EXPECT_EQ(cuMipmappedArrayGetLevel(nullptr, mipmap, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMipmappedArrayDestroy(mipmap), CUDA_SUCCESS);
  asked.Width = 0;
  EXPECT_EQ(cuMipmappedArrayCreate(&mipmap, &asked, 1), CUDA_ERROR_INVALID_VALUE);
  asked.Width = kHuge;
  EXPECT_EQ(cuMipmappedArrayCreate(&mipmap, &asked, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMipmappedArrayCreate(&mipmap, nullptr, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMipmappedArrayCreate(nullptr, &asked, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ArrayTest, a_descriptor_comes_back_as_it_was) {
  CUarray array = nullptr;
  size_t before = 0, after = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  const CUDA_ARRAY_DESCRIPTOR asked{10, 5, CU_AD_FORMAT_HALF, 4};
  ASSERT_EQ(cuArrayCreate(&array, &asked), CUDA_SUCCESS);
  CUDA_ARRAY3D_DESCRIPTOR whole{};
  ASSERT_EQ(cuArray3DGetDescriptor(&whole, array), CUDA_SUCCESS);
  EXPECT_EQ(whole.Width, 10U);
  EXPECT_EQ(whole.Height, 5U);
  EXPECT_EQ(whole.Depth, 0U);
  CUDA_ARRAY_DESCRIPTOR flat{};
  ASSERT_EQ(cuArrayGetDescriptor(&flat, array), CUDA_SUCCESS);
  EXPECT_EQ(flat.Format, CU_AD_FORMAT_HALF);
  EXPECT_EQ(flat.NumChannels, 4U);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuArrayGetDescriptor(&flat, array), CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
}

TEST_F(ArrayTest, shapes_that_there_are_not) {
  CUarray array = nullptr;
  EXPECT_EQ(create(&array, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(nullptr, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, kHuge, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 16, kHuge, kHuge), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 0, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 0, CUDA_ARRAY3D_LAYERED), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 0, 1U << 30), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 6, CUDA_ARRAY3D_SPARSE), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(create(&array, 4, 4, 5, CUDA_ARRAY3D_CUBEMAP), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 12, CUDA_ARRAY3D_CUBEMAP), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 3, 6, CUDA_ARRAY3D_CUBEMAP), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 0, 0, CU_AD_FORMAT_FLOAT, 3), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 4, 4, 0, 0, CU_AD_FORMAT_BC1_UNORM), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(create(&array, 4, 4, 0, 0, static_cast<CUarray_format>(77)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(create(&array, 131072, 65536, 0, 0, CU_AD_FORMAT_FLOAT, 4), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(ArrayTest, copies_go_in_and_out) {
  CUarray array = nullptr;
  constexpr size_t kWidth = 7, kHeight = 5, kRow = kWidth * sizeof(float);
  ASSERT_EQ(create(&array, kWidth, kHeight), CUDA_SUCCESS);
  std::vector<float> in(kWidth * kHeight), out(in.size());
  std::iota(in.begin(), in.end(), 1.0F);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = in.data();
  copy.srcPitch = kRow;
  copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.dstArray = array;
  copy.WidthInBytes = kRow;
  copy.Height = kHeight;
  ASSERT_EQ(cuMemcpy2D(&copy), CUDA_SUCCESS);
  CUDA_MEMCPY2D back{};
  back.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  back.srcArray = array;
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = out.data();
  back.dstPitch = kRow;
  back.WidthInBytes = kRow;
  back.Height = kHeight;
  ASSERT_EQ(cuMemcpy2D(&back), CUDA_SUCCESS);
  EXPECT_EQ(out, in);
  back.srcY = 1;
  EXPECT_EQ(cuMemcpy2D(&back), CUDA_ERROR_INVALID_VALUE);  // one row too many
  back.srcY = kHuge;
  EXPECT_EQ(cuMemcpy2D(&back), CUDA_ERROR_INVALID_VALUE);
  copy.dstXInBytes = 2;  // not an element
  EXPECT_EQ(cuMemcpy2D(&copy), CUDA_ERROR_INVALID_VALUE);
  float two[2] = {};
  ASSERT_EQ(cuMemcpyAtoH(two, array, 4, 8), CUDA_SUCCESS);
  EXPECT_EQ(two[1], 3);
  EXPECT_EQ(cuMemcpyAtoH(two, array, kRow, 8), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyAtoH(two, reinterpret_cast<CUarray>(1), 0, 8), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
}

TEST_F(ArrayTest, no_array_is_sparse_or_has_planes) {
  CUarray array = nullptr, plane = nullptr;
  CUDA_ARRAY_SPARSE_PROPERTIES sparse{};
  CUDA_ARRAY_MEMORY_REQUIREMENTS needs{};
  ASSERT_EQ(create(&array, 4, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayGetSparseProperties(&sparse, array), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuArrayGetMemoryRequirements(&needs, array, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuArrayGetMemoryRequirements(&needs, array, 99), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuArrayGetPlane(&plane, array, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMipmappedArrayGetSparseProperties(&sparse, nullptr), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
  EXPECT_EQ(cuArrayGetPlane(&plane, array, 0), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ArrayTest, a_texture_says_how_it_was_made) {
  CUarray array = nullptr;
  ASSERT_EQ(create(&array, 4, 4), CUDA_SUCCESS);
  const CUDA_RESOURCE_DESC resource = resource_of(array);
  CUDA_TEXTURE_DESC description{}, back{};
  description.filterMode = CU_TR_FILTER_MODE_LINEAR;
  description.borderColor[2] = 5;
  CUtexObject texture = 0;
  ASSERT_EQ(cuTexObjectCreate(&texture, &resource, &description, nullptr), CUDA_SUCCESS);
  EXPECT_NE(texture, 0U);
  CUDA_RESOURCE_DESC of{};
  ASSERT_EQ(cuTexObjectGetResourceDesc(&of, texture), CUDA_SUCCESS);
  EXPECT_EQ(of.res.array.hArray, array);
  ASSERT_EQ(cuTexObjectGetTextureDesc(&back, texture), CUDA_SUCCESS);
  EXPECT_EQ(back.borderColor[2], 5);
  CUDA_RESOURCE_VIEW_DESC view{};
  EXPECT_EQ(cuTexObjectGetResourceViewDesc(&view, texture), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuSurfObjectDestroy(texture), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuTexObjectGetTextureDesc(&back, texture), CUDA_ERROR_INVALID_VALUE);
  CUsurfObject surface = 0;
  EXPECT_EQ(cuSurfObjectCreate(&surface, &resource), CUDA_ERROR_INVALID_VALUE);  // not for stores
  EXPECT_EQ(cuArrayDestroy(array), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectCreate(&texture, &resource, &description, nullptr),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ArrayTest, textures_that_make_no_sense) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 4096), CUDA_SUCCESS);
  const auto aligned = (memory + 511) / 512 * 512;
  CUDA_TEXTURE_DESC description{};
  CUtexObject texture = 0;
  CUDA_RESOURCE_DESC linear{};
  linear.resType = CU_RESOURCE_TYPE_LINEAR;
  linear.res.linear = {aligned, CU_AD_FORMAT_FLOAT, 1, 1024};
  const auto create = [&](const CUDA_RESOURCE_DESC& resource) {
    return cuTexObjectCreate(&texture, &resource, &description, nullptr);
  };
  ASSERT_EQ(create(linear), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  auto wrong = linear;
  wrong.res.linear.devPtr += 4;
  EXPECT_EQ(create(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong = linear;
  wrong.res.linear.sizeInBytes = kHuge;
  EXPECT_EQ(create(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong = linear;
  wrong.res.linear.sizeInBytes = 1 << 20;  // more than there is
  EXPECT_EQ(create(wrong), CUDA_ERROR_INVALID_VALUE);
  wrong = linear;
  wrong.flags = 1;
  EXPECT_EQ(create(wrong), CUDA_ERROR_INVALID_VALUE);
  CUDA_RESOURCE_DESC pitched{};
  pitched.resType = CU_RESOURCE_TYPE_PITCH2D;
  pitched.res.pitch2D = {aligned, CU_AD_FORMAT_FLOAT, 1, 8, 8, 64};
  ASSERT_EQ(create(pitched), CUDA_SUCCESS);
  EXPECT_EQ(cuTexObjectDestroy(texture), CUDA_SUCCESS);
  pitched.res.pitch2D.pitchInBytes = 33;
  EXPECT_EQ(create(pitched), CUDA_ERROR_INVALID_VALUE);
  pitched.res.pitch2D.pitchInBytes = kHuge & ~size_t{31};
  EXPECT_EQ(create(pitched), CUDA_ERROR_INVALID_VALUE);
  pitched.res.pitch2D = {aligned, CU_AD_FORMAT_UNSIGNED_INT32, 1, 8, 8, 64};
  description.filterMode = CU_TR_FILTER_MODE_LINEAR;
  EXPECT_EQ(create(pitched), CUDA_ERROR_INVALID_VALUE);  // integers are not filtered
  description = {};
  description.addressMode[1] = static_cast<CUaddress_mode>(9);
  EXPECT_EQ(create(linear), CUDA_ERROR_INVALID_VALUE);
  description = {};
  linear.resType = CU_RESOURCE_TYPE_MIPMAPPED_ARRAY;
  EXPECT_EQ(create(linear), CUDA_ERROR_INVALID_HANDLE);  // an address is no mipmap
  EXPECT_EQ(cuMemFree(memory), CUDA_SUCCESS);
  size_t most = 0;
  EXPECT_EQ(cuDeviceGetTexture1DLinearMaxWidth(&most, CU_AD_FORMAT_FLOAT, 4, 0), CUDA_SUCCESS);
  EXPECT_GT(most, 1U << 20);
  EXPECT_EQ(cuDeviceGetTexture1DLinearMaxWidth(&most, CU_AD_FORMAT_FLOAT, 3, 0),
            CUDA_ERROR_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
