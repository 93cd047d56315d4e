// Images and samplers against a node in this process (client_test.h).
#include "client/opencl/image.h"

#include <cstring>

#include "client/opencl/client_test.h"
#include "client/opencl/device.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl {
namespace {

namespace msg = testing::msg;

constexpr cl_image_format kRgba8 = {CL_RGBA, CL_UNORM_INT8};

class ImageTest : public testing::ClientTest {
 protected:
  void SetUp() override {
    node()
        .devices[0]
        .set<std::size_t>(CL_DEVICE_IMAGE2D_MAX_WIDTH, 1024)
        .set<std::size_t>(CL_DEVICE_IMAGE2D_MAX_HEIGHT, 1024)
        .set<std::size_t>(CL_DEVICE_IMAGE3D_MAX_WIDTH, 64)
        .set<std::size_t>(CL_DEVICE_IMAGE3D_MAX_HEIGHT, 64)
        .set<std::size_t>(CL_DEVICE_IMAGE3D_MAX_DEPTH, 64)
        .set<std::size_t>(CL_DEVICE_IMAGE_MAX_ARRAY_SIZE, 16)
        .set<std::size_t>(CL_DEVICE_IMAGE_MAX_BUFFER_SIZE, 4096)
        .set<cl_uint>(CL_DEVICE_IMAGE_PITCH_ALIGNMENT, 4);
    node().on<msg::GetSupportedImageFormats>([this](const msg::GetSupportedImageFormats& m) {
      const std::uint64_t formats[] = {CL_RGBA, CL_UNORM_INT8, CL_R, CL_FLOAT};
      msg::GetSupportedImageFormats::Reply reply;
      reply.formats = wire::U64View(std::span<const std::uint64_t>(formats));
      node().reply(m.token, CL_SUCCESS, reply);
    });
    node().on<msg::CreateImage>([this](const msg::CreateImage& m) {
      sent_desc_ = m.desc;
      sent_data_.assign(m.data.inline_data.begin(), m.data.inline_data.end());
    });
    node().on<msg::EnqueueReadImage>([this](const msg::EnqueueReadImage& m) {
      std::vector<std::byte> data(m.download.bytes);
      for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::byte>(i);
      node().reply(m.token, CL_SUCCESS, msg::EnqueueReadImage::Reply{data});
    });
    node().on<msg::EnqueueWriteImage>([this](const msg::EnqueueWriteImage& m) {
      written_.assign(m.data.inline_data.begin(), m.data.inline_data.end());
    });
    device_ = to_cl<cl_device_id>(runtime().platform().devices().front());
    context_ = api::CreateContext(nullptr, 1, &device_, nullptr, nullptr, nullptr);
    ASSERT_NE(context_, nullptr);
    queue_ = api::CreateCommandQueueWithProperties(context_, device_, nullptr, nullptr);
    ASSERT_NE(queue_, nullptr);
  }
  void TearDown() override {
    for (const cl_mem one : made_)
      api::ReleaseMemObject(one);
    api::ReleaseCommandQueue(queue_);
    api::ReleaseContext(context_);
    ClientTest::TearDown();
  }
  static cl_image_desc desc(cl_mem_object_type type, std::size_t w, std::size_t h = 0,
                            std::size_t d = 0, std::size_t n = 0) {
    cl_image_desc made{};
    made.image_type = type;
    made.image_width = w;
    made.image_height = h;
    made.image_depth = d;
    made.image_array_size = n;
    return made;
  }
  cl_mem image(const cl_image_desc& of, cl_mem_flags flags = 0, void* host = nullptr) {
    cl_int status = CL_SUCCESS;
    const cl_mem made = api::CreateImage(context_, flags, &kRgba8, &of, host, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    made_.push_back(made);
    return made;
  }
  cl_int error(const cl_image_desc& of, cl_image_format format = kRgba8, cl_mem_flags flags = 0,
               void* host = nullptr) {
    cl_int status = CL_SUCCESS;
    EXPECT_EQ(api::CreateImage(context_, flags, &format, &of, host, &status), nullptr);
    return status;
  }
  std::size_t size_info(cl_mem of, cl_image_info param) {
    std::size_t value = 9999;
    EXPECT_EQ(api::GetImageInfo(of, param, sizeof value, &value, nullptr), CL_SUCCESS);
    return value;
  }

  msg::CreateImage blank_;
  decltype(blank_.desc) sent_desc_;
  std::vector<std::byte> sent_data_;
  std::vector<std::byte> written_;
  cl_device_id device_ = nullptr;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  std::vector<cl_mem> made_;
};

TEST_F(ImageTest, InfosOfEveryType) {
  struct Case {
    cl_image_desc desc;
    std::size_t height, depth, array, slice_pitch, bytes;
  };
  const Case cases[] = {
      {desc(CL_MEM_OBJECT_IMAGE1D, 8, 7, 7, 7), 0, 0, 0, 0, 32},
      {desc(CL_MEM_OBJECT_IMAGE1D_ARRAY, 8, 7, 7, 3), 0, 0, 3, 32, 96},
      {desc(CL_MEM_OBJECT_IMAGE2D, 8, 4, 7, 7), 4, 0, 0, 0, 128},
      {desc(CL_MEM_OBJECT_IMAGE2D_ARRAY, 8, 4, 7, 3), 4, 0, 3, 128, 384},
      {desc(CL_MEM_OBJECT_IMAGE3D, 8, 4, 2, 7), 4, 2, 0, 128, 256},
  };
  for (const Case& one : cases) {
    const cl_mem made = image(one.desc);
    EXPECT_EQ(size_info(made, CL_IMAGE_WIDTH), 8u);
    EXPECT_EQ(size_info(made, CL_IMAGE_HEIGHT), one.height);
    EXPECT_EQ(size_info(made, CL_IMAGE_DEPTH), one.depth);
    EXPECT_EQ(size_info(made, CL_IMAGE_ARRAY_SIZE), one.array);
    EXPECT_EQ(size_info(made, CL_IMAGE_ELEMENT_SIZE), 4u);
    EXPECT_EQ(size_info(made, CL_IMAGE_ROW_PITCH), 32u);
    EXPECT_EQ(size_info(made, CL_IMAGE_SLICE_PITCH), one.slice_pitch);
    std::size_t bytes = 0;
    api::GetMemObjectInfo(made, CL_MEM_SIZE, sizeof bytes, &bytes, nullptr);
    EXPECT_EQ(bytes, one.bytes);
  }
}

// The specification forbids it, drivers differ: the one on the node decides, and the call waits.
TEST_F(ImageTest, PitchesWithoutHostMemoryAreTheVendorsToJudge) {
  cl_int verdict = CL_SUCCESS;
  wire::Handle made = 0;
  node().on<msg::CreateImage>([&](const msg::CreateImage& m) {
    sent_desc_ = m.desc;
    made = m.mem;
  });
  node().on<msg::GetDeviceInfo>([&](const msg::GetDeviceInfo& m) {
    if (verdict != CL_SUCCESS) node().object_failed(made, verdict);
    node().reply(m.token, CL_SUCCESS, msg::GetDeviceInfo::Reply{});
  });
  cl_image_desc pitched = desc(CL_MEM_OBJECT_IMAGE2D, 8, 8);
  pitched.image_row_pitch = 64;
  EXPECT_EQ(size_info(image(pitched), CL_IMAGE_ROW_PITCH), 64u);
  EXPECT_EQ(sent_desc_.row_pitch, 64u);
  verdict = CL_INVALID_IMAGE_DESCRIPTOR;
  EXPECT_EQ(error(pitched), CL_INVALID_IMAGE_DESCRIPTOR);
  pitched.image_row_pitch = 31;
  verdict = CL_SUCCESS;
  EXPECT_EQ(error(pitched), CL_INVALID_IMAGE_DESCRIPTOR) << "no row fits: nobody need be asked";
}

TEST_F(ImageTest, CreationErrors) {
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_BUFFER, 8)), CL_INVALID_IMAGE_DESCRIPTOR);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D, 0, 4)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D, 1025, 4)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE3D, 8, 8, 65)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D_ARRAY, 8, 8, 0, 17)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D, 8, 8), {CL_RGB, CL_UNORM_INT8}),
            CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D, 8, 8), {CL_RG, CL_FLOAT}),
            CL_IMAGE_FORMAT_NOT_SUPPORTED);
  cl_image_desc pitched = desc(CL_MEM_OBJECT_IMAGE2D, 8, 8);
  std::vector<std::byte> host(4096);
  pitched.image_row_pitch = 31;
  EXPECT_EQ(error(pitched, kRgba8, CL_MEM_COPY_HOST_PTR, host.data()), CL_INVALID_IMAGE_DESCRIPTOR);
  pitched.image_row_pitch = 34;
  EXPECT_EQ(error(pitched, kRgba8, CL_MEM_COPY_HOST_PTR, host.data()), CL_INVALID_IMAGE_DESCRIPTOR)
      << "no multiple of the element";
  cl_image_desc mips = desc(CL_MEM_OBJECT_IMAGE2D, 8, 8);
  mips.num_mip_levels = 2;
  EXPECT_EQ(error(mips), CL_INVALID_IMAGE_DESCRIPTOR);
  EXPECT_EQ(error(desc(CL_MEM_OBJECT_IMAGE2D, 8, 8), kRgba8, CL_MEM_COPY_HOST_PTR),
            CL_INVALID_HOST_PTR);
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(api::CreateImage2D(context_, 0, &kRgba8, 2000, 4, 0, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(node().count(msg::GetSupportedImageFormats::kOpcode), 1u) << "asked once";
}

TEST_F(ImageTest, HostRowsTravelTight) {
  cl_image_desc of = desc(CL_MEM_OBJECT_IMAGE2D, 2, 3);
  of.image_row_pitch = 12;
  std::vector<std::byte> host(36);
  for (std::size_t i = 0; i < host.size(); ++i)
    host[i] = static_cast<std::byte>(i);
  const cl_mem made = image(of, CL_MEM_COPY_HOST_PTR, host.data());
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  ASSERT_EQ(sent_data_.size(), 24u);
  EXPECT_EQ(sent_data_[8], std::byte{12});
  EXPECT_EQ(sent_desc_.row_pitch, 0u);
  EXPECT_EQ(size_info(made, CL_IMAGE_ROW_PITCH), 12u) << "as the program gave it";
}

TEST_F(ImageTest, ImagesOfBuffers) {
  const cl_mem buffer = api::CreateBuffer(context_, CL_MEM_READ_ONLY, 1024, nullptr, nullptr);
  made_.push_back(buffer);
  cl_image_desc line = desc(CL_MEM_OBJECT_IMAGE1D_BUFFER, 16);
  EXPECT_EQ(error(line), CL_INVALID_IMAGE_DESCRIPTOR) << "needs a buffer";
  line.mem_object = buffer;
  const cl_mem made = image(line);
  cl_mem parent = nullptr;
  api::GetImageInfo(made, CL_IMAGE_BUFFER, sizeof parent, &parent, nullptr);
  EXPECT_EQ(parent, buffer);
  api::GetMemObjectInfo(made, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof parent, &parent, nullptr);
  EXPECT_EQ(parent, buffer);
  line.image_width = 257;
  EXPECT_EQ(error(line), CL_INVALID_IMAGE_SIZE) << "larger than the buffer";

  cl_image_desc plane = desc(CL_MEM_OBJECT_IMAGE2D, 8, 4);
  plane.mem_object = buffer;
  plane.image_row_pitch = 64;
  const cl_mem picture = image(plane);
  EXPECT_EQ(size_info(picture, CL_IMAGE_ROW_PITCH), 64u);
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  EXPECT_EQ(sent_desc_.row_pitch, 64u);
  plane.image_row_pitch = 36;
  EXPECT_EQ(error(plane), CL_INVALID_IMAGE_DESCRIPTOR) << "no device takes this pitch";
}

// cl_ext_image_requirements_info, and the slice pitch of cl_ext_image_from_buffer.
class ImageRequirementsTest : public ImageTest {
 protected:
  void SetUp() override {
    ImageTest::SetUp();
    node().on<msg::GetImageRequirements>([this](const msg::GetImageRequirements& m) {
      asked_ = m;
      node().reply(m.token, CL_SUCCESS, msg::GetImageRequirements::Reply{64});
    });
  }
  template <class T>
  cl_int get(cl_image_requirements_info_ext param, const cl_image_format* format,
             const cl_image_desc* of, T* value, cl_mem_flags flags = 0) {
    size_ = 0;
    return api::GetImageRequirementsInfoEXT(context_, nullptr, flags, format, of, param,
                                            sizeof *value, value, &size_);
  }
  cl_int refusal(cl_image_requirements_info_ext param, const cl_image_desc& of,
                 const cl_image_format& format = kRgba8, cl_mem_flags flags = 0) {
    std::size_t value = 99;
    const cl_int status = get(param, &format, &of, &value, flags);
    EXPECT_EQ(value, 99u);
    return status;
  }

  msg::GetImageRequirements asked_;
  std::size_t size_ = 0;
};

TEST_F(ImageRequirementsTest, AreAskedOnceEach) {
  std::size_t value = 0;
  EXPECT_EQ(get(CL_IMAGE_REQUIREMENTS_SLICE_PITCH_ALIGNMENT_EXT, nullptr, nullptr, &value),
            CL_SUCCESS);
  EXPECT_EQ(value, 64u);
  EXPECT_EQ(size_, sizeof value);
  EXPECT_EQ(asked_.has_format + asked_.has_desc, 0u);
  EXPECT_EQ(asked_.flags, 0u) << "all flags are asked for";

  const cl_mem buffer = api::CreateBuffer(context_, CL_MEM_READ_ONLY, 1024, nullptr, nullptr);
  made_.push_back(buffer);
  cl_image_desc of = desc(CL_MEM_OBJECT_IMAGE2D, 8, 4);
  of.mem_object = buffer;
  of.image_row_pitch = 48;
  EXPECT_EQ(get(CL_IMAGE_REQUIREMENTS_SIZE_EXT, &kRgba8, &of, &value,
                CL_MEM_KERNEL_READ_AND_WRITE | CL_MEM_HOST_NO_ACCESS),
            CL_SUCCESS);
  EXPECT_EQ(asked_.flags, cl_mem_flags{CL_MEM_KERNEL_READ_AND_WRITE});
  EXPECT_EQ(asked_.format.channel_data_type, cl_uint{CL_UNORM_INT8});
  EXPECT_EQ(asked_.desc.mem, from_cl<Memory>(buffer)->handle());
  EXPECT_EQ(asked_.desc.row_pitch, 48u);

  cl_uint most = 0;
  of = desc(0, 0);
  EXPECT_EQ(get(CL_IMAGE_REQUIREMENTS_MAX_DEPTH_EXT, &kRgba8, &of, &most), CL_SUCCESS);
  EXPECT_EQ(most, 64u);
  EXPECT_EQ(size_, sizeof most);
  EXPECT_EQ(node().count(msg::GetImageRequirements::kOpcode), 3u);
}

TEST_F(ImageRequirementsTest, ErrorsNeedNoNode) {
  const cl_image_desc plane = desc(CL_MEM_OBJECT_IMAGE2D, 8, 8);
  constexpr auto kSize = CL_IMAGE_REQUIREMENTS_SIZE_EXT;
  std::size_t value = 0;
  EXPECT_EQ(api::GetImageRequirementsInfoEXT(nullptr, nullptr, 0, &kRgba8, &plane, kSize,
                                             sizeof value, &value, nullptr),
            CL_INVALID_CONTEXT);
  EXPECT_NE(api::GetExtensionFunctionAddressForPlatform(nullptr, "clGetImageRequirementsInfoEXT"),
            nullptr);
  const cl_mem_properties unknown[] = {0x7777, 1, 0};
  EXPECT_EQ(api::GetImageRequirementsInfoEXT(context_, unknown, 0, &kRgba8, &plane, kSize,
                                             sizeof value, &value, nullptr),
            CL_INVALID_PROPERTY);
  EXPECT_EQ(api::GetImageRequirementsInfoEXT(context_, nullptr, 0, &kRgba8, &plane, kSize,
                                             sizeof value - 1, &value, nullptr),
            CL_INVALID_VALUE);
  EXPECT_EQ(refusal(CL_IMAGE_FORMAT, plane), CL_INVALID_VALUE);
  EXPECT_EQ(refusal(kSize, plane, kRgba8, ~cl_mem_flags{0}), CL_INVALID_VALUE);
  EXPECT_EQ(get(kSize, nullptr, &plane, &value), CL_INVALID_VALUE);
  EXPECT_EQ(get(kSize, &kRgba8, nullptr, &value), CL_INVALID_VALUE);
  EXPECT_EQ(refusal(kSize, plane, {CL_INTENSITY, CL_UNORM_SHORT_555}),
            CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);

  const std::pair<cl_image_requirements_info_ext, cl_image_desc> wrong[] = {
      {kSize, desc(CL_MEM_OBJECT_BUFFER, 8)},
      {kSize, desc(0, 8)},
      {kSize, desc(CL_MEM_OBJECT_IMAGE1D, 0)},
      {CL_IMAGE_REQUIREMENTS_ROW_PITCH_ALIGNMENT_EXT, desc(CL_MEM_OBJECT_IMAGE2D_ARRAY, 8, 8)},
      {CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT, desc(CL_MEM_OBJECT_BUFFER, 8)},
      {CL_IMAGE_REQUIREMENTS_MAX_HEIGHT_EXT, desc(CL_MEM_OBJECT_IMAGE1D_ARRAY, 8, 0, 0, 2)},
      {CL_IMAGE_REQUIREMENTS_MAX_DEPTH_EXT, plane},
      {CL_IMAGE_REQUIREMENTS_MAX_ARRAY_SIZE_EXT, plane},
  };
  for (const auto& [param, of] : wrong)
    EXPECT_EQ(refusal(param, of), CL_INVALID_IMAGE_DESCRIPTOR) << std::hex << param;
  cl_image_desc mips = plane;
  mips.num_mip_levels = 2;
  EXPECT_EQ(refusal(kSize, mips), CL_INVALID_IMAGE_DESCRIPTOR);
  const cl_context other = api::CreateContext(nullptr, 1, &device_, nullptr, nullptr, nullptr);
  cl_image_desc foreign = plane;
  foreign.mem_object = api::CreateBuffer(other, 0, 1024, nullptr, nullptr);
  EXPECT_EQ(refusal(kSize, foreign), CL_INVALID_IMAGE_DESCRIPTOR);
  api::ReleaseMemObject(foreign.mem_object);
  api::ReleaseContext(other);
  EXPECT_EQ(node().count(msg::GetImageRequirements::kOpcode), 0u);
}

TEST_F(ImageTest, ReadsScatterIntoTheProgramsPitches) {
  const cl_mem made = image(desc(CL_MEM_OBJECT_IMAGE3D, 4, 4, 4));
  const std::size_t origin[] = {1, 1, 1};
  const std::size_t region[] = {1, 2, 2};
  std::vector<std::uint8_t> host(64, 0xee);
  ASSERT_EQ(api::EnqueueReadImage(queue_, made, CL_TRUE, origin, region, 8, 32, host.data(), 0,
                                  nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(host[0], 0);
  EXPECT_EQ(host[8], 4);
  EXPECT_EQ(host[32], 8);
  EXPECT_EQ(host[40], 12);
  EXPECT_EQ(host[4], 0xee);
  const std::size_t outside[] = {1, 4, 1};
  EXPECT_EQ(api::EnqueueReadImage(queue_, made, CL_TRUE, origin, outside, 0, 0, host.data(), 0,
                                  nullptr, nullptr),
            CL_INVALID_VALUE);
}

TEST_F(ImageTest, MapsGiveTheirPitches) {
  const cl_mem made = image(desc(CL_MEM_OBJECT_IMAGE2D, 8, 4));
  const std::size_t origin[] = {2, 1, 0};
  const std::size_t region[] = {2, 2, 1};
  std::size_t row_pitch = 0;
  std::size_t slice_pitch = 99;
  cl_int status = CL_SUCCESS;
  auto* mapped = static_cast<std::uint8_t*>(
      api::EnqueueMapImage(queue_, made, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, origin, region,
                           &row_pitch, &slice_pitch, 0, nullptr, nullptr, &status));
  ASSERT_EQ(status, CL_SUCCESS);
  EXPECT_EQ(row_pitch, 32u);
  EXPECT_EQ(slice_pitch, 0u);
  EXPECT_EQ(mapped[0], 0);
  EXPECT_EQ(mapped[32], 8);
  mapped[33] = 77;
  ASSERT_EQ(api::EnqueueUnmapMemObject(queue_, made, mapped, 0, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(api::Finish(queue_), CL_SUCCESS);
  ASSERT_EQ(written_.size(), 16u);
  EXPECT_EQ(written_[9], std::byte{77});
  EXPECT_EQ(api::EnqueueMapImage(queue_, made, CL_TRUE, CL_MAP_READ, origin, region, nullptr,
                                 nullptr, 0, nullptr, nullptr, &status),
            nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
}

TEST_F(ImageTest, CopyErrors) {
  const cl_mem one = image(desc(CL_MEM_OBJECT_IMAGE2D, 8, 8));
  const cl_image_format other_format = {CL_R, CL_FLOAT};
  const cl_image_desc of = desc(CL_MEM_OBJECT_IMAGE2D, 8, 8);
  const cl_mem other = api::CreateImage(context_, 0, &other_format, &of, nullptr, nullptr);
  made_.push_back(other);
  const std::size_t zero[] = {0, 0, 0};
  const std::size_t right[] = {4, 0, 0};
  const std::size_t close[] = {3, 0, 0};
  const std::size_t region[] = {4, 4, 1};
  const auto copy = [&](cl_mem from, cl_mem to, const std::size_t* at) {
    return api::EnqueueCopyImage(queue_, from, to, zero, at, region, 0, nullptr, nullptr);
  };
  EXPECT_EQ(copy(one, one, right), CL_SUCCESS);
  EXPECT_EQ(copy(one, one, close), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(copy(one, other, right), CL_IMAGE_FORMAT_MISMATCH);
  const float color[4] = {};
  EXPECT_EQ(api::EnqueueFillImage(queue_, one, color, zero, region, 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(api::EnqueueFillImage(queue_, one, nullptr, zero, region, 0, nullptr, nullptr),
            CL_INVALID_VALUE);
  const cl_mem buffer = api::CreateBuffer(context_, 0, 63, nullptr, nullptr);
  made_.push_back(buffer);
  EXPECT_EQ(
      api::EnqueueCopyImageToBuffer(queue_, one, buffer, zero, region, 0, 0, nullptr, nullptr),
      CL_INVALID_VALUE)
      << "one byte too small";
}

TEST_F(ImageTest, Samplers) {
  const cl_sampler_properties list[] = {CL_SAMPLER_FILTER_MODE, CL_FILTER_LINEAR, 0};
  cl_int status = CL_SUCCESS;
  const cl_sampler made = api::CreateSamplerWithProperties(context_, list, &status);
  ASSERT_EQ(status, CL_SUCCESS);
  cl_filter_mode filter = 0;
  cl_bool normalized = CL_FALSE;
  std::size_t bytes = 0;
  api::GetSamplerInfo(made, CL_SAMPLER_FILTER_MODE, sizeof filter, &filter, nullptr);
  api::GetSamplerInfo(made, CL_SAMPLER_NORMALIZED_COORDS, sizeof normalized, &normalized, nullptr);
  api::GetSamplerInfo(made, CL_SAMPLER_PROPERTIES, 0, nullptr, &bytes);
  EXPECT_EQ(filter, cl_filter_mode{CL_FILTER_LINEAR});
  EXPECT_EQ(normalized, cl_bool{CL_TRUE});
  EXPECT_EQ(bytes, sizeof list);
  api::ReleaseSampler(made);
  const cl_sampler_properties twice[] = {CL_SAMPLER_FILTER_MODE, CL_FILTER_LINEAR,
                                         CL_SAMPLER_FILTER_MODE, CL_FILTER_LINEAR, 0};
  EXPECT_EQ(api::CreateSamplerWithProperties(context_, twice, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateSampler(context_, CL_TRUE, 0x1234, CL_FILTER_LINEAR, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::client::opencl
