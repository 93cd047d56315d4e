// Launches: what is refused before anything is sent, and what is sent.
#include <gmock/gmock.h>

#include <array>
#include <string>
#include <vector>

#include "client/opencl/client_test.h"
#include "client/opencl/extensions.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Sizes = std::vector<std::size_t>;

std::vector<std::uint64_t> values(wire::U64View view) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < view.size(); ++i)
    all.push_back(view[i]);
  return all;
}

// Two kernels without arguments: "any", and "sized" with a required work-group size of 8 x 4.
class LaunchTest : public ClientTest {
 protected:
  void SetUp() override {
    node().on<msg::BuildProgram>([this](const msg::BuildProgram& m) { answer(m.token); });
    node().on<msg::EnqueueNDRangeKernel>([this](const msg::EnqueueNDRangeKernel& m) {
      offset = values(m.global_offset);
      global = values(m.global_size);
      local = values(m.local_size);
    });
    runtime();
    ASSERT_EQ(api::GetDeviceIDs(nullptr, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
    context = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
    queue = api::CreateCommandQueue(context, device, 0, nullptr);
    const char* source = "kernel void any() {}";
    program = api::CreateProgramWithSource(context, 1, &source, nullptr, nullptr);
    ASSERT_EQ(api::BuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
    any = api::CreateKernel(program, "any", nullptr);
    sized = api::CreateKernel(program, "sized", nullptr);
    ASSERT_NE(sized, nullptr);
  }
  void TearDown() override {
    api::ReleaseKernel(any);
    api::ReleaseKernel(sized);
    api::ReleaseProgram(program);
    api::ReleaseCommandQueue(queue);
    api::ReleaseContext(context);
    ClientTest::TearDown();
  }
  void answer(wire::Token token) {
    static const cl_build_status kBuilt = CL_BUILD_SUCCESS;
    static const cl_program_binary_type kType = CL_PROGRAM_BINARY_TYPE_EXECUTABLE;
    static const std::size_t kGroup = 64;
    static const std::array<std::size_t, 3> kRequired = {8, 4, 1};
    msg::BuildProgram::Reply reply;
    auto& on = reply.program.devices.emplace_back();
    on.device = kFirstDevice;
    on.infos = {{CL_PROGRAM_BUILD_STATUS, CL_SUCCESS, std::as_bytes(std::span(&kBuilt, 1))},
                {CL_PROGRAM_BINARY_TYPE, CL_SUCCESS, std::as_bytes(std::span(&kType, 1))}};
    for (const char* const name : {"any", "sized"}) {
      reply.program.kernel_names.push_back(name);
      auto& kernel = reply.program.kernels.emplace_back();
      kernel.name = name;
      auto& facts = kernel.devices.emplace_back();
      facts.device = kFirstDevice;
      facts.infos = {{CL_KERNEL_WORK_GROUP_SIZE, CL_SUCCESS, std::as_bytes(std::span(&kGroup, 1))}};
      if (kernel.name == "sized") {
        facts.infos.push_back(
            {CL_KERNEL_COMPILE_WORK_GROUP_SIZE, CL_SUCCESS, std::as_bytes(std::span(kRequired))});
      }
    }
    node().reply(token, CL_SUCCESS, reply);
  }
  cl_int launch(cl_kernel kernel, const Sizes& sizes, const Sizes& groups = {},
                const Sizes& from = {}) {
    return api::EnqueueNDRangeKernel(queue, kernel, static_cast<cl_uint>(sizes.size()),
                                     from.empty() ? nullptr : from.data(), sizes.data(),
                                     groups.empty() ? nullptr : groups.data(), 0, nullptr, nullptr);
  }

  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_program program = nullptr;
  cl_kernel any = nullptr;
  cl_kernel sized = nullptr;
  std::vector<std::uint64_t> offset, global, local;
};

TEST_F(LaunchTest, TheIndexSpaceGoesOutAsItIs) {
  EXPECT_EQ(launch(any, {64, 8}, {8, 8}, {1, 2}), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_THAT(offset, ElementsAre(1u, 2u));
  EXPECT_THAT(global, ElementsAre(64u, 8u));
  EXPECT_THAT(local, ElementsAre(8u, 8u));
  EXPECT_EQ(launch(any, {5}), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_THAT(offset, IsEmpty());
  EXPECT_THAT(local, IsEmpty());
}

TEST_F(LaunchTest, ATaskIsOneWorkItem) {
  EXPECT_EQ(api::EnqueueTask(queue, any, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_THAT(global, ElementsAre(1u));
  EXPECT_THAT(local, ElementsAre(1u));
}

TEST_F(LaunchTest, ErrorsAreFoundBeforeAnythingIsSent) {
  EXPECT_EQ(launch(nullptr, {1}), CL_INVALID_KERNEL);
  EXPECT_EQ(launch(any, {}), CL_INVALID_WORK_DIMENSION);
  EXPECT_EQ(launch(any, {1, 1, 1, 1}), CL_INVALID_WORK_DIMENSION);
  EXPECT_EQ(launch(any, {SIZE_MAX}, {}, {1}), CL_INVALID_GLOBAL_OFFSET);
  EXPECT_EQ(launch(any, {64}, {0}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(launch(any, {512}, {512}), CL_INVALID_WORK_ITEM_SIZE);
  EXPECT_EQ(launch(any, {128}, {128}), CL_INVALID_WORK_GROUP_SIZE);  // the kernel's 64
  EXPECT_EQ(launch(any, {10}, {4}), CL_INVALID_WORK_GROUP_SIZE);     // not uniform
  EXPECT_EQ(launch(sized, {64, 8}, {8, 8}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(launch(sized, {64, 8}, {8, 4}), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_EQ(node().count(msg::EnqueueNDRangeKernel::kOpcode), 1u);
}

// Since OpenCL 2.1 a range without work-items is no error; its event still waits its turn.
TEST_F(LaunchTest, AnEmptyRangeRunsNothing) {
  EXPECT_EQ(launch(any, {0, 4}), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  EXPECT_EQ(node().count(msg::EnqueueNDRangeKernel::kOpcode), 0u);
  EXPECT_EQ(node().count(msg::EnqueueNothing::kOpcode), 1u);
}

TEST_F(LaunchTest, KernelsOfAnotherContextAreRefused) {
  const cl_context other = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
  const cl_command_queue elsewhere = api::CreateCommandQueue(other, device, 0, nullptr);
  EXPECT_EQ(api::EnqueueTask(elsewhere, any, 0, nullptr, nullptr), CL_INVALID_CONTEXT);
  api::ReleaseCommandQueue(elsewhere);
  api::ReleaseContext(other);
}

TEST(Extensions, ListsStayAsTheyAreWhereNothingIsLeftOut) {
  for (const std::string list : {"", " ", "cl_khr_fp64", "cl_khr_fp64 ", "  a  cl_khr_icd   b "}) {
    EXPECT_EQ(offered_extensions(list), list);
  }
  EXPECT_EQ(offered_extensions("a cl_khr_gl_sharing b"), "a b");
  EXPECT_EQ(offered_extensions("cl_khr_command_buffer  a"), "a");
  EXPECT_EQ(offered_extensions("a cl_intel_unified_shared_memory"), "a");
  EXPECT_EQ(offered_extensions("cl_pocl_content_size"), "");
}

TEST(Extensions, NamesAreMatchedWhole) {
  EXPECT_TRUE(is_offered_extension("cl_khr_int64_base_atomics"));
  EXPECT_TRUE(is_offered_extension("cl_khr_semaphores_of_mine"));
  EXPECT_FALSE(is_offered_extension("cl_khr_semaphore"));
  EXPECT_FALSE(is_offered_extension("cl_khr_gl_depth_images"));
  EXPECT_TRUE(is_offered_extension("cl_ext_image_requirements_info"));
}

}  // namespace
}  // namespace longwire::client::opencl::testing
